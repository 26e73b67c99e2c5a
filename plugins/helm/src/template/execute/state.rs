//! Where an execution is.

use std::fmt;

use super::{super::ast, Scope};
use crate::{Error, Value, go::quote, template::Tree};

/// The execution of one template.
pub(super) struct State<'s, 'a> {
    pub scope: &'s Scope<'s>,
    pub tree: &'a Tree,
    pub out: &'s mut Vec<u8>,
    /// The node that messages speak of.
    pub at: At<'a>,
    pub variables: Vec<Slot>,
}

/// A variable's value.
pub(super) struct Slot {
    pub id: u32,
    pub value: Value,
    /// Whether it came out of an `interface {}`: messages say so.
    pub is_boxed: bool,
}

/// `.`, and whether it came out of an `interface {}`.
#[derive(Clone, Copy)]
pub(super) struct Dot<'v> {
    pub value: &'v Value,
    pub is_boxed: bool,
}

/// A node.
#[derive(Clone, Copy)]
pub(super) enum At<'a> {
    Start,
    Node(&'a ast::Node),
    Pipe(&'a ast::Pipe),
    Command(&'a ast::Command),
    Operand(&'a ast::Operand),
}

impl At<'_> {
    fn position(self) -> u32 {
        match self {
            Self::Start => 0,
            Self::Node(node) => match node {
                ast::Node::Text(_) => 0,
                ast::Node::Action(action) => action.position,
                ast::Node::If(branch) | ast::Node::With(branch) | ast::Node::Range(branch) => branch.position,
                ast::Node::Template(call) => call.position,
                ast::Node::Break(position) | ast::Node::Continue(position) => *position,
            },
            Self::Pipe(pipe) => pipe.position,
            Self::Command(command) => command.position,
            Self::Operand(operand) => operand.position(),
        }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => Ok(()),
            Self::Node(node) => node.fmt(f),
            Self::Pipe(pipe) => pipe.fmt(f),
            Self::Command(command) => command.fmt(f),
            Self::Operand(operand) => operand.fmt(f),
        }
    }
}

impl<'s, 'a> State<'s, 'a> {
    pub(super) fn new(scope: &'s Scope<'s>, tree: &'a Tree, data: &Value, out: &'s mut Vec<u8>) -> Self {
        let dollar = Slot {
            id: 0,
            value: data.clone(),
            is_boxed: false,
        };
        Self {
            scope,
            tree,
            out,
            at: At::Start,
            variables: vec![dollar],
        }
    }

    /// A failure at the current node.
    pub(super) fn error(&self, message: impl fmt::Display) -> Error {
        Error::execution(self.prefix() + &message.to_string(), None)
    }

    /// A failure at the current node because of another one.
    pub(super) fn wrap(&self, message: &str, source: Error) -> Error {
        Error::execution(self.prefix() + message, Some(source))
    }

    fn prefix(&self) -> String {
        format!(
            "template: {}: executing {} at <{}>: ",
            self.tree.source.location(self.at.position()),
            quote::quote(self.tree.name.as_bytes()),
            self.at
        )
    }
}
