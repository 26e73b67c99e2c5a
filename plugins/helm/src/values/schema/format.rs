//! `format`, for the drafts in which it is a rule.

mod address;
mod moment;

use super::location::{decode, path};
use crate::go::{
    number::{NumberError, parse_int},
    quote::{quote, quote_rune},
    regexp::Regexp,
    url::Url,
};

/// An error is what is wrong, in the library's words or in Go's.
type Check = Result<(), String>;

/// What is wrong with a text of a format; none where nothing is, or where nobody knows the format.
pub(super) fn check(name: &str, text: &str) -> Option<String> {
    let checked = match name {
        "json-pointer" => json_pointer(text),
        "relative-json-pointer" => relative_json_pointer(text),
        "uuid" => uuid(text),
        "duration" => moment::duration(text),
        "period" => moment::period(text),
        "ipv4" => ipv4(text),
        "ipv6" => ipv6(text),
        "hostname" => hostname(text),
        "email" => email(text),
        "date" => moment::date(text),
        "time" => moment::time(text),
        "date-time" => moment::date_time(text),
        "uri" | "iri" => uri(text),
        "uri-reference" | "iri-reference" => uri_reference(text),
        "uri-template" => uri_template(text),
        "semver" => semver(text),
        "regex" => Regexp::compile(text).map(drop),
        _ => Ok(()),
    };
    checked.err()
}

fn wrong(why: &str) -> Check {
    Err(why.to_owned())
}

fn rune(character: char) -> String {
    quote_rune(character, false)
}

fn json_pointer(text: &str) -> Check {
    if !text.is_empty() && !text.starts_with('/') {
        return wrong("not starting with /");
    }
    let mut escapes = text.split('~').skip(1);
    if escapes.any(|after| !after.starts_with(['0', '1'])) {
        return wrong("~ must be followed by 0 or 1");
    }
    Ok(())
}

fn relative_json_pointer(text: &str) -> Check {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match text.len() - rest.len() {
        0 => wrong("must start with non-negative integer"),
        digits if digits > 1 && text.starts_with('0') => wrong("starts with zero"),
        _ if rest == "#" => Ok(()),
        _ => json_pointer(rest),
    }
}

fn uuid(text: &str) -> Check {
    let groups = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    if parts.len() != groups.len() {
        return wrong("must have 5 elements");
    }
    for (index, (part, length)) in parts.iter().zip(groups).enumerate() {
        if part.len() != length {
            return Err(format!("element {} must be {length} characters long", index + 1));
        }
        if let Some(odd) = part.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(format!("non-hex character {}", rune(odd)));
        }
    }
    Ok(())
}

fn ipv4(text: &str) -> Check {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() != 4 {
        return wrong("expected four decimals");
    }
    for part in parts {
        if part.len() > 1 && part.starts_with('0') {
            return wrong("leading zeros");
        }
        let number = parse_int(part.as_bytes(), 10).map_err(|error| {
            let why = match error {
                NumberError::Syntax => "invalid syntax",
                NumberError::Range => "value out of range",
            };
            format!("strconv.Atoi: parsing {}: {why}", quote(part.as_bytes()))
        })?;
        if !(0..=255).contains(&number) {
            return wrong("decimal must be between 0 and 255");
        }
    }
    Ok(())
}

fn ipv6(text: &str) -> Check {
    if !text.contains(':') {
        return wrong("missing colon");
    }
    match address::zone(text)? {
        "" => Ok(()),
        _ => wrong("zone id is not a part of ipv6 address"),
    }
}

fn hostname(text: &str) -> Check {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > 253 {
        return wrong("more than 253 characters long");
    }
    for label in text.split('.') {
        if label.is_empty() || label.len() > 63 {
            return wrong("label must be 1 to 63 characters long");
        }
        if label.starts_with('-') {
            return wrong("label starts with hyphen");
        }
        if label.ends_with('-') {
            return wrong("label ends with hyphen");
        }
        if let Some(odd) = label.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
            return Err(format!("invalid character {}", rune(odd)));
        }
    }
    Ok(())
}

