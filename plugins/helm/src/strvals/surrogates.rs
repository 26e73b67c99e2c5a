//! Halves of characters: `\ud800` in JSON.

/// JSON in which each half of a surrogate pair that stands alone is U+FFFD, as Go reads it. Its length stays.
pub(super) fn mended(json: &str) -> String {
    let mut mended = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let second = escape.get(UNIT..).and_then(unit);
        let length = match (unit(escape), second) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * UNIT,
            (Some(0xD800..=0xDFFF), _) => {
                mended.push_str("\\ufffd");
                rest = escape.get(UNIT..).unwrap_or_default();
                continue;
            }
            // the backslash and what it escapes
            _ => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        mended.push_str(escape);
        rest = after;
    }
    mended.push_str(rest);
    mended
}

/// How long `\ud800` is.
const UNIT: usize = 6;

/// The number of a `\ud800` at the start of a text.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[test]
    fn only_halves_that_stand_alone_are_replaced() {
        assert_eq!(mended(r#"{"a":"\ud800"}"#), r#"{"a":"\ufffd"}"#);
        assert_eq!(mended(r"\ud83d\ude00 \ude00\ud83d"), r"\ud83d\ude00 \ufffd\ufffd");
        assert_eq!(mended(r"\\ud800 \é \u00e9 \ud8"), r"\\ud800 \é \u00e9 \ud8");
        assert_eq!(mended(r"\ud800\n\"), r"\ufffd\n\");
    }
}
