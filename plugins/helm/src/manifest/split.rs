/// The documents of a rendered file with their byte offsets. Every `---` at the start of a line separates, whatever follows
/// it, be it in the middle of a block of text; blank documents are dropped, the others lose leading blanks only.
pub fn split(content: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = content.len() - content.trim_start().len();
    let mut rest = content.get(start..);
    let mut at = start;
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let from = at;
        let document = match separator(text, from == start) {
            None => text,
            Some((end, next)) => {
                rest = text.get(next..);
                at += next;
                text.get(..end).unwrap_or_default()
            }
        };
        Some((from, document))
    })
    .filter_map(|(at, document)| {
        let trimmed = document.trim_start();
        (!trimmed.is_empty()).then_some((at + document.len() - trimmed.len(), trimmed))
    })
}

/// Where the first separator begins and what follows it. What follows one is on its line: `------` is one separator and a
/// text of three dashes.
fn separator(text: &str, is_line_start: bool) -> Option<(usize, usize)> {
    let begin = if is_line_start && text.starts_with("---") {
        0
    } else {
        memchr::memmem::find(text.as_bytes(), b"\n---")? + 1
    };
    let after = text.get(begin + 3..)?;
    let blanks = after.len() - after.trim_start_matches([' ', '\t']).len();
    Some((begin, begin + 3 + blanks))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn documents_are_split_as_in_the_original() {
        let documents = |text| split(text).map(|(_, document)| document).collect::<Vec<_>>();
        assert_eq!(documents("\n\na: 1\n---\n\n  b: 2\n\n"), ["a: 1\n", "b: 2\n\n"]);
        assert_eq!(
            documents("---x: 1\n----\n--- # c\ny: 2"),
            ["x: 1\n", "-\n", "# c\ny: 2"]
        );
        assert_eq!(documents("a: |\n  x\n---\n---\n"), ["a: |\n  x\n"]);
        assert_eq!(documents(" \n"), Vec::<&str>::new());
        assert_eq!(documents("a: 1\n------\nb: 1"), ["a: 1\n", "---\nb: 1"]);
        assert_eq!(documents("---  ---\n------\n---\n---"), ["---\n", "---\n"]);
        assert_eq!(split("\n--- a: 1").map(|(at, _)| at).collect::<Vec<_>>(), [5]);
    }
}
