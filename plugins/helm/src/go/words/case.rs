//! `camelcase`, `snakecase` and `kebabcase`: xstrings' idea of where a word ends.

use crate::go::unicode::{
    is_letter, is_number, is_punctuation, is_space, is_upper, runes, to_lower, to_upper,
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
    /// The end of the text.
    End,
    Number,
    Upper,
    Alphabet,
    Connector,
    Punctuation,
    Other,
}

/// `ToSnakeCase` and `ToKebabCase`: words in lower case with the connector between them.
pub(crate) fn to_delimited_case(text: &[u8], connector: char) -> String {
    let text: String = runes(text).collect();
    let mut out = String::with_capacity(text.len() + 8);
    if text.is_empty() {
        return out;
    }
    let (mut kind, mut word, mut rest) = next_word(&text);
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
                    out.push(connector);
                }
            }
            Word::Connector => write_lower(&mut out, previous, last, connector),
            Word::Punctuation => {}
            _ if kind != Word::Number => {
                if !matches!(kind, Word::Connector | Word::Punctuation) {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind != Word::Alphabet {
                    write_lower(&mut out, Word::Number, number, connector);
                    if !matches!(kind, Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                    continue;
                }
                out.push(connector);
                write_lower(&mut out, Word::Number, number, connector);
                while matches!(kind, Word::Alphabet | Word::Number) {
                    write_lower(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if !matches!(kind, Word::End | Word::Connector | Word::Punctuation) {
                    out.push(connector);
                }
            }
        }
    }
    write_lower(&mut out, kind, word, connector);
    out
}

/// Letters, but for Chinese characters.
fn is_alphabet(c: char) -> bool {
    is_letter(c)
        && !matches!(c, '\u{3400}'..='\u{4D85}' | '\u{4E00}'..='\u{9FCC}' | '\u{20000}'..='\u{2B81D}')
}

/// The first word of a text, its kind and what follows.
fn next_word(text: &str) -> (Word, &str, &str) {
    let Some(first) = text.chars().next() else {
        return (Word::End, "", "");
    };
    let run = |admits: &dyn Fn(char) -> bool| text.find(|c| !admits(c)).unwrap_or(text.len());
    let (kind, length) = match first {
        c if is_connector(c) => (Word::Connector, run(&is_connector)),
        c if is_punctuation(c) => (Word::Punctuation, run(&is_punctuation)),
        c if is_upper(c) => (Word::Upper, upper_word(text)),
        c if is_alphabet(c) => (Word::Alphabet, run(&|c| is_alphabet(c) && !is_upper(c))),
        c if is_number(c) => (Word::Number, run(&is_number)),
        _ => {
            let is_other = |c| !(is_connector(c) || is_alphabet(c) || is_number(c) || is_punctuation(c));
            (Word::Other, run(&is_other))
        }
    };
    let (word, rest) = text.split_at(length);
    (kind, word, rest)
}

/// The length of a word that begins in upper case: `Word`, or `HTTP` of `HTTPServer`.
fn upper_word(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    let Some((second_at, second)) = chars.next() else {
        return text.len();
    };
    if is_upper(second) {
        let mut last_upper = second_at;
        for (at, c) in chars {
            if !is_upper(c) {
                return if is_alphabet(c) { last_upper } else { at };
            }
            last_upper = at;
        }
        return text.len();
    }
    if !is_alphabet(second) {
        return second_at;
    }
    let end = chars.find(|(_, c)| !is_alphabet(*c) || is_upper(*c));
    end.map_or(text.len(), |(at, _)| at)
}

fn write_lower(out: &mut String, kind: Word, word: &str, connector: char) {
    if !matches!(kind, Word::Upper | Word::Connector) {
        out.push_str(word);
        return;
    }
    out.extend(word.chars().map(|c| match c {
        c if is_connector(c) => connector,
        c if is_upper(c) => to_lower(c),
        c => c,
    }));
}
