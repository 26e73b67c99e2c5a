//! Where schemas are: addresses, pointers and how references lead from one to another.

use std::borrow::Cow;

use super::json::Json;
use crate::go::{quote::quote, url::Url};

/// `text` in Go's quotes.
pub(super) fn quoted(text: &str) -> String {
    quote(text.as_bytes())
}

/// A reference against the address of where it stands: the address and the fragment that it names.
///
/// # Errors
/// The library's words.
pub(super) fn join(base: &str, reference: &str) -> Result<(String, String), String> {
    let (address, fragment) = split(reference);
    let fragment =
        decode(fragment).map_err(|error| format!("error in parsing {}: {error}", quoted(reference)))?;
    Url::parse(address.as_bytes())
        .map_err(|error| format!("error in parsing {}: {error}", quoted(address)))?;
    Ok((resolve(base, address), fragment))
}

/// The parts before and behind the first `#`.
pub(super) fn split(text: &str) -> (&str, &str) {
    text.split_once('#').unwrap_or((text, ""))
}

/// An address in its parts, each with the mark in front or behind of it: `https:`, `//host`, `/path`, `?query`.
struct Parts<'t> {
    scheme: &'t str,
    authority: &'t str,
    path: &'t str,
    query: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Self {
        let (rest, query) = text.split_at(text.find('?').unwrap_or(text.len()));
        let colon = rest
            .find([':', '/'])
            .filter(|at| rest.get(*at..).is_some_and(|rest| rest.starts_with(':')));
        let (scheme, rest) = rest.split_at(colon.map_or(0, |at| at + 1));
        let end = match rest.strip_prefix("//") {
            Some(after) => after.find('/').map_or(rest.len(), |at| at + 2),
            None => 0,
        };
        let (authority, path) = rest.split_at(end);
        Self {
            scheme,
            authority,
            path,
            query,
        }
    }

    /// Whether nothing hierarchical follows the scheme, as in `urn:x`.
    fn is_opaque(&self) -> bool {
        !self.scheme.is_empty() && self.authority.is_empty() && !self.path.starts_with('/')
    }
}

/// The path of an address, as it is written.
pub(super) fn path(text: &str) -> &str {
    Parts::of(split(text).0).path
}

/// `URL.ResolveReference`
fn resolve(base: &str, reference: &str) -> String {
    let (from, to) = (Parts::of(base), Parts::of(reference));
    if to.is_opaque() || reference.is_empty() {
        return if reference.is_empty() { base } else { reference }.to_owned();
    }
    if !to.scheme.is_empty() {
        return format!(
            "{}{}{}{}",
            to.scheme,
            to.authority,
            without_dots(to.path),
            to.query
        );
    }
    if from.is_opaque() {
        return format!("{}{}{}", from.scheme, from.path, to.query);
    }
    if !to.authority.is_empty() {
        return format!(
            "{}{}{}{}",
            from.scheme,
            to.authority,
            without_dots(to.path),
            to.query
        );
    }
    let path = match to.path {
        "" => from.path.to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        path => {
            let folder = from
                .path
                .rfind('/')
                .map_or("", |at| from.path.get(..=at).unwrap_or_default());
            format!("{folder}{path}")
        }
    };
    format!(
        "{}{}{}{}",
        from.scheme,
        from.authority,
        without_dots(&path),
        to.query
    )
}

