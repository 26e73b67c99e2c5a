//! gobwas' globs with `/` as separator: what `.Files.Glob` takes.

use regex::bytes::Regex;

/// A pattern for whole names; none where it is wrong.
pub(crate) fn compile(pattern: &str) -> Option<Regex> {
    let mut translated = String::from("(?s)^(?:");
    let mut rest = pattern.chars().peekable();
    let mut depth = 0_usize;
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.next_if_eq(&'*').is_some() => translated.push_str(".*"),
            '*' => translated.push_str("[^/]*"),
            '?' => translated.push_str("[^/]"),
            '[' => class(&mut rest, &mut translated)?,
            '{' => {
                depth += 1;
                translated.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                translated.push(')');
            }
            ',' if depth > 0 => translated.push('|'),
            // at the end it escapes nothing
            '\\' => rest.next().into_iter().for_each(|c| literal(c, &mut translated)),
            c => literal(c, &mut translated),
        }
    }
    // alternatives that nobody closes end with the pattern
    translated.push_str(&")".repeat(depth));
    translated.push_str(")$");
    Regex::new(&translated).ok()
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        out.push_str(&format!("\\x{{{:X}}}", c as u32));
    } else {
        out.push(c);
    }
}

/// `[abc]`, `[!abc]`, `[a-c]`: either a list or a range, which a dash behind the first character makes it.
fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if rest.next_if_eq(&'!').is_some() {
        out.push('^');
    }
    let first = rest.next()?;
    if rest.next_if_eq(&'-').is_some() {
        let last = rest.next()?;
        if first > last || rest.next() != Some(']') {
            return None;
        }
        literal(first, out);
        out.push('-');
        literal(last, out);
    } else {
        let mut next = first;
        if next == ']' {
            return None;
        }
        while next != ']' {
            let member = if next == '\\' { rest.next()? } else { next };
            literal(member, out);
            next = rest.next()?;
        }
    }
    out.push(']');
    Some(())
}
