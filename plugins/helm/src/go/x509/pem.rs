//! `encoding/pem`.

use crate::go::base::{decode_base64, encode_base64};

/// A block: what it is, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) bytes: Vec<u8>,
}

/// Lines of 64 letters between two marks.
pub(crate) fn encode(label: &str, bytes: &[u8]) -> String {
    let letters = encode_base64(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in letters.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

/// The first block of a text that is one; what stands around it is left out, and headers in it are.
pub(crate) fn decode(text: &[u8]) -> Option<Block> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let label = line
            .trim_end()
            .strip_prefix("-----BEGIN ")
            .and_then(|rest| rest.strip_suffix("-----"));
        let Some(label) = label else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let mut letters = String::new();
        let mut rest = lines.clone();
        for line in rest.by_ref() {
            let line = line.trim();
            if line == end {
                let bytes = decode_base64(letters.as_bytes()).ok();
                if let Some(bytes) = bytes {
                    return Some(Block {
                        label: label.to_owned(),
                        bytes,
                    });
                }
                break;
            }
            if !line.contains(':') {
                letters.push_str(line);
            }
        }
    }
    None
}
