//! From trees to values, as Go decodes them: keys become strings, `<<` merges, repeated keys win or fail.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value as Json};

use crate::go_json::{go_json_raw, write_string};
use crate::number_text::{format_float, format_float32, format_json_float};
use crate::{Error, Node, Position, Resolved, Resolver, ScalarStyle, Value};

/// The JSON value of a tree.
///
/// - V2: as `sigs.k8s.io/yaml`. The last of repeated keys wins; keys that are numbers or booleans become strings.
/// - V3: as Kustomize reads objects. Repeated keys are errors; below the root every key must be a string.
///
/// # Errors
/// [`Error::Decode`] with all repeated keys and misfit tags, [`Error::Json`] for infinities and odd keys.
pub fn to_json(node: &Node, resolver: Resolver) -> Result<Json, Error> {
    let mut converter = Converter::new(resolver, false);
    let json = converter.value(node, true)?;
    converter.finish(json)
}

/// [`to_json`], but repeated keys are errors under V2 too, as `UnmarshalStrict` has it.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_strict(node: &Node, resolver: Resolver) -> Result<Json, Error> {
    let mut converter = Converter::new(resolver, true);
    let json = converter.value(node, true)?;
    converter.finish(json)
}

/// The JSON text of a tree at the end of `out`: the same as `go_json_raw(&to_json(node, resolver)?)`, without the detour.
/// On an error `out` is as it was.
///
/// # Errors
/// As [`to_json`].
pub fn write_json(node: &Node, resolver: Resolver, out: &mut String) -> Result<(), Error> {
    let before = out.len();
    let mut converter = Converter::new(resolver, false);
    let written = converter.write(node, true, out);
    if written.and_then(|()| converter.finish(())).is_ok() {
        return Ok(());
    }
    out.truncate(before);
    // what is wrong is told in the order in which it was written, which is not that of the keys
    let json = to_json(node, resolver)?;
    out.push_str(&go_json_raw(&json));
    Ok(())
}

/// A mapping's entries with keys as strings, merges done, each key once.
pub(crate) type Entries<'a> = Vec<(Cow<'a, str>, &'a Node)>;
/// The mappings that are merged, each with how many entries stand before it.
type Merges<'a> = Vec<(usize, &'a Node)>;

/// What is collected on the way: Go reports all decoding problems at once.
pub(crate) struct Converter {
    resolver: Resolver,
    strict: bool,
    problems: Vec<String>,
    position: Position,
    json_error: Option<Error>,
}

impl Converter {
    pub(crate) fn new(resolver: Resolver, strict: bool) -> Self {
        Self {
            resolver,
            strict,
            problems: Vec::new(),
            position: Position::default(),
            json_error: None,
        }
    }

    pub(crate) fn resolver(&self) -> Resolver {
        self.resolver
    }

    pub(crate) fn finish<T>(self, value: T) -> Result<T, Error> {
        if !self.problems.is_empty() {
            let message = format!("yaml: unmarshal errors:\n  {}", self.problems.join("\n  "));
            return Err(Error::Decode {
                message,
                position: self.position,
            });
        }
        self.json_error.map_or(Ok(value), Err)
    }

    fn problem(&mut self, text: String, position: Position) {
        if self.problems.is_empty() {
            self.position = position;
        }
        self.problems.push(text);
    }

    fn json_error(&mut self, message: String, position: Position) {
        self.json_error.get_or_insert(Error::Json { message, position });
    }

