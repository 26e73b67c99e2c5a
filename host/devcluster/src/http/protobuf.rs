//! Bodies in protobuf, which `kubectl create …` and other Go clients send for built-in kinds. Answers are always JSON.

use crate::meta;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::OnceLock;

/// Messages of the API types; `data/README.md` explains the format.
const TABLE: &[u8] = include_bytes!("../../data/protobuf.txt.gz");
/// What such a body begins with.
const MAGIC: &[u8] = b"k8s\0";
/// Messages nested deeper than this are refused: they would exhaust the stack.
const DEPTH_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scalar {
    Text,
    Flag,
    Whole,
    Real,
    Bytes,
    Message(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Many {
    One,
    List,
    Mapping,
}

#[derive(Debug)]
struct Field {
    name: String,
    many: Many,
    scalar: Scalar,
}

struct Message {
    name: String,
    fields: BTreeMap<u64, Field>,
}

struct Table {
    messages: Vec<Message>,
    by_kind: HashMap<(String, String), usize>,
}

/// Reads a body; none where it is not one of a kind that the table knows.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    let envelope = Wire(bytes.strip_prefix(MAGIC)?).fields()?;
    let bytes_of = |number: u64| {
        envelope
            .iter()
            .rev()
            .find(|(found, _)| *found == number)
            .and_then(|(_, value)| value.bytes())
    };
    let meta_fields = Wire(bytes_of(1)?).fields()?;
    let text = |number: u64| {
        let found = meta_fields
            .iter()
            .find(|(found, _)| *found == number)
            .and_then(|(_, value)| value.bytes());
        String::from_utf8_lossy(found.unwrap_or_default()).into_owned()
    };
    let (api_version, kind) = (text(1), text(2));
    let table = table();
    let number = table.by_kind.get(&(package(&api_version, &kind), kind.clone()))?;
    let mut object = read(table, *number, bytes_of(2).unwrap_or_default(), 0)?;
    let map = meta::as_map(&mut object);
    map.insert("apiVersion".to_owned(), api_version.into());
    map.insert("kind".to_owned(), kind.into());
    Some(object)
}

/// The package of a version's messages: `api.apps.v1` for `apps/v1`.
fn package(api_version: &str, kind: &str) -> String {
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    if kind == "DeleteOptions" {
        return "apimachinery.pkg.apis.meta.v1".to_owned();
    }
    let short = group.split('.').next().unwrap_or_default();
    match group {
        "apiextensions.k8s.io" => format!("apiextensions_apiserver.pkg.apis.apiextensions.{version}"),
        "apiregistration.k8s.io" => format!("kube_aggregator.pkg.apis.apiregistration.{version}"),
        "flowcontrol.apiserver.k8s.io" => format!("api.flowcontrol.{version}"),
        _ => format!("api.{short}.{version}"),
    }
}

fn table() -> &'static Table {
    static PARSED: OnceLock<Table> = OnceLock::new();
    PARSED.get_or_init(|| {
        let mut text = String::new();
        let read = GzDecoder::new(TABLE).read_to_string(&mut text);
        read.expect("invariant: the embedded table is gzip-compressed text");
        let messages: Vec<Message> = text.lines().map(message).collect();
        let by_kind = messages.iter().enumerate().filter_map(|(number, message)| {
            let (package, kind) = message.name.rsplit_once('.')?;
            Some(((package.to_owned(), kind.to_owned()), number))
        });
        Table {
            by_kind: by_kind.collect(),
            messages,
        }
    })
}

fn message(line: &str) -> Message {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let fields = words.filter_map(|word| {
        let (number, rest) = word.split_once('=')?;
        let (name, shape) = rest.split_once(':')?;
        let (many, shape) = match shape.strip_prefix('*') {
            Some(rest) => (Many::List, rest),
            None => match shape.strip_prefix('{') {
                Some(rest) => (Many::Mapping, rest),
                None => (Many::One, shape),
            },
        };
        let scalar = match shape {
            "s" => Scalar::Text,
            "b" => Scalar::Flag,
            "i" => Scalar::Whole,
            "f" => Scalar::Real,
            "y" => Scalar::Bytes,
            number => Scalar::Message(number.strip_prefix('@')?.parse().ok()?),
        };
        Some((
            number.parse().ok()?,
            Field {
                name: name.to_owned(),
                many,
                scalar,
            },
        ))
    });
    Message {
        name,
        fields: fields.collect(),
    }
}

