//! `.helmignore`.

use crate::Error;

/// The rules of a `.helmignore`, and one that always applies.
#[derive(Clone, Debug, Default)]
pub struct Rules(Vec<Rule>);

#[derive(Clone, Debug)]
struct Rule {
    /// None for what is no pattern without the slash at its end: nothing matches it.
    pattern: Option<Vec<char>>,
    /// Ignores what does *not* match.
    is_negated: bool,
    only_directories: bool,
    /// Without a slash the pattern is for the last part of a path alone.
    whole_path: bool,
}

impl Rules {
    /// Reads a `.helmignore`; an empty text for none.
    ///
    /// # Errors
    /// `**`, and patterns that are none.
    pub fn read(text: &str) -> Result<Self, Error> {
        let mut rules = Self::default();
        for line in text.trim_start_matches('\u{feff}').lines() {
            rules.add(line)?;
        }
        // hidden files of templates/ are never templates
        rules.add("templates/.?*")?;
        Ok(rules)
    }

    fn add(&mut self, line: &str) -> Result<(), Error> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains("**") {
            return Err(Error::new("double-star (**) syntax is not supported"));
        }
        try_out(line)?;
        let (is_negated, rule) = match line.strip_prefix('!') {
            Some(rule) => (true, rule),
            None => (false, line),
        };
        let (only_directories, rule) = match rule.strip_suffix('/') {
            Some(rule) => (true, rule),
            None => (false, rule),
        };
        let (whole_path, pattern) = match rule.strip_prefix('/') {
            Some(pattern) => (true, pattern),
            None => (rule.contains('/'), rule),
        };
        self.0.push(Rule {
            pattern: read(pattern).ok(),
            is_negated,
            only_directories,
            whole_path,
        });
        Ok(())
    }

    /// Whether a file or directory of the chart is ignored. The first rule that decides, decides.
    pub fn ignores(&self, path: &str, is_directory: bool) -> bool {
        let path: Vec<char> = path.chars().collect();
        let start = path.iter().rposition(|c| *c == '/').map_or(0, |slash| slash + 1);
        let name = path.get(start..).unwrap_or_default();
        self.0.iter().any(|rule| {
            let name = if rule.whole_path { path.as_slice() } else { name };
            let fits_kind = !rule.only_directories || is_directory;
            let is_match = || rule.pattern.as_ref().is_some_and(|pattern| fits(pattern, name));
            if rule.is_negated {
                !fits_kind || !is_match()
            } else {
                fits_kind && is_match()
            }
        })
    }
}

/// Go's `filepath.Match`: `*` and `?` within one part, `[a-z]`, `[^a]`, `\` before a literal.
///
/// # Errors
/// A class that does not end, a `\` before nothing.
pub fn matches(pattern: &str, name: &str) -> Result<bool, Error> {
    let name: Vec<char> = name.chars().collect();
    Ok(fits(&read(pattern)?, &name))
}

/// The characters of a pattern. A wrong one is wrong whatever it is for.
fn read(pattern: &str) -> Result<Vec<char>, Error> {
    let pattern: Vec<char> = pattern.chars().collect();
    check(&pattern)?;
    Ok(pattern)
}

fn check(pattern: &[char]) -> Result<(), Error> {
    let mut at = 0;
    while at < pattern.len() {
        at = element(pattern, at, None)?.1;
    }
    Ok(())
}

/// The name that every rule is tried on when it is read.
const TRIED_ON: &[char] = &['a', 'b', 'c'];

