//! Text: sprig's string functions.

use super::{
    Functions, Int, Rest, cast,
    limits::{TEXT_MAX, too_long},
};
use crate::{
    Error, List, Map, Str, Value, format,
    go::{
        quote::quote as go_quote,
        unicode::{is_space, runes, to_lower, to_upper},
        words,
    },
    value::CollectionType,
};

pub(super) fn register(functions: &mut Functions) {
    case(functions);
    trimming(functions);
    parts(functions);
    joining(functions);
    functions.add("hello", || "Hello!");
    functions.add("contains", |part: Str, text: Str| {
        find(text.as_bytes(), part.as_bytes()).is_some()
    });
    functions.add("hasPrefix", |prefix: Str, text: Str| {
        text.as_bytes().starts_with(prefix.as_bytes())
    });
    functions.add("hasSuffix", |suffix: Str, text: Str| {
        text.as_bytes().ends_with(suffix.as_bytes())
    });
    functions.add(
        "plural",
        |one: Str, many: Str, count: Int| if count.0 == 1 { one } else { many },
    );
    functions.add("toString", |value: Value| cast::text(&value));
    functions.add("toStrings", |value: Value| List::of_strings(cast::texts(&value)));
}

fn case(functions: &mut Functions) {
    functions.add("upper", |text: Str| map(&text, to_upper));
    functions.add("lower", |text: Str| map(&text, to_lower));
    functions.add("title", |text: Str| words::title(text.as_bytes()));
    functions.add("untitle", |text: Str| words::uncapitalize(text.as_bytes()));
    functions.add("swapcase", |text: Str| words::swap_case(text.as_bytes()));
    functions.add("snakecase", |text: Str| {
        words::to_delimited_case(text.as_bytes(), '_')
    });
    functions.add("kebabcase", |text: Str| {
        words::to_delimited_case(text.as_bytes(), '-')
    });
    functions.add("camelcase", |text: Str| words::to_pascal_case(text.as_bytes()));
    functions.add("initials", |text: Str| words::initials(text.as_bytes()));
}

/// `strings.Map`; ASCII text, which is most, without decoding.
fn map(text: &Str, change: fn(char) -> char) -> Str {
    if text.as_bytes().is_ascii() {
        let changed = text.as_bytes().iter().map(|byte| change(char::from(*byte)));
        return changed.collect::<String>().into();
    }
    runes(text.as_bytes()).map(change).collect::<String>().into()
}

fn trimming(functions: &mut Functions) {
    functions.add("trim", |text: Str| trim(&text, is_space));
    for name in ["trimAll", "trimall"] {
        functions.add(name, |cutset: Str, text: Str| {
            let cutset: Vec<char> = runes(cutset.as_bytes()).collect();
            trim(&text, |c| cutset.contains(&c))
        });
    }
    functions.add("trimSuffix", |suffix: Str, text: Str| {
        text.as_bytes()
            .strip_suffix(suffix.as_bytes())
            .map_or_else(|| text.clone(), |rest| text.part(0, rest.len()))
    });
    functions.add("trimPrefix", |prefix: Str, text: Str| {
        text.as_bytes().strip_prefix(prefix.as_bytes()).map_or_else(
            || text.clone(),
            |rest| text.part(text.len() - rest.len(), text.len()),
        )
    });
    functions.add("nospace", |text: Str| {
        Str::from(words::delete_white_space(text.as_bytes()))
    });
}

/// Without the characters at both ends that are to go.
fn trim(text: &Str, goes: impl Fn(char) -> bool) -> Str {
    let mut rest = text.as_bytes();
    while let Some(first) = runes(rest.get(..rest.len().min(4)).unwrap_or_default())
        .next()
        .filter(|c| goes(*c))
    {
        rest = rest.get(width_at_start(rest, first)..).unwrap_or_default();
    }
    let start = text.len() - rest.len();
    while let Some((_, width)) = last_rune(rest).filter(|(c, _)| goes(*c)) {
        rest = rest.get(..rest.len() - width).unwrap_or_default();
    }
    text.part(start, start + rest.len())
}

