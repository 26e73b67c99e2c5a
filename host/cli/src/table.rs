//! Tables as `flux get` prints them: padded columns, a tab after each (compat: cli, section 9).

use std::fmt::Write;

/// Rows below a heading, as text.
pub(crate) fn render(heading: &[&str], rows: &[Vec<String>], with_heading: bool) -> String {
    let heading: Vec<String> = heading.iter().map(|title| (*title).to_owned()).collect();
    let shown = || with_heading.then_some(&heading).into_iter().chain(rows);
    let widths: Vec<usize> = (0..heading.len())
        .map(|column| {
            shown()
                .filter_map(|row| row.get(column))
                .flat_map(|cell| cell.lines())
                .map(|line| line.chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in shown() {
        // what has several lines goes on below, in its own column
        let height = row
            .iter()
            .map(|cell| cell.lines().count())
            .max()
            .unwrap_or(1)
            .max(1);
        for number in 0..height {
            for (cell, width) in row.iter().zip(&widths) {
                let line = cell.lines().nth(number).unwrap_or_default();
                let _ = write!(text, "{line:<width$}\t");
            }
            text.push('\n');
        }
    }
    text
}

/// Cuts every word of 40 to 128 hexadecimal digits to its first 8, as `flux` does with revisions and messages.
pub(crate) fn shorten(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    // what stands before the run
    let mut before = '\0';
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_digit() || ('a'..='f').contains(&letter) {
            run.push(letter);
            continue;
        }
        let is_word = !is_of_word(before) && !is_of_word(letter);
        let keep = if is_word && (40..=128).contains(&run.len()) {
            run.get(..8).unwrap_or(&run)
        } else {
            &run
        };
        out.push_str(keep);
        run.clear();
        if letter != '\0' {
            out.push(letter);
        }
        before = letter;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn columns_are_padded_and_end_in_tabs() {
        let rows = vec![
            vec!["apps".to_owned(), "True".to_owned()],
            vec!["x".to_owned(), "False".to_owned()],
        ];
        expect!["NAME\tREADY\t\napps\tTrue \t\nx   \tFalse\t\n"].assert_eq(&render(
            &["NAME", "READY"],
            &rows,
            true,
        ));
    }

    #[test]
    fn cells_of_several_lines_go_on_in_their_column() {
        let rows = vec![vec!["a".to_owned(), "one\nand two".to_owned()]];
        expect!["a\tone    \t\n \tand two\t\n"].assert_eq(&render(&["A", "B"], &rows, false));
    }

    #[test]
    fn digests_are_cut_to_eight() {
        let sha = "696f056df216eea4f9401adbee0ff744d4df390f";
        assert_eq!(shorten(&format!("main@sha1:{sha}")), "main@sha1:696f056d");
        assert_eq!(shorten("v1.2.3 deadbeef"), "v1.2.3 deadbeef");
        assert_eq!(shorten(&format!("{sha}, then")), "696f056d, then");
        // a part of a name is none
        for name in [format!("build_{sha}"), format!("{sha}X")] {
            assert_eq!(shorten(&name), name);
        }
    }
}
