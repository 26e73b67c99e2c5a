use crate::patch::PatchKind;
use crate::status::{Result, Status};
use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// A request body may not be larger than this; the real server bounds it at 3 MiB.
pub(super) const BODY_BYTES_MAX: usize = 3 * 1024 * 1024;

/// A body and the fields that it says twice.
pub(super) struct Decoded {
    pub(super) value: Value,
    pub(super) duplicates: Vec<String>,
}

/// Reads JSON, or YAML where the content type says so.
pub(super) fn decode(bytes: &[u8], content_type: &str, kind: &str) -> Result<Decoded> {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    if media == "application/vnd.kubernetes.protobuf" {
        let value = super::protobuf::decode(bytes).ok_or_else(|| {
            Status::bad_request(format!(
                "the protobuf body is no {kind} that this development server can read; send JSON"
            ))
        })?;
        return Ok(Decoded {
            value,
            duplicates: Vec::new(),
        });
    }
    if !matches!(media, "" | "application/json" | "application/yaml") && PatchKind::of(content_type).is_none()
    {
        return Err(Status::unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf",
        ));
    }
    let is_yaml = content_type.contains("yaml");
    match serde_json::from_slice::<Tracked>(bytes) {
        Ok(tracked) => Ok(tracked.into_decoded()),
        Err(_) if is_yaml => yaml(bytes),
        Err(error) => Err(Status::bad_request(unreadable(bytes, kind, &error))),
    }
}

/// What Go's JSON decoder says of a body that is none.
fn unreadable(bytes: &[u8], kind: &str, error: &serde_json::Error) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = text
        .lines()
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let letter = line.chars().nth(error.column().saturating_sub(1));
    let said = error.to_string();
    let why = match letter {
        _ if error.is_eof() => "unexpected end of JSON input".to_owned(),
        Some(letter) if said.starts_with("key must be a string") => {
            format!("invalid character '{letter}' looking for beginning of object key string")
        }
        Some(letter) => format!("invalid character '{letter}' looking for beginning of value"),
        None => said,
    };
    format!(
        "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {why} ({text})"
    )
}

fn yaml(bytes: &[u8]) -> Result<Decoded> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Status::bad_request("error decoding YAML: the body is not UTF-8"))?;
    let value = crate::yaml::to_json(text).map_err(|error| {
        Status::bad_request(format!(
            "error decoding YAML: error converting YAML to JSON: {error}"
        ))
    })?;
    Ok(Decoded {
        value,
        duplicates: Vec::new(),
    })
}

/// A JSON value that remembers which keys came twice.
struct Tracked(Value, Vec<String>);

impl Tracked {
    fn into_decoded(self) -> Decoded {
        Decoded {
            value: self.0,
            duplicates: self.1,
        }
    }
}

impl<'de> Deserialize<'de> for Tracked {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(TrackedVisitor)
    }
}

struct TrackedVisitor;

impl<'de> Visitor<'de> for TrackedVisitor {
    type Value = Tracked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Tracked, E> {
        Ok(Tracked(Value::Null, Vec::new()))
    }

    fn visit_bool<E>(self, flag: bool) -> std::result::Result<Tracked, E> {
        Ok(Tracked(Value::Bool(flag), Vec::new()))
    }

    fn visit_i64<E>(self, number: i64) -> std::result::Result<Tracked, E> {
        Ok(Tracked(Value::Number(number.into()), Vec::new()))
    }

    fn visit_u64<E>(self, number: u64) -> std::result::Result<Tracked, E> {
        Ok(Tracked(Value::Number(number.into()), Vec::new()))
    }

    fn visit_f64<E>(self, number: f64) -> std::result::Result<Tracked, E> {
        // Go writes whole floats as integers
        let whole = number.fract() == 0.0 && number.abs() < 1e15;
        let value = if whole {
            Some(Number::from(number as i64))
        } else {
            Number::from_f64(number)
        };
        Ok(Tracked(value.map_or(Value::Null, Value::Number), Vec::new()))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Tracked, E> {
        Ok(Tracked(Value::String(text.to_owned()), Vec::new()))
    }

    fn visit_string<E>(self, text: String) -> std::result::Result<Tracked, E> {
        Ok(Tracked(Value::String(text), Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Tracked, A::Error> {
        let (mut list, mut twice) = (Vec::new(), Vec::new());
        while let Some(Tracked(value, below)) = items.next_element()? {
            let index = list.len();
            twice.extend(
                below
                    .into_iter()
                    .map(|path| format!("[{index}]{}", dotted(&path))),
            );
            list.push(value);
        }
        Ok(Tracked(Value::Array(list), twice))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Tracked, A::Error> {
        let (mut map, mut twice) = (Map::new(), Vec::new());
        while let Some((key, Tracked(value, below))) = entries.next_entry::<String, Tracked>()? {
            twice.extend(below.into_iter().map(|path| format!("{key}{}", dotted(&path))));
            if map.contains_key(&key) {
                twice.push(key.clone());
            }
            map.insert(key, value);
        }
        Ok(Tracked(Value::Object(map), twice))
    }
}

fn dotted(path: &str) -> String {
    if path.starts_with('[') {
        path.to_owned()
    } else {
        format!(".{path}")
    }
}