/// How many bytes the first character has; one where it is no UTF-8.
fn width_at_start(text: &[u8], first: char) -> usize {
    let mut buffer = [0; 4];
    let encoded = first.encode_utf8(&mut buffer).as_bytes();
    if text.starts_with(encoded) {
        encoded.len()
    } else {
        1
    }
}

fn last_rune(text: &[u8]) -> Option<(char, usize)> {
    for width in 1..=4.min(text.len()) {
        let end = text.get(text.len() - width..)?;
        if let Ok(end) = std::str::from_utf8(end) {
            return end.chars().next().map(|c| (c, width));
        }
    }
    (!text.is_empty()).then_some((char::REPLACEMENT_CHARACTER, 1))
}

fn parts(functions: &mut Functions) {
    functions.add("trunc", trunc);
    functions.add("substr", substring);
    functions.add("abbrev", |width: Int, text: Str| {
        if width.0 < 4 {
            return text;
        }
        words::abbreviate(text.as_bytes(), 0, width.0).into()
    });
    functions.add("abbrevboth", |left: Int, right: Int, text: Str| {
        if right.0 < 4 || left.0 > 0 && right.0 < 7 {
            return text;
        }
        words::abbreviate(text.as_bytes(), left.0, right.0).into()
    });
    functions.add("split", |separator: Str, text: Str| {
        numbered(split(&text, &separator, None))
    });
    functions.add("splitn", |separator: Str, count: Int, text: Str| {
        let parts = match usize::try_from(count.0) {
            Ok(0) => Vec::new(),
            Ok(count) => split(&text, &separator, Some(count)),
            Err(_) => split(&text, &separator, None),
        };
        numbered(parts)
    });
    functions.add("splitList", |separator: Str, text: Str| {
        List::of_strings(split(&text, &separator, None))
    });
    functions.add("wrap", |width: Int, text: Str| {
        Str::from(words::wrap(text.as_bytes(), width.0, b"\n", false))
    });
    functions.add("wrapWith", |width: Int, line_break: Str, text: Str| {
        Str::from(words::wrap(text.as_bytes(), width.0, line_break.as_bytes(), true))
    });
}

/// `func trunc(c int, s string) string`: the first bytes, or with a negative count the last.
fn trunc(count: Int, text: Str) -> Str {
    let length = text.len();
    match usize::try_from(count.0) {
        Ok(count) if count < length => text.part(0, count),
        Ok(_) => text,
        Err(_) => match usize::try_from(count.0.unsigned_abs()) {
            Ok(last) if last < length => text.part(length - last, length),
            _ => text,
        },
    }
}

/// `func substring(start, end int, s string) string`
fn substring(Int(start): Int, Int(end): Int, text: Str) -> Result<Str, Error> {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let out_of_range = |range: String| {
        Err(Error::new(format!(
            "runtime error: slice bounds out of range {range}"
        )))
    };
    let (from, to) = match (start, end) {
        (..0, ..0) => return out_of_range(format!("[:{end}]")),
        (..0, _) if end > length => return out_of_range(format!("[:{end}] with length {length}")),
        (..0, _) => (0, end),
        _ if end < 0 || end > length => (start, length),
        _ => (start, end),
    };
    if from > to {
        return out_of_range(format!("[{from}:{to}]"));
    }
    let index = |at: i64| usize::try_from(at).unwrap_or(0);
    Ok(text.part(index(from), index(to)))
}

pub(super) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    memchr::memmem::find(text, part)
}

/// `strings.SplitN`: an empty separator splits between characters.
fn split(text: &Str, separator: &Str, count: Option<usize>) -> Vec<Str> {
    let count = count.unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = text.as_bytes();
    if separator.is_empty() {
        while let Some(first) = runes(rest.get(..rest.len().min(4)).unwrap_or_default()).next() {
            if parts.len() + 1 >= count {
                break;
            }
            let (one, after) = rest
                .split_at_checked(width_at_start(rest, first))
                .unwrap_or_default();
            parts.push(one.into());
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(rest.into());
        }
        return parts;
    }
    while parts.len() + 1 < count
        && let Some(at) = find(rest, separator.as_bytes())
    {
        parts.push(rest.get(..at).unwrap_or_default().into());
        rest = rest.get(at + separator.len()..).unwrap_or_default();
    }
    parts.push(rest.into());
    parts
}