/// A path without `.` and `..`.
fn without_dots(path: &str) -> String {
    if path.is_empty() {
        return String::new();
    }
    let mut parts: Vec<&str> = Vec::new();
    let mut last = "";
    for part in path.trim_start_matches('/').split('/') {
        last = part;
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let is_folder = matches!(last, "." | "..") && !parts.is_empty();
    let end = if is_folder { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

/// `url.PathUnescape`
pub(super) fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digit = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        let decoded = digit(0)
            .zip(digit(1))
            .map(|(high, low)| u8::try_from(high * 16 + low));
        let Some(Ok(decoded)) = decoded else {
            let escape = [b"%", tail.get(..tail.len().min(2)).unwrap_or_default()].concat();
            return Err(format!("invalid URL escape {}", quote(&escape)));
        };
        bytes.push(decoded);
        rest = tail.get(2..).unwrap_or_default();
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `url.PathEscape` of each part between slashes.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+=:@/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// `address#fragment`
pub(super) fn with_fragment(address: &str, fragment: &str) -> String {
    format!("{address}#{}", encode(fragment))
}

/// Where a value is. It becomes text only where something is wrong there, which nearly all values never hear of.
pub(super) enum Path<'p> {
    /// All of it.
    Root,
    /// What an object has under a name.
    Name(&'p Path<'p>, &'p str),
    /// An item of an array.
    Item(&'p Path<'p>, usize),
}

impl Path<'_> {
    /// As a pointer.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        let (outer, name) = match self {
            Self::Root => return,
            Self::Name(outer, name) => (outer, escape(name)),
            Self::Item(outer, index) => (outer, Cow::Owned(index.to_string())),
        };
        outer.write(text);
        text.push('/');
        text.push_str(&name);
    }
}

/// A pointer one step further.
pub(super) fn child(pointer: &str, name: &str) -> String {
    [pointer, "/", &escape(name)].concat()
}

pub(super) fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

fn unescape(name: &str) -> Option<Cow<'_, str>> {
    if !name.contains('~') {
        return Some(Cow::Borrowed(name));
    }
    let mut out = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        out.push(match character {
            '~' => match characters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(Cow::Owned(out))
}

/// What a pointer leads to.
///
/// # Errors
/// The library's words.
pub(super) fn lookup<'a>(address: &str, document: &'a Json, pointer: &str) -> Result<&'a Json, String> {
    let place = || quoted(&with_fragment(address, pointer));
    let mut node = document;
    for name in pointer.split('/').skip(1) {
        let name = unescape(name).ok_or_else(|| format!("invalid json-pointer {}", place()))?;
        let next = match node {
            Json::Object(fields) => fields.get(&*name),
            Json::Array(items) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        node = next.ok_or_else(|| format!("json-pointer in {} not found", place()))?;
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_resolve_as_in_go() {
        for (base, reference, expected) in [
            ("file:///values.schema.json", "", "file:///values.schema.json"),
            ("file:///values.schema.json", "other.json", "file:///other.json"),
            ("file:///values.schema.json", "nope", "file:///nope"),
            ("http://x/a/b.json", "../c.json", "http://x/c.json"),
            ("http://x/a/b.json", "./c/", "http://x/a/c/"),
            ("http://x/a/b.json", "/c", "http://x/c"),
            ("http://x/a", "//y/c", "http://y/c"),
            ("http://x/a", "https://y/c/../d?q", "https://y/d?q"),
            ("http://x/a/b", "..", "http://x/"),
            ("http://x", "a", "http://x/a"),
            ("urn:x", "a", "urn:x"),
            ("http://x/a", "urn:y", "urn:y"),
        ] {
            assert_eq!(resolve(base, reference), expected, "{base} {reference}");
        }
    }

    #[test]
    fn fragments_are_decoded_and_encoded() {
        assert_eq!(
            join("http://x/a", "#%2Fa%20b"),
            Ok(("http://x/a".into(), "/a b".into()))
        );
        assert_eq!(
            join("http://x/a", "#%zz"),
            Err(r##"error in parsing "#%zz": invalid URL escape "%zz""##.into())
        );
        assert_eq!(with_fragment("x:", "/a b/$é"), "x:#/a%20b/$%C3%A9");
    }

    #[test]
    fn paths_are_pointers() {
        let (root, name) = (Path::Root, "a/b~c");
        let path = Path::Name(&root, name);
        assert_eq!(Path::Item(&path, 3).text(), "/a~1b~0c/3");
        assert_eq!(root.text(), "");
    }

    #[test]
    fn names_in_pointers_are_unescaped() {
        assert_eq!(unescape("a b").as_deref(), Some("a b"));
        assert_eq!(unescape("~1a~0b~01").as_deref(), Some("/a~b~1"));
        assert_eq!(unescape("a~2"), None);
        assert_eq!(unescape("a~"), None);
    }
}
