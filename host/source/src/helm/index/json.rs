//! An index that is JSON, read as a stream.

use std::{
    fmt,
    io::{BufRead, Seek, SeekFrom},
};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Strictness, Writer};

/// Whether this looks like JSON: it begins with a brace. The input stands at its beginning afterwards.
pub(super) fn begins(input: &mut (impl BufRead + Seek)) -> std::io::Result<bool> {
    let first = loop {
        let buffer = input.fill_buf()?;
        let Some(at) = buffer.iter().position(|byte| !byte.is_ascii_whitespace()) else {
            let length = buffer.len();
            if length == 0 {
                break None;
            }
            input.consume(length);
            continue;
        };
        break buffer.get(at).copied();
    };
    input.seek(SeekFrom::Start(0))?;
    Ok(first == Some(b'{'))
}

pub(super) fn read(input: &mut impl BufRead, writer: &mut Writer<'_>) -> Result<(), String> {
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let read = Index(writer).deserialize(&mut deserializer);
    read.and_then(|()| deserializer.end())
        .map_err(|error| error.to_string())
}

struct Index<'a, 'w>(&'a mut Writer<'w>);
struct Entries<'a, 'w>(&'a mut Writer<'w>);

impl<'de> DeserializeSeed<'de> for Index<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Index<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index of charts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "entries" {
                map.next_value_seed(Entries(self.0))?;
            } else {
                let value: Value = map.next_value()?;
                let taken = self.0.field(&key, value, Strictness::Lenient);
                taken.map_err(serde::de::Error::custom)?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("charts by name")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let versions: Value = map.next_value()?;
            let taken = self.0.chart(&name, versions, Strictness::Lenient);
            taken.map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}
