//! An index that is JSON, read as a stream.

use std::{
    cell::Cell,
    fmt,
    io::{self, BufRead, Read, Seek, SeekFrom},
};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{FIELDS, Strictness, VALUES_MAX, Writer, too_large, versions::Versions};

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

pub(super) fn read(
    input: &mut impl BufRead,
    chart_size_max: usize,
    writer: &mut Writer<'_>,
) -> Result<(), String> {
    let budget = Budget {
        size_max: chart_size_max,
        size: Cell::default(),
        values: Cell::default(),
    };
    let counted = Counted {
        input,
        budget: &budget,
        text: Text::Outside,
    };
    let mut deserializer = serde_json::Deserializer::from_reader(counted);
    let read = Index {
        writer,
        budget: &budget,
    }
    .deserialize(&mut deserializer);
    read.and_then(|()| deserializer.end())
        .map_err(|error| error.to_string())
}

/// What the next chart, or the next field, may still cost.
struct Budget {
    size_max: usize,
    size: Cell<usize>,
    values: Cell<usize>,
}

impl Budget {
    fn renew(&self) {
        self.size.set(0);
        self.values.set(0);
    }

    fn spend(&self, size: usize, values: usize) -> io::Result<()> {
        self.size.set(self.size.get() + size);
        self.values.set(self.values.get() + values);
        if self.size.get() > self.size_max {
            return Err(io::Error::other(too_large(self.size_max)));
        }
        if self.values.get() > VALUES_MAX {
            let text = format!("the versions of one chart hold more than {VALUES_MAX} values (values_max)");
            return Err(io::Error::other(text));
        }
        Ok(())
    }
}

/// Counts what is read: bytes, and values by what stands before each of them.
struct Counted<'a, R> {
    input: R,
    budget: &'a Budget,
    text: Text,
}

/// Whether the next byte is a part of a text.
enum Text {
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        let mut values = 0;
        for byte in buffer.iter().take(length) {
            self.text = match (&self.text, byte) {
                (Text::Outside, b'"') | (Text::Escaped, _) => Text::Inside,
                (Text::Outside, _) | (Text::Inside, b'"') => Text::Outside,
                (Text::Inside, b'\\') => Text::Escaped,
                (Text::Inside, _) => Text::Inside,
            };
            let is_before_value = matches!(byte, b'[' | b'{' | b',');
            values += usize::from(is_before_value && matches!(self.text, Text::Outside));
        }
        self.budget.spend(length, values)?;
        Ok(length)
    }
}

struct Index<'a, 'w> {
    writer: &'a mut Writer<'w>,
    budget: &'a Budget,
}

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
        let Index { writer, budget } = self;
        budget.renew();
        while let Some(key) = map.next_key::<String>()? {
            if key == "entries" {
                map.next_value_seed(Entries { writer, budget })?;
            } else if FIELDS.contains(&key.as_str()) {
                let value: Value = map.next_value()?;
                writer.field(&key, value).map_err(Error::custom)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            budget.renew();
        }
        Ok(())
    }
}

struct Entries<'a, 'w> {
    writer: &'a mut Writer<'w>,
    budget: &'a Budget,
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
        self.budget.renew();
        while let Some(name) = map.next_key::<String>()? {
            if self.writer.begin(&name).map_err(Error::custom)? {
                let versions = map.next_value_seed(OfChart(Versions::new(&name)))?;
                self.writer.end(&name, versions).map_err(Error::custom)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            self.budget.renew();
        }
        Ok(())
    }
}

/// Versions one by one: of each no more is kept than its text.
struct OfChart<'a>(Versions<'a>);

impl<'de, 'a> DeserializeSeed<'de> for OfChart<'a> {
    type Value = Versions<'a>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Versions<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, 'a> Visitor<'de> for OfChart<'a> {
    type Value = Versions<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the versions of a chart")
    }

    fn visit_unit<E>(self) -> Result<Versions<'a>, E> {
        Ok(self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Versions<'a>, A::Error> {
        while let Some(version) = list.next_element::<Value>()? {
            self.0.add(version, Strictness::Lenient).map_err(Error::custom)?;
        }
        Ok(self.0)
    }
}