/// Refuses a rule whose mistake the original comes across. It tries the rule on a name, chunk by chunk between the stars, and
/// stops at the first that does not fit: a mistake behind it is none, and the rule fits nothing.
fn try_out(rule: &str) -> Result<(), Error> {
    let rule: Vec<char> = rule.chars().collect();
    let (mut rest, mut name) = (rule.as_slice(), TRIED_ON);
    while !rest.is_empty() {
        let stars = rest.iter().take_while(|c| **c == '*').count();
        let begun = rest.get(stars..).unwrap_or_default();
        let end = chunk_end(begun);
        let chunk = begun.get(..end).unwrap_or_default();
        let after = begun.get(end..).unwrap_or_default();
        if chunk.is_empty() {
            return Ok(());
        }
        check(chunk)?;
        let last = if stars > 0 { name.len() } else { 0 };
        let behind = move |start: usize| {
            let left = behind_chunk(chunk, name.get(start..)?)?;
            (left.is_empty() || !after.is_empty()).then_some(left)
        };
        let Some(left) = (0..=last).find_map(behind) else {
            return Ok(());
        };
        (rest, name) = (after, left);
    }
    Ok(())
}

/// Where a pattern's next star is that is no member of a class.
fn chunk_end(pattern: &[char]) -> usize {
    let (mut at, mut is_class) = (0, false);
    while let Some(c) = pattern.get(at) {
        match c {
            '\\' if at + 1 < pattern.len() => at += 1,
            '[' => is_class = true,
            ']' => is_class = false,
            '*' if !is_class => return at,
            _ => {}
        }
        at += 1;
    }
    pattern.len()
}

/// What is left of a name that begins as the chunk wants it.
fn behind_chunk<'n>(chunk: &[char], name: &'n [char]) -> Option<&'n [char]> {
    let (mut at, mut name) = (0, name.iter());
    while at < chunk.len() {
        let (fits, next) = element(chunk, at, Some(*name.next()?)).ok()?;
        if !fits {
            return None;
        }
        at = next;
    }
    Some(name.as_slice())
}

/// Whether a pattern that was read fits a name.
fn fits(pattern: &[char], name: &[char]) -> bool {
    // as far as the last star the choice was right: only what follows it must be tried again
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&'*') {
            retry = Some((p + 1, n));
            p += 1;
            continue;
        }
        if p == pattern.len() && n == name.len() {
            return true;
        }
        let step = match name.get(n) {
            Some(c) if p < pattern.len() => element(pattern, p, Some(*c)).ok().filter(|(fits, _)| *fits),
            _ => None,
        };
        if let Some((_, next)) = step {
            p = next;
            n += 1;
            continue;
        }
        match retry {
            Some((after, from)) if name.get(from).is_some_and(|c| *c != '/') => {
                retry = Some((after, from + 1));
                p = after;
                n = from + 1;
            }
            _ => return false,
        }
    }
}

/// Whether a character fits the element of the pattern at `at`, and where the next one begins.
fn element(pattern: &[char], at: usize, c: Option<char>) -> Result<(bool, usize), Error> {
    let bad = || Error::new("syntax error in pattern");
    match pattern.get(at) {
        Some('*') => Ok((false, at + 1)),
        Some('?') => Ok((c.is_some_and(|c| c != '/'), at + 1)),
        Some('\\') => {
            let literal = pattern.get(at + 1).ok_or_else(bad)?;
            Ok((c == Some(*literal), at + 2))
        }
        Some('[') => {
            let mut at = at + 1;
            let is_negated = pattern.get(at) == Some(&'^');
            at += usize::from(is_negated);
            let (mut fits, mut count) = (false, 0);
            loop {
                if pattern.get(at) == Some(&']') && count > 0 {
                    break;
                }
                let (low, next) = class_char(pattern, at).ok_or_else(bad)?;
                at = next;
                let mut high = low;
                if pattern.get(at) == Some(&'-') {
                    (high, at) = class_char(pattern, at + 1).ok_or_else(bad)?;
                }
                fits |= c.is_some_and(|c| low <= c && c <= high);
                count += 1;
            }
            Ok((c.is_some() && fits != is_negated, at + 1))
        }
        Some(literal) => Ok((c == Some(*literal), at + 1)),
        None => Err(bad()),
    }
}

fn class_char(pattern: &[char], at: usize) -> Option<(char, usize)> {
    let (c, next) = match pattern.get(at)? {
        '-' | ']' => return None,
        '\\' => (*pattern.get(at + 1)?, at + 2),
        c => (*c, at + 1),
    };
    // a class goes on after each of its characters
    pattern.get(next).map(|_| (c, next))
}
