//! `unicode` and `unicode/utf8`: what a character is, and its one-to-one case mappings.

use unicode_properties::{
    GeneralCategory as Category, GeneralCategoryGroup as Group, UnicodeGeneralCategory,
};

/// The characters of a text; each byte that is no UTF-8 is one U+FFFD.
pub(crate) fn runes(text: &[u8]) -> impl Iterator<Item = char> + '_ {
    text.utf8_chunks().flat_map(|chunk| {
        let invalid = chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(invalid)
    })
}

pub(crate) fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    c.general_category_group() == Group::Letter
}

pub(crate) fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    c.general_category() == Category::DecimalNumber
}

pub(crate) fn is_number(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    c.general_category_group() == Group::Number
}

pub(crate) fn is_punctuation(c: char) -> bool {
    c.general_category_group() == Group::Punctuation
}

pub(crate) fn is_upper(c: char) -> bool {
    c.general_category() == Category::UppercaseLetter
}

pub(crate) fn is_title(c: char) -> bool {
    c.general_category() == Category::TitlecaseLetter
}

pub(crate) fn is_lower(c: char) -> bool {
    c.general_category() == Category::LowercaseLetter
}

pub(crate) fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\u{B}' | '\u{C}' | '\r' | ' ' | '\u{85}' | '\u{A0}'
    ) || !c.is_ascii() && c.is_whitespace()
}

/// Letters, marks, numbers, punctuation, symbols, and the ASCII blank.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    !matches!(c.general_category_group(), Group::Separator | Group::Other)
}

/// Upper case, one character for one: `ß` stays.
pub(crate) fn to_upper(c: char) -> char {
    let code = c as u32;
    match code {
        // whose full mapping has several characters, but whose simple one is the title case
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => char::from_u32(code + 8).unwrap_or(c),
        0x1FB3 | 0x1FC3 | 0x1FF3 => char::from_u32(code + 9).unwrap_or(c),
        _ => single(c.to_uppercase()).unwrap_or(c),
    }
}

/// Lower case, one character for one.
pub(crate) fn to_lower(c: char) -> char {
    if c == 'İ' {
        return 'i';
    }
    single(c.to_lowercase()).unwrap_or(c)
}

/// Title case: upper case but for digraphs and Georgian.
pub(crate) fn to_title(c: char) -> char {
    match c as u32 {
        0x01C4..=0x01C6 => 'ǅ',
        0x01C7..=0x01C9 => 'ǈ',
        0x01CA..=0x01CC => 'ǋ',
        0x01F1..=0x01F3 => 'ǲ',
        0x10D0..=0x10FA | 0x10FD..=0x10FF => c,
        _ => to_upper(c),
    }
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next()?;
    mapped.next().is_none().then_some(first)
}
