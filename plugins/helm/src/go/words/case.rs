//! `camelcase`, `snakecase` and `kebabcase`: xstrings' idea of where a word ends.

use crate::{
    Str,
    go::{
        quote,
        unicode::{is_letter, is_number, is_punctuation, is_space, is_upper, runes, to_lower, to_upper},
    },
};

fn is_connector(c: char) -> bool {
    matches!(c, '-' | '_') || is_space(c)
}

/// `ToPascalCase`: connectors go, and what follows them is in upper case.
pub(crate) fn to_pascal_case(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = runes(text);
    let mut current = None;
    let mut is_upper_run = false;
    for c in rest.by_ref() {
        current = Some(c);
        if !is_connector(c) {
            is_upper_run = is_upper(c);
            current = Some(to_upper(c));
            break;
        }
        out.push(c);
    }
    let Some(mut current) = current else {
        return out;
    };
    for c in rest {
        let previous = std::mem::replace(&mut current, c);
        if is_connector(c) && is_connector(previous) {
            out.push(previous);
        } else if is_connector(previous) {
            is_upper_run = is_upper(c);
            current = to_upper(c);
        } else {
            if is_upper_run {
                if is_upper(c) {
                    current = to_lower(c);
                } else {
                    is_upper_run = false;
                }
            }
            out.push(previous);
        }
    }
    out.push(current);
    out
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// The end of the text, or nothing but what is no UTF-8.
    End,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// `ToSnakeCase` and `ToKebabCase`: words in lower case with the connector between them.
pub(crate) fn to_delimited_case(text: &[u8], connector: char) -> Str {
    let mut out = Vec::with_capacity(text.len() + 8);
    let (mut kind, mut word, mut rest) = next_word(text);
    while !rest.is_empty() {
        if kind != Word::Connector {
            write_lower(&mut out, kind, word, connector);
        }
        let (previous, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match previous {
            Word::Number => {
                while matches!(kind, Word::Alphabet | Word::Number) {
                    write_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::End | Word::Punctuation | Word::Connector) {
                    push(&mut out, connector);
                }
            }
            Word::Connector => write_lower(&mut out, previous, last, connector),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punctuation) {
                    push(&mut out, connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind != Word::Alphabet {
                    write_lower(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        push(&mut out, connector);
                    }
                    continue;
                }
                push(&mut out, connector);
                write_lower(&mut out, Word::Number, number, connector);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    write_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::End | Word::Connector | Word::Punctuation) {
                    push(&mut out, connector);
                }
            }
        }
    }
    write_lower(&mut out, kind, word, connector);
    out.into()
}

fn push(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Letters, but for Chinese characters.
fn is_alphabet(c: char) -> bool {
    is_letter(c)
        && !matches!(c, '\u{3400}'..='\u{4D85}' | '\u{4E00}'..='\u{9FCC}' | '\u{20000}'..='\u{2B81D}')
}

/// The next character that is not U+FFFD, and the length with all U+FFFD and bad bytes before it; the previous character again where
/// nothing else comes.
fn next_valid(text: &[u8], previous: char) -> (char, usize) {
    let mut size = 0;
    for (c, bytes) in quote::runes(text) {
        size += bytes.len();
        if c != char::REPLACEMENT_CHARACTER {
            return (c, size);
        }
    }
    (previous, size)
}

/// Goes on from a place as long as characters are admitted: where that ends, how long the last character was, and the one that ended it.
fn run(text: &[u8], mut at: usize, mut c: char, admits: impl Fn(char) -> bool) -> (usize, usize, char) {
    let mut last = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let size;
        (c, size) = next_valid(rest, c);
        if !admits(c) {
            break;
        }
        at += size;
        last = size;
    }
    (at, last, c)
}

/// The first word of a text, its kind and what follows.
fn next_word(text: &[u8]) -> (Word, &[u8], &[u8]) {
    let (first, size) = next_valid(text, char::REPLACEMENT_CHARACTER);
    let (kind, length) = match first {
        char::REPLACEMENT_CHARACTER => (Word::End, size),
        c if is_connector(c) => (Word::Connector, run(text, size, c, is_connector).0),
        c if is_punctuation(c) => (Word::Punctuation, run(text, size, c, is_punctuation).0),
        c if is_upper(c) => (Word::Upper, upper_word(text, c, size)),
        c if is_alphabet(c) => (Word::Alphabet, run(text, size, c, is_small).0),
        c if is_number(c) => (Word::Number, run(text, size, c, is_number).0),
        c => {
            let is_other =
                |c: char| !(is_connector(c) || is_alphabet(c) || is_number(c) || is_punctuation(c));
            (Word::Other, run(text, size, c, is_other).0)
        }
    };
    let (word, rest) = text.split_at_checked(length).unwrap_or((text, b""));
    (kind, word, rest)
}

fn is_small(c: char) -> bool {
    is_alphabet(c) && !is_upper(c)
}

/// The length of a word that begins in upper case: `Word`, or `HTTP` of `HTTPServer`.
fn upper_word(text: &[u8], first: char, size: usize) -> usize {
    let rest = text.get(size..).unwrap_or_default();
    if rest.is_empty() {
        return size;
    }
    let (second, second_size) = next_valid(rest, first);
    let after = size + second_size;
    if is_upper(second) {
        let (end, last, c) = run(text, after, second, is_upper);
        let last = if last == 0 { second_size } else { last };
        return if end < text.len() && is_alphabet(c) {
            end - last
        } else {
            end
        };
    }
    if is_alphabet(second) {
        run(text, after, second, is_small).0
    } else {
        size
    }
}

fn write_lower(out: &mut Vec<u8>, kind: Word, word: &[u8], connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.extend_from_slice(word);
        return;
    }
    for c in runes(word) {
        let lower = match c {
            c if is_connector(c) => connector,
            c if is_upper(c) => to_lower(c),
            c => c,
        };
        push(out, lower);
    }
}