fn read(table: &Table, number: usize, bytes: &[u8], depth: usize) -> Option<Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    let message = table.messages.get(number)?;
    let fields = Wire(bytes).fields()?;
    if let Some(special) = special(&message.name, &fields) {
        return special;
    }
    let mut map = Map::new();
    for (number, raw) in fields {
        // a field that the table does not know is newer than it
        let Some(field) = message.fields.get(&number) else {
            continue;
        };
        match field.many {
            Many::One => {
                map.insert(field.name.clone(), scalar(table, field.scalar, &raw, depth)?);
            }
            Many::List => {
                let list = map
                    .entry(field.name.clone())
                    .or_insert_with(|| Value::Array(Vec::new()));
                list.as_array_mut()?
                    .push(scalar(table, field.scalar, &raw, depth)?);
            }
            Many::Mapping => {
                let entry = Wire(raw.bytes()?).fields()?;
                let part = |wanted: u64| {
                    entry
                        .iter()
                        .find(|(number, _)| *number == wanted)
                        .map(|(_, raw)| raw)
                };
                let key = part(1).and_then(Raw::bytes).unwrap_or_default();
                let value = match part(2) {
                    Some(raw) => scalar(table, field.scalar, raw, depth)?,
                    None => scalar(table, field.scalar, &Raw::Bytes(&[]), depth)?,
                };
                let entries = map
                    .entry(field.name.clone())
                    .or_insert_with(|| Value::Object(Map::new()));
                entries
                    .as_object_mut()?
                    .insert(String::from_utf8_lossy(key).into_owned(), value);
            }
        }
    }
    Some(Value::Object(map))
}

/// Messages that JSON writes as something else. The outer none says that the message is an ordinary one.
fn special(name: &str, fields: &[(u64, Raw<'_>)]) -> Option<Option<Value>> {
    let of = |wanted: u64| {
        fields
            .iter()
            .rev()
            .find(|(number, _)| *number == wanted)
            .map(|(_, raw)| raw)
    };
    let text = |wanted: u64| {
        String::from_utf8_lossy(of(wanted).and_then(Raw::bytes).unwrap_or_default()).into_owned()
    };
    let whole = |wanted: u64| of(wanted).and_then(Raw::whole).unwrap_or_default();
    let time = |digits: u8| {
        if fields.is_empty() {
            return Some(Value::Null);
        }
        let time = Timestamp::new(whole(1), i32::try_from(whole(2)).ok()?).ok()?;
        Some(Value::String(if digits == 0 {
            meta::stamp(time)
        } else {
            format!("{time:.6}")
        }))
    };
    Some(match name.rsplit('.').next()? {
        "Quantity" => Some(text(1).into()),
        "Time" => time(0),
        "MicroTime" => time(6),
        "IntOrString" if whole(1) == 0 => Some(whole(2).into()),
        "IntOrString" => Some(text(3).into()),
        "RawExtension" | "FieldsV1" | "JSON" => {
            serde_json::from_slice(of(1).and_then(Raw::bytes).unwrap_or(b"null")).ok()
        }
        "Duration" => Some(format!("{}ns", whole(1)).into()),
        _ => return None,
    })
}

fn scalar(table: &Table, scalar: Scalar, raw: &Raw<'_>, depth: usize) -> Option<Value> {
    Some(match scalar {
        Scalar::Text => String::from_utf8_lossy(raw.bytes()?).into_owned().into(),
        Scalar::Bytes => STANDARD.encode(raw.bytes()?).into(),
        Scalar::Flag => (raw.whole()? != 0).into(),
        Scalar::Whole => raw.whole()?.into(),
        Scalar::Real => match raw {
            Raw::Fixed(bits) => f64::from_bits(*bits).into(),
            _ => return None,
        },
        Scalar::Message(number) => read(table, number, raw.bytes()?, depth + 1)?,
    })
}

/// One value as it lies on the wire.
enum Raw<'b> {
    Varint(u64),
    Fixed(u64),
    Bytes(&'b [u8]),
}

impl<'b> Raw<'b> {
    fn bytes(&self) -> Option<&'b [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Negative numbers are written as 64 bits.
    fn whole(&self) -> Option<i64> {
        match self {
            Self::Varint(bits) => Some(bits.cast_signed()),
            _ => None,
        }
    }
}

/// A message on the wire.
struct Wire<'b>(&'b [u8]);

impl<'b> Wire<'b> {
    /// All fields in order; none where the bytes are no message.
    fn fields(mut self) -> Option<Vec<(u64, Raw<'b>)>> {
        let mut found = Vec::new();
        while !self.0.is_empty() {
            let tag = self.varint()?;
            let raw = match tag & 7 {
                0 => Raw::Varint(self.varint()?),
                1 => Raw::Fixed(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
                2 => {
                    let length = usize::try_from(self.varint()?).ok()?;
                    Raw::Bytes(self.take(length)?)
                }
                5 => Raw::Fixed(u64::from(u32::from_le_bytes(self.take(4)?.try_into().ok()?))),
                _ => return None,
            };
            found.push((tag >> 3, raw));
        }
        Some(found)
    }

    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_config_map_as_a_go_client_sends_it() {
        let mut body = MAGIC.to_vec();
        let object = b"\x0a\x03\x0a\x01a\x12\x06\x0a\x01k\x12\x01v";
        body.extend(b"\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12");
        body.push(u8::try_from(object.len()).unwrap());
        body.extend(object);
        let expected =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}});
        assert_eq!(decode(&body), Some(expected));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in [
            &b""[..],
            b"k8s\0",
            b"k8s\0\x0a\xff",
            b"{}",
            b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x7f",
        ] {
            assert_eq!(decode(bytes), None);
        }
    }
}
