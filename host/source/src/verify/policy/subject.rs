//! Names of subjects as text (RFC 4514), read as the library reads them that Notation uses.

use std::collections::BTreeMap;

/// A name: values by the short names of their attributes.
pub(super) type Subject = BTreeMap<String, String>;

/// What every name must have.
const MANDATORY: [&str; 3] = ["C", "ST", "O"];

/// Reads a name.
pub(super) fn parse(name: &str) -> Result<Subject, String> {
    if name.contains("=#") {
        return Err(format!(
            "unsupported distinguished name (DN) {name:?}: notation does not support x509.subject identities containing \"=#\""
        ));
    }
    let parts = split(name).map_err(|problem| {
        format!(
            "parsing distinguished name (DN) {name:?} failed with err: {problem}. A valid DN must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum, and follow RFC 4514 standard"
        )
    })?;
    let mut subject = Subject::new();
    for (type_, value, is_joined) in parts {
        if is_joined {
            return Err(format!(
                "distinguished name (DN) {name:?} has multi-valued RDN attributes, remove multi-valued RDN attributes as they are not supported"
            ));
        }
        add(&mut subject, name, type_, value)?;
    }
    complete(subject, name)
}

/// The name of a certificate, whose attributes are these.
pub(super) fn of_certificate(attributes: &[(String, String)], shown: &str) -> Result<Subject, String> {
    let mut subject = Subject::new();
    for (type_, value) in attributes {
        add(&mut subject, shown, type_.clone(), value.clone())?;
    }
    complete(subject, shown)
}

fn add(subject: &mut Subject, name: &str, type_: String, value: String) -> Result<(), String> {
    // two spellings of one attribute
    let type_ = if type_ == "S" { "ST".to_owned() } else { type_ };
    match subject.get(&type_) {
        Some(there) if !there.is_empty() => Err(format!(
            "distinguished name (DN) {name:?} has duplicate RDN attribute for {type_:?}, DN can only have unique RDN attributes"
        )),
        _ => {
            subject.insert(type_, value);
            Ok(())
        }
    }
}

fn complete(subject: Subject, name: &str) -> Result<Subject, String> {
    let is_missing = |field: &&&str| subject.get(**field).is_none_or(String::is_empty);
    match MANDATORY.iter().find(is_missing) {
        None => Ok(subject),
        Some(field) => Err(format!(
            "distinguished name (DN) {name:?} has no mandatory RDN attribute for {field:?}, it must contain 'C', 'ST' or 'S', and 'O' RDN attributes at a minimum"
        )),
    }
}

/// Whether every attribute of `part` is one of `whole`.
pub(super) fn is_subset(part: &Subject, whole: &Subject) -> bool {
    part.iter().all(|(type_, value)| {
        let there = whole.get(type_).map_or("", String::as_str);
        there == value
    })
}

/// As Go prints a map.
pub(super) fn shown(subject: &Subject) -> String {
    let pairs: Vec<String> = subject
        .iter()
        .map(|(type_, value)| format!("{type_:?}:{value:?}"))
        .collect();
    format!("map[{}]", pairs.join(" "))
}

/// Types, values, and whether one is joined to others with a plus.
fn split(name: &str) -> Result<Vec<(String, String, bool)>, String> {
    let mut parts = Vec::new();
    if name.trim().is_empty() {
        return Ok(parts);
    }
    let (mut type_, mut start, mut is_escaped, mut is_joined) = (String::new(), 0, false, false);
    for (at, char) in name.char_indices() {
        let before = || name.get(start..at).unwrap_or_default();
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '=' if type_.is_empty() => {
                type_ = unescape(before())?;
                start = at + 1;
            }
            ',' | '+' | ';' => {
                if type_.is_empty() {
                    return Err("incomplete type, value pair".to_owned());
                }
                let is_more = char == '+';
                let value = unescape(before())?;
                parts.push((std::mem::take(&mut type_), value, is_joined || is_more));
                is_joined = is_more;
                start = at + 1;
            }
            _ => {}
        }
    }
    if type_.is_empty() {
        return Err("DN ended with incomplete type, value pair".to_owned());
    }
    let value = unescape(name.get(start..).unwrap_or_default())?;
    parts.push((type_, value, is_joined));
    Ok(parts)
}

/// Spaces around it go, unless they are escaped; `\,` is a comma, `\2c` too.
fn unescape(text: &str) -> Result<String, String> {
    let mut trimmed = text.trim_matches(' ').to_owned();
    if trimmed.ends_with('\\') && text.ends_with(' ') {
        trimmed.push(' ');
    }
    let mut bytes = Vec::new();
    let mut chars = trimmed.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            bytes.extend(char.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let first = chars
            .next()
            .ok_or_else(|| format!("got corrupted escaped character: '{trimmed}'"))?;
        if " \"#+,;<=>\\".contains(first) {
            bytes.extend(first.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let failed = |what: String| Err(format!("failed to decode escaped character: {what}"));
        let Some(second) = chars.next() else {
            return failed(format!("encoding/hex: invalid byte: {first}"));
        };
        if !first.is_ascii() || !second.is_ascii() {
            return failed(format!("invalid byte: {first}{second}"));
        }
        match (first.to_digit(16), second.to_digit(16)) {
            (Some(high), Some(low)) => bytes.extend(u8::try_from(high * 16 + low)),
            (high, _) => {
                let odd = if high.is_none() { first } else { second };
                return failed(format!(
                    "encoding/hex: invalid byte: U+{:04X} '{odd}'",
                    u32::from(odd)
                ));
            }
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
