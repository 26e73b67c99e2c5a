//! JSON patches (RFC 6902) as the original's library applies them, with its lax `replace` and `test`.

mod place;
mod value;

use std::collections::HashSet;

use sluice_yaml::{Node, Resolved, Resolver, Value};

use self::{
    place::{add, container, get, remove},
    value::{equal, through_json},
};

use crate::{
    Text,
    error::{Error, Result},
    fields, output, size,
};

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation {
    kind: Text,
    path: Option<Text>,
    from: Option<Text>,
    value: Option<Node>,
    line: u32,
}

/// Reads a patch: a list of operations.
pub(crate) fn decode(document: &Node) -> Result<Vec<Operation>> {
    if document.is_null() {
        return Ok(Vec::new());
    }
    if !document.is_sequence() {
        let found = if document.is_mapping() { "object" } else { "string" };
        return Err(Error::new(format!(
            "json: cannot unmarshal {found} into Go value of type jsonpatch.Patch"
        )));
    }
    document.items().iter().map(operation).collect()
}

fn operation(node: &Node) -> Result<Operation> {
    if !node.is_mapping() && !node.is_null() {
        return Err(Error::new(
            "json: cannot unmarshal string into Go value of type jsonpatch.Operation",
        ));
    }
    // a key that stands twice counts as it stands last: so JSON is read
    let last = |name: &str| {
        let mut entries = node.entries().iter().rev();
        entries
            .find(|(key, _)| fields::raw(key) == name)
            .map(|(_, value)| value)
    };
    let is_text = |node: &&Node| matches!(Resolver::V2.resolve(node), Ok(Resolved::String(_)));
    let text = |name: &str| last(name).filter(is_text).map(fields::shared);
    let value = last("value").map(typed).transpose()?;
    Ok(Operation {
        kind: text("op").unwrap_or(Text::new_static("unknown")),
        path: text("path"),
        from: text("from"),
        value,
        line: node.position.line,
    })
}

/// A value of the patch, which is YAML 1.1, as a value of an object.
fn typed(node: &Node) -> Result<Node> {
    let value = match &node.value {
        Value::Sequence(items, _) => {
            return Ok(Node::sequence(items.iter().map(typed).collect::<Result<_>>()?).at(node.position));
        }
        Value::Mapping(entries, _) => {
            let mut names = HashSet::new();
            let mut own = Vec::with_capacity(entries.len());
            for (key, value) in entries.iter().rev() {
                let (name, value) = (key_text(key)?, typed(value)?);
                if names.insert(name.clone()) {
                    own.push((fields::string_node(name), value));
                }
            }
            own.reverse();
            return Ok(Node::mapping(own).at(node.position));
        }
        _ => Resolver::V2
            .resolve(node)
            .map_err(|e| Error::new(e.to_string()))?,
    };
    Ok(match value {
        Resolved::Null => Node::null(),
        Resolved::Bool(value) => Node::bool(value),
        Resolved::Int(value) => Node::int(value),
        Resolved::Uint(value) => Node::plain(value.to_string()),
        Resolved::Float(value) if !value.is_finite() => return Err(output::unsupported_number(value)),
        Resolved::Float(value) => Node::plain(crate::go::float_text(value)),
        Resolved::String(text) => fields::string_node(&*text),
        Resolved::Timestamp(text) => fields::string_node(text),
    }
    .at(node.position))
}

/// A key as JSON has it: YAML 1.1 reads `n` as false.
fn key_text(key: &Node) -> Result<Text> {
    let resolved = Resolver::V2.resolve(key).map_err(|e| Error::new(e.to_string()))?;
    Ok(match resolved {
        Resolved::Bool(value) => Text::new_static(if value { "true" } else { "false" }),
        Resolved::Int(value) => value.to_string().into(),
        Resolved::Uint(value) => value.to_string().into(),
        Resolved::Float(value) => crate::go::shortest(value).into(),
        Resolved::Null => return Err(Error::new("unsupported map key of type: invalid, key: <nil>")),
        Resolved::String(_) | Resolved::Timestamp(_) => fields::shared(key),
    })
}

