//! YAML bodies, through the one YAML room.

use serde_json::Value;
use sluice_yaml::{Error, ParseOptions, Resolver, parse_document, to_json as convert};

/// Reads one YAML document as JSON; an empty one is null.
pub(crate) fn to_json(text: &str) -> Result<Value, Error> {
    let options = ParseOptions {
        dialect: Resolver::V2,
        ..ParseOptions::default()
    };
    match parse_document(text, &options)? {
        Some(document) => convert(&document.root, Resolver::V2),
        None => Ok(Value::Null),
    }
}
