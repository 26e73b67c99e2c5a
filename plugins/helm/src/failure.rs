//! Why a chart could not be rendered.

use std::fmt;

use crate::Error;

/// A place in a file of a chart; line and column from 1, 0 where they are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path with the chart's name in front: `web/templates/service.yaml`.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Why a chart could not be rendered: the original's words, then the place and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Failure {
    text: String,
    place: Option<Place>,
    hint: Option<String>,
    details: Vec<(String, String)>,
}

impl Failure {
    /// A failure in the original's words.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            place: None,
            hint: None,
            details: Vec::new(),
        }
    }

    /// The same with its place.
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same with what to do.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with paths of values and the rules that they break.
    pub fn with_details(mut self, details: Vec<(String, String)>) -> Self {
        self.details = details;
        self
    }

    /// The original's words.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where it happened, where that is known.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    /// What to do, where that is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Paths of values and the rules that they break.
    pub fn details(&self) -> &[(String, String)] {
        &self.details
    }
}

impl Failure {
    /// What the engine says, with the place and the value that is missing taken from it.
    pub(crate) fn explained(text: &str) -> Self {
        let mut failure = Self::new(text);
        failure.place = place_in(text);
        failure.hint = missing_value(text);
        failure
    }
}

/// `execution error at (FILE:LINE:COLUMN): …`, `parse error at (FILE:LINE): …`, or a first line `FILE:LINE:COLUMN`.
fn place_in(text: &str) -> Option<Place> {
    let location = match text.split_once(" error at (") {
        Some((_, rest)) => rest.split_once("):")?.0,
        None => {
            let line = text.lines().next()?;
            let line = line.strip_prefix("template: ").unwrap_or(line);
            line.split_once(": ").map_or(line, |(location, _)| location)
        }
    };
    let mut parts = location.split(':');
    let file = parts.next().filter(|file| file.contains('/'))?;
    let line = parts.next()?.parse().ok()?;
    let column = parts.next().and_then(|column| column.parse().ok()).unwrap_or(0);
    Some(Place {
        file: file.to_owned(),
        line,
        column,
    })
}

/// The value that was nil, where a template went on from there: `<.Values.a.b>` and `nil pointer evaluating interface {}.b`.
fn missing_value(text: &str) -> Option<String> {
    let (before, after) = text.rsplit_once("nil pointer evaluating interface {}.")?;
    let field: String = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '-')
        .collect();
    let (_, expression) = before.rsplit_once("at <")?;
    let (expression, _) = expression.split_once('>')?;
    let (path, _) = expression.split_once(&format!(".{field}"))?;
    let path = path.trim_start_matches('$');
    let keys = path.strip_prefix(".Values.")?;
    let opening: String = keys.split('.').map(|key| format!("{key}: {{")).collect();
    let closing = "}".repeat(keys.split('.').count());
    Some(format!(
        "{path} is null or not set, and the template asks for .{field} of it: set it in the values, as in `{opening}{field}: …{closing}`"
    ))
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n({hint})"))
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_and_the_missing_value_are_found_in_what_the_engine_says() {
        let failure = Failure::explained(
            "web/templates/a.yaml:3:14\n  executing \"web/templates/a.yaml\" at <$.Values.image.tag.name>:\n    nil pointer evaluating interface {}.name",
        );
        assert_eq!(
            failure.place(),
            Some(&Place {
                file: "web/templates/a.yaml".to_owned(),
                line: 3,
                column: 14
            })
        );
        assert_eq!(
            failure.hint(),
            Some(
                ".Values.image.tag is null or not set, and the template asks for .name of it: set it in the values, as in `image: {tag: {name: …}}`"
            )
        );
        let failure = Failure::explained("parse error at (web/templates/a.yaml:7): unexpected EOF");
        assert_eq!(failure.place().map(|place| place.line), Some(7));
        assert_eq!(Failure::explained("rendering template failed").place(), None);
    }
}