/// Applies all operations to an object, which passes through JSON: its numbers become floating point.
pub(crate) fn apply(object: &mut Node, operations: &[Operation]) -> Result<()> {
    output::settle_blocks(object)?;
    for (index, operation) in operations.iter().enumerate() {
        operation.apply(object).map_err(|error| {
            let place = operation.path.as_deref().unwrap_or_default();
            error
                .on_field(
                    place
                        .trim_start_matches('/')
                        .replace("~1", "/")
                        .replace("~0", "~"),
                )
                .help(format!(
                    "operation {index} of the patch ({} {place}), line {} of it",
                    operation.kind, operation.line
                ))
        })?;
    }
    if !object.is_mapping() {
        return Err(Error::new(
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ));
    }
    through_json(object)
}

fn missing(text: String) -> Error {
    Error::new(format!("{text}: missing value"))
}

impl Operation {
    fn path(&self) -> Result<&str> {
        self.path
            .as_deref()
            .ok_or_else(|| missing(format!("{} operation failed to decode path", self.kind)))
    }

    fn from(&self) -> Result<&str> {
        self.from.as_deref().ok_or_else(|| {
            missing(format!(
                "{} operation failed to decode from: operation, missing from field",
                self.kind
            ))
        })
    }

    fn apply(&self, object: &mut Node) -> Result<()> {
        match self.kind.as_str() {
            "add" => self.add(object)?,
            "remove" => return self.remove(object),
            "replace" => self.replace(object)?,
            "move" => self.move_value(object)?,
            "copy" => self.copy(object)?,
            "test" => return self.test(object),
            other => {
                return Err(Error::new(format!("Unexpected kind: {other}"))
                    .help("`op` is one of add, remove, replace, move, copy, test"));
            }
        }
        let is_scalar = self.value.as_ref().is_some_and(Node::is_scalar);
        if is_scalar { Ok(()) } else { size::check(object) }
    }

    fn value(&self) -> Node {
        self.value.clone().unwrap_or_else(Node::null)
    }

    fn add(&self, object: &mut Node) -> Result<()> {
        let path = self.path()?;
        let Some((container, key)) = container(object, path) else {
            return Err(missing(format!(
                "add operation does not apply: doc is missing path: \"{path}\""
            )));
        };
        add(container, &key, self.value()).map_err(|e| e.wrap(format!("error in add for path: '{path}'")))
    }

    fn remove(&self, object: &mut Node) -> Result<()> {
        let path = self.path()?;
        let Some((container, key)) = container(object, path) else {
            return Err(missing(format!(
                "remove operation does not apply: doc is missing path: \"{path}\""
            )));
        };
        remove(container, &key)
            .map(drop)
            .map_err(|e| e.wrap(format!("error in remove for path: '{path}'")))
    }

    fn replace(&self, object: &mut Node) -> Result<()> {
        let path = self.path()?;
        if path.is_empty() {
            *object = self.value();
            return Ok(());
        }
        let Some((container, key)) = container(object, path) else {
            return Err(missing(format!(
                "replace operation does not apply: doc is missing path: {path}"
            )));
        };
        let value = self.value();
        if !container.is_sequence() {
            container.set(&key, value);
        } else if let Some(old) = get(container, &key).map_err(|_| {
            missing(format!(
                "replace operation does not apply: doc is missing key: {path}"
            ))
        })? {
            *old = value;
        }
        Ok(())
    }

