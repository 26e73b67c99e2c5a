//! `format`, for the drafts in which it is a rule.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::go::regexp::Regexp;

/// What is wrong with a text of a format; none where nothing is, or where nobody knows the format.
pub(super) fn check(name: &str, text: &str) -> Option<String> {
    let wrong = |is_fine: bool, why: &str| (!is_fine).then(|| why.to_owned());
    match name {
        "ipv4" => ipv4(text),
        "ipv6" => match text {
            _ if !text.contains(':') => Some("missing colon".to_owned()),
            _ if text.contains('%') => Some("zone id is not a part of ipv6 address".to_owned()),
            _ => text.parse::<Ipv6Addr>().err().map(|error| error.to_string()),
        },
        "hostname" => hostname(text),
        "email" => email(text),
        "date" => date(text),
        "time" => time(text),
        "date-time" => date_time(text),
        "uri" | "iri" => {
            let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
            let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            wrong(is_scheme, "relative url")
        }
        "uri-reference" | "iri-reference" => wrong(!text.contains('\\'), "contains \\"),
        "regex" => Regexp::compile(text).err(),
        "json-pointer" => wrong(text.is_empty() || text.starts_with('/'), "not starting with /"),
        "uuid" => uuid(text),
        _ => None,
    }
}

fn ipv4(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() != 4 {
        return Some("expected four decimals".to_owned());
    }
    if parts.iter().any(|part| part.len() > 1 && part.starts_with('0')) {
        return Some("leading zeros".to_owned());
    }
    text.parse::<Ipv4Addr>()
        .err()
        .map(|_| "decimal must be between 0 and 255".to_owned())
}

fn hostname(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.len() > 253 {
        return Some("more than 253 characters long".to_owned());
    }
    text.split('.').find_map(|label| {
        let odd = |c: &char| !c.is_ascii_alphanumeric() && *c != '-';
        match label {
            _ if label.is_empty() || label.len() > 63 => {
                Some("label must be 1 to 63 characters long".to_owned())
            }
            _ if label.starts_with('-') => Some("label starts with hyphen".to_owned()),
            _ if label.ends_with('-') => Some("label ends with hyphen".to_owned()),
            _ => label
                .chars()
                .find(odd)
                .map(|c| format!("invalid character {c:?}")),
        }
    })
}

fn email(text: &str) -> Option<String> {
    if text.len() > 255 {
        return Some("more than 255 characters long".to_owned());
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return Some("missing @".to_owned());
    };
    if local.len() > 64 {
        return Some("local part more than 64 characters long".to_owned());
    }
    if !local.starts_with('"') {
        let odd = |c: &char| !c.is_ascii_alphanumeric() && !".!#$%&'*+-/=?^_`{|}~".contains(*c);
        let why = match local {
            _ if local.starts_with('.') => Some("starts with dot".to_owned()),
            _ if local.ends_with('.') => Some("ends with dot".to_owned()),
            _ if local.contains("..") => Some("consecutive dots".to_owned()),
            _ => local
                .chars()
                .find(odd)
                .map(|c| format!("invalid character {c:?}")),
        };
        if why.is_some() {
            return why;
        }
    }
    hostname(domain).map(|why| format!("invalid domain: {why}"))
}

fn number(text: &str, range: std::ops::Range<usize>) -> Option<u32> {
    let digits = text.get(range)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

fn date(text: &str) -> Option<String> {
    let parsed = || {
        let (year, month, day) = (number(text, 0..4)?, number(text, 5..7)?, number(text, 8..10)?);
        let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            2 => 28 + u32::from(is_leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        let has_dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        (text.len() == 10 && has_dashes && (1..=days).contains(&day)).then_some(())
    };
    match parsed() {
        Some(()) => None,
        None => Some(format!(
            "parsing time {text:?} as \"2006-01-02\": cannot parse {text:?} as \"2006\""
        )),
    }
}

fn time(text: &str) -> Option<String> {
    if text.len() < 9 {
        return Some("less than 9 characters long".to_owned());
    }
    if text.get(2..3) != Some(":") || text.get(5..6) != Some(":") {
        return Some("missing colon in correct place".to_owned());
    }
    let (Some(hour), Some(minute), Some(second)) =
        (number(text, 0..2), number(text, 3..5), number(text, 6..8))
    else {
        return Some("invalid hour/min/sec".to_owned());
    };
    if hour > 23 || minute > 59 || second > 60 {
        return Some("hour/min/sec out of range".to_owned());
    }
    let mut rest = text.get(8..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        if digits.len() == fraction.len() {
            return Some("no digits in second fraction".to_owned());
        }
        rest = digits;
    }
    if rest.eq_ignore_ascii_case("z") {
        return None;
    }
    if rest.len() != 6 {
        return Some("offset must be 6 characters long".to_owned());
    }
    if !rest.starts_with(['+', '-']) {
        return Some("offset must begin with plus/minus".to_owned());
    }
    if rest.get(3..4) != Some(":") {
        return Some("missing colon in offset in correct place".to_owned());
    }
    match (number(rest, 1..3), number(rest, 4..6)) {
        (Some(0..=23), Some(0..=59)) => None,
        (Some(_), Some(_)) => Some("hour/min in offset out of range".to_owned()),
        _ => Some("invalid hour/min in offset".to_owned()),
    }
}

fn date_time(text: &str) -> Option<String> {
    if text.len() < 20 {
        return Some("less than 20 characters long".to_owned());
    }
    if !matches!(text.get(10..11), Some("t" | "T")) {
        return Some("11th character must be t or T".to_owned());
    }
    if let Some(why) = date(text.get(..10).unwrap_or_default()) {
        return Some(format!("invalid date element: {why}"));
    }
    time(text.get(11..).unwrap_or_default()).map(|why| format!("invalid time element: {why}"))
}

fn uuid(text: &str) -> Option<String> {
    let groups = [8, 4, 4, 4, 12];
    let parts: Vec<&str> = text.split('-').collect();
    if parts.len() != groups.len() {
        return Some("must have 5 elements".to_owned());
    }
    parts
        .iter()
        .zip(groups)
        .enumerate()
        .find_map(|(index, (part, length))| {
            if part.len() != length {
                return Some(format!("element {} must be {length} characters long", index + 1));
            }
            let odd = part.chars().find(|c| !c.is_ascii_hexdigit())?;
            Some(format!("non-hex character {odd:?}"))
        })
}
