//! Typed values from YAML, with the errors of Go's JSON decoder and the place of each.

use std::collections::BTreeMap;

use sluice_yaml::{Node, Position, Resolved, Resolver};

use crate::{
    Text,
    error::{Error, Result},
    fields,
    nearest::nearest,
};

/// Something and where it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spot<T> {
    pub(crate) value: T,
    pub(crate) at: Position,
}

/// Sorted, as Go iterates where order matters.
pub(crate) type Map = BTreeMap<Text, Text>;

/// How one document is decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder<'a> {
    /// The file, for messages.
    pub(crate) file: &'a str,
    /// Whether unknown fields are errors.
    pub(crate) strict: bool,
    /// Whether numbers and booleans are taken where text is wanted.
    pub(crate) lenient_text: bool,
}

/// A place in the document: the Go type that holds the field, and the path to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) owner: &'a str,
    pub(crate) path: &'a str,
}

impl<'a> Decoder<'a> {
    pub(crate) fn error(&self, node: &Node, message: impl Into<String>) -> Error {
        Error::new(message).at(self.file, node.position)
    }

    fn mismatch(&self, node: &Node, field: Field<'_>, wanted: &str) -> Error {
        let found = match &node.value {
            sluice_yaml::Value::Mapping(..) => "object",
            sluice_yaml::Value::Sequence(..) => "array",
            _ => match Resolver::V2.resolve(node) {
                Ok(Resolved::Bool(_)) => "bool",
                Ok(Resolved::Int(_) | Resolved::Uint(_) | Resolved::Float(_)) => "number",
                _ => "string",
            },
        };
        let text = if field.path.is_empty() {
            format!("json: cannot unmarshal {found} into Go value of type {wanted}")
        } else {
            format!(
                "json: cannot unmarshal {found} into Go struct field {}.{} of type {wanted}",
                field.owner, field.path
            )
        };
        let error = self.error(node, text);
        let error = if field.path.is_empty() {
            error
        } else {
            error.on_field(field.path)
        };
        match (found, wanted) {
            ("bool" | "number", "string") => error.help(format!("quote it: \"{}\"", fields::raw(node))),
            ("string", w) if w.starts_with("[]") => error.help("write a list: put `- ` before it"),
            _ => error.help(format!("a value of type {wanted} belongs here")),
        }
    }

    /// Visits the known fields of a mapping that are not null.
    pub(crate) fn object(
        &self,
        node: &Node,
        field: Field<'_>,
        go_type: &str,
        names: &'static [&'static str],
        mut visit: impl FnMut(&'static str, &Node, Field<'_>, Position) -> Result<()>,
    ) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        if !node.is_mapping() {
            return Err(self.mismatch(node, field, &format!("types.{go_type}")));
        }
        let entries = node.entries();
        for (at, (key, value)) in entries.iter().enumerate() {
            let written = fields::raw(key);
            let exact = names.iter().find(|n| **n == written);
            let Some(name) = exact.or_else(|| names.iter().find(|n| n.eq_ignore_ascii_case(written))) else {
                if self.strict {
                    let error = self
                        .error(key, format!("json: unknown field \"{written}\""))
                        .on_field(join(field.path, written));
                    return Err(match nearest(written, names.iter().copied()) {
                        Some(near) => error.help(format!("did you mean `{near}`?")),
                        None => error.help(format!("known fields: {}", names.join(", "))),
                    });
                }
                continue;
            };
            // The last one of several wins, as in the original.
            let is_repeated = entries
                .iter()
                .skip(at + 1)
                .any(|(k, _)| fields::raw(k) == written);
            if !is_repeated && !value.is_null() {
                let path = join(field.path, name);
                visit(
                    name,
                    value,
                    Field {
                        owner: go_type,
                        path: &path,
                    },
                    key.position,
                )?;
            }
        }
        Ok(())
    }

    pub(crate) fn text(&self, node: &Node, field: Field<'_>) -> Result<Text> {
        match Resolver::V2.resolve(node) {
            _ if !node.is_scalar() => Err(self.mismatch(node, field, "string")),
            Ok(Resolved::String(text)) => Ok(text.into()),
            Ok(Resolved::Null) => Ok(Text::default()),
            Ok(other) if self.lenient_text => Ok(match other {
                Resolved::Bool(value) => Text::new_static(if value { "true" } else { "false" }),
                Resolved::Int(value) => value.to_string().into(),
                Resolved::Uint(value) => value.to_string().into(),
                Resolved::Float(value) => crate::go::float_text(value).into(),
                _ => fields::shared(node),
            }),
            _ => Err(self.mismatch(node, field, "string")),
        }
    }

    pub(crate) fn flag(&self, node: &Node, field: Field<'_>) -> Result<bool> {
        match Resolver::V2.resolve(node) {
            Ok(Resolved::Bool(value)) => Ok(value),
            _ => Err(self.mismatch(node, field, "bool")),
        }
    }

    pub(crate) fn int(&self, node: &Node, field: Field<'_>) -> Result<i64> {
        match Resolver::V2.resolve(node) {
            Ok(Resolved::Int(value)) => Ok(value),
            Ok(Resolved::Float(value)) if value.fract() == 0.0 && value.abs() < 1e18 => Ok(value as i64),
            _ => Err(self.mismatch(node, field, "int")),
        }
    }

    pub(crate) fn list<T>(
        &self,
        node: &Node,
        field: Field<'_>,
        of: &str,
        mut each: impl FnMut(&Node, Field<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        if !node.is_sequence() {
            return Err(self.mismatch(node, field, &format!("[]{of}")));
        }
        node.items().iter().map(|item| each(item, field)).collect()
    }

    pub(crate) fn texts(&self, node: &Node, field: Field<'_>) -> Result<Vec<Text>> {
        self.list(node, field, "string", |item, field| self.text(item, field))
    }

    pub(crate) fn spots(&self, node: &Node, field: Field<'_>) -> Result<Vec<Spot<Text>>> {
        self.list(node, field, "string", |item, field| {
            Ok(Spot {
                value: self.text(item, field)?,
                at: item.position,
            })
        })
    }

    pub(crate) fn map(&self, node: &Node, field: Field<'_>) -> Result<Map> {
        if !node.is_mapping() {
            return Err(self.mismatch(node, field, "map[string]string"));
        }
        let mut map = Map::new();
        for (key, value) in node.entries() {
            let name = match Resolver::V2.resolve(key) {
                // JSON has only text as keys.
                Ok(Resolved::Bool(value)) => Text::new_static(if value { "true" } else { "false" }),
                _ => fields::shared(key),
            };
            let inner = Field {
                owner: field.owner,
                path: field.path,
            };
            map.insert(name, self.text(value, inner).map_err(|e| e.on_field(field.path))?);
        }
        Ok(map)
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