fn email(text: &str) -> Check {
    if text.len() > 254 {
        // the library's own word
        return wrong("more than 255 characters long");
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return wrong("missing @");
    };
    if local.len() > 64 {
        return wrong("local part more than 64 characters long");
    }
    let inner = local.strip_prefix('"').and_then(|local| local.strip_suffix('"'));
    match inner {
        Some(inner) if inner.contains(['\\', '"']) => {
            return wrong("backslash and quote are not allowed within quoted local part");
        }
        Some(_) => {}
        None => unquoted(local)?,
    }
    match domain
        .strip_prefix('[')
        .and_then(|domain| domain.strip_suffix(']'))
    {
        Some(domain) => match domain.strip_prefix("IPv6:") {
            Some(domain) => ipv6(domain).map_err(|why| format!("invalid ipv6 address: {why}")),
            None => ipv4(domain).map_err(|why| format!("invalid ipv4 address: {why}")),
        },
        None => hostname(domain).map_err(|why| format!("invalid domain: {why}")),
    }
}

/// What stands in front of the `@`, without quotes.
fn unquoted(local: &str) -> Check {
    let is_odd = |c: &char| !c.is_ascii_alphanumeric() && !".!#$%&'*+-/=?^_`{|}~".contains(*c);
    match local {
        _ if local.starts_with('.') => wrong("starts with dot"),
        _ if local.ends_with('.') => wrong("ends with dot"),
        _ if local.contains("..") => wrong("consecutive dots"),
        _ => match local.chars().find(is_odd) {
            Some(odd) => Err(format!("invalid character {}", rune(odd))),
            None => Ok(()),
        },
    }
}

/// Go does not look closely at hosts with colons.
fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.as_bytes())?;
    let host = url.hostname();
    if host.contains(&b':') {
        if !url.host.contains(&b'[') || !url.host.contains(&b']') {
            return Err("ipv6 address not enclosed in brackets".to_owned());
        }
        ipv6(&String::from_utf8_lossy(host)).map_err(|why| format!("invalid ipv6 address: {why}"))?;
    }
    Ok(url)
}

fn uri(text: &str) -> Check {
    match url(text)?.scheme.as_slice() {
        b"" => wrong("relative url"),
        _ => Ok(()),
    }
}

fn uri_reference(text: &str) -> Check {
    if text.contains('\\') {
        return wrong("contains \\");
    }
    url(text).map(drop)
}

fn uri_template(text: &str) -> Check {
    let url = url(text)?;
    let written = path(text);
    // Go keeps a path as it is written only where its own way to write it is another
    let is_kept = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(byte);
    let usual: String = url
        .path
        .iter()
        .map(|byte| {
            if is_kept(byte) {
                char::from(*byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    if !url.opaque.is_empty() || usual == written {
        return Ok(());
    }
    for part in written.split('/') {
        let part = decode(part).map_err(|why| format!("percent decode failed: {why}"))?;
        let mut is_open = false;
        for brace in part.chars().filter(|c| matches!(c, '{' | '}')) {
            if is_open == (brace == '{') {
                return wrong("nested curly braces");
            }
            is_open = !is_open;
        }
        if is_open {
            return wrong("no matching closing brace");
        }
    }
    Ok(())
}

fn semver(text: &str) -> Check {
    let is_identifier = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let odd = |part: &str, what: &str| match part.chars().find(|c| !is_identifier(*c)) {
        Some(odd) => Err(format!("invalid character {} in {what} identifier", rune(odd))),
        None => Ok(()),
    };
    let (text, build) = text
        .split_once('+')
        .map_or((text, None), |(text, build)| (text, Some(build)));
    if build == Some("") {
        return wrong("build is empty");
    }
    for part in build.into_iter().flat_map(|build| build.split('.')) {
        if part.is_empty() {
            return wrong("build identifier is empty");
        }
        odd(part, "build")?;
    }
    let (text, release) = text
        .split_once('-')
        .map_or((text, None), |(text, after)| (text, Some(after)));
    for part in release.into_iter().flat_map(|release| release.split('.')) {
        if part.is_empty() {
            return wrong("pre-release identifier is empty");
        }
        odd(part, "pre-release")?;
        if part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong("pre-release numeric identifier starts with zero");
        }
    }
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() != 3 {
        return wrong("versionCore must have 3 numbers separated by dot");
    }
    for (part, name) in parts.iter().zip(["major", "minor", "patch"]) {
        let why = match part {
            _ if part.is_empty() => "is empty",
            _ if part.len() > 1 && part.starts_with('0') => "starts with zero",
            _ if !part.bytes().all(|byte| byte.is_ascii_digit()) => "contains non-digit",
            _ => continue,
        };
        return Err(format!("{name} {why}"));
    }
    Ok(())
}
