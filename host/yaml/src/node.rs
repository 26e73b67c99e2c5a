//! The tree: what was written, in the order it was written, with where.

use std::fmt;

pub use smol_str::SmolStr as Text;

use crate::Resolver;

/// Where a node starts. Lines and columns count from 1; columns count characters. Zero means built, not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// No quotes: the only style whose type depends on its text.
    #[default]
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// How a sequence or mapping was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CollectionStyle {
    /// By indentation.
    #[default]
    Block,
    /// `[…]`, `{…}`
    Flow,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A scalar: its text after unescaping and folding, not yet typed (see [`Resolver`]).
    Scalar(Text, ScalarStyle),
    /// A sequence.
    Sequence(Vec<Node>, CollectionStyle),
    /// A mapping in written order. Keys may repeat: each resolver has its own answer to that.
    Mapping(Vec<(Node, Node)>, CollectionStyle),
    /// `*name`. Present only where [`crate::ParseOptions::keep_aliases`] asked for it.
    Alias(Text),
}

/// Comments around a node, as written with their `#`, lines joined by `\n`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// Lines above the node.
    pub head: Text,
    /// The rest of the node's line.
    pub line: Text,
    /// Lines below the node, before an empty line.
    pub foot: Text,
}

/// What few nodes have; boxed, so that the others do not pay for it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rare {
    tag: Option<Text>,
    anchor: Option<Text>,
    comments: Comments,
}

/// One node of a document: 48 bytes and its text. Strings up to 23 bytes are stored in place, longer ones are shared between clones.
#[derive(Clone)]
pub struct Node {
    /// What it holds.
    pub value: Value,
    /// Where it was read.
    pub position: Position,
    rare: Option<Box<Rare>>,
}

impl Default for Node {
    fn default() -> Self {
        Self::null()
    }
}

/// Equal nodes hold the same text, style, tag, anchor and comments; where they were read does not matter.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.rare == other.rare
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tag) = self.tag() {
            write!(f, "{tag} ")?;
        }
        match &self.value {
            Value::Scalar(text, ScalarStyle::Plain) => write!(f, "{text}"),
            Value::Scalar(text, _) => write!(f, "{text:?}"),
            Value::Sequence(items, _) => f.debug_list().entries(items).finish(),
            Value::Mapping(entries, _) => f
                .debug_map()
                .entries(entries.iter().map(|(k, v)| (k, v)))
                .finish(),
            Value::Alias(name) => write!(f, "*{name}"),
        }
    }
}

/// Builders.
impl Node {
    /// A node without tag, anchor, comments or position.
    pub fn new(value: Value) -> Self {
        Self {
            value,
            position: Position::default(),
            rare: None,
        }
    }

    /// Plain text: its type is whatever a resolver makes of it.
    pub fn plain(text: impl Into<Text>) -> Self {
        Self::new(Value::Scalar(text.into(), ScalarStyle::Plain))
    }

    /// A string, whatever its text looks like: quoted where plain text would be read as something else.
    pub fn string(text: impl Into<Text>) -> Self {
        let text = text.into();
        let style = if crate::resolve::is_plain_string(&text) {
            ScalarStyle::Plain
        } else {
            ScalarStyle::DoubleQuoted
        };
        Self::new(Value::Scalar(text, style))
    }

    /// An integer.
    pub fn int(value: i64) -> Self {
        Self::plain(smol_str::format_smolstr!("{value}"))
    }

    /// `true` or `false`.
    pub fn bool(value: bool) -> Self {
        Self::plain(if value {
            Text::new_static("true")
        } else {
            Text::new_static("false")
        })
    }

    /// `null`.
    pub fn null() -> Self {
        Self::plain(Text::new_static("null"))
    }

    /// A block sequence.
    pub fn sequence(items: Vec<Node>) -> Self {
        Self::new(Value::Sequence(items, CollectionStyle::Block))
    }

    /// A block mapping from nodes.
    pub fn mapping(entries: Vec<(Node, Node)>) -> Self {
        Self::new(Value::Mapping(entries, CollectionStyle::Block))
    }

    /// A block mapping with string keys.
    pub fn map<K: Into<Text>>(entries: impl IntoIterator<Item = (K, Node)>) -> Self {
        Self::mapping(entries.into_iter().map(|(k, v)| (Self::string(k), v)).collect())
    }

    /// The same node with a position.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = position;
        self
    }
}

/// Looking.
impl Node {
    /// The text of a scalar, whatever its type; none for collections.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The shared text of a scalar, to be cloned cheaply.
    pub fn shared_text(&self) -> Option<&Text> {
        match &self.value {
            Value::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The style of a scalar.
    pub fn scalar_style(&self) -> Option<ScalarStyle> {
        match &self.value {
            Value::Scalar(_, style) => Some(*style),
            _ => None,
        }
    }

    /// The items of a sequence; empty for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::Sequence(items, _) => items,
            _ => &[],
        }
    }

    /// The items of a sequence, to change.
    pub fn items_mut(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.value {
            Value::Sequence(items, _) => Some(items),
            _ => None,
        }
    }

    /// The entries of a mapping; empty for anything else.
    pub fn entries(&self) -> &[(Node, Node)] {
        match &self.value {
            Value::Mapping(entries, _) => entries,
            _ => &[],
        }
    }

    /// The entries of a mapping, to change.
    pub fn entries_mut(&mut self) -> Option<&mut Vec<(Node, Node)>> {
        match &mut self.value {
            Value::Mapping(entries, _) => Some(entries),
            _ => None,
        }
    }

    /// Whether this is a scalar.
    pub fn is_scalar(&self) -> bool {
        matches!(self.value, Value::Scalar(..))
    }

