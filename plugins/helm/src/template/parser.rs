//! Tokens to trees.

use std::{collections::HashMap, rc::Rc};

use super::{
    ast::{
        Action, Branch, Callee, Chain, Command, Few, List, Node, Operand, Pipe, StringLiteral, TemplateCall,
        Variable,
    },
    lexer::{Keyword, Kind, Lexer, Token},
    literal,
    set::{Source, Tree},
};
use crate::{Error, Str, functions::Functions, go::quote};

/// How deep actions and parentheses may be nested. The stack of a guest has no room for Go's 10,000; nobody needs a hundred.
pub const DEPTH_MAX: usize = 500;

/// For how many items of the lists around there is room at first: most sources need no more, and the next one gets that room
/// again.
const AROUND: usize = 32;

/// Reads a source: its own tree comes last, those that it defines before it.
///
/// # Errors
/// In Go's words: `template: NAME:LINE: …`.
pub fn parse(
    name: impl Into<Str>,
    source: impl Into<Str>,
    functions: &'static Functions,
) -> Result<Vec<Rc<Tree>>> {
    let source = Rc::new(Source {
        name: name.into(),
        text: source.into(),
    });
    if u32::try_from(source.text.len()).is_err() {
        return Err(Error::new(format!(
            "template: {}:1: the source has more than 4 GiB",
            source.name
        )));
    }
    let mut shared = Shared {
        lexer: Lexer::new(source.text.as_bytes()),
        functions,
        source: Rc::clone(&source),
        trees: Vec::new(),
        nodes: Vec::with_capacity(AROUND),
        commands: Vec::with_capacity(AROUND),
        operands: Vec::with_capacity(AROUND),
        names: Vec::with_capacity(AROUND),
        ids: HashMap::from([(b"$".as_slice(), (0, Rc::new("$".into())))]),
        depth: 0,
    };
    let mut parser = Parser::new(&mut shared);
    let root = parser.top()?;
    parser.add(source.name.clone(), root)?;
    Ok(shared.trees)
}

/// What the parser of a source and those of its definitions share.
struct Shared<'s> {
    lexer: Lexer<'s>,
    functions: &'static Functions,
    source: Rc<Source>,
    trees: Vec<Rc<Tree>>,
    /// What was read of the lists around, which are made once their lengths are known: a chart has ten thousands of them, most
    /// of one to three.
    nodes: Vec<Node>,
    commands: Vec<Command>,
    operands: Vec<Operand>,
    names: Vec<Str>,
    /// Variables by name.
    ids: HashMap<&'s [u8], (u32, Rc<Str>)>,
    depth: usize,
}

/// Reads one tree.
struct Parser<'p, 's> {
    shared: &'p mut Shared<'s>,
    /// Tokens that were read and given back; the first is the one that was read last, whose line messages name.
    tokens: [Token<'s>; 3],
    peeked: usize,
    /// The variables in scope.
    variables: Vec<u32>,
    action_line: usize,
    range_depth: usize,
}

type Result<T> = std::result::Result<T, Error>;

/// What ends a list of nodes.
enum End {
    End,
    Else,
}

impl End {
    fn text(&self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// A node, or the end of the list it would be in.
enum Item {
    Node(Node),
    End(End),
}

fn position(token: &Token<'_>) -> u32 {
    u32::try_from(token.position).unwrap_or(u32::MAX)
}

impl<'p, 's> Parser<'p, 's> {
    fn new(shared: &'p mut Shared<'s>) -> Self {
        Self {
            shared,
            tokens: [Token::none(), Token::none(), Token::none()],
            peeked: 0,
            variables: vec![0],
            action_line: 0,
            range_depth: 0,
        }
    }

    fn slot(&mut self, index: usize) -> &mut Token<'s> {
        let [first, second, third] = &mut self.tokens;
        match index {
            0 => first,
            1 => second,
            _ => third,
        }
    }

    #[inline]
    fn next(&mut self) -> Token<'s> {
        let token = self.peek();
        self.peeked -= 1;
        token
    }

    fn back_up(&mut self) {
        self.peeked += 1;
    }

