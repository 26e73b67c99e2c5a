//! Go's `regexp`: its functions on expressions that `sluice-regexp` reads.

use std::{borrow::Cow, cell::RefCell, collections::HashMap, ops::Range, rc::Rc};

use regex::{Captures, Regex};

use super::quote::quote_backtick;

/// How many patterns are kept compiled: a template in a loop asks for the same few again and again.
const COMPILED_MAX: usize = 256;
/// The largest program of one pattern, in bytes. Go allows 128 MB; a guest has less memory than that.
const PROGRAM_SIZE_MAX: usize = 32 << 20;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Regexp {
    regex: Regex,
    /// Names of the groups; the first is the whole match.
    names: Vec<String>,
    is_empty: bool,
}

thread_local! {
    static COMPILED: RefCell<HashMap<String, Rc<Regexp>>> = RefCell::default();
}

impl Regexp {
    /// Compiles a pattern, or takes it from those compiled before.
    ///
    /// # Errors
    /// The text of `regexp.Compile`.
    pub(crate) fn compile(pattern: &str) -> Result<Rc<Regexp>, String> {
        if let Some(found) = COMPILED.with_borrow(|compiled| compiled.get(pattern).cloned()) {
            return Ok(found);
        }
        let translated = sluice_regexp::translate(pattern).map_err(|error| error.to_string())?;
        let regex = translated
            .compile(PROGRAM_SIZE_MAX)
            .map_err(|error| error.to_string())?;
        let compiled = Rc::new(Regexp {
            regex,
            names: translated.names,
            is_empty: pattern.is_empty(),
        });
        COMPILED.with_borrow_mut(|all| {
            if all.len() >= COMPILED_MAX {
                all.clear();
            }
            all.insert(pattern.to_owned(), Rc::clone(&compiled));
        });
        Ok(compiled)
    }

    /// As `regexp.MustCompile`: the error is the text of its panic.
    pub(crate) fn must_compile(pattern: &str) -> Result<Rc<Regexp>, String> {
        Self::compile(pattern)
            .map_err(|error| format!("regexp: Compile({}): {error}", quote_backtick(pattern)))
    }

    /// Whether the pattern matches anywhere.
    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(&Subject::new(text).text)
    }

    /// The first match, empty where there is none.
    pub(crate) fn find<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let subject = Subject::new(text);
        let found = self.regex.find(&subject.text);
        found.map_or(&[], |found| subject.bytes(found.range()))
    }

    /// Up to `limit` matches, all where it is negative; `None`, Go's nil, where there are none.
    pub(crate) fn find_all<'t>(&self, text: &'t [u8], limit: i64) -> Option<Vec<&'t [u8]>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let subject = Subject::new(text);
        let found: Vec<_> = self
            .regex
            .find_iter(&subject.text)
            .take(limit)
            .map(|found| subject.bytes(found.range()))
            .collect();
        (!found.is_empty()).then_some(found)
    }

    /// Replaces all matches; `$1`, `${name}` in the template stand for groups.
    pub(crate) fn replace_all(&self, text: &[u8], template: &[u8]) -> Vec<u8> {
        if !template.contains(&b'$') {
            return self.replace_all_literal(text, template);
        }
        let subject = Subject::new(text);
        let found = self.regex.captures_iter(&subject.text).filter_map(|groups| {
            let range = groups.get(0)?.range();
            Some((range, Cow::Owned(self.expand(template, &groups, &subject))))
        });
        subject.replaced(found)
    }

    /// Replaces all matches with the text as it is.
    pub(crate) fn replace_all_literal(&self, text: &[u8], replacement: &[u8]) -> Vec<u8> {
        let subject = Subject::new(text);
        let found = self.regex.find_iter(&subject.text);
        subject.replaced(found.map(|found| (found.range(), Cow::Borrowed(replacement))))
    }

    /// The pieces between matches, at most `limit`, all where it is negative; `None` where it is zero.
    pub(crate) fn split<'t>(&self, text: &'t [u8], limit: i64) -> Option<Vec<&'t [u8]>> {
        if limit == 0 {
            return None;
        }
        if !self.is_empty && text.is_empty() {
            return Some(vec![text]);
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let subject = Subject::new(text);
        let length = subject.text.len();
        let mut pieces: Vec<&[u8]> = Vec::new();
        let (mut begin, mut end) = (0, 0);
        for found in self.regex.find_iter(&subject.text).take(limit) {
            if pieces.len() + 1 >= limit {
                break;
            }
            end = found.start();
            if found.end() != 0 {
                pieces.push(subject.bytes(begin..end));
            }
            begin = found.end();
        }
        if end != length {
            pieces.push(subject.bytes(begin..length));
        }
        Some(pieces)
    }

    fn expand(&self, mut template: &[u8], found: &Captures<'_>, subject: &Subject<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        while let Some(at) = template.iter().position(|byte| *byte == b'$') {
            let (before, after) = template.split_at(at);
            out.extend_from_slice(before);
            template = after.get(1..).unwrap_or_default();
            if let Some(rest) = template.strip_prefix(b"$") {
                out.push(b'$');
                template = rest;
                continue;
            }
            let Some((name, rest)) = reference(template) else {
                out.push(b'$'); // malformed: as it is
                continue;
            };
            template = rest;
            if let Some(group) = self.group(name).and_then(|group| found.get(group)) {
                out.extend_from_slice(subject.bytes(group.range()));
            }
        }
        out.extend_from_slice(template);
        out
    }

    /// The number of a group by number or name.
    fn group(&self, name: &str) -> Option<usize> {
        let is_number =
            name.bytes().all(|byte| byte.is_ascii_digit()) && !(name.len() > 1 && name.starts_with('0'));
        if is_number && let Ok(number) = name.parse() {
            return Some(number);
        }
        self.names.iter().position(|found| found == name)
    }
}

