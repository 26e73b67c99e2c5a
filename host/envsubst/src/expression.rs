//! The grammar: text with `${…}` expressions becomes parts.
//!
//! It follows the engine that Flux uses, quirks included (`compat/kustomize.md` 5.6.1): existing manifests depend on
//! them. An expression ends where that engine ends it, not where a shell would.

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// `${name…}`.
    Expression(Expression),
}

/// `${name}`, `${#name}`, `${name:-default}`, `${name/from/to}` …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// The variable.
    pub name: String,
    /// What is between the name and the arguments: "", "#", ":", ":-", "//", "^^" …
    pub operator: String,
    /// The arguments, to be expanded before the operator is applied.
    pub arguments: Vec<Part>,
}

/// Why a template cannot be read. The texts are Flux's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// An operator without what it needs.
    #[error("bad substitution")]
    BadSubstitution,
    /// `${v-d}`, `${v.x}`, `${v`.
    #[error("missing closing brace")]
    MissingClosingBrace,
    /// `${}`, `${ v }`.
    #[error("unable to parse variable name")]
    VariableName,
    /// `${v:}`, `${v:-d`.
    #[error("unable to parse substitution within function")]
    Argument,
    /// `${v:=` without what belongs there.
    #[error("unable to parse default function")]
    Default,
    /// Expressions in expressions in expressions: a limit of ours, where the original fails later.
    #[error("expressions are nested more than {NESTING_MAX} deep")]
    TooDeep,
}

/// How deep expressions may be nested. Nobody writes more than three; the stack has room for a thousand.
pub const NESTING_MAX: usize = 100;

/// Reads a template. A NUL ends it.
pub fn parse(template: &str) -> Result<Vec<Part>, SyntaxError> {
    let mut reader = Reader {
        rest: template,
        depth: 0,
    };
    let mut parts = Vec::new();
    while reader.peek().is_some() {
        if reader.take("${") {
            parts.push(Part::Expression(reader.expression()?));
        } else if let Some(text) = reader.token(|_, _| true, Escapes::Dollar, Expressions::End) {
            parts.push(Part::Text(text));
        }
    }
    Ok(parts)
}

/// Which characters may be escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    /// `$$` is `$`.
    Dollar,
    /// Also `\/` is `/` and `\\` is `\`: the arguments of a replacement.
    DollarAndBackslash,
}

