//! Kubernetes label selectors: `app=web, tier in (a, b), !canary`.

use crate::{
    Text,
    error::{Error, Result},
    go,
};

/// A parsed selector; a malformed one fails when it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Requirements(Result<Vec<Requirement>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: Text,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<Text>),
    NotIn(Vec<Text>),
    Greater(i64),
    Less(i64),
}

impl Requirements {
    pub(crate) fn parse(text: &str) -> Self {
        let parsed = Parser { rest: text }.requirements();
        Self(parsed.map_err(|e| {
            e.help(format!(
                "the selector is {text:?}; write key=value, key in (a, b), !key"
            ))
        }))
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.0.is_ok()
    }

    /// Whether labels or annotations meet all requirements.
    pub(crate) fn match_all(&self, map: impl FnOnce() -> Vec<(Text, Text)>) -> Result<bool> {
        let requirements = self.0.as_ref().map_err(Error::clone)?;
        if requirements.is_empty() {
            return Ok(true);
        }
        let map = map();
        Ok(requirements
            .iter()
            .all(|r| r.matches(map.iter().find(|(k, _)| *k == r.key).map(|(_, v)| v.as_str()))))
    }
}

impl Requirement {
    fn matches(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|v| v.parse::<i64>().ok());
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
            Test::In(values) => value.is_some_and(|v| values.iter().any(|x| x == v)),
            Test::NotIn(values) => value.is_none_or(|v| values.iter().all(|x| x != v)),
            Test::Greater(than) => number().is_some_and(|v| v > *than),
            Test::Less(than) => number().is_some_and(|v| v < *than),
        }
    }
}

/// A piece of a selector; words keep their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Symbol(&'a str),
    End,
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Word(text) | Self::Symbol(text) => text,
            Self::End => "",
        }
    }
}