    fn move_value(&self, object: &mut Node) -> Result<()> {
        let (from, path) = (self.from()?, self.path()?);
        let Some((source, key)) = container(object, from) else {
            return Err(missing(format!(
                "move operation does not apply: doc is missing from path: {from}"
            )));
        };
        let value = get(source, &key)
            .map_err(|e| e.wrap(format!("error in move for path: '{key}'")))?
            .cloned()
            .unwrap_or_else(Node::null);
        remove(source, &key).map_err(|e| e.wrap(format!("error in move for path: '{key}'")))?;
        let Some((target, key)) = container(object, path) else {
            return Err(missing(format!(
                "move operation does not apply: doc is missing destination path: {path}"
            )));
        };
        add(target, &key, value).map_err(|e| e.wrap(format!("error in move for path: '{path}'")))
    }

    fn copy(&self, object: &mut Node) -> Result<()> {
        let (from, path) = (self.from()?, self.path()?);
        let Some((source, key)) = container(object, from) else {
            return Err(missing(format!(
                "copy operation does not apply: doc is missing from path: {from}"
            )));
        };
        let value = get(source, &key)
            .map_err(|e| e.wrap(format!("error in copy for from: '{from}'")))?
            .cloned()
            .unwrap_or_else(Node::null);
        let Some((target, key)) = container(object, path) else {
            return Err(missing(format!(
                "copy operation does not apply: doc is missing destination path: {path}"
            )));
        };
        add(target, &key, value)
            .map_err(|e| e.wrap(format!("error while adding value during copy for path: '{path}'")))
    }

    fn test(&self, object: &mut Node) -> Result<()> {
        let path = self.path()?;
        let failed = || Error::new(format!("testing value {path} failed: test failed"));
        if path.is_empty() {
            return if equal(object, &self.value()) {
                Ok(())
            } else {
                Err(failed())
            };
        }
        let Some((container, key)) = container(object, path) else {
            return Err(missing(format!(
                "test operation does not apply: is missing path: {path}"
            )));
        };
        let found = get(container, &key).map_err(|e| e.wrap(format!("error in test for path: '{path}'")))?;
        match (
            found.filter(|n| !n.is_null()),
            self.value.as_ref().filter(|n| !n.is_null()),
        ) {
            (None, None) => Ok(()),
            (Some(found), Some(wanted)) if equal(found, wanted) => Ok(()),
            _ => Err(failed()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(object: &str, patch: &str) -> String {
        let mut node = crate::read::document(object.as_bytes(), "test").unwrap();
        let patch = decode(&crate::read::document_v2(patch.as_bytes(), "test").unwrap()).unwrap();
        match apply(&mut node, &patch) {
            Ok(()) => format!("{node:?}"),
            Err(error) => error.text().to_owned(),
        }
    }

    #[test]
    fn operations() {
        let rows = [
            (
                "{a: [1, 2]}",
                "[{op: add, path: /a/1, value: x}]",
                "{a: [1, x, 2]}",
            ),
            (
                "{a: [1, 2]}",
                "[{op: add, path: /a/-, value: yes}]",
                "{a: [1, 2, true]}",
            ),
            (
                "{a: {}}",
                "[{op: replace, path: /a/b~1c, value: 1}]",
                "{a: {b/c: 1}}",
            ),
            ("{a: [1, 2]}", "[{op: remove, path: /a/-1}]", "{a: [1]}"),
            ("{a: 1}", "[{op: move, from: /a, path: /b}]", "{b: 1}"),
            ("{a: 1}", "[{op: test, path: /a, value: 1.0}]", "{a: 1}"),
            (
                "{a: 1}",
                "[{op: remove, path: /b}]",
                "error in remove for path: '/b': Unable to remove nonexistent key: b: missing value",
            ),
            ("{a: 1}", "[{op: x, path: /b}]", "Unexpected kind: x"),
            (
                "{a: 1}",
                "[{op: add, path: /x, path: /b, value: {c: 1}, value: {c: 2, d: 3, c: 4}}]",
                "{a: 1, b: {c: 4, d: 3}}",
            ),
        ];
        for (object, patch, expected) in rows {
            assert_eq!(run(object, patch), expected, "{object} {patch}");
        }
    }
}
