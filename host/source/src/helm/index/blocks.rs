//! An index that is YAML: cut into charts by indentation, each parsed by itself.
//!
//! Below `entries:` a line that is indented as the first one and begins no list item is the next chart's name; a line that
//! is not indented ends the charts. Nothing else can stand so far to the left in block style. What is written otherwise, on
//! one line or with anchors that reach from chart to chart, is parsed as one tree if it is small, and refused if not.

use std::io::BufRead;

use serde_json::Value;
use sluice_yaml::{Limits, ParseOptions, Resolver};

use super::{FIELDS, Strictness, VALUES_MAX, Writer, too_large, versions::Versions};

/// Bytes beside the charts, and of an index that is not cut: what is parsed as one tree.
const REST_SIZE_MAX: usize = 8 << 20;

pub(super) fn read(
    input: &mut impl BufRead,
    chart_size_max: usize,
    writer: &mut Writer<'_>,
) -> Result<(), String> {
    let mut blocks = Blocks {
        rest: Piece::new(1),
        chart: None,
        has_entries: false,
        chart_size_max,
        writer,
    };
    let mut part = Part::Rest;
    let mut line = Vec::new();
    let mut number = 0;
    let mut is_empty = true;
    while read_line(input, &mut line, chart_size_max)? {
        number += 1;
        is_empty &= line.iter().all(u8::is_ascii_whitespace);
        part = blocks.take(part, &line, number)?;
    }
    if is_empty {
        return Err("empty index.yaml file".to_owned());
    }
    blocks.end_chart()?;
    blocks.end_rest()
}

/// A line with its end; false at the end of the input.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, limit: usize) -> Result<bool, String> {
    use std::io::Read as _;
    line.clear();
    let mut bounded = input.by_ref().take(limit as u64 + 1);
    let length = bounded
        .read_until(b'\n', line)
        .map_err(|error| error.to_string())?;
    if length > limit {
        return Err(too_large(limit));
    }
    Ok(length > 0)
}

/// Where in the index a line stands.
#[derive(Clone, Copy)]
enum Part {
    Rest,
    /// Below `entries:`; how far names are indented, once one was seen.
    Entries(Option<usize>),
}

/// Lines that are parsed together.
struct Piece {
    text: Vec<u8>,
    first_line: usize,
}

impl Piece {
    fn new(first_line: usize) -> Piece {
        let text = Vec::new();
        Piece { text, first_line }
    }

    fn parse(&self) -> Result<Value, String> {
        let limits = Limits {
            bytes: self.text.len() + 1,
            nodes: VALUES_MAX,
            alias_bytes: 1 << 20,
            ..Limits::default()
        };
        let options = ParseOptions {
            limits,
            ..ParseOptions::new(Resolver::V2)
        };
        let at = |error: sluice_yaml::Error| {
            let first = self.first_line;
            format!("error converting YAML to JSON: {error} (counted from line {first} of index.yaml)")
        };
        match sluice_yaml::parse_document(&self.text, &options).map_err(at)? {
            None => Ok(Value::Null),
            Some(document) => sluice_yaml::to_json_strict(&document.root, Resolver::V2).map_err(at),
        }
    }
}

struct Blocks<'a, 'w> {
    rest: Piece,
    chart: Option<Piece>,
    has_entries: bool,
    chart_size_max: usize,
    writer: &'a mut Writer<'w>,
}

impl Blocks<'_, '_> {
    /// Puts a line where it belongs; answers where the next one stands.
    fn take(&mut self, part: Part, line: &[u8], number: usize) -> Result<Part, String> {
        let Part::Entries(names) = part else {
            if is_key(line, b"entries:") {
                if std::mem::replace(&mut self.has_entries, true) {
                    return Err(format!(
                        "error converting YAML to JSON: yaml: line {number}: key \"entries\" already set in map"
                    ));
                }
                return Ok(Part::Entries(None));
            }
            self.add_to_rest(line)?;
            return Ok(part);
        };
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        let text = line.get(indent..).unwrap_or_default().trim_ascii_end();
        let is_item = text == b"-" || text.starts_with(b"- ");
        if text.is_empty() || text.starts_with(b"#") {
            return self.add_to_chart(line).map(|()| part);
        }
        if indent == 0 {
            self.end_chart()?;
            return self.take(Part::Rest, line, number);
        }
        let names = names.unwrap_or(indent);
        if indent == names && !is_item {
            self.end_chart()?;
            self.chart = Some(Piece::new(number));
        } else if indent < names || self.chart.is_none() {
            return Err(format!(
                "error converting YAML to JSON: yaml: line {number}: did not find expected key"
            ));
        }
        self.add_to_chart(line)?;
        Ok(Part::Entries(Some(names)))
    }

    fn add_to_rest(&mut self, line: &[u8]) -> Result<(), String> {
        if self.rest.text.len() + line.len() > REST_SIZE_MAX {
            return Err(format!(
                "more than {REST_SIZE_MAX} bytes are not written as 'helm repo index' writes them, one chart below the other"
            ));
        }
        self.rest.text.extend_from_slice(line);
        Ok(())
    }

    fn add_to_chart(&mut self, line: &[u8]) -> Result<(), String> {
        let Some(chart) = &mut self.chart else {
            return Ok(());
        };
        if chart.text.len() + line.len() > self.chart_size_max {
            return Err(too_large(self.chart_size_max));
        }
        chart.text.extend_from_slice(line);
        Ok(())
    }

    fn end_chart(&mut self) -> Result<(), String> {
        match self.chart.take() {
            None => Ok(()),
            Some(chart) => self.charts(chart.parse()?),
        }
    }

    fn charts(&mut self, charts: Value) -> Result<(), String> {
        match charts {
            Value::Null => Ok(()),
            Value::Object(charts) => charts.into_iter().try_for_each(|(name, versions)| {
                if !self.writer.begin(&name)? {
                    return Ok(());
                }
                let versions = Versions::all(&name, versions, Strictness::Strict)?;
                self.writer.end(&name, versions)
            }),
            _ => Err("error unmarshaling JSON: 'entries' is no object".to_owned()),
        }
    }

    /// The fields beside the charts, and charts that were not cut.
    fn end_rest(&mut self) -> Result<(), String> {
        let fields = match self.rest.parse()? {
            Value::Null => return Ok(()),
            Value::Object(fields) => fields,
            _ => return Err("error unmarshaling JSON: the index is no object".to_owned()),
        };
        for (name, value) in fields {
            if name == "entries" {
                if self.has_entries {
                    return Err("key \"entries\" already set in map".to_owned());
                }
                self.charts(value)?;
            } else if FIELDS.contains(&name.as_str()) {
                self.writer.field(&name, value)?;
            } else {
                return Err(format!(
                    "error unmarshaling JSON: while decoding JSON: json: unknown field \"{name}\""
                ));
            }
        }
        Ok(())
    }
}

/// Whether a line is this key and nothing else, but for space and a comment.
fn is_key(line: &[u8], key: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(key) else {
        return false;
    };
    let rest = rest.trim_ascii();
    rest.is_empty() || (rest.starts_with(b"#") && line.get(key.len()).is_some_and(u8::is_ascii_whitespace))
}
