//! `printf` beside Go's: each line of `printf/cases.jsonl` is a format, its arguments, and what `fmt.Sprintf` of Go 1.26 made of them.
//!
//! Of the arguments, JSON's own types stand for `nil`, `bool`, `float64`, `string` and `[]interface {}`; others are named.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use serde_json::Value as Json;
use sluice_plugin_helm::{
    List, Map, Value, format,
    value::{IntType, UintType},
};

fn value(json: &Json) -> Value {
    let Json::Object(typed) = json else {
        return match json {
            Json::Array(items) => Value::List(items.iter().map(value).collect()),
            other => Value::from(other),
        };
    };
    let (name, inner) = typed.iter().next().unwrap();
    match name.as_str() {
        "int" => Value::int(inner.as_i64().unwrap()),
        "int32" => Value::Int(IntType::Int32, inner.as_i64().unwrap()),
        "int64" => Value::int64(inner.as_i64().unwrap()),
        "uint8" => Value::Uint(UintType::Uint8, inner.as_u64().unwrap()),
        "bytes" => Value::Bytes(inner.as_str().unwrap().into()),
        "strings" => Value::List(List::of_strings(
            inner
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item.as_str().unwrap()),
        )),
        "map" => {
            let entries = inner.as_object().unwrap().iter();
            Value::Map(
                entries
                    .map(|(key, item)| (key.as_str(), value(item)))
                    .collect::<Map>(),
            )
        }
        other => panic!("{other}"),
    }
}

#[test]
fn printf_is_gos() {
    let mut different = String::new();
    for line in include_str!("printf/cases.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let arguments: Vec<Value> = case[1].as_array().unwrap().iter().map(value).collect();
        let text = format::sprintf(case[0].as_str().unwrap().as_bytes(), &arguments);
        let text = String::from_utf8(text).unwrap();
        if text != case[2].as_str().unwrap() {
            different.push_str(&format!(
                "{} {}\n  want {}\n  got  {text:?}\n",
                case[0], case[1], case[2]
            ));
        }
    }
    assert!(different.is_empty(), "{different}");
}
