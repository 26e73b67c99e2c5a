//! What type and value a scalar has, in the eyes of each Go library.

mod number;
mod timestamp;

use std::borrow::Cow;

use crate::{Error, Node, ScalarStyle, Value};

/// Whose rules give a scalar its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolver {
    /// Go's yaml.v2 (`sigs.k8s.io/yaml`): `yes`, `on`, `y` are booleans. Kustomization files, Helm, Flux, JSON 6902 values.
    V2,
    /// Go's yaml.v3: only `true` and `false` are; dates are timestamps. The objects that Kustomize reads.
    V3,
}

/// A scalar with its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved<'a> {
    /// Nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits with sign.
    Int(i64),
    /// A larger one that fits 64 bits without.
    Uint(u64),
    /// A floating point number, also one not finite.
    Float(f64),
    /// Text. V2 leaves dates here, as written.
    String(Cow<'a, str>),
    /// A date or time as RFC 3339 with up to nanoseconds (V3 only).
    Timestamp(String),
}

/// Go's short name of the type, as its messages use it.
fn short_tag(resolved: &Resolved<'_>) -> &'static str {
    match resolved {
        Resolved::Null => "!!null",
        Resolved::Bool(_) => "!!bool",
        Resolved::Int(_) | Resolved::Uint(_) => "!!int",
        Resolved::Float(_) => "!!float",
        Resolved::String(_) => "!!str",
        Resolved::Timestamp(_) => "!!timestamp",
    }
}

impl Resolver {
    /// The typed value of a scalar node: style and tag count as in Go.
    ///
    /// # Errors
    /// [`Error::Decode`] where the text does not fit the tag, or the node is no scalar.
    pub fn resolve<'a>(self, node: &'a Node) -> Result<Resolved<'a>, Error> {
        let Value::Scalar(text, style) = &node.value else {
            return Err(Error::Decode {
                message: "yaml: not a scalar".into(),
                position: node.position,
            });
        };
        match node.tag() {
            None if *style == ScalarStyle::Plain => Ok(self.resolve_plain(text)),
            None => Ok(Resolved::String(Cow::Borrowed(text))),
            Some(tag) => self
                .resolve_tagged(tag, text, *style)
                .map_err(|message| Error::Decode {
                    message,
                    position: node.position,
                }),
        }
    }

    /// The typed value of plain text without a tag.
    pub fn resolve_plain(self, text: &str) -> Resolved<'_> {
        let Some(&first) = text.as_bytes().first() else {
            return Resolved::Null;
        };
        match first {
            b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
                self.resolve_word(text)
            }
            b'.' => number::special(text)
                .or_else(|| number::pointed(text))
                .map_or(Resolved::String(Cow::Borrowed(text)), Resolved::Float),
            b'+' | b'-' | b'0'..=b'9' => self.resolve_number(text, true),
            _ => Resolved::String(Cow::Borrowed(text)),
        }
    }

    fn resolve_word(self, text: &str) -> Resolved<'_> {
        match text {
            "true" | "True" | "TRUE" => Resolved::Bool(true),
            "false" | "False" | "FALSE" => Resolved::Bool(false),
            "~" | "null" | "Null" | "NULL" => Resolved::Null,
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if self == Self::V2 => {
                Resolved::Bool(true)
            }
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if self == Self::V2 => {
                Resolved::Bool(false)
            }
            _ => Resolved::String(Cow::Borrowed(text)),
        }
    }

    fn resolve_number(self, text: &str, may_be_time: bool) -> Resolved<'_> {
        if let Some(special) = number::special(text) {
            return Resolved::Float(special);
        }
        if may_be_time && let Some(time) = timestamp::parse(text) {
            return match self {
                Self::V2 => Resolved::String(Cow::Borrowed(text)),
                Self::V3 => Resolved::Timestamp(time),
            };
        }
        let plain: Cow<'_, str> = if text.contains('_') {
            text.replace('_', "").into()
        } else {
            text.into()
        };
        match number::parse(&plain, self == Self::V3) {
            Some(number::Number::Int(value)) => Resolved::Int(value),
            Some(number::Number::Uint(value)) => Resolved::Uint(value),
            Some(number::Number::Float(value)) => Resolved::Float(value),
            None => Resolved::String(Cow::Borrowed(text)),
        }
    }

    fn resolve_tagged<'a>(
        self,
        tag: &str,
        text: &'a str,
        style: ScalarStyle,
    ) -> Result<Resolved<'a>, String> {
        let as_text = Resolved::String(Cow::Borrowed(text));
        let resolved = match tag {
            "!!str" => return Ok(as_text),
            "!!binary" => {
                let data =
                    crate::base64::decode(text).ok_or("yaml: !!binary value contains invalid base64 data")?;
                return Ok(Resolved::String(Cow::Owned(data)));
            }
            "!" if self == Self::V3 && style == ScalarStyle::Plain => return Ok(self.resolve_plain(text)),
            "!!bool" | "!!int" | "!!float" | "!!null" => match text.as_bytes().first() {
                Some(b'+' | b'-' | b'0'..=b'9') => self.resolve_number(text, false),
                _ => self.resolve_plain(text),
            },
            "!!timestamp" => self.resolve_plain(text),
            _ => return Ok(as_text),
        };
        match (tag, &resolved) {
            ("!!float", Resolved::Int(value)) => return Ok(Resolved::Float(*value as f64)),
            // Go's v2 keeps the text of a timestamp, but the type is right.
            ("!!timestamp", Resolved::String(_)) if timestamp::parse(text).is_some() => return Ok(as_text),
            _ if short_tag(&resolved) == tag => return Ok(resolved),
            _ => {}
        }
        Err(format!(
            "yaml: cannot decode {} `{text}` as a {tag}",
            short_tag(&resolved)
        ))
    }

    /// Whether an entry with this key merges another mapping.
    pub fn is_merge(self, key: &Node) -> bool {
        match &key.value {
            Value::Scalar(text, style) if text == "<<" => match key.tag() {
                Some("!!merge") => true,
                // v3 looks at the tag only: quoted text has the tag of a string.
                None | Some("!") => *style == ScalarStyle::Plain,
                Some(_) => false,
            },
            _ => false,
        }
    }
}

/// Whether plain text is null: the same in both libraries.
pub(crate) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether both libraries read this plain text as a string, and a parser reads it back unchanged.
pub(crate) fn is_plain_string(text: &str) -> bool {
    let string = |resolver: Resolver| matches!(resolver.resolve_plain(text), Resolved::String(_));
    string(Resolver::V2) && string(Resolver::V3) && text != "<<"
}

/// Whether yaml.v2 and yaml.v3 quote this text although their resolvers take it for a string:
/// base-60 numbers of YAML 1.1.
pub fn is_sexagesimal(text: &str) -> bool {
    number::is_sexagesimal(text)
}

/// Whether text is a date or time.
pub(crate) fn is_timestamp(text: &str) -> bool {
    timestamp::parse(text).is_some()
}
