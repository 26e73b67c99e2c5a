//! YAML: Helm's functions, as `sigs.k8s.io/yaml` reads and writes.

use std::borrow::Cow;

use serde_json::Value as Json;
use sluice_yaml::{
    EmitV3, Node, ParseOptions, PrinterV2, Resolver, ScalarStyle, emit_v2, emit_v3, is_sexagesimal,
    parse_document, print_v2, sort_keys_v3, to_json,
};

use super::{
    Functions, TimeObject,
    json::{failed, misfit},
};
use crate::{
    Error, List, Map, Str, Value,
    go::{base::encode_base64, duration, json::encode},
    value::{DEPTH_MAX, IntType, Kind, Object},
    values::plain,
};

pub(super) fn register(functions: &mut Functions) {
    functions.add("toYaml", |value: Value| to_yaml(&value).unwrap_or_default());
    functions.add("mustToYaml", |value: Value| to_yaml(&value));
    functions.add("toYamlPretty", |value: Value| to_yaml_pretty(&value));
    functions.add("fromYaml", |text: Str| match from_yaml(&text) {
        Ok(Value::Map(map)) => map,
        Ok(Value::Nil) => Map::new(),
        Ok(other) => failed(unmarshal(&other, "map[string]interface {}")),
        Err(error) => failed(error),
    });
    functions.add("fromYamlArray", |text: Str| match from_yaml(&text) {
        Ok(Value::List(list)) => list,
        Ok(Value::Nil) => List::new(Vec::new()),
        Ok(other) => List::new(vec![unmarshal(&other, "[]interface {}").into()]),
        Err(error) => List::new(vec![error.into()]),
    });
}

fn unmarshal(value: &Value, wanted: &str) -> String {
    format!(
        "error unmarshaling JSON: while decoding JSON: {}",
        misfit(value, wanted)
    )
}

/// `toYaml`: as if by way of JSON, without the newline at the end.
///
/// # Errors
/// What JSON cannot hold, and characters that YAML cannot.
pub(crate) fn to_yaml(value: &Value) -> Result<String, Error> {
    let mut yaml = match print_v2(|printer| print(value, 0, printer)) {
        Ok(yaml) => yaml,
        Err(Odd) => emit_v2(&by_way_of_json(value)?),
    };
    if yaml.ends_with('\n') {
        yaml.pop();
    }
    Ok(yaml)
}

/// What is no JSON as it is: it goes the long way.
struct Odd;

/// How deep values are printed as they are: those of charts are not deeper.
const PLAIN_DEPTH_MAX: usize = 100;

