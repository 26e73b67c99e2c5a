//! `--show-only`: documents of what is printed, by the template that they come from.

/// The documents whose template fits, pattern after pattern; the error is the pattern that none fits.
pub(super) fn pick<'p>(text: &str, patterns: &'p [String]) -> Result<String, &'p str> {
    let documents: Vec<&str> = documents(text).collect();
    let mut picked = String::new();
    for pattern in patterns {
        let before = picked.len();
        for document in &documents {
            let template = document
                .lines()
                .find_map(|line| line.split_once("# Source: ")?.1.split_once('/'));
            if template.is_some_and(|(_, template)| matches(pattern.as_bytes(), template.as_bytes())) {
                picked.push_str(&format!("---\n{document}\n"));
            }
        }
        if picked.len() == before {
            return Err(pattern);
        }
    }
    Ok(picked)
}

/// Every line that begins with `---` separates; what follows the dashes is on their line. Blank documents are none, and leading
/// blanks do not count.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text.trim_start());
    let mut is_line_start = true;
    std::iter::from_fn(move || {
        let text = rest?;
        let begin = if std::mem::take(&mut is_line_start) && text.starts_with("---") {
            Some(0)
        } else {
            text.find("\n---").map(|at| at + 1)
        };
        let Some(begin) = begin else {
            rest = None;
            return Some(text);
        };
        let (document, separator) = text.split_at_checked(begin)?;
        rest = separator
            .get("---".len()..)
            .map(|next| next.trim_start_matches([' ', '\t']));
        Some(document)
    })
    .map(str::trim_start)
    .filter(|document| !document.is_empty())
}

/// Go's `filepath.Match`: `*` and `?` stay within one part of the path, `\` takes the next literally. What is no pattern fits
/// nothing.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let part = path.iter().take_while(|byte| **byte != b'/').count();
            (0..=part).any(|taken| path.get(taken..).is_some_and(|path| matches(rest, path)))
        }
        ([b'?', pattern @ ..], [byte, path @ ..]) => {
            // a character, whose further bytes all begin with the bits 10
            let further = path.iter().take_while(|byte| **byte >> 6 == 0b10).count();
            *byte != b'/' && path.get(further..).is_some_and(|path| matches(pattern, path))
        }
        ([b'[', class @ ..], _) => {
            let (class, path) = (std::str::from_utf8(class), std::str::from_utf8(path));
            let mut path = path.unwrap_or_default().chars();
            path.next()
                .and_then(|character| in_class(class.ok()?, character))
                .is_some_and(|pattern| matches(pattern.as_bytes(), path.as_str().as_bytes()))
        }
        ([b'\\', literal, pattern @ ..], [byte, path @ ..])
        | ([literal, pattern @ ..], [byte, path @ ..]) => literal == byte && matches(pattern, path),
        _ => false,
    }
}

/// What follows a class, which begins behind its bracket, where the character is one of it: `a-z]`, or none of it: `^a-z]`.
fn in_class(class: &str, character: char) -> Option<&str> {
    let inner = class.strip_prefix('^');
    let mut rest = inner.unwrap_or(class);
    let mut is_in = false;
    loop {
        let low = bound(&mut rest)?;
        let mut high = low;
        if let Some(behind) = rest.strip_prefix('-') {
            rest = behind;
            high = bound(&mut rest)?;
        }
        is_in |= (low..=high).contains(&character);
        if let Some(behind) = rest.strip_prefix(']') {
            return (is_in != inner.is_some()).then_some(behind);
        }
    }
}

/// The next character of a class, taken off its front.
fn bound(rest: &mut &str) -> Option<char> {
    let mut characters = rest.chars();
    let bound = match characters.next()? {
        '-' | ']' => return None,
        '\\' => characters.next()?,
        plain => plain,
    };
    *rest = characters.as_str();
    Some(bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_behind_a_separator_are_text() {
        assert_eq!(
            documents("---\na: 1\n------\nb: 1\n--- ---").collect::<Vec<_>>(),
            ["a: 1\n", "---\nb: 1\n", "---"]
        );
    }

    #[test]
    fn a_question_mark_is_a_character() {
        let matches = |pattern: &str, path: &str| matches(pattern.as_bytes(), path.as_bytes());
        assert!(matches("templates/?.yaml", "templates/é.yaml"));
        assert!(matches("templates/?.yaml", "templates/e.yaml"));
        assert!(!matches("templates/??.yaml", "templates/é.yaml"));
        assert!(!matches("templates?a.yaml", "templates/a.yaml"));
    }

    #[test]
    fn classes_are_gos() {
        let matches = |pattern: &str, path: &str| matches(pattern.as_bytes(), path.as_bytes());
        for (pattern, path, fits) in [
            ("[ah].yaml", "a.yaml", true),
            ("[a-c].yaml", "b.yaml", true),
            ("[^a].yaml", "a.yaml", false),
            ("[^a].yaml", "é.yaml", true),
            ("[\\]-^].yaml", "].yaml", true),
            ("[!a].yaml", "b.yaml", false),
            ("t[^x]a", "t/a", true),
            ("*[0-9]*.yaml", "a10b.yaml", true),
            ("[]a].yaml", "].yaml", false),
            ("[a-].yaml", "a.yaml", false),
            ("[a", "a", false),
            ("[", "[", false),
            ("a[a]", "a", false),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn documents_are_picked_by_template_in_the_order_of_the_patterns() {
        let text = "---\n# Source: web/templates/a.yaml\na: 1\n---\n# Source: web/templates/sub/b.yaml\nb: 2\n\n---\n# Source: web/templates/a.yaml\nc: 3\n";
        let pick = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            pick(text, &patterns).map_err(str::to_owned)
        };
        let a = "---\n# Source: web/templates/a.yaml\na: 1\n\n---\n# Source: web/templates/a.yaml\nc: 3\n\n";
        let b = "---\n# Source: web/templates/sub/b.yaml\nb: 2\n\n\n";
        assert_eq!(pick(&["templates/*.yaml"]), Ok(a.to_owned()));
        assert_eq!(
            pick(&["templates/sub/?.yaml", "templates/a.yaml"]),
            Ok(format!("{b}{a}"))
        );
        assert_eq!(
            pick(&["templates/a.yaml", "templates/none.yaml"]),
            Err("templates/none.yaml".to_owned())
        );
    }
}
