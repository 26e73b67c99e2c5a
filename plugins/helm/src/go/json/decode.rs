//! Reading JSON.

use super::grammar::{Build, Reader, invalid};
use crate::{List, Map, Value};

/// What was read.
pub(crate) struct Decoded {
    /// Numbers that are too large for a `float64` are nil.
    pub value: Value,
    /// Go's complaint about the first such number.
    pub range_error: Option<String>,
}

/// Reads one JSON text. Numbers are `float64`, bytes that are no UTF-8 and lone surrogates U+FFFD.
///
/// # Errors
/// Go's text.
pub(crate) fn decode(text: &[u8]) -> Result<Decoded, String> {
    let mut reader = Reader::new(text, Values::default());
    let value = reader.value()?;
    if !reader.is_at_end() {
        return reader.unexpected("after top-level value");
    }
    let range_error = reader
        .build
        .range_error
        .map(|number| format!("json: cannot unmarshal number {number} into Go value of type float64"));
    Ok(Decoded { value, range_error })
}

/// Where a text may not end, and Go complains of a blank: at the end it reads one more, which only what began needs more of
/// takes for an end.
const ENDED_BY_BLANK: [&str; 6] = [
    "in literal",
    "in numeric literal",
    "after decimal point",
    "in exponent",
    "in string escape",
    "in \\u",
];

/// Values of templates.
#[derive(Default)]
struct Values {
    range_error: Option<String>,
}

impl Build for Values {
    type Value = Value;

    fn null(&mut self) -> Value {
        Value::Nil
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn number(&mut self, written: &str) -> Value {
        let number: f64 = written.parse().unwrap_or(f64::INFINITY);
        if number.is_infinite() {
            self.range_error.get_or_insert_with(|| written.to_owned());
            return Value::Nil;
        }
        Value::Float(number)
    }

    fn string(&mut self, text: String) -> Value {
        Value::from(text)
    }

    fn array(&mut self, items: Vec<Value>) -> Value {
        List::new(items).into()
    }

    fn object(&mut self, fields: Vec<(String, Value)>) -> Value {
        let map = Map::new();
        for (key, value) in fields {
            map.set(key, value);
        }
        map.into()
    }

    fn ended(&self, context: &str) -> String {
        match ENDED_BY_BLANK.iter().any(|inside| context.starts_with(inside)) {
            true => invalid(b' ', context),
            false => "unexpected end of JSON input".to_owned(),
        }
    }
}
