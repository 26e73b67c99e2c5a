//! What yaml.v3 prints of a tree: styles, tags, anchors and comments stay, lines are never folded.

use super::writer::{Place, Writer};
use crate::{CollectionStyle, Comments, Node, ScalarStyle, Text, Value};

/// How to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmitV3 {
    /// Spaces a level. yaml.v3 itself takes 4, Helm's `toYamlPretty` and Kustomize 2. At least 2, at most 9.
    pub indent: usize,
    /// Sequences at the column of their key, as Kustomize's `CompactSeqIndent` writes them.
    pub compact_sequences: bool,
}

impl Default for EmitV3 {
    fn default() -> Self {
        Self {
            indent: 2,
            compact_sequences: false,
        }
    }
}

/// One document, as yaml.v3's encoder prints a node.
pub fn emit_v3(node: &Node, options: &EmitV3) -> String {
    let mut out = String::new();
    let indent = options.indent.clamp(2, 9);
    let writer = Writer::new(&mut out, usize::MAX, indent, true);
    let mut emitter = Emitter {
        writer,
        best: indent,
        compact: options.compact_sequences,
        pending: None,
    };
    emitter.node(
        node,
        Context {
            indent: None,
            parent: Parent::Root,
            is_simple_key: false,
        },
    );
    emitter.document_foot(node);
    emitter.writer.finish();
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Parent {
    Root,
    Sequence,
    Mapping,
    Flow,
}

#[derive(Clone, Copy)]
struct Context {
    indent: Option<usize>,
    parent: Parent,
    is_simple_key: bool,
}

struct Emitter<'o> {
    writer: Writer<'o>,
    best: usize,
    compact: bool,
    /// The comment behind a key whose value is still to be written.
    pending: Option<Text>,
}

