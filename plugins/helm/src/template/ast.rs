//! The tree of a template. Nodes print as messages show them: normalized, with single spaces.

use std::{fmt, ops::Deref, rc::Rc, vec::Drain};

use crate::{Str, functions::Function, go::quote};

/// Nodes in order.
#[derive(Debug, Default)]
pub struct List {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A list that seldom has more than one item: one lies in place.
#[derive(Debug)]
pub enum Few<T> {
    /// One item.
    One([T; 1]),
    /// Any other number of them.
    Many(Vec<T>),
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(item) => item,
            Self::Many(items) => items,
        }
    }
}

impl<T> From<Drain<'_, T>> for Few<T> {
    fn from(mut items: Drain<'_, T>) -> Self {
        if items.len() == 1
            && let Some(item) = items.next()
        {
            return Self::One([item]);
        }
        Self::Many(items.collect())
    }
}

/// What makes output or steers it.
#[derive(Debug)]
pub enum Node {
    /// Text as it is.
    Text(Str),
    /// `{{pipeline}}`
    Action(Action),
    /// `{{if}}`
    If(Box<Branch>),
    /// `{{with}}`
    With(Box<Branch>),
    /// `{{range}}`
    Range(Box<Branch>),
    /// `{{template}}`, and what is left of `{{block}}`.
    Template(Box<TemplateCall>),
    /// `{{break}}`
    Break(u32),
    /// `{{continue}}`
    Continue(u32),
}

/// `{{pipeline}}`
#[derive(Debug)]
pub struct Action {
    /// Where, in bytes.
    pub position: u32,
    /// What.
    pub pipe: Pipe,
}

/// What `if`, `with` and `range` have in common.
#[derive(Debug)]
pub struct Branch {
    /// Where, in bytes: the pipeline.
    pub position: u32,
    /// The condition, or what to walk over.
    pub pipe: Pipe,
    /// For something.
    pub list: List,
    /// For nothing.
    pub else_list: Option<List>,
}

/// `{{template "name" pipeline}}`
#[derive(Debug)]
pub struct TemplateCall {
    /// Where, in bytes: the name.
    pub position: u32,
    /// The name.
    pub name: Str,
    /// The argument.
    pub pipe: Option<Pipe>,
}

/// Commands, each giving its result to the next as last argument; and variables that take the last result.
#[derive(Debug)]
pub struct Pipe {
    /// Where, in bytes.
    pub position: u32,
    /// `=` instead of `:=`.
    pub is_assignment: bool,
    /// The variables.
    pub declarations: Vec<Variable>,
    /// The commands, at least one.
    pub commands: Few<Command>,
}

/// Operands: a function or value, and its arguments.
#[derive(Debug)]
pub struct Command {
    /// Where, in bytes.
    pub position: u32,
    /// At least one.
    pub arguments: Few<Operand>,
}

/// A variable, and fields of it.
#[derive(Debug)]
pub struct Variable {
    /// Where, in bytes.
    pub position: u32,
    /// The name, as a number within its source; `$` is 0.
    pub id: u32,
    /// The name with its `$`, shared by all that have it.
    pub name: Rc<Str>,
    /// Fields.
    pub fields: Vec<Str>,
}

/// One operand.
#[derive(Debug)]
pub enum Operand {
    /// `.`
    Dot(u32),
    /// `nil`
    Nil(u32),
    /// `true`, `false`
    Bool(u32, bool),
    /// `.a.b`
    Field(u32, Vec<Str>),
    /// `$x.a.b`
    Variable(Variable),
    /// `(…).a.b`, `function.a.b`
    Chain(Box<Chain>),
    /// A function's name.
    Identifier(u32, Callee),
    /// `( … )`
    Pipe(Box<Pipe>),
    /// A number.
    Number(Box<Number>),
    /// A string.
    String(Box<StringLiteral>),
}

/// Fields of an operand.
#[derive(Debug)]
pub struct Chain {
    /// Where, in bytes: the first field.
    pub position: u32,
    /// Of what.
    pub operand: Operand,
    /// The fields.
    pub fields: Vec<Str>,
}

/// What a name calls.
#[derive(Clone, Copy, Debug)]
pub enum Callee {
    /// `and`: stops at the first false argument.
    And,
    /// `or`: stops at the first true argument.
    Or,
    /// `call`: knows how its first argument is written.
    Call(&'static Function),
    /// Any other.
    Function(&'static Function),
}

impl Callee {
    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::And => "and",
            Self::Or => "or",
            Self::Call(function) | Self::Function(function) => function.name(),
        }
    }
}

