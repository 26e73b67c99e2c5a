//! Nodes: output and control.

use super::{
    super::ast::{Branch, List, Node, TemplateCall},
    state::{At, Dot, Slot, State},
};
use crate::{
    Error, Value, format,
    go::{quote, unicode::runes},
    value::{Element, UintType},
};

/// Whether a list of nodes ran to its end, or a jump left it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'a> State<'_, 'a> {
    pub(super) fn run(&mut self, data: &Value) -> Result<(), Error> {
        let root = &self.tree.root;
        self.list(
            Dot {
                value: data,
                is_boxed: false,
            },
            root,
        )
        .map(|_| ())
    }

    fn list(&mut self, dot: Dot<'_>, list: &'a List) -> Result<Flow, Error> {
        for node in &list.nodes {
            let flow = self.node(dot, node)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, dot: Dot<'_>, node: &'a Node) -> Result<Flow, Error> {
        match node {
            Node::Text(text) => self.out.extend_from_slice(text.as_bytes()),
            Node::Action(action) => {
                let value = self.pipeline(dot, &action.pipe)?;
                if action.pipe.declarations.is_empty() {
                    self.print(&value);
                }
            }
            Node::If(branch) => return self.branch(dot, branch, false),
            Node::With(branch) => return self.branch(dot, branch, true),
            Node::Range(branch) => return self.range(dot, node, branch),
            Node::Template(call) => self.template(dot, node, call)?,
            Node::Break(_) => return Ok(Flow::Break),
            Node::Continue(_) => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn print(&mut self, value: &Value) {
        match value {
            Value::Invalid | Value::Nil => self.out.extend_from_slice(b"<no value>"),
            Value::Object(object) => match object.emitted_text() {
                Some(text) => self.out.extend_from_slice(text.as_bytes()),
                None => self.out.extend_from_slice(&format::pointee(value)),
            },
            value => format::write(value, self.out),
        }
    }

    fn branch(&mut self, dot: Dot<'_>, branch: &'a Branch, is_with: bool) -> Result<Flow, Error> {
        let mark = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let flow = if value.is_true() {
            let dot = if is_with {
                Dot {
                    value: &value,
                    is_boxed: false,
                }
            } else {
                dot
            };
            self.list(dot, &branch.list)?
        } else if let Some(list) = &branch.else_list {
            self.list(dot, list)?
        } else {
            Flow::Next
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, dot: Dot<'_>, node: &'a Node, branch: &'a Branch) -> Result<Flow, Error> {
        self.at = At::Node(node);
        let outer = self.variables.len();
        let value = self.pipeline(dot, &branch.pipe)?;
        let ran = match &value {
            Value::Int(int_type, count) => {
                let elements = (0..*count).map(|number| Value::Int(*int_type, number));
                self.range_integer(branch, &value, elements)?
            }
            Value::Uint(uint_type, count) => {
                let elements = (0..*count).map(|number| Value::Uint(*uint_type, number));
                self.range_integer(branch, &value, elements)?
            }
            Value::List(list) => {
                let is_boxed = list.list_type().element == Element::Any;
                let items = list.items().iter().enumerate();
                self.iterate(
                    branch,
                    items.map(|(index, item)| (Value::size(index), item.clone())),
                    is_boxed,
                )?
            }
            Value::Bytes(bytes) => {
                let items = bytes.as_bytes().iter().enumerate();
                let items = items
                    .map(|(index, byte)| (Value::size(index), Value::Uint(UintType::Uint8, (*byte).into())));
                self.iterate(branch, items, false)?
            }
            Value::Map(map) => {
                let is_boxed = map.map_type().element == Element::Any;
                let entries = map.entries();
                let entries = entries
                    .iter()
                    .map(|(key, value)| (Value::Str(key.clone()), value.clone()));
                self.iterate(branch, entries, is_boxed)?
            }
            Value::Invalid | Value::Nil => false,
            Value::Bool(_) | Value::Float(_) | Value::Str(_) | Value::Object(_) => {
                let text: String = runes(&format::pointee(&value)).collect();
                return Err(self.error(format_args!("range can't iterate over {text}")));
            }
        };
        let mut flow = Flow::Next;
        if let Some(list) = branch.else_list.as_ref().filter(|_| !ran) {
            flow = self.list(dot, list)?;
        }
        self.variables.truncate(outer);
        // a jump in the else list is the range's own, as in Go
        Ok(if flow == Flow::Continue {
            Flow::Continue
        } else {
            Flow::Next
        })
    }

    fn range_integer(
        &mut self,
        branch: &'a Branch,
        value: &Value,
        elements: impl Iterator<Item = Value>,
    ) -> Result<bool, Error> {
        if branch.pipe.declarations.len() > 1 {
            let text = format::text(value);
            let text = String::from_utf8_lossy(&text);
            return Err(self.error(format_args!(
                "can't use {text} to iterate over more than one variable"
            )));
        }
        self.iterate(branch, elements.map(|element| (Value::Invalid, element)), false)
    }

    /// Whether there was anything to walk over.
    fn iterate(
        &mut self,
        branch: &'a Branch,
        items: impl Iterator<Item = (Value, Value)>,
        is_boxed: bool,
    ) -> Result<bool, Error> {
        let mark = self.variables.len();
        let mut ran = false;
        for (index, element) in items {
            ran = true;
            self.set_range_variables(branch, index, &element, is_boxed)?;
            let flow = self.list(
                Dot {
                    value: &element,
                    is_boxed,
                },
                &branch.list,
            )?;
            self.variables.truncate(mark);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(ran)
    }

    fn set_range_variables(
        &mut self,
        branch: &'a Branch,
        index: Value,
        element: &Value,
        is_boxed: bool,
    ) -> Result<(), Error> {
        let pipe = &branch.pipe;
        let element = Slot {
            id: 0,
            value: element.clone(),
            is_boxed,
        };
        let index = Slot {
            id: 0,
            value: index,
            is_boxed: false,
        };
        match (pipe.declarations.as_slice(), pipe.is_assignment) {
            ([], _) => {}
            ([only], true) => self.assign(only, element)?,
            ([first, second, ..], true) => {
                self.assign(first, index)?;
                self.assign(second, element)?;
            }
            ([_], false) => self.set_top(1, element),
            ([_, _, ..], false) => {
                self.set_top(1, element);
                self.set_top(2, index);
            }
        }
        Ok(())
    }

    /// Sets the variable that is `from_top` below the top of the stack.
    fn set_top(&mut self, from_top: usize, slot: Slot) {
        let index = self.variables.len().wrapping_sub(from_top);
        if let Some(variable) = self.variables.get_mut(index) {
            *variable = Slot {
                id: variable.id,
                ..slot
            };
        }
    }

    fn template(&mut self, dot: Dot<'_>, node: &'a Node, call: &'a TemplateCall) -> Result<(), Error> {
        self.at = At::Node(node);
        let scope = self.scope;
        let Some(tree) = scope.get(call.name.as_bytes()) else {
            return Err(self.error(format_args!(
                "template {} not defined",
                quote::quote(call.name.as_bytes())
            )));
        };
        scope.render.enter().map_err(|message| self.error(message))?;
        let data = match &call.pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => Value::Invalid,
        };
        State::new(scope, tree, &data, self.out).run(&data)?;
        scope.render.leave();
        Ok(())
    }
}