    fn value(&mut self, node: &Node, is_root: bool) -> Result<Json, Error> {
        Ok(match &node.value {
            Value::Scalar(..) => self.scalar(node)?,
            Value::Sequence(items, _) => Json::Array(
                items
                    .iter()
                    .map(|item| self.value(item, false))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Mapping(..) => {
                let mut map = Map::new();
                for (key, value) in self.entries(node, is_root)? {
                    let value = self.value(value, false)?;
                    map.insert(key.into_owned(), value);
                }
                Json::Object(map)
            }
            Value::Alias(name) => return Err(unexpanded(name, node.position)),
        })
    }

    /// [`Self::value`] as text, in which mappings are sorted by their keys' bytes.
    fn write(&mut self, node: &Node, is_root: bool, out: &mut String) -> Result<(), Error> {
        match &node.value {
            Value::Scalar(..) => self.write_scalar(node, out)?,
            Value::Sequence(items, _) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.write(item, false, out)?;
                }
                out.push(']');
            }
            Value::Mapping(..) => {
                out.push('{');
                for (index, (key, value)) in self.sorted_entries(node, is_root)?.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_string(key, false, out);
                    out.push(':');
                    self.write(value, false, out)?;
                }
                out.push('}');
            }
            Value::Alias(name) => return Err(unexpanded(name, node.position)),
        }
        Ok(())
    }

    fn write_scalar(&mut self, node: &Node, out: &mut String) -> Result<(), Error> {
        match self.resolver.resolve(node)? {
            Resolved::Null => out.push_str("null"),
            Resolved::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Resolved::Int(value) => out.push_str(&value.to_string()),
            Resolved::Uint(value) => out.push_str(&value.to_string()),
            Resolved::String(text) => write_string(&text, false, out),
            Resolved::Timestamp(text) => write_string(&text, false, out),
            Resolved::Float(value) if value.is_finite() => out.push_str(&format_json_float(value)),
            Resolved::Float(value) => self.refuse_float(value, node.position),
        }
        Ok(())
    }

    fn scalar(&mut self, node: &Node) -> Result<Json, Error> {
        Ok(match self.resolver.resolve(node)? {
            Resolved::Null => Json::Null,
            Resolved::Bool(value) => Json::Bool(value),
            Resolved::Int(value) => value.into(),
            Resolved::Uint(value) => value.into(),
            Resolved::String(text) => Json::String(text.into_owned()),
            Resolved::Timestamp(text) => Json::String(text),
            Resolved::Float(value) => match Number::from_f64(value) {
                Some(number) => Json::Number(number),
                None => {
                    self.refuse_float(value, node.position);
                    Json::Null
                }
            },
        })
    }

    /// JSON has text for keys and nothing else.
    fn refuse_keys(&mut self, position: Position) {
        self.json_error(
            "json: unsupported type: map[interface {}]interface {}".into(),
            position,
        );
    }

    /// JSON has no infinity.
    pub(crate) fn refuse_float(&mut self, value: f64, position: Position) {
        let name = match value {
            v if v.is_nan() => "NaN",
            v if v > 0.0 => "+Inf",
            _ => "-Inf",
        };
        self.json_error(format!("json: unsupported value: {name}"), position);
    }

    // ---- mappings

    pub(crate) fn entries<'a>(&mut self, node: &'a Node, is_root: bool) -> Result<Entries<'a>, Error> {
        if self.resolver == Resolver::V3 && !self.has_unique_keys(node.entries()) {
            return Ok(Vec::new());
        }
        let (found, merges) = self.written_entries(node, is_root)?;
        match (self.resolver, merges.as_slice()) {
            (Resolver::V3, []) => Ok(found),
            (Resolver::V3, [.., (_, last)]) => self.merge_v3(found, last, is_root),
            (Resolver::V2, merges) => self.merge_v2(found, merges, is_root),
        }
    }

    /// The same by the bytes of their keys.
    fn sorted_entries<'a>(&mut self, node: &'a Node, is_root: bool) -> Result<Entries<'a>, Error> {
        if self.resolver == Resolver::V2 {
            let (mut found, merges) = self.written_entries(node, is_root)?;
            if merges.is_empty() {
                found.sort_by(|a, b| a.0.cmp(&b.0));
                // in order it is plain to see whether a key is repeated
                if found.is_sorted_by(|a, b| a.0 < b.0) {
                    return Ok(found);
                }
            }
        }
        let mut entries = self.entries(node, is_root)?;
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        // of equal keys, which only tags can make, the last one counts
        entries.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 = later.1;
            }
            is_same
        });
        Ok(entries)
    }

    /// The entries as they are written, and the mappings that are merged.
    fn written_entries<'a>(
        &mut self,
        node: &'a Node,
        is_root: bool,
    ) -> Result<(Entries<'a>, Merges<'a>), Error> {
        let entries = node.entries();
        let mut found = Vec::with_capacity(entries.len());
        let mut merges = Vec::new();
        for (key, value) in entries {
            match self.plain_key(key) {
                Some(text) => found.push((Cow::Borrowed(text), value)),
                None if self.resolver.is_merge(key) => {
                    merges.push((found.len(), value));
                }
                None => {
                    if let Some(text) = self.key(key, value, is_root)? {
                        found.push((text, value));
                    }
                }
            }
        }
        Ok((found, merges))
    }

    /// The common case: text that can be nothing else.
    fn plain_key<'a>(&self, key: &'a Node) -> Option<&'a str> {
        match (&key.value, key.tag()) {
            (Value::Scalar(text, ScalarStyle::Plain), None) => match self.resolver.resolve_plain(text) {
                Resolved::String(_) if text != "<<" => Some(text),
                _ => None,
            },
            (Value::Scalar(text, _), None) => Some(text),
            _ => None,
        }
    }

    fn key<'a>(&mut self, key: &'a Node, value: &Node, is_root: bool) -> Result<Option<Cow<'a, str>>, Error> {
        if let Value::Alias(name) = &key.value {
            return Err(unexpanded(name, key.position));
        }
        if !key.is_scalar() {
            return self.odd_key(key, is_root);
        }
        let resolved = self.resolver.resolve(key)?;
        if let Resolved::String(text) = resolved {
            if self.resolver == Resolver::V3 && !is_root && key.tag() == Some("!!binary") {
                // Go types a mapping by the tags of its keys
                self.refuse_keys(key.position);
            }
            return Ok(Some(text));
        }
        let text = key.text().unwrap_or_default();
        if self.resolver == Resolver::V3 {
            return Ok(match resolved {
                Resolved::Null if is_root => None, // Go decodes into a map of strings: a null is no string, and no error
                _ if is_root => Some(Cow::Borrowed(text)),
                _ => {
                    self.refuse_keys(key.position);
                    Some(Cow::Borrowed(text))
                }
            });
        }
        Ok(Some(Cow::Owned(match resolved {
            Resolved::Bool(value) => value.to_string(),
            Resolved::Int(value) => value.to_string(),
            Resolved::Float(value) => format_float32(value),
            Resolved::Uint(number) => {
                let message = format!(
                    "unsupported map key of type: uint64, key: {number:#x}, value: {}",
                    go_value(value, self.resolver)
                );
                self.json_error(message, key.position);
                number.to_string()
            }
            _ => {
                let message = format!(
                    "unsupported map key of type: %!s(<nil>), key: <nil>, value: {}",
                    go_value(value, self.resolver)
                );
                // Of several null keys the last one counts.
                if self
                    .json_error
                    .as_ref()
                    .is_some_and(|error| error.to_string().starts_with("unsupported map key of type: %!s"))
                {
                    self.json_error = None;
                }
                self.json_error(message, key.position);
                String::new()
            }
        })))
    }

    /// A sequence or mapping as a key.
    fn odd_key(&mut self, key: &Node, is_root: bool) -> Result<Option<Cow<'static, str>>, Error> {
        if self.resolver == Resolver::V3 && is_root {
            let tag = if key.is_sequence() { "!!seq" } else { "!!map" };
            self.problem(
                format!("line {}: cannot unmarshal {tag} into string", key.position.line),
                key.position,
            );
            return Ok(None);
        }
        self.value(key, false)?; // what is wrong inside comes first
        Err(Error::Decode {
            message: format!("yaml: invalid map key: {}", go_syntax(key, self.resolver)),
            position: key.position,
        })
    }

    fn has_unique_keys(&mut self, entries: &[(Node, Node)]) -> bool {
        /// From how many entries on a set is faster than looking at all pairs.
        const MANY: usize = 24;
        let same = |a: &Node, b: &Node| match (&a.value, &b.value) {
            (Value::Scalar(a, _), Value::Scalar(b, _)) => a == b,
            (Value::Sequence(..), Value::Sequence(..)) | (Value::Mapping(..), Value::Mapping(..)) => true,
            _ => false,
        };
        if entries.len() >= MANY {
            let mut seen = HashSet::with_capacity(entries.len());
            if entries
                .iter()
                .all(|(key, _)| key.text().is_some_and(|text| seen.insert(text)))
            {
                return true;
            }
        }
        let before = self.problems.len();
        /// Go reports every pair; a bound keeps a hostile text from making us write gigabytes.
        const REPORTED_MAX: usize = 1000;
        for (index, (first, _)) in entries.iter().enumerate() {
            for (second, _) in entries.iter().skip(index + 1) {
                if same(first, second) && self.problems.len() < REPORTED_MAX {
                    let key = go_quote(second.text().unwrap_or_default());
                    let text = format!(
                        "line {}: mapping key {key} already defined at line {}",
                        second.position.line, first.position.line
                    );
                    self.problem(text, second.position);
                }
            }
            if self.problems.len() >= REPORTED_MAX {
                break;
            }
        }
        self.problems.len() == before
    }

    /// v3: what is written wins over what is merged, the first merged over the next.
    fn merge_v3<'a>(
        &mut self,
        mut found: Entries<'a>,
        merge: &'a Node,
        is_root: bool,
    ) -> Result<Entries<'a>, Error> {
        let mut seen: HashSet<Cow<'a, str>> = found.iter().map(|(key, _)| key.clone()).collect();
        for mapping in self.merged_mappings(merge)? {
            for (key, value) in self.entries(mapping, is_root)? {
                if seen.insert(key.clone()) {
                    found.push((key, value));
                }
            }
        }
        Ok(found)
    }

    /// v2: whatever comes later wins, merges included; inside a list of merges the first wins.
    fn merge_v2<'a>(
        &mut self,
        found: Entries<'a>,
        merges: &[(usize, &'a Node)],
        is_root: bool,
    ) -> Result<Entries<'a>, Error> {
        const MANY: usize = 24;
        if merges.is_empty() {
            let unique = if found.len() < MANY {
                found
                    .iter()
                    .enumerate()
                    .all(|(index, (key, _))| !found.iter().skip(index + 1).any(|(other, _)| other == key))
            } else {
                found.iter().map(|(key, _)| key).collect::<HashSet<_>>().len() == found.len()
            };
            if unique {
                return Ok(found);
            }
        }
        let mut merged: Entries<'a> = Vec::new();
        let mut replaced = Vec::new();
        let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
        let mut merges = merges.iter().peekable();
        let mut put = |merged: &mut Entries<'a>, key: Cow<'a, str>, value: &'a Node| match places.get(&key) {
            Some(place) => {
                if let Some(entry) = merged.get_mut(*place) {
                    replaced.push(std::mem::replace(&mut entry.1, value));
                }
                false
            }
            None => {
                places.insert(key.clone(), merged.len());
                merged.push((key, value));
                true
            }
        };
        let count = found.len();
        let mut found = found.into_iter();
        for index in 0..=count {
            while let Some((_, merge)) = merges.next_if(|(at, _)| *at == index) {
                for mapping in self.merged_mappings(merge)?.into_iter().rev() {
                    for (key, value) in self.entries(mapping, is_root)? {
                        put(&mut merged, key, value);
                    }
                }
            }
            if let Some((key, value)) = found.next() {
                let name = self.strict.then(|| key.clone());
                if !put(&mut merged, key, value)
                    && let Some(name) = name
                {
                    self.problem(
                        format!(
                            "line {}: key {} already set in map",
                            value.position.line,
                            go_quote(&name)
                        ),
                        value.position,
                    );
                }
            }
        }
        // Go decodes these too, and fails where that does; what becomes of them as JSON it does not see
        let json_error = self.json_error.take();
        for value in replaced {
            self.value(value, false)?;
        }
        self.json_error = json_error;
        Ok(merged)
    }

    fn merged_mappings<'a>(&self, merge: &'a Node) -> Result<Vec<&'a Node>, Error> {
        let sources: Vec<&Node> = if merge.is_sequence() {
            merge.items().iter().collect()
        } else {
            vec![merge]
        };
        match sources.iter().find(|source| !source.is_mapping()) {
            None => Ok(sources),
            Some(source) => {
                let message = "yaml: map merge requires map or sequence of maps as the value".into();
                Err(Error::Decode {
                    message,
                    position: source.position,
                })
            }
        }
    }
}

