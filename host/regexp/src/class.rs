//! Character classes: brackets, POSIX names, Perl's letters, Unicode's properties.

use std::fmt::Write;

use crate::error::Error;
use crate::translate::{Parser, consumed, failure};

/// `\d`, `\s`, `\w` and what they are not: ASCII, as in RE2.
const PERL: [(&str, &str); 6] = [
    (r"\d", "[0-9]"),
    (r"\D", "[^0-9]"),
    (r"\s", r"[\t\n\f\r ]"),
    (r"\S", r"[^\t\n\f\r ]"),
    (r"\w", "[0-9A-Za-z_]"),
    (r"\W", "[^0-9A-Za-z_]"),
];

const POSIX: [(&str, &str); 14] = [
    ("alnum", "0-9A-Za-z"),
    ("alpha", "A-Za-z"),
    ("ascii", r"\x00-\x7F"),
    ("blank", r"\t "),
    ("cntrl", r"\x00-\x1F\x7F"),
    ("digit", "0-9"),
    ("graph", r"\x21-\x7E"),
    ("lower", "a-z"),
    ("print", r"\x20-\x7E"),
    ("punct", r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E"),
    ("space", r"\t\n\x0B\f\r "),
    ("upper", "A-Z"),
    ("word", "0-9A-Za-z_"),
    ("xdigit", "0-9A-Fa-f"),
];

/// The class of surrogates: no text has them.
pub(super) const NOTHING: &str = r"[^\x00-\x{10FFFF}]";

/// A class in brackets.
pub(super) fn class(parser: &mut Parser<'_>) -> Result<(), Error> {
    let whole = parser.rest;
    parser.rest = whole.get(1..).unwrap_or_default();
    parser.out.push('[');
    if let Some(rest) = parser.rest.strip_prefix('^') {
        parser.rest = rest;
        parser.out.push('^');
    }
    let start = parser.out.len();
    let mut is_first = true;
    while is_first || !parser.rest.starts_with(']') {
        is_first = false;
        if posix(parser)? || unicode_class(parser)? || perl_class(parser) {
            continue;
        }
        range(parser, whole)?;
    }
    parser.rest = parser.rest.get(1..).unwrap_or_default();
    if parser.out.len() == start {
        parser.out.push_str(NOTHING);
    }
    parser.out.push(']');
    Ok(())
}

/// One character, or two with a dash between them.
fn range(parser: &mut Parser<'_>, whole: &str) -> Result<(), Error> {
    let start = parser.rest;
    let low = character(parser, whole)?;
    let mut high = low;
    if let Some(rest) = parser.rest.strip_prefix('-')
        && !rest.is_empty()
        && !rest.starts_with(']')
    {
        parser.rest = rest;
        high = character(parser, whole)?;
        if high < low {
            return failure("invalid character class range", consumed(start, parser.rest));
        }
    }
    // no text has surrogates, and the crate knows none
    let is_surrogate = |code: u32| (0xD800..=0xDFFF).contains(&code);
    let low = if is_surrogate(low) { 0xE000 } else { low };
    let high = if is_surrogate(high) { 0xD7FF } else { high };
    if low <= high {
        write!(parser.out, r"\x{{{low:X}}}-\x{{{high:X}}}").unwrap_or_default();
    }
    Ok(())
}

fn character(parser: &mut Parser<'_>, whole: &str) -> Result<u32, Error> {
    match parser.rest.chars().next() {
        None => failure("missing closing ]", whole),
        Some('\\') => parser.escaped(),
        Some(c) => {
            parser.rest = parser.rest.get(c.len_utf8()..).unwrap_or_default();
            Ok(c as u32)
        }
    }
}

/// `[:alpha:]`, `[:^alpha:]`; whether there was one.
fn posix(parser: &mut Parser<'_>) -> Result<bool, Error> {
    let Some(end) = parser.rest.strip_prefix("[:").and_then(|inner| inner.find(":]")) else {
        return Ok(false);
    };
    let Some((written, rest)) = parser.rest.split_at_checked(end + 4) else {
        return Ok(false);
    };
    let name = written.get(2..end + 2).unwrap_or_default();
    let (negation, name) = match name.strip_prefix('^') {
        Some(name) => ("^", name),
        None => ("", name),
    };
    let Some((_, ranges)) = POSIX.iter().find(|(known, _)| *known == name) else {
        return failure("invalid character class range", written);
    };
    write!(parser.out, "[{negation}{ranges}]").unwrap_or_default();
    parser.rest = rest;
    Ok(true)
}

/// `\d` and its like; whether there was one.
pub(super) fn perl_class(parser: &mut Parser<'_>) -> bool {
    for (written, class) in PERL {
        if let Some(rest) = parser.rest.strip_prefix(written) {
            parser.rest = rest;
            parser.out.push_str(class);
            return true;
        }
    }
    false
}

/// `\pL`, `\p{Greek}`, `\P{^Greek}`; whether there was one.
pub(super) fn unicode_class(parser: &mut Parser<'_>) -> Result<bool, Error> {
    let start = parser.rest;
    let (rest, mut is_negated) = match (start.strip_prefix(r"\p"), start.strip_prefix(r"\P")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => return Ok(false),
    };
    let Some(first) = rest.chars().next() else {
        return failure("invalid character class range", start);
    };
    let (name, rest) = if first == '{' {
        let Some(end) = rest.find('}') else {
            return failure("invalid character class range", start);
        };
        (
            rest.get(1..end).unwrap_or_default(),
            rest.get(end + 1..).unwrap_or_default(),
        )
    } else {
        rest.split_at(first.len_utf8())
    };
    let written = consumed(start, rest);
    let name = match name.strip_prefix('^') {
        Some(name) => {
            is_negated = !is_negated;
            name
        }
        None => name,
    };
    let name = canonical(name);
    let letter = if is_negated { 'P' } else { 'p' };
    let class = match name.as_str() {
        "cs" | "surrogate" if is_negated => r"[\x00-\x{10FFFF}]".to_owned(),
        "cs" | "surrogate" => NOTHING.to_owned(),
        name => format!(r"\{letter}{{{name}}}"),
    };
    if !is_known(&name) || regex::Regex::new(&class).is_err() {
        return failure("invalid character class range", written);
    }
    parser.out.push_str(&class);
    parser.rest = rest;
    Ok(true)
}

/// The name of a property without what makes no difference in it.
fn canonical(name: &str) -> String {
    let mut canonical = name.replace(['_', '-', ' '], "");
    canonical.make_ascii_lowercase();
    canonical
}

/// Whether the original may know a property. The `regex` crate knows more: `is` in front of all names, the scripts by their codes
/// of four letters, and those of [`OUT_OF_REACH`].
fn is_known(name: &str) -> bool {
    const OF_FOUR: [&str; 10] = [
        "ahom", "cham", "kawi", "lisu", "mark", "miao", "modi", "newa", "thai", "toto",
    ];
    let is_code = name.len() == 4 && !OF_FOUR.contains(&name);
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase())
        && !name.starts_with("is")
        && !is_code
        && OUT_OF_REACH.binary_search(&name).is_err()
}