impl Emitter<'_> {
    /// The indentation of what stands inside.
    fn deeper(&self, context: Context, flow: bool, compact: bool) -> usize {
        match (context.indent, context.parent) {
            (None, _) => {
                if flow {
                    self.best
                } else {
                    0
                }
            }
            // inside a sequence the first level only skips "- "
            (Some(indent), Parent::Sequence) => indent + 2,
            (Some(indent), _) => {
                let next = self.best * ((indent + self.best) / self.best);
                if compact { next.saturating_sub(2) } else { next }
            }
        }
    }

    fn node(&mut self, node: &Node, context: Context) {
        match &node.value {
            Value::Alias(name) => {
                self.writer.write_indicator("*", true, false, false);
                self.writer.whitespace = true;
                self.writer.write_word(name);
            }
            Value::Scalar(text, style) => self.scalar(node, text, *style, context),
            Value::Sequence(items, style) => {
                self.properties(node, node.tag());
                if items.is_empty() || *style == CollectionStyle::Flow || context.parent == Parent::Flow {
                    self.flow_sequence(items, context);
                } else {
                    self.block_sequence(items, context);
                }
                self.after(node, context);
            }
            Value::Mapping(entries, style) => {
                self.properties(node, node.tag());
                if entries.is_empty() || *style == CollectionStyle::Flow || context.parent == Parent::Flow {
                    self.flow_mapping(entries, context);
                } else {
                    self.block_mapping(entries, context);
                }
                self.after(node, context);
            }
        }
    }

    fn properties(&mut self, node: &Node, tag: Option<&str>) {
        if let Some(anchor) = node.anchor() {
            self.writer.write_indicator("&", true, false, false);
            self.writer.whitespace = true;
            self.writer.write_word(anchor);
        }
        if let Some(tag) = tag.filter(|tag| *tag != "!") {
            let text = match (tag.strip_prefix("!!"), tag.strip_prefix('!')) {
                (Some(name), _) => format!("!!{}", escape_tag(name)),
                (None, Some(name)) => format!("!{}", escape_tag(name)),
                (None, None) => format!("!<{}>", escape_tag(tag)),
            };
            self.writer.write_word(&text);
        }
    }

    fn scalar(&mut self, node: &Node, text: &Text, style: ScalarStyle, context: Context) {
        let written_tag = node.tag();
        // v3 gives "<<" the tag it has by its place.
        let tag = match written_tag {
            None if style == ScalarStyle::Plain && text == "<<" => Some("!!merge"),
            tag => tag,
        };
        self.properties(node, tag);
        let style = match style {
            ScalarStyle::Plain if text.contains('\n') => ScalarStyle::Literal,
            style => style,
        };
        let in_flow = context.parent == Parent::Flow;
        let place = Place {
            indent: self.deeper(context, true, false),
            in_flow,
            is_simple_key: context.is_simple_key,
        };
        let comment = node
            .comments()
            .map(|comments| comments.line.as_str())
            .filter(|line| !line.is_empty());
        let analysis = self.writer.analyze(text);
        match (style, comment) {
            (ScalarStyle::Literal | ScalarStyle::Folded, Some(comment))
                if analysis.block && !in_flow && !context.is_simple_key =>
            {
                if style == ScalarStyle::Literal {
                    self.writer.write_literal(text, place.indent, Some(comment));
                } else {
                    self.writer.write_folded(text, place.indent, Some(comment));
                }
            }
            (_, comment) => {
                self.writer.write_scalar(text, style, place, &analysis, true);
                if let Some(comment) = comment.filter(|_| !context.is_simple_key) {
                    self.writer.write_comment(comment, 0);
                }
            }
        }
    }

    fn after(&mut self, node: &Node, context: Context) {
        if let Some(comment) = node
            .comments()
            .map(|comments| comments.line.as_str())
            .filter(|line| !line.is_empty())
            && context.parent != Parent::Flow
            && self.writer.column > 0
        {
            self.writer.write_comment(comment, 0);
        }
    }

    fn write_pending(&mut self) {
        if let Some(comment) = self.pending.take() {
            self.writer.write_comment(&comment, 0);
        }
    }

    fn head(&mut self, comments: Option<&Comments>, indent: usize) {
        if let Some(head) = comments
            .map(|comments| comments.head.as_str())
            .filter(|head| !head.is_empty())
        {
            self.writer.write_indent(indent);
            self.writer.write_comment(head, indent);
        }
    }

    /// The comment at the end, with an empty line above it.
    fn document_foot(&mut self, root: &Node) {
        if let Some(comments) = root
            .comments()
            .filter(|c| !c.foot.is_empty() && !root.is_scalar())
        {
            self.writer.write_indent(0);
            self.writer.put_break();
            self.writer.write_comment(&comments.foot, 0);
        }
    }

    /// The comment below an entry, and an empty line where another entry follows.
    fn foot(&mut self, comments: Option<&Comments>, indent: usize, is_last: bool) {
        if let Some(foot) = comments
            .map(|comments| comments.foot.as_str())
            .filter(|foot| !foot.is_empty())
        {
            self.writer.write_indent(indent);
            self.writer.write_comment(foot, indent);
            if !is_last {
                self.writer.put_break();
            }
        }
    }

    fn block_sequence(&mut self, items: &[Node], context: Context) {
        self.write_pending();
        let compact = self.compact
            && context.parent == Parent::Mapping
            && (self.writer.column == 0 || !self.writer.indention);
        let indent = self.deeper(context, false, compact);
        for (at, item) in items.iter().enumerate() {
            self.head(item.comments(), indent);
            self.writer.write_indent(indent);
            self.writer.write_indicator("-", true, false, true);
            self.node(
                item,
                Context {
                    indent: Some(indent),
                    parent: Parent::Sequence,
                    is_simple_key: false,
                },
            );
            self.foot(item.comments(), indent, at + 1 == items.len());
        }
    }

    fn block_mapping(&mut self, entries: &[(Node, Node)], context: Context) {
        self.write_pending();
        let indent = self.deeper(context, false, false);
        for (at, (key, value)) in entries.iter().enumerate() {
            self.head(key.comments(), indent);
            self.writer.write_indent(indent);
            let key_context = Context {
                indent: Some(indent),
                parent: Parent::Mapping,
                is_simple_key: true,
            };
            if self.is_simple(key) {
                self.node(key, key_context);
                self.writer.write_indicator(":", false, false, false);
            } else {
                self.writer.write_indicator("?", true, false, true);
                self.node(
                    key,
                    Context {
                        is_simple_key: false,
                        ..key_context
                    },
                );
                self.writer.write_indent(indent);
                self.writer.write_indicator(":", true, false, true);
            }
            self.pending = key
                .comments()
                .map(|comments| comments.line.clone())
                .filter(|line| !line.is_empty());
            self.node(
                value,
                Context {
                    is_simple_key: false,
                    ..key_context
                },
            );
            self.write_pending();
            self.foot(key.comments(), indent, at + 1 == entries.len());
        }
    }

    fn flow_sequence(&mut self, items: &[Node], context: Context) {
        self.writer.write_indicator("[", true, true, false);
        let indent = self.deeper(context, true, false);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.writer.write_indicator(",", false, false, false);
            }
            if self.writer.column > self.writer.width() {
                self.writer.write_indent(indent);
            }
            self.node(
                item,
                Context {
                    indent: Some(indent),
                    parent: Parent::Flow,
                    is_simple_key: false,
                },
            );
        }
        self.writer.write_indicator("]", false, false, false);
    }

    fn flow_mapping(&mut self, entries: &[(Node, Node)], context: Context) {
        self.writer.write_indicator("{", true, true, false);
        let indent = self.deeper(context, true, false);
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 {
                self.writer.write_indicator(",", false, false, false);
            }
            let context = Context {
                indent: Some(indent),
                parent: Parent::Flow,
                is_simple_key: true,
            };
            if self.is_simple(key) {
                self.node(key, context);
                self.writer.write_indicator(":", false, false, false);
            } else {
                self.writer.write_indicator("?", true, false, false);
                self.node(
                    key,
                    Context {
                        is_simple_key: false,
                        ..context
                    },
                );
                self.writer.write_indicator(":", true, false, false);
            }
            self.node(
                value,
                Context {
                    is_simple_key: false,
                    ..context
                },
            );
        }
        self.writer.write_indicator("}", false, false, false);
    }

    /// Whether a key can stand before its colon on one line.
    fn is_simple(&self, key: &Node) -> bool {
        let anchor = key.anchor().map_or(0, str::len);
        let tag = key.tag().map_or(0, str::len);
        let length = anchor
            + tag
            + match &key.value {
                Value::Alias(name) => name.len(),
                Value::Scalar(text, _) => {
                    if self.writer.analyze(text).multiline {
                        return false;
                    }
                    text.len()
                }
                Value::Sequence(items, _) if items.is_empty() => 0,
                Value::Mapping(entries, _) if entries.is_empty() => 0,
                _ => return false,
            };
        length <= 128
    }
}

/// What may not stand in a tag is written as `%XX`, byte by byte.
fn escape_tag(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_;/?:@&=+$,.~*'()[]".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
