//! To and from JSON, as `encoding/json` converts `interface {}`.

use serde_json::{Number, Value as Json};

use super::{List, Map, Str, Value};
use crate::{
    Error,
    go::{base::encode_base64, unicode::runes},
};

/// How deep values may be nested where they are converted or printed. A map that holds itself is endless; the stack is not.
pub const DEPTH_MAX: usize = 1000;

/// Every number becomes a `float64`, as where Go reads YAML or JSON into an `interface {}`.
impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Float(number.as_f64().unwrap_or_default()),
            Json::String(text) => text.as_str().into(),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(entries) => Self::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.as_str(), Self::from(value)))
                    .collect(),
            ),
        }
    }
}

impl Value {
    /// As `json.Marshal` converts it.
    ///
    /// # Errors
    /// Infinities and NaN, an object that refuses, more than [`DEPTH_MAX`] levels.
    pub fn to_json(&self) -> Result<Json, Error> {
        self.to_json_at(0)
    }

    fn to_json_at(&self, depth: usize) -> Result<Json, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::new(format!(
                "json: unsupported value: encountered a cycle via {}",
                self.type_name()
            )));
        }
        Ok(match self {
            Self::Invalid | Self::Nil => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(_, value) => Json::from(*value),
            Self::Uint(_, value) => Json::from(*value),
            Self::Float(value) => Number::from_f64(*value).map(Json::Number).ok_or_else(|| {
                let name = if value.is_nan() {
                    "NaN"
                } else if *value > 0.0 {
                    "+Inf"
                } else {
                    "-Inf"
                };
                Error::new(format!("json: unsupported value: {name}"))
            })?,
            Self::Str(text) => Json::String(characters(text)),
            Self::Bytes(bytes) => Json::String(encode_base64(bytes.as_bytes())),
            Self::List(list) if list.is_nil() => Json::Null,
            Self::List(list) => list_to_json(list, depth + 1)?,
            Self::Map(map) if map.is_nil() => Json::Null,
            Self::Map(map) => map_to_json(map, depth + 1)?,
            Self::Object(object) => object.to_json()?,
        })
    }
}

fn list_to_json(list: &List, depth: usize) -> Result<Json, Error> {
    let items = list.items().iter().map(|item| item.to_json_at(depth));
    items.collect::<Result<_, _>>().map(Json::Array)
}

fn map_to_json(map: &Map, depth: usize) -> Result<Json, Error> {
    let entries = map.entries();
    let entries = entries
        .iter()
        .map(|(key, value)| Ok((characters(key), value.to_json_at(depth)?)));
    entries.collect::<Result<_, _>>().map(Json::Object)
}

/// A text as JSON has it. Most texts are UTF-8 and are copied in one piece.
fn characters(text: &Str) -> String {
    text.as_str()
        .map_or_else(|| runes(text.as_bytes()).collect(), str::to_owned)
}
