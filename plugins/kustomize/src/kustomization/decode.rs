//! Typed values from YAML, with the errors of Go's JSON decoder and the place of each.

use std::collections::{BTreeMap, HashMap};

use sluice_yaml::{Node, Position, Resolved, Resolver, Value};

use crate::{
    Text,
    error::{Error, Result},
    fields,
    nearest::nearest,
    output,
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
    /// Whether numbers and booleans are taken where text is wanted, outside of embedded types.
    pub(crate) lenient_text: bool,
}

/// A place in the document: the Go type that holds the field, and the path to it. Go names embedded types in the path
/// (`target.ResId.Gvk.kind`); users see it without them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) owner: &'a str,
    pub(crate) path: &'a str,
    /// Whether an embedded type holds it, or what it is in: there the original does not see that text is wanted.
    pub(crate) is_embedded: bool,
}

impl<'a> Field<'a> {
    /// The document itself.
    pub(crate) fn top(owner: &'a str) -> Self {
        Self {
            owner,
            path: "",
            is_embedded: false,
        }
    }
}

/// Fields that hold a struct itself in the original, no pointer to one.
const STRUCTS: [&str; 5] = ["fieldref", "imageTag", "metadata", "objref", "replica"];

/// The types that a Go type embeds on the way to one of its fields.
fn embedded(go_type: &str, name: &str) -> &'static str {
    match (go_type, name) {
        ("Selector" | "SourceSelector", "group" | "version" | "kind") => "ResId.Gvk",
        ("Selector" | "SourceSelector", "name" | "namespace") => "ResId",
        ("Target" | "FieldSpec" | "NameBackReferences", "group" | "version" | "kind") => "Gvk",
        ("ConfigMapArgs" | "SecretArgs", "literals" | "files" | "envs" | "env") => {
            "GeneratorArgs.KvPairSources"
        }
        ("ConfigMapArgs" | "SecretArgs", "name" | "namespace" | "behavior" | "options") => "GeneratorArgs",
        ("ReplacementField", "source" | "targets" | "sourceValue") => "Replacement",
        ("Kustomization", "apiVersion" | "kind") => "TypeMeta",
        ("IAMPolicyGeneratorPlugin", _) => "IAMPolicyGeneratorArgs",
        _ => "",
    }
}

/// A Go path without the embedded types, whose names alone begin with a capital.
fn without_embedded(path: &str) -> String {
    let parts = path
        .split('.')
        .filter(|part| !part.starts_with(|c: char| c.is_ascii_uppercase()));
    parts.collect::<Vec<_>>().join(".")
}

impl<'a> Decoder<'a> {
    pub(crate) fn error(&self, node: &Node, message: impl Into<String>) -> Error {
        Error::new(message).at(self.file, node.position)
    }

    fn mismatch(&self, node: &Node, field: Field<'_>, wanted: &str) -> Error {
        let found = match &node.value {
            Value::Mapping(..) => "object",
            Value::Sequence(..) => "array",
            _ => match Resolver::V2.resolve(node) {
                Ok(Resolved::Bool(_)) => "bool",
                Ok(Resolved::Float(value)) if !value.is_finite() => {
                    return output::unsupported_number(value).at(self.file, node.position);
                }
                Ok(Resolved::Int(_) | Resolved::Uint(_) | Resolved::Float(_)) => "number",
                _ => "string",
            },
        };
        let shown = match found {
            "number" if wanted.starts_with("int") => format!("number {}", output::json(node)),
            found => found.to_owned(),
        };
        let text = if field.path.is_empty() {
            format!("json: cannot unmarshal {shown} into Go value of type {wanted}")
        } else {
            format!(
                "json: cannot unmarshal {shown} into Go struct field {}.{} of type {wanted}",
                field.owner, field.path
            )
        };
        let error = self.error(node, text);
        let error = if field.path.is_empty() {
            error
        } else {
            error.on_field(without_embedded(field.path))
        };
        match (found, wanted) {
            ("bool" | "number", "string") => error.help(format!("quote it: \"{}\"", fields::raw(node))),
            ("string", w) if w.starts_with("[]") => error.help("write a list: put `- ` before it"),
            _ => error.help(format!("a value of type {wanted} belongs here")),
        }
    }