    fn back_up_2(&mut self, first: Token<'s>) {
        *self.slot(1) = first;
        self.peeked = 2;
    }

    fn back_up_3(&mut self, first: Token<'s>, second: Token<'s>) {
        *self.slot(1) = second;
        *self.slot(2) = first;
        self.peeked = 3;
    }

    /// Tokens are looked at several times each, so that this has to be small.
    #[inline]
    fn peek(&mut self) -> Token<'s> {
        if self.peeked == 0 {
            *self.slot(0) = self.shared.lexer.next_token();
            self.peeked = 1;
        }
        *self.slot(self.peeked - 1)
    }

    fn next_non_space(&mut self) -> Token<'s> {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token<'s> {
        let token = self.next_non_space();
        self.back_up();
        token
    }

    /// A token's text, as a part of the source.
    fn written(&self, token: &Token<'s>) -> Str {
        let end = token.position + token.source.len();
        self.shared.source.text.part(token.position, end)
    }

    fn error(&self, message: impl std::fmt::Display) -> Error {
        let [last, ..] = &self.tokens;
        Error::new(format!(
            "template: {}:{}: {message}",
            self.shared.source.name, last.line
        ))
    }

    fn fail<T>(&self, message: impl std::fmt::Display) -> Result<T> {
        Err(self.error(message))
    }

    fn unexpected<T>(&self, token: &Token<'s>, context: &str) -> Result<T> {
        if token.kind != Kind::Error {
            return self.fail(format_args!("unexpected {token} in {context}"));
        }
        let text = self.shared.lexer.message();
        if self.action_line == 0 || self.action_line == token.line {
            return self.fail(text);
        }
        let action = if text.ends_with(" action") {
            ""
        } else {
            " in action"
        };
        self.fail(format_args!(
            "{text}{action} started at {}:{}",
            self.shared.source.name, self.action_line
        ))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Result<Token<'s>> {
        let token = self.next_non_space();
        if token.kind == kind {
            Ok(token)
        } else {
            self.unexpected(&token, context)
        }
    }

    /// Keeps a tree. A source may define a name twice only where one of the two is empty.
    fn add(&mut self, name: Str, root: List) -> Result<()> {
        let trees = &mut self.shared.trees;
        if let Some(index) = trees.iter().position(|tree| tree.name == name) {
            let is_old_empty = trees.get(index).is_some_and(|tree| tree.root.is_empty());
            if !is_old_empty {
                return if root.is_empty() {
                    Ok(())
                } else {
                    self.fail(format_args!(
                        "template: multiple definition of template {}",
                        quote::quote(name.as_bytes())
                    ))
                };
            }
            trees.remove(index);
        }
        let source = Rc::clone(&self.shared.source);
        let root = Rc::new(root);
        self.shared.trees.push(Rc::new(Tree { name, source, root }));
        Ok(())
    }

    /// Goes one level down; the caller counts `depth` down again.
    fn enter(&mut self) -> Result<()> {
        self.shared.depth += 1;
        if self.shared.depth > DEPTH_MAX {
            return self.fail("max expression depth exceeded");
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.shared.depth -= 1;
    }

    /// The whole of a source.
    fn top(&mut self) -> Result<List> {
        let start = self.shared.nodes.len();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelimiter {
                let delimiter = self.next();
                if self.next_non_space().kind == Kind::Keyword(Keyword::Define) {
                    Parser::new(self.shared).definition()?;
                    continue;
                }
                self.back_up_2(delimiter);
            }
            match self.text_or_action()? {
                Item::Node(node) => self.shared.nodes.push(node),
                Item::End(end) => return self.fail(format_args!("unexpected {}", end.text())),
            }
        }
        Ok(self.nodes_from(start))
    }

    /// `{{define "name"}}`, after the keyword.
    fn definition(mut self) -> Result<()> {
        const CONTEXT: &str = "define clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        self.expect(Kind::RightDelimiter, CONTEXT)?;
        let root = self.list_to_end(CONTEXT)?;
        self.add(name, root)
    }

    fn template_name(&mut self, token: &Token<'s>, context: &str) -> Result<Str> {
        match token.kind {
            Kind::String | Kind::RawString => {
                literal::unquote(&self.written(token)).map_err(|message| self.error(message))
            }
            _ => self.unexpected(token, context),
        }
    }