/// A text that is searched. Go takes each byte that is no UTF-8 for a U+FFFD, and steps over whole characters.
struct Subject<'t> {
    original: &'t [u8],
    /// What is matched: the original, with U+FFFD for each bad byte.
    text: Cow<'t, str>,
    /// Where in `text` these U+FFFD are.
    replaced: Vec<usize>,
}

impl<'t> Subject<'t> {
    fn new(original: &'t [u8]) -> Self {
        if let Ok(text) = std::str::from_utf8(original) {
            return Self {
                original,
                text: Cow::Borrowed(text),
                replaced: Vec::new(),
            };
        }
        let (mut text, mut replaced) = (String::with_capacity(original.len()), Vec::new());
        for chunk in original.utf8_chunks() {
            text.push_str(chunk.valid());
            for _ in chunk.invalid() {
                replaced.push(text.len());
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        Self {
            original,
            text: Cow::Owned(text),
            replaced,
        }
    }

    /// Where in the original a place of the text is.
    fn original_place(&self, place: usize) -> usize {
        let grown = char::REPLACEMENT_CHARACTER.len_utf8() - 1;
        place - grown * self.replaced.partition_point(|replaced| *replaced < place)
    }

    /// The original bytes of a part of the text.
    fn bytes(&self, part: Range<usize>) -> &'t [u8] {
        let (start, end) = (self.original_place(part.start), self.original_place(part.end));
        self.original.get(start..end).unwrap_or_default()
    }

    /// The original with other bytes in some places, which come in order.
    fn replaced<'r>(&self, places: impl Iterator<Item = (Range<usize>, Cow<'r, [u8]>)>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.original.len());
        let mut end = 0;
        for (place, replacement) in places {
            out.extend_from_slice(self.bytes(end..place.start));
            out.extend_from_slice(&replacement);
            end = place.end;
        }
        out.extend_from_slice(self.bytes(end..self.text.len()));
        out
    }
}

/// The name after a `$`, with or without braces, and what follows it.
fn reference(template: &[u8]) -> Option<(&str, &[u8])> {
    let inner = template.strip_prefix(b"{");
    let text = inner.unwrap_or(template);
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let length = valid
        .find(|c: char| !(super::unicode::is_letter(c) || super::unicode::is_digit(c) || c == '_'))
        .unwrap_or(valid.len());
    let (name, _) = valid.split_at_checked(length)?;
    let rest = text.get(length..)?;
    if name.is_empty() {
        return None;
    }
    match inner {
        Some(_) => Some((name, rest.strip_prefix(b"}")?)),
        None => Some((name, rest)),
    }
}

/// `regexp.QuoteMeta`.
pub(crate) fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}