    /// Visits the known fields of a mapping that are not null: a name in two spellings twice, unless the second takes the first back,
    /// and lists and maps in two spellings a third time, as what is left of both.
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
            let package = match go_type {
                "TransformerConfig" => "builtinconfig",
                _ => "types",
            };
            return Err(self.mismatch(node, field, &format!("{package}.{go_type}")));
        }
        self.check_keys(node)?;
        // in the order of the names, which the original sorts before it decodes: the first error is told, and of
        // spellings of one name the last counts
        let mut entries: Vec<_> = node.entries().iter().collect();
        entries.sort_by_key(|(key, _)| fields::raw(key));
        let name_of = |key: &Node| name_of(names, fields::raw(key));
        let nulls = entries
            .iter()
            .enumerate()
            .filter(|(_, (_, value))| value.is_null())
            .filter_map(|(at, (key, _))| Some((name_of(key)?, at)));
        // where each name says null last
        let nulls: BTreeMap<&str, usize> = nulls.collect();
        let mut visit = |name: &'static str, value: &Node, at: Position| {
            let embedded = embedded(go_type, name);
            let path = join(&join(field.path, embedded), name);
            let field = Field {
                owner: go_type,
                path: &path,
                is_embedded: field.is_embedded || !embedded.is_empty(),
            };
            visit(name, value, field, at)
        };
        let mut said: Vec<(&'static str, &Node, Position)> = Vec::with_capacity(entries.len());
        for (at, (key, value)) in entries.iter().enumerate() {
            let Some(name) = name_of(key) else {
                if self.strict {
                    return Err(self.unknown(key, field, names));
                }
                continue;
            };
            let is_repeated = entries
                .get(at + 1)
                .is_some_and(|(next, _)| fields::raw(next) == fields::raw(key));
            // null takes back a list, a map and what is pointed at; a text and a struct stay
            let is_taken_back = !value.is_scalar()
                && !STRUCTS.contains(&name)
                && nulls.get(name).is_some_and(|null| *null > at);
            if !is_repeated && !is_taken_back && !value.is_null() {
                visit(name, value, key.position)?;
                said.push((name, value, key.position));
            }
        }
        // stable: the spellings of a name stay in their order
        said.sort_by_key(|(name, ..)| *name);
        for spellings in said.chunk_by(|a, b| a.0 == b.0) {
            if let [_, .., (name, last, at)] = spellings
                && !last.is_scalar()
            {
                let values: Vec<&Node> = spellings.iter().map(|(_, value, _)| *value).collect();
                visit(name, &decoded_in_turn(&values), *at)?;
            }
        }
        Ok(())
    }

    /// Refuses keys that are no names.
    fn check_keys(&self, node: &Node) -> Result<()> {
        for (key, value) in node.entries() {
            if !key.is_scalar() {
                let shown = output::go_syntax(key);
                return Err(self
                    .error(key, format!("yaml: invalid map key: {shown}"))
                    .help("field names are text"));
            }
            if matches!(Resolver::V2.resolve(key), Ok(Resolved::Null)) {
                let shown = output::go_syntax(value);
                let words = format!("unsupported map key of type: %!s(<nil>), key: <nil>, value: {shown}");
                return Err(self.error(key, words).help("field names are text; quote it"));
            }
        }
        Ok(())
    }

    fn unknown(&self, key: &Node, field: Field<'_>, names: &[&str]) -> Error {
        let written = fields::raw(key);
        let error = self
            .error(key, format!("json: unknown field \"{written}\""))
            .on_field(without_embedded(&join(field.path, written)));
        match nearest(written, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("known fields: {}", names.join(", "))),
        }
    }

    pub(crate) fn text(&self, node: &Node, field: Field<'_>) -> Result<Text> {
        match Resolver::V2.resolve(node) {
            _ if !node.is_scalar() => Err(self.mismatch(node, field, "string")),
            Ok(Resolved::String(text)) => Ok(text.into()),
            Ok(Resolved::Null) => Ok(Text::default()),
            Ok(other) if self.lenient_text && !field.is_embedded => Ok(match other {
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

    /// A whole number of a Go type: `int`, `int64`.
    pub(crate) fn int(&self, node: &Node, field: Field<'_>, go_type: &str) -> Result<i64> {
        match Resolver::V2.resolve(node) {
            Ok(Resolved::Int(value)) => Ok(value),
            Ok(Resolved::Float(value)) if value.fract() == 0.0 && value.abs() < 1e18 => Ok(value as i64),
            _ => Err(self.mismatch(node, field, go_type)),
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
        self.spots_of(node, field, "string")
    }

    /// A list of texts whose Go type has a name of its own.
    pub(crate) fn spots_of(&self, node: &Node, field: Field<'_>, go_type: &str) -> Result<Vec<Spot<Text>>> {
        self.list(node, field, go_type, |item, field| {
            if !item.is_scalar() {
                return Err(self.mismatch(item, field, go_type));
            }
            Ok(Spot {
                value: self.text(item, field)?,
                at: item.position,
            })
        })
    }

    /// A map of anything.
    pub(crate) fn check_map(&self, node: &Node, field: Field<'_>) -> Result<()> {
        match node.is_mapping() {
            true => Ok(()),
            false => Err(self.mismatch(node, field, "map[string]interface {}")),
        }
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
            map.insert(name, self.text(value, field)?);
        }
        Ok(map)
    }
}

/// The field that Go takes a key for: case matters only where two fields differ in it.
fn name_of(names: &'static [&'static str], written: &str) -> Option<&'static str> {
    let exact = names.iter().find(|name| **name == written);
    let name = exact.or_else(|| names.iter().find(|name| name.eq_ignore_ascii_case(written)));
    name.copied()
}

/// What is left of values that Go decodes into one place, one after the other: maps are joined, and so are the elements of
/// lists that have the same number. A list of nothing and null begin anew.
fn decoded_in_turn(values: &[&Node]) -> Node {
    let Some(last) = values.last() else {
        return Node::null();
    };
    let begins_anew = |value: &&&Node| value.is_null() || (value.is_sequence() && value.items().is_empty());
    let from = values.len() - values.iter().rev().take_while(|v| !begins_anew(v)).count();
    let joined = values.get(from..).unwrap_or_default();
    let new = match &last.value {
        Value::Mapping(..) => {
            let mut entries: Vec<(&Node, Vec<&Node>)> = Vec::new();
            let mut places = HashMap::new();
            for (key, value) in joined.iter().flat_map(|map| map.entries()) {
                match places
                    .get(fields::raw(key))
                    .and_then(|at: &usize| entries.get_mut(*at))
                {
                    Some((_, values)) => values.push(value),
                    None => {
                        places.insert(fields::raw(key), entries.len());
                        entries.push((key, vec![value]));
                    }
                }
            }
            let entries = entries
                .into_iter()
                .map(|(key, values)| (key.clone(), decoded_in_turn(&values)));
            Node::mapping(entries.collect())
        }
        Value::Sequence(items, _) => {
            let numbers = 0..items.len();
            let items = numbers.map(|at| {
                let same: Vec<&Node> = joined.iter().filter_map(|list| list.items().get(at)).collect();
                decoded_in_turn(&same)
            });
            Node::sequence(items.collect())
        }
        Value::Scalar(..) | Value::Alias(_) => return Node::clone(last),
    };
    new.at(last.position)
}

fn join(path: &str, name: &str) -> String {
    if name.is_empty() {
        path.to_owned()
    } else if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
