//! Glob patterns in `${v#p}`, `${v##p}`, `${v%p}` and `${v%%p}`: `*`, `?`, `[a-z]`, `[^a-z]`, `\x`.
//! `*` matches `/` too.

/// Whether the longest or the shortest match is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Longest(pub bool);

/// `value` without the part at its start that matches; `value` where nothing matches or the pattern is broken.
pub fn without_prefix(value: &str, pattern: &str, longest: Longest) -> String {
    let value: Vec<char> = value.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    rest_after_prefix(&value, &pattern, longest).iter().collect()
}

/// `value` without the part at its end that matches. Value and pattern are reversed for it, as the original does, so a
/// class in brackets matches here only where its reverse is one.
pub fn without_suffix(value: &str, pattern: &str, longest: Longest) -> String {
    let value: Vec<char> = value.chars().rev().collect();
    let pattern: Vec<char> = pattern.chars().rev().collect();
    rest_after_prefix(&value, &pattern, longest)
        .iter()
        .rev()
        .collect()
}

fn rest_after_prefix<'a>(value: &'a [char], pattern: &[char], Longest(longest): Longest) -> &'a [char] {
    let mut rest = value;
    // from the longest prefix to that of one character; the empty one never counts
    for length in (1..=value.len()).rev() {
        let (prefix, after) = value.split_at(length);
        match matches(pattern, prefix) {
            Err(BadPattern) => return value,
            Ok(false) => {}
            Ok(true) if longest => return after,
            Ok(true) => rest = after,
        }
    }
    rest
}

/// A bracket that is not closed, a range without an end, a lonely backslash.
struct BadPattern;

/// Whether `pattern` matches all of `text`. Goes back to the last `*` only, so it takes pattern × text steps at most.
fn matches(mut pattern: &[char], mut text: &[char]) -> Result<bool, BadPattern> {
    let mut last_star = None;
    loop {
        if let Some((&'*', after)) = pattern.split_first() {
            last_star = Some((after, text));
            pattern = after;
            continue;
        }
        if let Some((&first, text_after)) = text.split_first() {
            if !pattern.is_empty() {
                let (is_match, pattern_after) = match_one(pattern, first)?;
                if is_match {
                    (pattern, text) = (pattern_after, text_after);
                    continue;
                }
            }
        } else if pattern.is_empty() {
            return Ok(true);
        }
        // what the star takes grows by one character
        match last_star {
            Some((after_star, [_, star_text @ ..])) => {
                last_star = Some((after_star, star_text));
                (pattern, text) = (after_star, star_text);
            }
            _ => return Ok(false),
        }
    }
}

/// Matches one character with the first element of the pattern, and gives the rest of the pattern.
fn match_one(pattern: &[char], character: char) -> Result<(bool, &[char]), BadPattern> {
    match pattern {
        ['?', after @ ..] => Ok((true, after)),
        ['\\', escaped, after @ ..] => Ok((*escaped == character, after)),
        ['\\'] => Err(BadPattern),
        ['[', '^', after @ ..] => match_class(after, character).map(|(is_in, after)| (!is_in, after)),
        ['[', after @ ..] => match_class(after, character),
        [literal, after @ ..] => Ok((*literal == character, after)),
        [] => Ok((false, pattern)),
    }
}

/// What follows `[` or `[^`, up to `]`: characters and ranges, at least one.
fn match_class(mut class: &[char], character: char) -> Result<(bool, &[char]), BadPattern> {
    let mut is_in = false;
    let mut is_first = true;
    loop {
        if let (false, [']', after @ ..]) = (is_first, class) {
            return Ok((is_in, after));
        }
        is_first = false;
        let low;
        (low, class) = class_character(class)?;
        let mut high = low;
        if let ['-', after @ ..] = class {
            (high, class) = class_character(after)?;
        }
        is_in |= (low..=high).contains(&character);
    }
}

fn class_character(class: &[char]) -> Result<(char, &[char]), BadPattern> {
    match class {
        ['\\', escaped, after @ ..] => Ok((*escaped, after)),
        ['\\' | '-' | ']', ..] | [] => Err(BadPattern),
        [character, after @ ..] => Ok((*character, after)),
    }
}
