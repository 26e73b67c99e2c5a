//! From text to the types of a program, with the line of whatever does not fit.

use std::cell::RefCell;
use std::fmt::Write;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value as Json};

use crate::{Error, Node, ParseOptions, Position, Resolver, parse_document, to_json, to_json_strict};

/// A value and the fields of its text that it does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// The value.
    pub value: T,
    /// What was dropped.
    pub unknown: Vec<UnknownField>,
}

/// A field that the type does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// Where the field is.
    pub position: Position,
    /// The field's path: `spec.patches[0].traget`.
    pub path: String,
    /// The field that was probably meant.
    pub nearest: Option<&'static str>,
}

impl std::fmt::Display for UnknownField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: unknown field \"{}\"", self.position.line, self.path)?;
        self.nearest
            .map_or(Ok(()), |nearest| write!(f, ", did you mean \"{nearest}\"?"))
    }
}

/// Reads the first document of a text as a `T`. `strict` refuses unknown fields and repeated keys; without it both are dropped,
/// as Go's libraries do. An empty text is null.
///
/// # Errors
/// Those of [`parse_document`] and [`to_json`]; [`Error::Type`] with line, field and, for unknown fields, the nearest known name.
pub fn from_str<T: DeserializeOwned>(text: &str, resolver: Resolver, strict: bool) -> Result<T, Error> {
    let root =
        parse_document(text, &ParseOptions::new(resolver))?.map_or_else(Node::null, |document| document.root);
    if strict {
        to_json_strict(&root, resolver)?;
    }
    let decoded = from_node(&root, resolver)?;
    match decoded.unknown.first() {
        Some(first) if strict => {
            let message = decoded
                .unknown
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n");
            Err(Error::Type {
                message,
                position: first.position,
            })
        }
        _ => Ok(decoded.value),
    }
}

/// Reads a tree as a `T` and tells which fields `T` does not have.
///
/// # Errors
/// Those of [`to_json`]; [`Error::Type`] with line and field.
pub fn from_node<T: DeserializeOwned>(node: &Node, resolver: Resolver) -> Result<Decoded<T>, Error> {
    let json = to_json(node, resolver)?;
    let track = Track::default();
    let result = T::deserialize(Tracked {
        value: json,
        track: &track,
    });
    let track = track.0.into_inner();
    let value = result.map_err(|error| {
        let path = track.failed.unwrap_or_default();
        let position = position_of(node, &path);
        let field = if path.is_empty() {
            String::new()
        } else {
            format!("{}: ", show(&path))
        };
        Error::Type {
            message: format!("line {}: {field}{error}", position.line),
            position,
        }
    })?;
    let unknown = track.unknown.into_iter().map(|(path, nearest)| UnknownField {
        position: position_of(node, &path),
        path: show(&path),
        nearest,
    });
    Ok(Decoded {
        value,
        unknown: unknown.collect(),
    })
}

#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item(usize),
}

fn show(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Field(name) if out.is_empty() => out.push_str(name),
            Step::Field(name) => write!(out, ".{name}").expect("invariant: writing to a string cannot fail"),
            Step::Item(index) => {
                write!(out, "[{index}]").expect("invariant: writing to a string cannot fail")
            }
        }
    }
    out
}

/// The position of the deepest node of a path that is in the tree: of the key, where there is one.
fn position_of(root: &Node, path: &[Step]) -> Position {
    let (mut node, mut position) = (root, root.position);
    for step in path {
        let next = match step {
            Step::Field(name) => node
                .entries()
                .iter()
                .rev()
                .find(|(key, _)| key.text() == Some(name))
                .map(|(key, value)| (key.position, value)),
            Step::Item(index) => node.items().get(*index).map(|item| (item.position, item)),
        };
        let Some((at, child)) = next else { break };
        (node, position) = (child, at);
    }
    position
}

/// Where the reading is, what it met, and where it failed first.
#[derive(Default)]
struct Track(RefCell<Found>);