/// A string.
#[derive(Debug)]
pub struct StringLiteral {
    /// Where, in bytes.
    pub position: u32,
    /// As written, with quotes.
    pub quoted: Str,
    /// Its value.
    pub text: Str,
}

/// A number: what it may stand for depends on where it is used.
#[derive(Debug, Default)]
pub struct Number {
    /// Where, in bytes.
    pub position: u32,
    /// As written.
    pub text: Str,
    /// As a signed integer.
    pub int: Option<i64>,
    /// As an unsigned integer.
    pub uint: Option<u64>,
    /// As a float.
    pub float: Option<f64>,
    /// As a complex number.
    pub complex: Option<(f64, f64)>,
    /// Whether it is a float where nothing says what it should be.
    pub is_float: bool,
}

impl Node {
    /// Whether it is nothing but space, so that a definition of it does not replace another.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.to_str().trim().is_empty(),
            // Go would stop the program here; neither counts as something to define
            Self::Break(_) | Self::Continue(_) => false,
            Self::Action(_) | Self::If(_) | Self::With(_) | Self::Range(_) | Self::Template(_) => false,
        }
    }
}

impl List {
    /// Whether there is nothing but space and comments.
    pub fn is_empty(&self) -> bool {
        self.nodes.iter().all(Node::is_empty)
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.nodes.iter().try_for_each(|node| node.fmt(f))
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Action(action) => write!(f, "{{{{{}}}}}", action.pipe),
            Self::If(branch) => branch.write("if", f),
            Self::With(branch) => branch.write("with", f),
            Self::Range(branch) => branch.write("range", f),
            Self::Template(call) => call.fmt(f),
            Self::Break(_) => f.write_str("{{break}}"),
            Self::Continue(_) => f.write_str("{{continue}}"),
        }
    }
}

impl Branch {
    fn write(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{{name} {}}}}}{}", self.pipe, self.list)?;
        if let Some(list) = &self.else_list {
            write!(f, "{{{{else}}}}{list}")?;
        }
        f.write_str("{{end}}")
    }
}

impl fmt::Display for TemplateCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", quote::quote(self.name.as_bytes()))?;
        if let Some(pipe) = &self.pipe {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, variable) in self.declarations.iter().enumerate() {
            write!(f, "{}{variable}", if index > 0 { ", " } else { "" })?;
        }
        if !self.declarations.is_empty() {
            f.write_str(if self.is_assignment { " = " } else { " := " })?;
        }
        for (index, command) in self.commands.iter().enumerate() {
            write!(f, "{}{command}", if index > 0 { " | " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, argument) in self.arguments.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            match argument {
                Operand::Pipe(pipe) => write!(f, "({pipe})")?,
                argument => argument.fmt(f)?,
            }
        }
        Ok(())
    }
}

fn write_fields(fields: &[Str], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(f, ".{field}"))
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        write_fields(&self.fields, f)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.operand {
            Operand::Pipe(pipe) => write!(f, "({pipe})")?,
            operand => operand.fmt(f)?,
        }
        write_fields(&self.fields, f)
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dot(_) => f.write_str("."),
            Self::Nil(_) => f.write_str("nil"),
            Self::Bool(_, value) => value.fmt(f),
            Self::Field(_, fields) => write_fields(fields, f),
            Self::Variable(variable) => variable.fmt(f),
            Self::Chain(chain) => chain.fmt(f),
            Self::Identifier(_, callee) => f.write_str(callee.name()),
            Self::Pipe(pipe) => pipe.fmt(f),
            Self::Number(number) => number.text.fmt(f),
            Self::String(string) => string.quoted.fmt(f),
        }
    }
}

impl Operand {
    /// Where, in bytes.
    pub fn position(&self) -> u32 {
        match self {
            Self::Dot(position)
            | Self::Nil(position)
            | Self::Bool(position, _)
            | Self::Field(position, _)
            | Self::Identifier(position, _) => *position,
            Self::Variable(variable) => variable.position,
            Self::Chain(chain) => chain.position,
            Self::Pipe(pipe) => pipe.position,
            Self::Number(number) => number.position,
            Self::String(string) => string.position,
        }
    }
}
