//! Standard base64 with padding, as Go decodes `!!binary`: line breaks are skipped, anything else is refused.

/// The decoded bytes as text; bytes that are not UTF-8 become U+FFFD one by one, as Go's JSON encoder writes them.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut sextets = Vec::with_capacity(text.len());
    let mut padding = 0_usize;
    for byte in text.bytes().filter(|b| !matches!(b, b'\n' | b'\r')) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        sextets.push(u32::from(value));
    }
    if !(sextets.len() + padding).is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(sextets.len() * 3 / 4);
    for group in sextets.chunks(4) {
        let word = group.iter().fold(0_u32, |word, value| word << 6 | value) << (6 * (4 - group.len()));
        bytes.extend(word.to_be_bytes().iter().skip(1).take(group.len() - 1));
    }
    Some(lossy(&bytes))
}

/// Go replaces each byte that does not belong to a character; Rust replaces them in groups.
fn lossy(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}