#[derive(Default)]
struct Found {
    path: Vec<Step>,
    unknown: Vec<(Vec<Step>, Option<&'static str>)>,
    failed: Option<Vec<Step>>,
}

impl Track {
    fn within<T, E>(&self, step: Step, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.0.borrow_mut().path.push(step);
        let result = read();
        let mut found = self.0.borrow_mut();
        if result.is_err() && found.failed.is_none() {
            found.failed = Some(found.path.clone());
        }
        found.path.pop();
        result
    }

    fn report_unknown(&self, map: &Map<String, Json>, fields: &'static [&'static str]) {
        let mut found = self.0.borrow_mut();
        for key in map.keys().filter(|key| !fields.contains(&key.as_str())) {
            let mut path = found.path.clone();
            path.push(Step::Field(key.clone()));
            found.unknown.push((path, nearest(key, fields)));
        }
    }
}

/// The known name with the fewest edits, if they are few.
fn nearest(name: &str, known: &'static [&'static str]) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let scored = known
        .iter()
        .map(|field| (edits(&lower, &field.to_lowercase()), *field));
    scored
        .min()
        .filter(|(count, field)| *count <= (field.chars().count() / 3).max(1))
        .map(|(_, field)| field)
}

/// Insertions, deletions, replacements and swaps between two words.
fn edits(a: &str, b: &str) -> usize {
    /// Names of fields are short: what is longer was not meant.
    const LONG: usize = 64;
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(LONG).collect(), b.chars().take(LONG).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(LONG);
            let mut best = (at(&row, j) + usize::from(x != y))
                .min(at(&row, j + 1) + 1)
                .min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(LONG)
}

/// A JSON value that tells where it is read.
struct Tracked<'t> {
    value: Json,
    track: &'t Track,
}

impl<'de> Deserializer<'de> for Tracked<'_> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.value {
            Json::Array(items) => visitor.visit_seq(Items {
                items: items.into_iter().enumerate(),
                track: self.track,
            }),
            Json::Object(map) => visitor.visit_map(Fields {
                fields: map.into_iter(),
                value: None,
                track: self.track,
            }),
            value => value.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.value.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if let Json::Object(map) = &self.value {
            self.track.report_unknown(map, fields);
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.value {
            Json::Object(map) if map.len() == 1 => match map.into_iter().next() {
                Some((variant, value)) => visitor.visit_enum(Variant {
                    variant,
                    content: Tracked {
                        value,
                        track: self.track,
                    },
                }),
                None => Json::Null.deserialize_enum(name, variants, visitor),
            },
            value => value.deserialize_enum(name, variants, visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'t> {
    items: std::iter::Enumerate<std::vec::IntoIter<Json>>,
    track: &'t Track,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = serde_json::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Self::Error> {
        let Some((index, value)) = self.items.next() else {
            return Ok(None);
        };
        self.track
            .within(Step::Item(index), || {
                seed.deserialize(Tracked {
                    value,
                    track: self.track,
                })
            })
            .map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Fields<'t> {
    fields: serde_json::map::IntoIter,
    value: Option<(String, Json)>,
    track: &'t Track,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = serde_json::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        let Some((key, value)) = self.fields.next() else {
            return Ok(None);
        };
        self.value = Some((key.clone(), value));
        let name = key.clone();
        let read = || seed.deserialize(IntoDeserializer::<serde_json::Error>::into_deserializer(key));
        self.track.within(Step::Field(name), read).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Self::Error> {
        let (key, value) = self.value.take().unwrap_or_default();
        self.track.within(Step::Field(key), || {
            seed.deserialize(Tracked {
                value,
                track: self.track,
            })
        })
    }
}

struct Variant<'t> {
    variant: String,
    content: Tracked<'t>,
}

impl<'de, 't> EnumAccess<'de> for Variant<'t> {
    type Error = serde_json::Error;
    type Variant = Tracked<'t>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Self::Error> {
        let variant = seed.deserialize(IntoDeserializer::<serde_json::Error>::into_deserializer(
            self.variant,
        ))?;
        Ok((variant, self.content))
    }
}

impl<'de> VariantAccess<'de> for Tracked<'_> {
    type Error = serde_json::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        serde::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Self::Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.deserialize_struct("", fields, visitor)
    }
}