/// The same as by way of JSON, which nearly all values can do without.
fn print(value: &Value, depth: usize, printer: &mut PrinterV2<'_>) -> Result<(), Odd> {
    match value {
        Value::Invalid | Value::Nil => printer.null(),
        Value::Bool(value) => printer.bool(*value),
        Value::Int(_, value) => printer.int(*value),
        Value::Uint(_, value) => printer.uint(*value),
        Value::Float(value) if value.is_finite() => printer.float(*value),
        Value::Str(text) => printer.text(plain_text(text)?),
        Value::List(list) if list.is_nil() => printer.null(),
        Value::Map(map) if map.is_nil() => printer.null(),
        Value::List(list) if depth < PLAIN_DEPTH_MAX => {
            return printer.list(list.items(), |printer, item| print(item, depth + 1, printer));
        }
        Value::Map(map) if depth < PLAIN_DEPTH_MAX => {
            let entries = map.entries();
            let entries = entries.iter().map(|(key, value)| Ok((plain_text(key)?, value)));
            let entries: Vec<(&str, &Value)> = entries.collect::<Result<_, Odd>>()?;
            return printer.map(entries, |printer, value| print(value, depth + 1, printer));
        }
        Value::Float(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => {
            return Err(Odd);
        }
    }
    Ok(())
}

fn plain_text(text: &Str) -> Result<&str, Odd> {
    text.as_str().filter(|text| !is_odd(text)).ok_or(Odd)
}

fn by_way_of_json(value: &Value) -> Result<Json, Error> {
    let json = value
        .to_json()
        .map_err(|error| Error::new(format!("error marshaling into JSON: {error}")))?;
    if has_odd_text(&json) {
        // Go reads its JSON as YAML, which folds some characters and refuses others.
        return reread(&encode(value, true)?).map_err(Error::new);
    }
    Ok(json)
}

/// Whether a text has characters that JSON leaves as they are and YAML does not take for what they are.
fn is_odd(text: &str) -> bool {
    let is_odd_character = |c: char| matches!(c, '\u{7F}'..='\u{9F}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}');
    // most texts have none that is not ASCII, which shows at a whole block at once
    let is_beyond = text
        .bytes()
        .fold(false, |is_beyond, byte| is_beyond | (byte >= 0x7F));
    is_beyond && text.chars().any(is_odd_character)
}

fn has_odd_text(json: &Json) -> bool {
    match json {
        Json::String(text) => is_odd(text),
        Json::Array(items) => items.iter().any(has_odd_text),
        Json::Object(map) => map.iter().any(|(key, value)| is_odd(key) || has_odd_text(value)),
        _ => false,
    }
}

fn reread(text: &str) -> Result<Json, String> {
    let document =
        parse_document(text, &ParseOptions::new(Resolver::V2)).map_err(|error| error.to_string())?;
    document.map_or(Ok(Json::Null), |document| {
        to_json(&document.root, Resolver::V2).map_err(|error| error.to_string())
    })
}

/// Reads one document; numbers are `float64`.
fn from_yaml(text: &Str) -> Result<Value, String> {
    let prefixed = |error: sluice_yaml::Error| format!("error converting YAML to JSON: {error}");
    let document = parse_document(text.as_bytes(), &ParseOptions::new(Resolver::V2)).map_err(prefixed)?;
    let Some(document) = document else {
        return Ok(Value::Nil);
    };
    if let Some(read) = plain(&document.root) {
        return Ok(read.to_value());
    }
    let json = to_json(&document.root, Resolver::V2);
    json.map(|json| Value::from(&json)).map_err(prefixed)
}

/// `toYamlPretty`: goyaml.v3 without the detour over JSON. The original panics over what it cannot write.
///
/// # Errors
/// A complex number, and a value that holds itself.
fn to_yaml_pretty(value: &Value) -> Result<String, Error> {
    let options = EmitV3 {
        indent: 2,
        compact_sequences: false,
    };
    let mut yaml = emit_v3(&node(value, 0)?, &options);
    if yaml.ends_with('\n') {
        yaml.pop();
    }
    Ok(yaml)
}

fn node(value: &Value, depth: usize) -> Result<Node, Error> {
    if depth > DEPTH_MAX {
        return Err(Error::new("toYamlPretty: a value that holds itself"));
    }
    Ok(match value {
        Value::Nil | Value::Invalid => Node::null(),
        Value::Bool(value) => Node::bool(*value),
        Value::Int(IntType::Duration, value) => Node::plain(duration::format(*value)),
        Value::Int(_, value) => Node::int(*value),
        Value::Uint(_, value) => Node::plain(value.to_string()),
        Value::Float(value) => Node::plain(sluice_yaml::format_float(*value)),
        Value::Str(text) => string(text),
        Value::Bytes(bytes) => {
            let items = bytes.as_bytes().iter().map(|byte| Node::int(i64::from(*byte)));
            Node::sequence(items.collect())
        }
        Value::List(list) => {
            let items = list.items().iter().map(|item| node(item, depth + 1));
            Node::sequence(items.collect::<Result<_, _>>()?)
        }
        Value::Map(map) => {
            let entries = map.entries();
            let entries: Vec<(Cow<'_, str>, &Str, &Value)> = entries
                .iter()
                .map(|(key, value)| (key.to_str(), key, value))
                .collect();
            let mut sorted: Vec<_> = entries.iter().collect();
            sort_keys_v3(&mut sorted, |entry| &entry.0);
            let entries = sorted
                .into_iter()
                .map(|(_, key, value)| Ok((string(key), node(value, depth + 1)?)));
            Node::mapping(entries.collect::<Result<_, Error>>()?)
        }
        Value::Object(object) => return object_node(value, &**object, depth),
    })
}

/// A time is no string; of what has fields, the exported ones under their names in lower case, in order.
fn object_node(value: &Value, object: &dyn Object, depth: usize) -> Result<Node, Error> {
    if let Some(time) = value.as_object::<TimeObject>() {
        return Ok(Node::plain(time.0.to_rfc3339()));
    }
    if object.kind() == Kind::Complex {
        return Err(Error::new("cannot marshal type: complex128"));
    }
    let json = object.to_json()?;
    if !json.is_object() {
        return node(&Value::from(&json), depth + 1);
    }
    let entries = object.exported().into_iter().map(|(name, field)| {
        let name = name.to_lowercase();
        Ok((string(&name.into()), node(&field, depth + 1)?))
    });
    Ok(Node::mapping(entries.collect::<Result<_, Error>>()?))
}

/// A string in the style that goyaml.v3 chooses for it.
fn string(text: &Str) -> Node {
    let Some(text) = text.as_str() else {
        return binary(text.as_bytes());
    };
    if text == "<<" {
        // no merge: the tag, which is not written, says so
        let mut node = Node::plain(text);
        node.set_tag(Some("!".into()));
        return node;
    }
    let mut node = Node::string(text);
    if let sluice_yaml::Value::Scalar(_, style) = &mut node.value {
        if text.contains('\n') {
            *style = ScalarStyle::Literal;
        } else if is_sexagesimal(text) {
            *style = ScalarStyle::DoubleQuoted;
        }
    }
    node
}

/// What is no UTF-8: base64, in lines where it is long.
fn binary(bytes: &[u8]) -> Node {
    const LINE: usize = 70;
    let mut text = encode_base64(bytes);
    if text.len() >= LINE {
        let lines = text.as_bytes().chunks(LINE).map(String::from_utf8_lossy);
        text = lines.flat_map(|line| [line, "\n".into()]).collect();
    }
    let mut node = Node::plain(text.as_str());
    if let sluice_yaml::Value::Scalar(_, style) = &mut node.value
        && text.contains('\n')
    {
        *style = ScalarStyle::Literal;
    }
    node.set_tag(Some("!!binary".into()));
    node
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{CollectionType, Complex, UintType};

    /// What a value prints as it is; none where it goes the long way.
    fn directly(value: &Value) -> Option<String> {
        print_v2(|printer| print(value, 0, printer)).ok()
    }

    #[test]
    fn what_is_plain_is_printed_as_by_way_of_json() {
        let texts = [
            "",
            "a",
            "a b",
            "yes",
            "1",
            "1.5",
            "0x1F",
            "2001-01-01",
            "1:30",
            "~",
            "- a",
            "a: b",
            "#",
            "\t",
            "\r",
            "\0",
            "a\nb",
            "a\nb\n",
            " a\n",
            "a \nb",
            "\n",
            "é\u{A0}\u{2028}",
            "\u{10000}",
            "<&>",
            "'\"\\",
            "{{ a }}",
        ];
        let numbers = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            1.5,
            80.0,
            1e6,
            1e20,
            1e21,
            1e-7,
            9007199254740992.0,
            1e300,
            5e-324,
        ];
        let list = |items: Vec<Value>| Value::List(List::new(items));
        let long = "a text that is longer than a line may be, so that it is folded somewhere in the middle of its words";
        let values = [
            Value::Nil,
            list(Vec::new()),
            Value::List(List::nil(CollectionType::ANY)),
            Value::Map(Map::new()),
            Value::Map(Map::nil(CollectionType::ANY)),
            list(texts.map(Value::from).to_vec()),
            list(numbers.map(Value::from).to_vec()),
            list(vec![
                true.into(),
                i64::MIN.into(),
                Value::Uint(UintType::Uint64, u64::MAX),
                long.into(),
            ]),
            Value::Map(
                texts
                    .into_iter()
                    .map(|text| (text, list(vec![list(vec![text.into()])])))
                    .collect(),
            ),
            Value::Map(
                [("a10", 1), ("a9", 2), ("A", 3), ("b-1", 4), ("b", 5)]
                    .into_iter()
                    .map(|(key, value)| (key, i64::from(value)))
                    .collect(),
            ),
            Value::Map(
                [(
                    long,
                    [(
                        "b",
                        list(vec![
                            Map::new().into(),
                            [("c", long)].into_iter().collect::<Map>().into(),
                        ]),
                    )]
                    .into_iter()
                    .collect::<Map>(),
                )]
                .into_iter()
                .collect(),
            ),
        ];
        for value in values {
            let json = by_way_of_json(&value).unwrap();
            assert_eq!(directly(&value), Some(emit_v2(&json)), "{value:?}");
        }
    }

    #[test]
    fn what_is_odd_goes_the_long_way() {
        let deep = (0..=PLAIN_DEPTH_MAX).fold(Value::Nil, |inner, _| Value::List(List::new(vec![inner])));
        let odd = [
            Value::Float(f64::NAN),
            Value::Float(f64::INFINITY),
            Value::Bytes("a".into()),
            Value::Str(Str::new(b"\xFF")),
            "\u{7F}".into(),
            "a\u{85}b".into(),
            "\u{FEFF}".into(),
            Value::Map([("\u{85}", "a")].into_iter().collect()),
            Value::object(Complex {
                real: 1.0,
                imaginary: 0.0,
            }),
            deep.clone(),
        ];
        for value in odd {
            assert_eq!(directly(&value), None, "{value:?}");
        }
        assert_eq!(
            to_yaml(&deep).unwrap(),
            format!("{}null", "- ".repeat(PLAIN_DEPTH_MAX + 1))
        );
        assert_eq!(to_yaml(&Value::Str(Str::new(b"\xFF"))).unwrap(), "\u{FFFD}");
    }
}
