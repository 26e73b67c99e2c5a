//! What Kustomize and Helm print: yaml.v2 after a detour through JSON. Comments, styles and key order of the source are gone.

use std::borrow::Cow;
use std::convert::Infallible;

use serde_json::Value as Json;

use super::analysis::is_harmless;
use super::writer::{Place, Writer};
use crate::convert::Converter;
use crate::number_text::{format_float, format_json_float, whole_number};
use crate::{Error, Node, Resolved, Resolver, ScalarStyle, Value, order, resolve};

/// From this column on lines are folded: yaml.v2's default.
const WIDTH: usize = 80;
const INDENT: usize = 2;

/// Where a document begins to grow: a list of labels or a handful of settings is not longer.
const FIRST_BYTES: usize = 128;

/// One document, as `sigs.k8s.io/yaml.Marshal` prints the value.
pub fn emit_v2(value: &Json) -> String {
    match print_v2(|printer| json(value, printer)) {
        Ok(text) => text,
        Err(never) => match never {},
    }
}

/// The same of a value that is no JSON: `print` gives it to the printer.
///
/// # Errors
/// Those of `print`.
pub fn print_v2<E>(print: impl FnOnce(&mut PrinterV2<'_>) -> Result<(), E>) -> Result<String, E> {
    let mut out = String::with_capacity(FIRST_BYTES);
    let mut printer = PrinterV2::new(&mut out);
    print(&mut printer)?;
    printer.writer.finish();
    Ok(out)
}

/// One document, as Kustomize prints an object read under `resolver`: the same as `emit_v2(&to_json(node, resolver)?)`, without the detour.
///
/// # Errors
/// As [`crate::to_json`].
pub fn emit_v2_node(node: &Node, resolver: Resolver) -> Result<String, Error> {
    let mut out = String::new();
    emit_v2_node_into(node, resolver, &mut out)?;
    Ok(out)
}

/// [`emit_v2_node`] at the end of `out`, which must be empty or end with a line break. On an error `out` holds half a document.
///
/// # Errors
/// As [`crate::to_json`].
pub fn emit_v2_node_into(node: &Node, resolver: Resolver, out: &mut String) -> Result<(), Error> {
    let mut converter = Converter::new(resolver, false);
    let mut printer = PrinterV2::new(out);
    print_node(node, true, &mut converter, &mut printer)?;
    printer.writer.finish();
    converter.finish(())
}

fn json(value: &Json, printer: &mut PrinterV2<'_>) -> Result<(), Infallible> {
    match value {
        Json::Null => printer.null(),
        Json::Bool(value) => printer.bool(*value),
        Json::Number(number) => match (number.is_f64(), number.as_f64()) {
            (true, Some(value)) => printer.float(value),
            _ => printer.writer.write_word(&number.to_string()),
        },
        Json::String(text) => printer.text(text),
        Json::Array(items) => return printer.list(items, |printer, item| json(item, printer)),
        Json::Object(map) => {
            let entries: Vec<(&str, &Json)> = map.iter().map(|(key, value)| (key.as_str(), value)).collect();
            return printer.map(entries, |printer, value| json(value, printer));
        }
    }
    Ok(())
}

fn print_node(
    node: &Node,
    is_root: bool,
    converter: &mut Converter,
    printer: &mut PrinterV2<'_>,
) -> Result<(), Error> {
    match &node.value {
        Value::Sequence(items, _) => {
            return printer.list(items, |printer, item| print_node(item, false, converter, printer));
        }
        Value::Mapping(..) => {
            let entries = converter.entries(node, is_root)?;
            let entries: Vec<(&str, &Node)> = entries
                .iter()
                .map(|(key, value)| (key.as_ref(), *value))
                .collect();
            return printer.map(entries, |printer, value| {
                print_node(value, false, converter, printer)
            });
        }
        Value::Scalar(..) | Value::Alias(_) => match converter.resolver().resolve(node)? {
            Resolved::Null => printer.null(),
            Resolved::Bool(value) => printer.bool(value),
            Resolved::Int(value) => printer.int(value),
            Resolved::Uint(value) => printer.uint(value),
            Resolved::Float(value) if !value.is_finite() => converter.refuse_float(value, node.position),
            Resolved::Float(value) => printer.float(value),
            Resolved::String(text) => printer.text(&text),
            Resolved::Timestamp(text) => printer.text(&text),
        },
    }
    Ok(())
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Context {
    /// The indentation of the collection around; none at the root.
    indent: Option<usize>,
    is_mapping_value: bool,
}

impl Context {
    const ROOT: Self = Self {
        indent: None,
        is_mapping_value: false,
    };

    fn deeper(self) -> usize {
        self.indent.map_or(0, |indent| indent + INDENT)
    }

    fn place(self) -> Place {
        Place {
            indent: self.indent.unwrap_or(0) + INDENT,
            in_flow: false,
            is_simple_key: false,
        }
    }
}

/// Prints a value that is handed over piece by piece: each value is one call.
pub struct PrinterV2<'o> {
    writer: Writer<'o>,
    context: Context,
}

impl<'o> PrinterV2<'o> {
    fn new(out: &'o mut String) -> Self {
        Self {
            writer: Writer::new(out, WIDTH, INDENT, false),
            context: Context::ROOT,
        }
    }

    /// `null`
    pub fn null(&mut self) {
        self.writer.write_word("null");
    }

    /// `true` or `false`
    pub fn bool(&mut self, value: bool) {
        self.writer.write_word(if value { "true" } else { "false" });
    }

    /// An integer.
    pub fn int(&mut self, value: i64) {
        self.writer.write_word(&smol_str::format_smolstr!("{value}"));
    }

    /// An integer without a sign.
    pub fn uint(&mut self, value: u64) {
        self.writer.write_word(&smol_str::format_smolstr!("{value}"));
    }

    /// A finite number, as JSON prints it and yaml.v2 reads that: whole numbers that fit 64 bits are integers.
    pub fn float(&mut self, value: f64) {
        if let Some(whole) = whole_number(value) {
            return self.int(whole);
        }
        let json = format_json_float(value);
        match Resolver::V2.resolve_plain(&json) {
            Resolved::Int(value) => self.writer.write_word(&value.to_string()),
            Resolved::Uint(value) => self.writer.write_word(&value.to_string()),
            _ => self.writer.write_word(&format_float(value)),
        }
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.string(text, self.context.place());
    }

    /// A list; `each` hands over one item.
    ///
    /// # Errors
    /// Those of `each`. What is printed then is of no use.
    pub fn list<T, E>(
        &mut self,
        items: &[T],
        mut each: impl FnMut(&mut Self, &T) -> Result<(), E>,
    ) -> Result<(), E> {
        if items.is_empty() {
            self.writer.write_word("[]");
            return Ok(());
        }
        let outer = self.context;
        let indent = self.sequence_indent(outer);
        self.context = Context {
            indent: Some(indent),
            is_mapping_value: false,
        };
        for item in items {
            self.item(indent);
            each(self, item)?;
        }
        self.context = outer;
        Ok(())
    }

    /// A map, in whatever order; `each` hands over the value of one key.
    ///
    /// # Errors
    /// Those of `each`. What is printed then is of no use.
    pub fn map<T: Copy, E>(
        &mut self,
        mut entries: Vec<(&str, T)>,
        mut each: impl FnMut(&mut Self, T) -> Result<(), E>,
    ) -> Result<(), E> {
        if entries.is_empty() {
            self.writer.write_word("{}");
            return Ok(());
        }
        let outer = self.context;
        let indent = outer.deeper();
        order::sort(&mut entries, |entry| entry.0);
        self.context = Context {
            indent: Some(indent),
            is_mapping_value: true,
        };
        for (key, value) in entries {
            self.key(key, indent);
            each(self, value)?;
        }
        self.context = outer;
        Ok(())
    }

    /// A sequence under a key is not indented.
    fn sequence_indent(&self, context: Context) -> usize {
        match context.indent {
            Some(indent) if context.is_mapping_value && !self.writer.indention => indent,
            _ => context.deeper(),
        }
    }

    fn item(&mut self, indent: usize) {
        self.writer.write_indent(indent);
        self.writer.write_indicator("-", true, false, true);
    }

    fn key(&mut self, key: &str, indent: usize) {
        /// Longer keys are written with `?`.
        const SIMPLE_KEY_MAX: usize = 128;
        self.writer.write_indent(indent);
        if is_harmless(key) && key.len() <= SIMPLE_KEY_MAX && is_string(key) {
            self.writer.write_word(key);
            self.writer.write_indicator(":", false, false, false);
            return;
        }
        let key = reread(key);
        let is_simple = key.len() <= SIMPLE_KEY_MAX && !self.writer.analyze(&key).multiline;
        if is_simple {
            self.string(
                &key,
                Place {
                    indent: indent + INDENT,
                    in_flow: false,
                    is_simple_key: true,
                },
            );
            self.writer.write_indicator(":", false, false, false);
        } else {
            self.writer.write_indicator("?", true, false, true);
            self.string(
                &key,
                Place {
                    indent: indent + INDENT,
                    in_flow: false,
                    is_simple_key: false,
                },
            );
            self.writer.write_indent(indent);
            self.writer.write_indicator(":", true, false, true);
        }
    }

    fn string(&mut self, text: &str, place: Place) {
        if is_harmless(text) && is_string(text) {
            self.writer.write_word(text);
            return;
        }
        let text = reread(text);
        let style = match () {
            () if text.contains('\n') => ScalarStyle::Literal,
            () if is_string(&text) && !resolve::is_sexagesimal(&text) => ScalarStyle::Plain,
            () => ScalarStyle::DoubleQuoted,
        };
        let analysis = self.writer.analyze(&text);
        self.writer.write_scalar(&text, style, place, &analysis, true);
    }
}

/// Whether plain text stays a string for yaml.v2. It keeps dates as strings only in values without a type, so they are quoted.
fn is_string(text: &str) -> bool {
    matches!(Resolver::V2.resolve_plain(text), Resolved::String(_)) && !resolve::is_timestamp(text)
}

/// What JSON text in double quotes is for a YAML reader: NEL, which JSON leaves as it is, breaks the line and is folded.
fn reread(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{85}') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('\u{85}').peekable();
    let mut breaks = 0;
    let mut is_first = true;
    while let Some(piece) = pieces.next() {
        let mut kept = if is_first {
            piece
        } else {
            piece.trim_start_matches(' ')
        };
        if pieces.peek().is_some() {
            kept = kept.trim_end_matches(' ');
        }
        if !is_first {
            breaks += 1;
            if !kept.is_empty() || pieces.peek().is_none() {
                out.push_str(if breaks == 1 { " " } else { "" });
                out.extend(std::iter::repeat_n('\n', breaks - 1));
                breaks = 0;
            }
        }
        out.push_str(kept);
        is_first = false;
    }
    Cow::Owned(out)
}