/// What a `${` does to the token that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expressions {
    /// It ends it.
    End,
    /// It is text like any other.
    Ignored,
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    /// The next character; none at the end, and a NUL is an end.
    fn peek(&self) -> Option<char> {
        self.rest.chars().next().filter(|character| *character != '\0')
    }

    fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Reads characters while they are accepted, at least one. `accept` is also told how many bytes the token has with it.
    fn token(
        &mut self,
        accept: impl Fn(char, usize) -> bool,
        escapes: Escapes,
        expressions: Expressions,
    ) -> Option<String> {
        let mut token = String::new();
        while let Some(character) = self.peek() {
            if expressions == Expressions::End && self.rest.starts_with("${") {
                break;
            }
            if let Some(escaped) = self.escaped(escapes) {
                token.push(escaped);
                self.advance(2);
                continue;
            }
            if !accept(character, token.len() + character.len_utf8()) {
                break;
            }
            token.push(character);
            self.advance(character.len_utf8());
        }
        Some(token).filter(|token| !token.is_empty())
    }

    fn escaped(&self, escapes: Escapes) -> Option<char> {
        let is = |pair| self.rest.starts_with(pair);
        match escapes {
            Escapes::None => None,
            _ if is("$$") => Some('$'),
            Escapes::DollarAndBackslash if is(r"\/") => Some('/'),
            Escapes::DollarAndBackslash if is(r"\\") => Some('\\'),
            _ => None,
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// What follows `${`.
    fn expression(&mut self) -> Result<Expression, SyntaxError> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err(SyntaxError::TooDeep);
        }
        let expression = if self.peek() == Some('#') {
            self.length()
        } else {
            self.named()
        };
        self.depth -= 1;
        expression
    }

    /// `#name}`.
    fn length(&mut self) -> Result<Expression, SyntaxError> {
        self.take("#");
        let name = self.name().ok_or(SyntaxError::BadSubstitution)?;
        self.close(Expression {
            name,
            operator: "#".to_owned(),
            arguments: Vec::new(),
        })
    }

    fn named(&mut self) -> Result<Expression, SyntaxError> {
        let name = self.name().ok_or(SyntaxError::VariableName)?;
        match self.peek() {
            Some(':') => match self.rest.chars().nth(1) {
                Some('=' | '-' | '?' | '+') => self.default(name),
                Some(next) if next.is_ascii() => self.substring(name),
                // the original goes back by the width of what it sees here, which is no longer at the colon
                _ => Err(SyntaxError::BadSubstitution),
            },
            Some('=') => self.default(name),
            Some(',' | '^') => {
                let operator = self.operator(|character, size| matches!(character, ',' | '^') && size < 3)?;
                self.close(Expression {
                    name,
                    operator,
                    arguments: Vec::new(),
                })
            }
            Some('/') => self.replacement(name),
            Some(end @ ('#' | '%')) => {
                let operator = self.operator(|character, size| character == end && size < 3)?;
                let arguments = vec![self.argument(|character| character != '}', Escapes::None)?];
                self.close(Expression {
                    name,
                    operator,
                    arguments,
                })
            }
            Some('}') => {
                self.advance(1);
                Ok(Expression {
                    name,
                    operator: String::new(),
                    arguments: Vec::new(),
                })
            }
            _ => Err(SyntaxError::MissingClosingBrace),
        }
    }

    fn name(&mut self) -> Option<String> {
        self.token(
            |character, _| character.is_alphanumeric() || character == '_',
            Escapes::None,
            Expressions::Ignored,
        )
    }

    fn operator(&mut self, accept: impl Fn(char, usize) -> bool) -> Result<String, SyntaxError> {
        self.token(accept, Escapes::None, Expressions::Ignored)
            .ok_or(SyntaxError::BadSubstitution)
    }

    /// One argument: an expression, or text that is not empty.
    fn argument(&mut self, accept: impl Fn(char) -> bool, escapes: Escapes) -> Result<Part, SyntaxError> {
        if self.take("${") {
            return self.expression().map(Part::Expression);
        }
        let text = self.token(|character, _| accept(character), escapes, Expressions::End);
        text.map(Part::Text).ok_or(SyntaxError::Argument)
    }

    /// `:-default}`, `:=default}`, `:+…}`, `:?…}`, `=default}`: any number of arguments up to the first `}`.
    fn default(&mut self, name: String) -> Result<Expression, SyntaxError> {
        let starts_with_equals = self.peek() == Some('=');
        let accept = |character, size| match size {
            1 => character == if starts_with_equals { '=' } else { ':' },
            2 => !starts_with_equals && matches!(character, '=' | '-' | '?' | '+'),
            _ => false,
        };
        let operator = self.operator(accept).map_err(|_| SyntaxError::Default)?;
        let mut arguments = Vec::new();
        while self.peek() != Some('}') {
            arguments.push(self.argument(|character| character != '}', Escapes::None)?);
        }
        self.close(Expression {
            name,
            operator,
            arguments,
        })
    }

    /// `:offset}` or `:offset:length}`.
    fn substring(&mut self, name: String) -> Result<Expression, SyntaxError> {
        self.take(":");
        let operator = ":".to_owned();
        let mut arguments = vec![self.argument(|character| !matches!(character, ':' | '}'), Escapes::None)?];
        if self.take("}") {
            return Ok(Expression {
                name,
                operator,
                arguments,
            });
        }
        self.operator(|character, _| character == ':')?;
        arguments.push(self.argument(|character| character != '}', Escapes::None)?);
        self.close(Expression {
            name,
            operator,
            arguments,
        })
    }

    /// `/from/to}`, `//from/to}`, `/#prefix/to}`, `/%suffix/to}`. The delimiter swallows its repetitions.
    fn replacement(&mut self, name: String) -> Result<Expression, SyntaxError> {
        let operator = self.operator(|character, size| match size {
            1 => character == '/',
            2 => matches!(character, '/' | '#' | '%'),
            _ => false,
        })?;
        let escapes = Escapes::DollarAndBackslash;
        let mut arguments = vec![self.argument(|character| character != '/', escapes)?];
        self.operator(|character, _| character == '/')?;
        if self.peek() != Some('}') {
            arguments.push(self.argument(|character| character != '}', escapes)?);
        }
        self.close(Expression {
            name,
            operator,
            arguments,
        })
    }

    fn close(&mut self, expression: Expression) -> Result<Expression, SyntaxError> {
        if self.take("}") {
            Ok(expression)
        } else {
            Err(SyntaxError::BadSubstitution)
        }
    }
}