    /// Whether this is a sequence.
    pub fn is_sequence(&self) -> bool {
        matches!(self.value, Value::Sequence(..))
    }

    /// Whether this is a mapping.
    pub fn is_mapping(&self) -> bool {
        matches!(self.value, Value::Mapping(..))
    }

    /// Whether every library reads this as null: tagged so, or plain and empty, `~`, `null`, `Null`, `NULL`.
    pub fn is_null(&self) -> bool {
        match (&self.value, self.tag()) {
            (Value::Scalar(..), Some(tag)) => tag == "!!null",
            (Value::Scalar(text, ScalarStyle::Plain), None) => crate::resolve::is_null(text),
            _ => false,
        }
    }

    /// Whether `resolver` reads this as a string.
    pub fn is_string(&self, resolver: Resolver) -> bool {
        matches!(resolver.resolve(self), Ok(crate::Resolved::String(_)))
    }

    /// The value of the first entry whose key has this text.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|(k, _)| k.text() == Some(key))
            .map(|(_, v)| v)
    }

    /// The value under a path of keys.
    pub fn get_path(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The key node of an entry: it carries the position of the field.
    pub fn key(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|(k, _)| k.text() == Some(key))
            .map(|(k, _)| k)
    }

    /// The value of an entry, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.entries_mut()?
            .iter_mut()
            .find(|(k, _)| k.text() == Some(key))
            .map(|(_, v)| v)
    }
}

/// Changing.
impl Node {
    /// Sets an entry, in place where the key exists, else at the end. A node that is not a mapping becomes one.
    pub fn set(&mut self, key: &str, value: Node) {
        if let Some(old) = self.get_mut(key) {
            *old = value;
            return;
        }
        self.as_mapping().push((Node::string(key), value));
    }

    /// The value under `key`, made by `make` where it is missing. A node that is not a mapping becomes one.
    pub fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> Node) -> &mut Node {
        let entries = self.as_mapping();
        let index = entries
            .iter()
            .position(|(k, _)| k.text() == Some(key))
            .unwrap_or_else(|| {
                entries.push((Node::string(key), make()));
                entries.len() - 1
            });
        entries
            .get_mut(index)
            .map(|(_, v)| v)
            .expect("invariant: the index was found or pushed just now")
    }

    /// Removes an entry and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let entries = self.entries_mut()?;
        let index = entries.iter().position(|(k, _)| k.text() == Some(key))?;
        Some(entries.remove(index).1)
    }

    /// Replaces the text of a scalar, keeping style, tag and comments. Anything else becomes a plain scalar.
    pub fn set_text(&mut self, text: impl Into<Text>) {
        let style = self.scalar_style().unwrap_or_default();
        self.value = Value::Scalar(text.into(), style);
    }

    /// The entries; a node that is not a mapping becomes an empty block mapping first.
    fn as_mapping(&mut self) -> &mut Vec<(Node, Node)> {
        if !self.is_mapping() {
            self.value = Value::Mapping(Vec::new(), CollectionStyle::Block);
            self.set_tag(None);
        }
        self.entries_mut().expect("invariant: made a mapping above")
    }
}

/// Tag, anchor, comments.
impl Node {
    /// The explicit tag in short form (`!!str`, `!custom`); none where none was written.
    pub fn tag(&self) -> Option<&str> {
        self.rare.as_ref()?.tag.as_deref()
    }

    /// Sets or clears the tag.
    pub fn set_tag(&mut self, tag: Option<Text>) {
        if tag.is_some() || self.rare.is_some() {
            self.rare_mut().tag = tag;
            self.tidy();
        }
    }

    /// The anchor's name, without `&`.
    pub fn anchor(&self) -> Option<&str> {
        self.rare.as_ref()?.anchor.as_deref()
    }

    /// Sets or clears the anchor.
    pub fn set_anchor(&mut self, anchor: Option<Text>) {
        if anchor.is_some() || self.rare.is_some() {
            self.rare_mut().anchor = anchor;
            self.tidy();
        }
    }

    /// The comments, where they were asked for and there are any.
    pub fn comments(&self) -> Option<&Comments> {
        self.rare.as_ref().map(|rare| &rare.comments)
    }

    /// The comments, to change.
    pub fn comments_mut(&mut self) -> &mut Comments {
        &mut self.rare_mut().comments
    }

    fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// Drops an empty box, so that equality does not see it.
    fn tidy(&mut self) {
        if self.rare.as_deref() == Some(&Rare::default()) {
            self.rare = None;
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<i64> for Node {
    fn from(value: i64) -> Self {
        Self::int(value)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::bool(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_stay_compact() {
        assert!(size_of::<Node>() <= 48, "{}", size_of::<Node>());
    }

    #[test]
    fn edits_keep_order_and_positions() {
        let mut node = Node::map([("a", Node::int(1)), ("b", Node::string("true"))]);
        node.set("a", Node::int(2));
        node.set("c", Node::null());
        assert_eq!(
            node.remove("b"),
            Some(Node::new(Value::Scalar("true".into(), ScalarStyle::DoubleQuoted)))
        );
        node.get_or_insert_with("d", || Node::map::<&str>([]))
            .set("e", Node::bool(true));
        assert_eq!(format!("{node:?}"), "{a: 2, c: null, d: {e: true}}");
        assert!(
            node.get_path(&["d", "e"])
                .is_some_and(|n| n.text() == Some("true"))
        );
    }

    #[test]
    fn an_empty_box_is_dropped() {
        let mut node = Node::int(1);
        node.set_tag(Some("!!str".into()));
        node.set_tag(None);
        assert_eq!(node, Node::int(1));
    }
}