/// Scripts that the original does not find by any name: those of several words, which it looks up as one, and those that are newer
/// than its tables.
const OUT_OF_REACH: [&str; 59] = [
    "anatolianhieroglyphs",
    "bassavah",
    "beriaerfe",
    "canadianaboriginal",
    "caucasianalbanian",
    "cyprominoan",
    "divesakuru",
    "egyptianhieroglyphs",
    "garay",
    "gunjalagondi",
    "gurungkhema",
    "hanifirohingya",
    "imperialaramaic",
    "inscriptionalpahlavi",
    "inscriptionalparthian",
    "katakanaorhiragana",
    "kayahli",
    "khitansmallscript",
    "kiratrai",
    "lineara",
    "linearb",
    "masaramgondi",
    "meeteimayek",
    "mendekikakui",
    "meroiticcursive",
    "meroitichieroglyphs",
    "nagmundari",
    "newtailue",
    "nyiakengpuachuehmong",
    "olchiki",
    "oldhungarian",
    "olditalic",
    "oldnortharabian",
    "oldpermic",
    "oldpersian",
    "oldsogdian",
    "oldsoutharabian",
    "oldturkic",
    "olduyghur",
    "olonal",
    "pahawhhmong",
    "paucinhau",
    "phagspa",
    "psalterpahlavi",
    "sidetic",
    "signwriting",
    "sorasompeng",
    "sunuwar",
    "sylotinagri",
    "taile",
    "taitham",
    "taiviet",
    "taiyo",
    "todhri",
    "tolongsiki",
    "tulutigalari",
    "unknown",
    "warangciti",
    "zanabazarsquare",
];
