//! Flags that take several values at once: a line of comma-separated values, as Go's `encoding/csv` reads it.

use crate::tell::Original;

/// The items of all lines in their order; an empty line has none.
pub(super) fn items(flag: &str, lines: &[String]) -> Result<Vec<String>, Original> {
    let mut items = Vec::new();
    for line in lines.iter().filter(|line| !line.is_empty()) {
        let read = record(line)
            .map_err(|why| Original::new(format!("invalid argument {line:?} for {flag:?} flag: {why}")))?;
        items.extend(read);
    }
    Ok(items)
}

/// One line: fields with commas between them; one in quotes may hold commas, and quotes twice.
fn record(line: &str) -> Result<Vec<String>, String> {
    let wrong = |rest: &str, why: &str| {
        let column = line.len() - rest.len() + 1;
        format!("parse error on line 1, column {column}: {why}")
    };
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                in_quotes(quoted).map_err(|place| wrong(place, "extraneous or missing \" in quoted-field"))?
            }
            None => {
                let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                if let Some(at) = field.find('"') {
                    let place = rest.get(at..).unwrap_or_default();
                    return Err(wrong(place, "bare \" in non-quoted-field"));
                }
                (field.to_owned(), after)
            }
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok(fields),
        }
    }
}

/// The field behind a quote, and what follows it: a comma or the end. The error is the place of the quote where that is not so.
fn in_quotes(text: &str) -> Result<(String, &str), &str> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let Some((part, after)) = rest.split_once('"') else {
            return Err("");
        };
        field.push_str(part);
        rest = match after.strip_prefix('"') {
            Some(next) => {
                field.push('"');
                next
            }
            None if after.is_empty() || after.starts_with(',') => return Ok((field, after)),
            None => return Err(rest.get(part.len()..).unwrap_or_default()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items_of(lines: &[&str]) -> Result<Vec<String>, String> {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        items("-f, --values", &lines).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_are_comma_separated_values() {
        let found = |lines: &[&str]| items_of(lines).expect("items");
        assert_eq!(found(&["a,b", "c"]), ["a", "b", "c"]);
        assert_eq!(found(&["", "a,,b,"]), ["a", "", "b", ""]);
        assert_eq!(
            found(&[r#""a,b",c"#, r#""say ""so""""#]),
            ["a,b", "c", r#"say "so""#]
        );
    }

    #[test]
    fn stray_quotes_are_told_as_in_the_original() {
        let told = |line: &str| items_of(&[line]).expect_err("an error");
        assert_eq!(
            told(r#"a"b"#),
            r#"invalid argument "a\"b" for "-f, --values" flag: parse error on line 1, column 2: bare " in non-quoted-field"#
        );
        let places = [(r#""a"#, 3), (r#""a"b"#, 3), (r#"a,"b"c,d"#, 5), (r#"é"x"#, 3)];
        for (line, column) in places {
            assert!(told(line).contains(&format!("column {column}: ")), "{line}");
        }
    }
}