/// `map[string]string{"_0": …}`
fn numbered(parts: Vec<Str>) -> Map {
    let entries = parts.into_iter().enumerate();
    let entries = entries.map(|(index, part)| (Str::from(format!("_{index}")), Value::Str(part)));
    Map::of_type(CollectionType::STRING, entries.collect())
}

fn joining(functions: &mut Functions) {
    functions.add("repeat", |count: Int, text: Str| {
        repeat(text.as_bytes(), count.0).map(Str::from)
    });
    functions.add("replace", |old: Str, new: Str, text: Str| {
        // labels are replaced in everywhere, and hardly one has what is looked for
        match find(text.as_bytes(), old.as_bytes()) {
            None => text,
            Some(_) => replace(text.as_bytes(), old.as_bytes(), new.as_bytes()),
        }
    });
    functions.add("indent", |spaces: Int, text: Str| indent(spaces, &text, b""));
    functions.add("nindent", |spaces: Int, text: Str| indent(spaces, &text, b"\n"));
    functions.add("join", |separator: Str, list: Value| {
        join(&cast::texts(&list), separator.as_bytes())
    });
    functions.add("quote", |values: Rest<Value>| {
        let values = values.0.iter().filter(|value| !value.is_nil());
        let mut quoted = values.map(|value| go_quote(cast::text(value).as_bytes()));
        // nearly always there is one
        let mut out = quoted.next().unwrap_or_default();
        for text in quoted {
            out.push(' ');
            out.push_str(&text);
        }
        out
    });
    functions.add("squote", |values: Rest<Value>| {
        let mut out = Vec::new();
        for value in values.0.iter().filter(|value| !value.is_nil()) {
            if !out.is_empty() {
                out.push(b' ');
            }
            out.push(b'\'');
            format::write(value, &mut out);
            out.push(b'\'');
        }
        Str::from(out)
    });
    functions.add("cat", |values: Rest<Value>| {
        let texts: Vec<Vec<u8>> = values
            .0
            .iter()
            .filter(|value| !value.is_nil())
            .map(format::text)
            .collect();
        Str::from(texts.join(&b' '))
    });
}

fn repeat(text: &[u8], count: i64) -> Result<Vec<u8>, Error> {
    let count = usize::try_from(count).map_err(|_| Error::new("strings: negative Repeat count"))?;
    match text.len().checked_mul(count) {
        Some(length) if length <= TEXT_MAX => Ok(text.repeat(count)),
        _ => Err(too_long("strings: Repeat output length overflow")),
    }
}

/// `strings.ReplaceAll`: an empty text is found between all characters.
fn replace(text: &[u8], old: &[u8], new: &[u8]) -> Str {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    if old.is_empty() {
        out.extend_from_slice(new);
        while let Some(first) = runes(rest.get(..rest.len().min(4)).unwrap_or_default()).next() {
            let (one, after) = rest
                .split_at_checked(width_at_start(rest, first))
                .unwrap_or_default();
            out.extend_from_slice(one);
            out.extend_from_slice(new);
            rest = after;
        }
        return out.into();
    }
    while let Some(at) = find(rest, old) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(new);
        rest = rest.get(at + old.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out.into()
}

fn indent(spaces: Int, text: &Str, start: &[u8]) -> Result<Str, Error> {
    let pad = repeat(b" ", spaces.0)?;
    let lines = 1 + memchr::memchr_iter(b'\n', text.as_bytes()).count();
    let length = pad.len().saturating_mul(lines).saturating_add(text.len());
    if length > TEXT_MAX {
        return Err(too_long("indent: too long a text"));
    }
    let mut out = Vec::with_capacity(length + start.len());
    out.extend_from_slice(start);
    let mut rest = text.as_bytes();
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let (line, after) = rest.split_at_checked(end + 1).unwrap_or_default();
        out.extend_from_slice(&pad);
        out.extend_from_slice(line);
        rest = after;
    }
    out.extend_from_slice(&pad);
    out.extend_from_slice(rest);
    Ok(out.into())
}

fn join(texts: &[Str], separator: &[u8]) -> Str {
    let mut out = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(text.as_bytes());
    }
    out.into()
}