fn unexpanded(name: &str, position: Position) -> Error {
    Error::Decode {
        message: format!("yaml: alias '{name}' was kept when reading and has no value"),
        position,
    }
}

/// A string in Go's quotes.
pub(crate) fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0B' => out.push_str("\\v"),
            c if (c as u32) < 0x80 && c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c.is_control() || c == '\u{FEFF}' || c == '\u{2028}' || c == '\u{2029}' || c == '\u{A0}' => {
                out.push_str(&format!("\\u{:04x}", c as u32))
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value in Go's `%+#v` form: nil has no type at the top.
fn go_value(node: &Node, resolver: Resolver) -> String {
    match resolver.resolve(node) {
        Ok(Resolved::Null) => "<nil>".into(),
        _ => go_syntax(node, resolver),
    }
}

/// A value in Go's `%#v` form, as its messages show keys.
fn go_syntax(node: &Node, resolver: Resolver) -> String {
    match &node.value {
        Value::Scalar(text, _) => match resolver.resolve(node) {
            Ok(Resolved::Null) => "interface {}(nil)".into(),
            Ok(Resolved::String(text)) => go_quote(&text),
            Ok(Resolved::Bool(value)) => value.to_string(),
            Ok(Resolved::Int(value)) => value.to_string(),
            Ok(Resolved::Float(value)) if value.is_finite() => format_float(value),
            _ => text.to_string(),
        },
        Value::Sequence(items, _) => {
            format!(
                "[]interface {{}}{{{}}}",
                items
                    .iter()
                    .map(|item| go_syntax(item, resolver))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
        Value::Mapping(entries, _) => {
            let has_text_keys =
                resolver == Resolver::V3 && entries.iter().all(|(key, _)| key.is_string(resolver));
            let kind = if has_text_keys { "string" } else { "interface {}" };
            let mut entries: Vec<&(Node, Node)> = entries.iter().collect();
            if entries.iter().all(|(key, _)| key.is_string(resolver)) {
                entries.sort_by(|(a, _), (b, _)| a.text().cmp(&b.text()));
            }
            let entries: Vec<String> = entries
                .into_iter()
                .map(|(key, value)| format!("{}:{}", go_syntax(key, resolver), go_syntax(value, resolver)))
                .collect();
            format!("map[{kind}]interface {{}}{{{}}}", entries.join(", "))
        }
        Value::Alias(name) => format!("*{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParseOptions, parse_document};

    #[test]
    fn repeated_and_merged_keys_are_written_as_they_are_converted() {
        for text in [
            "{}",
            "b: 1\na: {d: 2, c: 3}",
            "b: 1\na: 2\nb: 3\nB: 4",
            "a: .nan\na: 1",
            "a: 1\na: .nan",
            "x: &x {c: 1, a: 2}\n<<: *x\nc: 3",
            "c: 3\nx: &x {c: 1, a: 2}\n<<: *x",
            "<<: [{a: 1}, {a: 2, b: 3}]\na: 4",
            "a: 1\n!!str a: 2",
            "1: a\n'1': b\n1.0: c",
            "true: a\nyes: b\n'true': c",
            "~: a\n'': b",
            "[a]: b",
        ] {
            for resolver in [Resolver::V2, Resolver::V3] {
                let document = parse_document(text, &ParseOptions::new(resolver)).unwrap();
                let root = document.unwrap().root;
                let mut written = String::new();
                let outcome = write_json(&root, resolver, &mut written);
                let converted = to_json(&root, resolver).map(|json| go_json_raw(&json));
                assert_eq!(outcome.map(|()| written), converted, "{text:?}");
            }
        }
    }
}
