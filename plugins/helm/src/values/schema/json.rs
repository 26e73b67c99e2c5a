//! JSON of schemas and values. Numbers keep how they are written: rules compare them exactly and messages show them so.

use std::collections::BTreeMap;

use super::number::Number;
use crate::{
    go::json::grammar::{Build, Reader},
    values::{Data, Table},
};

/// The fields of an object.
pub(super) type Fields = BTreeMap<String, Json>;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Json>),
    Object(Fields),
}

impl Json {
    /// Values as Helm hands them to the library.
    pub(super) fn from_data(data: &Data) -> Self {
        match data {
            Data::Null => Self::Null,
            Data::Bool(value) => Self::Bool(*value),
            Data::Int(value) => Self::Number(Number::new(value.to_string())),
            Data::Float(value) => Self::Number(Number::new(sluice_yaml::format_float(*value))),
            Data::Text(text) => Self::String(text.to_str().into_owned()),
            Data::List(items) => Self::Array(items.iter().map(Self::from_data).collect()),
            Data::Table(table) => Self::from_table(table),
        }
    }

    pub(super) fn from_table(table: &Table) -> Self {
        let fields = table.iter();
        Self::Object(
            fields
                .map(|(key, value)| (key.to_str().into_owned(), Self::from_data(value)))
                .collect(),
        )
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.get(key)
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(super) fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn as_object(&self) -> Option<&Fields> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Object(_))
    }

    /// Whether two values are equal; `1` and `1.0` are.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.equals(b),
            (Self::Array(a), Self::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.equals(b))
            }
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| a.equals(b)))
            }
            _ => self == other,
        }
    }

    /// The type: a number is a number, be it an integer or not.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

/// Reads one JSON text.
///
/// # Errors
/// What Go's streaming decoder says, and the library of what follows.
pub(super) fn read(text: &[u8]) -> Result<Json, String> {
    let mut reader = Reader::new(text, Document);
    if reader.is_at_end() {
        return Err("EOF".to_owned());
    }
    let value = reader.value()?;
    match reader.is_at_end() {
        true => Ok(value),
        false => Err("invalid character after top-level value".to_owned()),
    }
}

struct Document;

impl Build for Document {
    type Value = Json;

    fn null(&mut self) -> Json {
        Json::Null
    }

    fn bool(&mut self, value: bool) -> Json {
        Json::Bool(value)
    }

    fn number(&mut self, written: &str) -> Json {
        Json::Number(Number::new(written.to_owned()))
    }

    fn string(&mut self, text: String) -> Json {
        Json::String(text)
    }

    fn array(&mut self, items: Vec<Json>) -> Json {
        Json::Array(items)
    }

    fn object(&mut self, fields: Vec<(String, Json)>) -> Json {
        Json::Object(fields.into_iter().collect())
    }

    fn ended(&self, _: &str) -> String {
        "unexpected EOF".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_go_texts() {
        for (text, error) in [
            ("", "EOF"),
            (" \n", "EOF"),
            ("{", "unexpected EOF"),
            ("{} x", "invalid character after top-level value"),
            ("01", "invalid character after top-level value"),
            (
                r#"{"a":1,}"#,
                "invalid character '}' looking for beginning of object key string",
            ),
            (r#"{"a":01}"#, "invalid character '1' after object key:value pair"),
            (r#"{"a" 1}"#, "invalid character '1' after object key"),
            ("[1 2]", "invalid character '2' after array element"),
            ("\"\x01\"", r"invalid character '\x01' in string literal"),
            (r#""\'""#, r"invalid character '\'' in string escape code"),
            (
                r#""\u12"""#,
                "invalid character '\"' in \\u hexadecimal character escape",
            ),
            ("trux", "invalid character 'x' in literal true (expecting 'e')"),
            ("-x", "invalid character 'x' in numeric literal"),
            (
                "1.x",
                "invalid character 'x' after decimal point in numeric literal",
            ),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            (
                "\u{FEFF}{}",
                "invalid character 'ï' looking for beginning of value",
            ),
        ] {
            assert_eq!(read(text.as_bytes()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn surrogates_pair_or_are_replaced() {
        let text = |json: &str| read(json.as_bytes()).map(|json| json.as_str().map(str::to_owned));
        assert_eq!(text(r#""\ud83d\ude00""#), Ok(Some("😀".to_owned())));
        assert_eq!(text(r#""\ud800""#), Ok(Some("\u{FFFD}".to_owned())));
        assert_eq!(text(r#""\ud800\u0041""#), Ok(Some("\u{FFFD}A".to_owned())));
        assert_eq!(text(r#""\udc00x""#), Ok(Some("\u{FFFD}x".to_owned())));
    }

    #[test]
    fn nesting_ends() {
        let text = "[".repeat(100_000);
        assert_eq!(read(text.as_bytes()), Err("exceeded max depth".to_owned()));
    }
}
