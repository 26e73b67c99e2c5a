//! What all formats are read into: ordered, with comments, because the MAC is made over values in order.

use std::fmt;
use zeroize::Zeroizing;

/// Text that may be secret: wiped when dropped, never printed.
pub type SecretText = Zeroizing<String>;

/// A comment of a file, without its `#`.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment {
    /// The text behind the mark.
    pub text: String,
    /// Whether it stands behind a value on the same line.
    pub is_inline: bool,
}

/// What stands under a key, or in a list.
#[derive(Clone, PartialEq)]
pub enum Node {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(SecretText),
    /// Text that is not UTF-8: a binary file.
    Bytes(Zeroizing<Vec<u8>>),
    /// A point in time, as RFC 3339.
    Time(String),
    /// A list; comments stand in it as they do in the file.
    List(Vec<Item>),
    /// A mapping.
    Map(Branch),
}

/// One item of a list.
#[derive(Clone, PartialEq)]
pub enum Item {
    /// A comment before the item that follows.
    Comment(Comment),
    /// An item.
    Node(Node),
}

/// One line of a mapping.
#[derive(Clone, PartialEq)]
pub enum Entry {
    /// A comment before the entry that follows.
    Comment(Comment),
    /// Key and value.
    Pair(String, Node),
}

/// A mapping in the order of the file.
pub type Branch = Vec<Entry>;

impl Node {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    /// Text, or a binary file where the bytes are none.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::text(text),
            Err(_) => Self::Bytes(Zeroizing::new(bytes.to_vec())),
        }
    }

    /// What the MAC is made over.
    pub(super) fn mac_bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        Some(Zeroizing::new(match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Int(value) => value.to_string().into_bytes(),
            Self::Float(value) => float_text(*value).into_bytes(),
            Self::Bool(true) => b"True".to_vec(),
            Self::Bool(false) => b"False".to_vec(),
            Self::Time(text) => text.clone().into_bytes(),
            Self::Null | Self::List(_) | Self::Map(_) => return None,
        }))
    }
}

/// A number without an exponent, as Go's `FormatFloat(…, 'f', -1, 64)` writes it.
pub(super) fn float_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

/// A point in time as Go reads RFC 3339, which is strict: capital letters, seconds below 60.
pub(super) struct Time {
    /// Without a fraction.
    pub(super) seconds: String,
    /// With one, where it is not zero.
    pub(super) full: String,
}

impl Time {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let has_shape = |text: &str, shape: &str| {
            let same = |(byte, wanted): (u8, u8)| match wanted {
                b'0' => byte.is_ascii_digit(),
                wanted => byte == wanted,
            };
            text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(same)
        };
        let (clock, rest) = text.split_at_checked(19)?;
        if !has_shape(clock, "0000-00-00T00:00:00") || clock.ends_with("60") {
            return None;
        }
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => {
                rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?)?
            }
            None => ("", rest),
        };
        let zone = match zone {
            "Z" | "+00:00" | "-00:00" => "Z",
            zone if has_shape(zone, "+00:00") || has_shape(zone, "-00:00") => zone,
            _ => return None,
        };
        let seconds = format!("{clock}{zone}");
        seconds.parse::<jiff::Timestamp>().ok()?;
        // nanoseconds are the finest that Go keeps
        let fraction = fraction.get(..9).unwrap_or(fraction).trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        let full = format!("{clock}{point}{fraction}{zone}");
        Some(Self { seconds, full })
    }
}

/// Bytes as text, one U+FFFD for each that is none: what Go makes of them.
pub(super) fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

// What a tree holds may be secret: only its shape is printed.

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Map(branch) => f.debug_list().entries(branch).finish(),
            Self::Null => f.write_str("null"),
            _ => f.write_str("[redacted]"),
        }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comment(comment) => comment.fmt(f),
            Self::Node(node) => node.fmt(f),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comment(comment) => comment.fmt(f),
            Self::Pair(key, node) => write!(f, "{key}: {node:?}"),
        }
    }
}

impl fmt::Debug for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("#[redacted]")
    }
}