const SYMBOLS: [&str; 9] = ["==", "!=", "=", "!", ">", "<", "(", ")", ","];

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Token<'a> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| self.rest.starts_with(symbol)) {
            self.rest = self.rest.strip_prefix(symbol).unwrap_or_default();
            return Token::Symbol(symbol);
        }
        let is_end = |c: char| " \t\r\n=!(),><".contains(c);
        let (word, rest) = self
            .rest
            .split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
        self.rest = rest;
        if word.is_empty() {
            Token::End
        } else {
            Token::Word(word)
        }
    }

    fn peek(&self) -> Token<'a> {
        Parser { rest: self.rest }.next()
    }

    fn requirements(&mut self) -> Result<Vec<Requirement>> {
        let mut all = Vec::new();
        if self.peek() == Token::End {
            return Ok(all);
        }
        if !matches!(self.peek(), Token::Word(_) | Token::Symbol("!")) {
            return Err(unexpected(self.peek(), "!, identifier, or 'end of string'"));
        }
        loop {
            all.push(
                self.requirement()
                    .map_err(|e| e.wrap("unable to parse requirement"))?,
            );
            match self.next() {
                Token::End => return Ok(all),
                Token::Symbol(",") if matches!(self.peek(), Token::Word(_) | Token::Symbol("!")) => {}
                Token::Symbol(",") => return Err(unexpected(self.peek(), "identifier after ','")),
                other => return Err(unexpected(other, "',' or 'end of string'")),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement> {
        let mut first = self.next();
        let is_negated = first == Token::Symbol("!");
        if is_negated {
            first = self.next();
        }
        let Token::Word(key) = first else {
            return Err(unexpected(first, "identifier"));
        };
        check_key(key)?;
        let test = if is_negated {
            Test::Missing
        } else {
            self.test(key)?
        };
        Ok(Requirement {
            key: key.into(),
            test,
        })
    }

    fn test(&mut self, key: &str) -> Result<Test> {
        if matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(Test::Exists);
        }
        let values = |values: Vec<Text>| {
            values.iter().try_for_each(|value| check_value(key, value))?;
            Ok(values)
        };
        Ok(match self.next() {
            Token::Word("in") => Test::In(values(self.values()?)?),
            Token::Word("notin") => Test::NotIn(values(self.values()?)?),
            Token::Symbol("=" | "==") => Test::In(values(vec![self.value()?])?),
            Token::Symbol("!=") => Test::NotIn(values(vec![self.value()?])?),
            Token::Symbol(">") => Test::Greater(self.number()?),
            Token::Symbol("<") => Test::Less(self.number()?),
            other => return Err(unexpected(other, "'=', '!=', '==', 'in', notin'")),
        })
    }

    fn values(&mut self) -> Result<Vec<Text>> {
        let open = self.next();
        if open != Token::Symbol("(") {
            return Err(Error::new(format!("found '{}' expected: '('", open.text())));
        }
        let mut values = Vec::new();
        loop {
            match self.peek() {
                Token::Word(word) => {
                    self.next();
                    values.push(word.into());
                }
                Token::Symbol("," | ")") => values.push(Text::default()),
                other => return Err(unexpected(other, "',', or identifier")),
            }
            match self.next() {
                Token::Symbol(")") => return Ok(values),
                Token::Symbol(",") => {}
                other => return Err(unexpected(other, "',' or ')'")),
            }
        }
    }

    fn value(&mut self) -> Result<Text> {
        match self.peek() {
            Token::End | Token::Symbol(",") => Ok(Text::default()),
            Token::Word(word) => {
                self.next();
                Ok(word.into())
            }
            other => Err(unexpected(other, "identifier")),
        }
    }

    fn number(&mut self) -> Result<i64> {
        let number = self.value()?.parse();
        number.map_err(|_| Error::new("for 'Gt', 'Lt' operators, the value must be an integer"))
    }
}

fn unexpected(found: Token<'_>, expected: &str) -> Error {
    Error::new(format!("found '{}', expected: {expected}", found.text()))
}

/// The longest name of a label, its longest value (Kubernetes' limits).
const NAME_LENGTH_MAX: usize = 63;

const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

fn is_name(text: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    is_edge(text.chars().next())
        && is_edge(text.chars().last())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// A qualified name: `[prefix/]name`.
fn check_key(key: &str) -> Result<()> {
    let mut problems = Vec::new();
    match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => check_name(name, &mut problems),
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else if !is_subdomain(prefix) {
                problems.push("prefix part a DNS-1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')".to_owned());
            }
            check_name(name, &mut problems);
        }
        _ => problems.push(format!(
            "a qualified name {NAME} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        )),
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::new(format!(
        "invalid label key {}: {}",
        go::quote(key),
        problems.join("; ")
    )))
}

fn check_name(name: &str, problems: &mut Vec<String>) {
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > NAME_LENGTH_MAX {
        problems.push(format!(
            "name part must be no more than {NAME_LENGTH_MAX} characters"
        ));
    }
    if !is_name(name) {
        problems.push(format!("name part {NAME}"));
    }
}

fn is_subdomain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn check_value(key: &str, value: &str) -> Result<()> {
    let problem = if value.len() > NAME_LENGTH_MAX {
        format!("must be no more than {NAME_LENGTH_MAX} characters")
    } else if value.is_empty() || is_name(value) {
        return Ok(());
    } else {
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')".to_owned()
    };
    Err(Error::new(format!(
        "invalid label value: {}: at key: {}: {problem}",
        go::quote(value),
        go::quote(key)
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Vec<(Text, Text)> {
        [("app", "web"), ("n", "3")]
            .map(|(key, value)| (key.into(), value.into()))
            .to_vec()
    }

    #[test]
    fn requirements() {
        let rows = [
            ("", true),
            ("app=web", true),
            ("app==web, n", true),
            ("app!=web", false),
            ("app in (db, web)", true),
            ("app notin (db)", true),
            ("app in ()", false),
            ("missing notin (,a)", true),
            ("!missing", true),
            ("n>2,n<4", true),
            ("missing=x", false),
            ("app=", false),
        ];
        for (text, expected) in rows {
            assert_eq!(Requirements::parse(text).match_all(map), Ok(expected), "{text}");
        }
    }

    #[test]
    fn malformed() {
        let rows = [
            ("app=web,", "found '', expected: identifier after ','"),
            ("app=web)", "found ')', expected: ',' or 'end of string'"),
            (
                "app in web",
                "unable to parse requirement: found 'web' expected: '('",
            ),
            (
                "a b",
                "unable to parse requirement: found 'b', expected: '=', '!=', '==', 'in', notin'",
            ),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("=x", "found '=', expected: !, identifier, or 'end of string'"),
            (
                "a==(",
                "unable to parse requirement: found '(', expected: identifier",
            ),
            (
                "n>x",
                "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer",
            ),
            (
                "-a=b",
                "unable to parse requirement: invalid label key \"-a\": name part must consist",
            ),
            (
                "a/b/c=d",
                "unable to parse requirement: invalid label key \"a/b/c\": a qualified name must",
            ),
            (
                "/b=d",
                "unable to parse requirement: invalid label key \"/b\": prefix part must be non-empty",
            ),
            (
                "a=-b",
                "unable to parse requirement: invalid label value: \"-b\": at key: \"a\": a valid",
            ),
        ];
        for (text, expected) in rows {
            let error = Requirements::parse(text).match_all(map).unwrap_err();
            assert!(error.text().starts_with(expected), "{text}: {error}");
        }
    }
}