    fn list_to_end(&mut self, context: &str) -> Result<List> {
        let (list, end) = self.list()?;
        match end {
            End::End => Ok(list),
            End::Else => self.fail(format_args!("unexpected {} in {context}", end.text())),
        }
    }

    /// Nodes up to `{{end}}` or `{{else}}`.
    fn list(&mut self) -> Result<(List, End)> {
        let start = self.shared.nodes.len();
        while self.peek_non_space().kind != Kind::Eof {
            match self.text_or_action()? {
                Item::Node(node) => self.shared.nodes.push(node),
                Item::End(end) => return Ok((self.nodes_from(start), end)),
            }
        }
        self.fail("unexpected EOF")
    }

    fn nodes_from(&mut self, start: usize) -> List {
        List {
            nodes: self.shared.nodes.drain(start..).collect(),
        }
    }

    fn text_or_action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(self.written(&token)))),
            Kind::LeftDelimiter => {
                self.action_line = token.line;
                self.enter()?;
                let item = self.action()?;
                self.leave();
                self.action_line = 0;
                Ok(item)
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Result<Item> {
        let token = self.next_non_space();
        if let Kind::Keyword(keyword) = token.kind {
            match keyword {
                Keyword::Block => return self.block().map(Item::Node),
                Keyword::Break => return self.jump("{{break}}", Node::Break(position(&token))),
                Keyword::Continue => return self.jump("{{continue}}", Node::Continue(position(&token))),
                Keyword::Else => return self.else_control(),
                Keyword::End => {
                    self.expect(Kind::RightDelimiter, "end")?;
                    return Ok(Item::End(End::End));
                }
                Keyword::If => return Ok(Item::Node(Node::If(self.branch("if")?))),
                Keyword::Range => return Ok(Item::Node(Node::Range(self.branch("range")?))),
                Keyword::With => return Ok(Item::Node(Node::With(self.branch("with")?))),
                Keyword::Template => return self.template_call().map(Item::Node),
                Keyword::Dot | Keyword::Define | Keyword::Nil => {}
            }
        }
        self.back_up();
        let position = position(&self.peek());
        let pipe = self.pipeline("command", Kind::RightDelimiter)?;
        Ok(Item::Node(Node::Action(Action { position, pipe })))
    }

    fn jump(&mut self, name: &str, node: Node) -> Result<Item> {
        let token = self.next_non_space();
        if token.kind != Kind::RightDelimiter {
            return self.unexpected(&token, name);
        }
        if self.range_depth == 0 {
            return self.fail(format_args!("{name} outside {{{{range}}}}"));
        }
        Ok(Item::Node(node))
    }

    /// `{{else}}`; of `{{else if …}}` only the first word.
    fn else_control(&mut self) -> Result<Item> {
        let token = self.peek_non_space();
        if !matches!(token.kind, Kind::Keyword(Keyword::If | Keyword::With)) {
            self.expect(Kind::RightDelimiter, "else")?;
        }
        Ok(Item::End(End::Else))
    }

    fn branch(&mut self, context: &'static str) -> Result<Box<Branch>> {
        let scope = self.variables.len();
        let pipe = self.pipeline(context, Kind::RightDelimiter)?;
        self.range_depth += usize::from(context == "range");
        let (list, end) = self.list()?;
        self.range_depth -= usize::from(context == "range");
        let else_list = match end {
            End::End => None,
            End::Else => Some(self.else_list(context)?),
        };
        self.variables.truncate(scope);
        Ok(Box::new(Branch {
            position: pipe.position,
            pipe,
            list,
            else_list,
        }))
    }

    /// What follows `{{else`: a list, or another branch that shares the `{{end}}`.
    fn else_list(&mut self, context: &'static str) -> Result<List> {
        let kind = self.peek().kind;
        let chained = match (context, kind) {
            ("if", Kind::Keyword(Keyword::If)) => Node::If,
            ("with", Kind::Keyword(Keyword::With)) => Node::With,
            _ => {
                let (list, end) = self.list()?;
                return match end {
                    End::End => Ok(list),
                    End::Else => self.fail(format_args!("expected end; found {}", end.text())),
                };
            }
        };
        self.next();
        self.enter()?;
        let branch = self.branch(context)?;
        self.leave();
        Ok(List {
            nodes: vec![chained(branch)],
        })
    }

    fn block(&mut self) -> Result<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelimiter)?;
        let mut body = Parser::new(self.shared);
        let root = match body.list()? {
            (root, End::End) => root,
            // Go names the line where the clause starts
            (_, end) => return self.fail(format_args!("unexpected {} in {CONTEXT}", end.text())),
        };
        body.add(name.clone(), root)?;
        Ok(Node::Template(Box::new(TemplateCall {
            position: position(&token),
            name,
            pipe: Some(pipe),
        })))
    }

    fn template_call(&mut self) -> Result<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_non_space();
        let name = self.template_name(&token, CONTEXT)?;
        let mut pipe = None;
        if self.next_non_space().kind != Kind::RightDelimiter {
            self.back_up();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelimiter)?);
        }
        Ok(Node::Template(Box::new(TemplateCall {
            position: position(&token),
            name,
            pipe,
        })))
    }

    /// A declared or assigned variable: whether it exists is asked when it runs.
    fn variable(&mut self, token: &Token<'s>) -> Variable {
        let next = u32::try_from(self.shared.ids.len()).unwrap_or(u32::MAX);
        let known = self.shared.ids.entry(token.source);
        let (id, name) = known.or_insert_with(|| (next, Rc::new(token.source.into())));
        Variable {
            position: position(token),
            id: *id,
            name: Rc::clone(name),
            fields: Vec::new(),
        }
    }

    /// The variables before `:=` or `=`, if that is what a variable at the start is.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Result<()> {
        loop {
            let token = self.peek_non_space();
            if token.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            let adjacent = self.peek();
            let after = self.peek_non_space();
            let is_comma = after.kind == Kind::Char && after.source == b",";
            if !is_comma && !matches!(after.kind, Kind::Assign | Kind::Declare) {
                if adjacent.kind == Kind::Space {
                    self.back_up_3(token, adjacent);
                } else {
                    self.back_up_2(token);
                }
                return Ok(());
            }
            self.next_non_space();
            let variable = self.variable(&token);
            self.variables.push(variable.id);
            // there are seldom two
            pipe.declarations.reserve_exact(1);
            pipe.declarations.push(variable);
            if !is_comma {
                pipe.is_assignment = after.kind == Kind::Assign;
                return Ok(());
            }
            if context != "range" || pipe.declarations.len() >= 2 {
                return self.fail(format_args!("too many declarations in {context}"));
            }
            if !matches!(
                self.peek_non_space().kind,
                Kind::Variable | Kind::RightDelimiter | Kind::RightParenthesis
            ) {
                return self.fail("range can only initialize variables");
            }
        }
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Result<Pipe> {
        let position = position(&self.peek_non_space());
        let mut pipe = Pipe {
            position,
            is_assignment: false,
            declarations: Vec::new(),
            commands: Few::Many(Vec::new()),
        };
        self.declarations(&mut pipe, context)?;
        let start = self.shared.commands.len();
        loop {
            let token = self.next_non_space();
            if token.kind == end {
                pipe.commands = self.shared.commands.drain(start..).into();
                self.check(&pipe, context)?;
                return Ok(pipe);
            }
            match token.kind {
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Keyword(Keyword::Dot | Keyword::Nil)
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParenthesis => {
                    self.back_up();
                    let command = self.command()?;
                    self.shared.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
    }

    /// A pipeline is not empty, and only its first command may be a value.
    fn check(&self, pipe: &Pipe, context: &str) -> Result<()> {
        if pipe.commands.is_empty() {
            return self.fail(format_args!("missing value for {context}"));
        }
        for (index, command) in pipe.commands.iter().enumerate().skip(1) {
            if matches!(
                command.arguments.first(),
                Some(
                    Operand::Bool(..)
                        | Operand::Dot(_)
                        | Operand::Nil(_)
                        | Operand::Number(_)
                        | Operand::String(_)
                )
            ) {
                return self.fail(format_args!(
                    "non executable command in pipeline stage {}",
                    index + 1
                ));
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<Command> {
        let position = position(&self.peek_non_space());
        let start = self.shared.operands.len();
        loop {
            self.peek_non_space();
            let operand = self.operand()?;
            self.shared.operands.extend(operand);
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelimiter | Kind::RightParenthesis => self.back_up(),
                Kind::Pipe => {}
                _ => return self.unexpected(&token, "operand"),
            }
            break;
        }
        let arguments = Few::from(self.shared.operands.drain(start..));
        if arguments.is_empty() {
            return self.fail("empty command");
        }
        Ok(Command { position, arguments })
    }

    /// A term and the fields taken of it.
    fn operand(&mut self) -> Result<Option<Operand>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(term));
        }
        let position = position(&first);
        Ok(Some(match term {
            Operand::Variable(variable) => Operand::Variable(Variable {
                position,
                fields: self.fields(None),
                ..variable
            }),
            Operand::Bool(..)
            | Operand::String(_)
            | Operand::Number(_)
            | Operand::Nil(_)
            | Operand::Dot(_) => {
                self.fields(None);
                return self.fail(format_args!(
                    "unexpected . after term {}",
                    quote::quote(term.to_string().as_bytes())
                ));
            }
            operand => Operand::Chain(Box::new(Chain {
                position,
                operand,
                fields: self.fields(None),
            })),
        }))
    }

    /// The first field, if it was read already, and those that follow without a space.
    fn fields(&mut self, first: Option<Str>) -> Vec<Str> {
        self.shared.names.extend(first);
        while self.peek().kind == Kind::Field {
            let name = field_name(&self.next());
            self.shared.names.push(name);
        }
        self.shared.names.drain(..).collect()
    }

    fn term(&mut self) -> Result<Option<Operand>> {
        let token = self.next_non_space();
        let position = position(&token);
        Ok(Some(match token.kind {
            Kind::Identifier => Operand::Identifier(position, self.callee(token.source)?),
            Kind::Keyword(Keyword::Dot) => Operand::Dot(position),
            Kind::Keyword(Keyword::Nil) => Operand::Nil(position),
            Kind::Variable => {
                let variable = self.variable(&token);
                if !self.variables.contains(&variable.id) {
                    return self.fail(format_args!(
                        "undefined variable {}",
                        quote::quote(variable.name.as_bytes())
                    ));
                }
                Operand::Variable(variable)
            }
            Kind::Field => {
                // of several fields it is the second that says where they are
                let second = self.peek();
                let position = if second.kind == Kind::Field {
                    self::position(&second)
                } else {
                    position
                };
                Operand::Field(position, self.fields(Some(field_name(&token))))
            }
            Kind::Bool => Operand::Bool(position, token.source == b"true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => {
                let number = literal::number(position, token.source, token.kind);
                Operand::Number(Box::new(number.map_err(|message| self.error(message))?))
            }
            Kind::LeftParenthesis => {
                self.enter()?;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParenthesis)?;
                self.leave();
                Operand::Pipe(Box::new(pipe))
            }
            Kind::String | Kind::RawString => {
                let quoted = self.written(&token);
                let text = literal::unquote(&quoted).map_err(|message| self.error(message))?;
                Operand::String(Box::new(StringLiteral {
                    position,
                    quoted,
                    text,
                }))
            }
            _ => {
                self.back_up();
                return Ok(None);
            }
        }))
    }

    fn callee(&self, name: &[u8]) -> Result<Callee> {
        let found = std::str::from_utf8(name)
            .ok()
            .and_then(|name| self.shared.functions.get(name));
        match (name, found) {
            (b"and", Some(_)) => Ok(Callee::And),
            (b"or", Some(_)) => Ok(Callee::Or),
            (b"call", Some(function)) => Ok(Callee::Call(function)),
            (_, Some(function)) => Ok(Callee::Function(function)),
            (_, None) => self.fail(format_args!("function {} not defined", quote::quote(name))),
        }
    }
}

/// The name without its dot.
fn field_name(token: &Token<'_>) -> Str {
    token.source.get(1..).unwrap_or_default().into()
}
