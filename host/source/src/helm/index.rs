//! From an index as a repository gives it to one JSON document, chart by chart (compat/source.md 7.2).
//!
//! YAML in blocks, as `helm repo index` writes it, is cut into charts before it is parsed ([`blocks`]), and JSON is read as
//! a stream ([`json`]): a large index never becomes one tree.

mod blocks;
mod json;
mod versions;

use std::{
    collections::HashSet,
    io::{BufRead, Seek, Write},
};

use serde_json::{Map, Value};

use super::Error;
use versions::Versions;

/// How much an index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Names.
    pub charts: usize,
    /// Versions of them that can be used.
    pub versions: usize,
}

/// Reads an index and writes it to `output`: `{"entries":{…},"apiVersion":…}`, the versions of each chart newest first,
/// without those that Helm does not accept, each chart on a line of its own ([`super::Catalog`] reads such lines).
/// `chart_size_max` bounds the bytes of all versions of one chart; of `only`, where given, and of no other, are they written.
///
/// # Errors
/// [`Error::Index`]: empty, no API version, a field that is unknown or given twice, one chart larger than allowed.
pub fn read(
    mut input: impl BufRead + Seek,
    chart_size_max: usize,
    only: Option<&str>,
    output: &mut dyn Write,
) -> Result<Indexed, Error> {
    let mut writer = Writer::new(only, output).map_err(|error| Error::Index(error.to_string()))?;
    let is_json = json::begins(&mut input).map_err(|error| Error::Index(error.to_string()))?;
    let read = if is_json {
        json::read(&mut input, chart_size_max, &mut writer)
    } else {
        blocks::read(&mut input, chart_size_max, &mut writer)
    };
    read.map_err(Error::Index)?;
    writer.finish().map_err(Error::Index)
}

/// Values of one chart with all its versions, or beside the charts: the largest charts known have some ten thousand. In
/// memory each takes many times the two bytes that it may have in the index.
const VALUES_MAX: usize = 500_000;
/// Charts of one index, whose names are all remembered; the largest known have some thousand.
const CHARTS_MAX: usize = 100_000;

fn too_large(limit: usize) -> String {
    format!("the versions of one chart exceed the limit of {limit} bytes (chart_versions_size_max)")
}

/// Whether unknown fields are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    /// As YAML is read.
    Strict,
    /// As JSON is read.
    Lenient,
}

/// Fields of an index beside its charts.
const FIELDS: &[&str] = &[
    "apiVersion",
    "generated",
    "publicKeys",
    "annotations",
    "serverInfo",
];

struct Writer<'a> {
    output: &'a mut dyn Write,
    only: Option<&'a str>,
    seen: HashSet<String>,
    indexed: Indexed,
    fields: Map<String, Value>,
}

impl<'a> Writer<'a> {
    fn new(only: Option<&'a str>, output: &'a mut dyn Write) -> std::io::Result<Writer<'a>> {
        output.write_all(HEAD)?;
        Ok(Writer {
            output,
            only,
            seen: HashSet::new(),
            indexed: Indexed::default(),
            fields: Map::new(),
        })
    }

    /// Whether the versions of this chart, which comes next, are wanted.
    fn begin(&mut self, name: &str) -> Result<bool, String> {
        if !self.seen.insert(name.to_owned()) {
            return Err(format!(
                "error unmarshaling JSON: key \"{name}\" already set in map"
            ));
        }
        if self.seen.len() > CHARTS_MAX {
            return Err(format!("more than {CHARTS_MAX} charts (charts_max)"));
        }
        Ok(self.only.is_none_or(|only| only == name))
    }

    /// A chart that was begun.
    fn end(&mut self, name: &str, versions: Versions<'_>) -> Result<(), String> {
        let separator: &[u8] = if self.indexed.charts > 0 { b",\n" } else { b"\n" };
        self.indexed.charts += 1;
        self.indexed.versions += versions.len();
        let text = |error: std::io::Error| error.to_string();
        self.output.write_all(separator).map_err(text)?;
        self.json(&name)?;
        self.output.write_all(b":").map_err(text)?;
        versions.write(self.output).map_err(text)
    }

    fn json(&mut self, value: &impl serde::Serialize) -> Result<(), String> {
        serde_json::to_writer(&mut *self.output, value).map_err(|error| error.to_string())
    }

    /// A field beside the charts, one of [`FIELDS`].
    fn field(&mut self, name: &str, value: Value) -> Result<(), String> {
        if self.fields.insert(name.to_owned(), value).is_some() {
            return Err(format!(
                "error unmarshaling JSON: key \"{name}\" already set in map"
            ));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Indexed, String> {
        let version = self
            .fields
            .get("apiVersion")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if version.is_empty() {
            return Err("no API version specified".to_owned());
        }
        let text = |error: std::io::Error| error.to_string();
        self.output.write_all(b"\n}").map_err(text)?;
        for (name, value) in std::mem::take(&mut self.fields) {
            self.output.write_all(b",").map_err(text)?;
            self.json(&name)?;
            self.output.write_all(b":").map_err(text)?;
            self.json(&value)?;
        }
        self.output.write_all(b"}").map_err(text)?;
        Ok(self.indexed)
    }
}

/// What stands before the charts in a stored index: they are the next lines.
pub(super) const HEAD: &[u8] = b"{\"entries\":{";

#[cfg(test)]
mod tests;
