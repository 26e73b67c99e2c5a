//! The operators: what an expression becomes.

use crate::expression::{Expression, Part, SyntaxError, parse};
use crate::glob;
use std::collections::BTreeMap;

/// The variables, by name.
pub type Variables = BTreeMap<String, String>;

/// What an undefined variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undefined {
    /// An error: strict mode, Flux's default.
    Fails,
    /// The empty string.
    IsEmpty,
}

/// Why a template could not be expanded. The texts are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A variable without a value and without a default.
    #[error("variable not set (strict mode): {0:?}")]
    NotSet(String),
    /// A substring that cuts a character in two: offsets count bytes.
    #[error("the value of {0:?} is cut inside a character")]
    CutCharacter(String),
    /// The result is larger than [`OUTPUT_BYTES_MAX`].
    #[error("the result has more than {OUTPUT_BYTES_MAX} bytes")]
    TooLarge,
}

/// The largest result of one template, in bytes: three times what an API server stores. Nested expressions multiply.
pub const OUTPUT_BYTES_MAX: usize = 4 << 20;

/// Replaces every expression in `template`.
pub fn expand(template: &str, variables: &Variables, undefined: Undefined) -> Result<String, Error> {
    let mut output = String::with_capacity(template.len());
    for part in &parse(template)? {
        expand_part(part, variables, undefined, &mut output)?;
    }
    Ok(output)
}

fn expand_part(
    part: &Part,
    variables: &Variables,
    undefined: Undefined,
    output: &mut String,
) -> Result<(), Error> {
    match part {
        Part::Text(text) => output.push_str(text),
        Part::Expression(expression) => output.push_str(&value_of(expression, variables, undefined)?),
    }
    if output.len() > OUTPUT_BYTES_MAX {
        Err(Error::TooLarge)
    } else {
        Ok(())
    }
}

/// Arguments come first, needed or not, so an undefined variable in an unused default fails too.
fn value_of(expression: &Expression, variables: &Variables, undefined: Undefined) -> Result<String, Error> {
    let mut arguments = Vec::with_capacity(expression.arguments.len());
    for argument in &expression.arguments {
        let mut text = String::new();
        expand_part(argument, variables, undefined, &mut text)?;
        arguments.push(text);
    }
    let value = match variables.get(&expression.name) {
        Some(value) => value,
        None if undefined == Undefined::IsEmpty || has_default(&expression.operator) => "",
        None => return Err(Error::NotSet(expression.name.clone())),
    };
    apply(expression, value, &arguments)
}

fn has_default(operator: &str) -> bool {
    matches!(operator, "=" | ":=" | ":-" | ":+" | ":?")
}

fn apply(expression: &Expression, value: &str, arguments: &[String]) -> Result<String, Error> {
    let first = arguments.first().map(String::as_str);
    let second = arguments.get(1).map(String::as_str);
    Ok(match (expression.operator.as_str(), first) {
        (",", _) => map_first(value, lower),
        (",,", _) => value.chars().map(lower).collect(),
        ("^", _) => map_first(value, upper),
        ("^^", _) => value.chars().map(upper).collect(),
        ("#", None) => value.len().to_string(),
        ("#", Some(pattern)) => glob::without_prefix(value, pattern, glob::Longest(false)),
        ("##", Some(pattern)) => glob::without_prefix(value, pattern, glob::Longest(true)),
        ("%", Some(pattern)) => glob::without_suffix(value, pattern, glob::Longest(false)),
        ("%%", Some(pattern)) => glob::without_suffix(value, pattern, glob::Longest(true)),
        (":", Some(offset)) => substring(&expression.name, value, offset, second)?,
        ("/", Some(from)) => value.replacen(from, second.unwrap_or_default(), 1),
        ("//", Some(from)) => value.replace(from, second.unwrap_or_default()),
        // without a replacement these two leave the value as it is
        ("/#", Some(prefix)) => match (value.strip_prefix(prefix), second) {
            (Some(rest), Some(to)) => format!("{to}{rest}"),
            _ => value.to_owned(),
        },
        ("/%", Some(suffix)) => match (value.strip_suffix(suffix), second) {
            (Some(rest), Some(to)) => format!("{rest}{to}"),
            _ => value.to_owned(),
        },
        // every default operator gives the value unless it is empty; `:+` and `:?` too
        _ if value.is_empty() => arguments.concat(),
        _ => value.to_owned(),
    })
}

/// Offsets and lengths count bytes, negative ones from the end. What is no number leaves the value as it is.
fn substring(name: &str, value: &str, offset: &str, length: Option<&str>) -> Result<String, Error> {
    let Some(offset) = integer(offset) else {
        return Ok(value.to_owned());
    };
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let start = if offset < 0 {
        (size + offset).max(0)
    } else {
        offset
    };
    let end = match length.map(integer) {
        None => size,
        Some(None) => return Ok(value.to_owned()),
        Some(Some(length)) if length < 0 => size.saturating_add(length),
        Some(Some(length)) => start.saturating_add(length).min(size),
    };
    if start >= size || end < start {
        return Ok(String::new());
    }
    let range = usize::try_from(start).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
    value
        .get(range)
        .map(str::to_owned)
        .ok_or_else(|| Error::CutCharacter(name.to_owned()))
}

/// As Go reads a decimal integer: a sign and digits, nothing else.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn map_first(value: &str, map: fn(char) -> char) -> String {
    let mut characters = value.chars();
    characters.next().map(map).into_iter().chain(characters).collect()
}

/// As Go does, one character becomes one character: `ß` stays.
fn upper(character: char) -> char {
    single(character, character.to_uppercase())
}

fn lower(character: char) -> char {
    single(character, character.to_lowercase())
}

fn single(character: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 {
        mapped.next().unwrap_or(character)
    } else {
        character
    }
}

#[cfg(test)]
mod tests;
