//! What a value does wrong, as a tree, in the words of the library that Helm uses.

use super::json::Json;
use crate::go::quote::quote;

/// A violation.
#[derive(Debug)]
pub(super) enum Problem {
    /// One rule.
    Rule { path: String, text: String },
    /// A rule and the reasons why it does not hold.
    Because {
        path: String,
        text: String,
        causes: Vec<Problem>,
    },
    /// Several violations of one schema.
    Group { path: String, causes: Vec<Problem> },
    /// Those of the schema that a reference leads to.
    Reference { path: String, causes: Vec<Problem> },
}

impl Problem {
    /// Those of a group, or itself alone.
    pub(super) fn into_causes(self) -> Vec<Self> {
        match self {
            Self::Group { causes, .. } => causes,
            one => vec![one],
        }
    }

    /// One line each; what is inside of another is indented.
    pub(super) fn describe(&self, level: usize, out: &mut String) {
        let (path, text, causes): (_, &str, &[Self]) = match self {
            Self::Rule { path, text } => (path, text, &[]),
            Self::Because { path, text, causes } => (path, text, causes),
            Self::Reference { causes, .. } if causes.len() == 1 => {
                causes.iter().for_each(|cause| cause.describe(level, out));
                return;
            }
            Self::Group { path, causes } | Self::Reference { path, causes } => {
                (path, "validation failed", causes)
            }
        };
        out.push_str(&format!("{}- at {}: {text}\n", "  ".repeat(level), quoted(path)));
        causes.iter().for_each(|cause| cause.describe(level + 1, out));
    }

    /// The rules with the paths of the values that break them: `.Values.service.port`; `root` is where the values are.
    pub(super) fn details(&self, root: &str, details: &mut Vec<(String, String)>) {
        match self {
            Self::Rule { path, text } => {
                let path = path.replace('/', ".").replace("~1", "/").replace("~0", "~");
                details.push((format!("{root}{path}"), text.clone()));
            }
            Self::Because { causes, .. } | Self::Group { causes, .. } | Self::Reference { causes, .. } => {
                causes.iter().for_each(|cause| cause.details(root, details));
            }
        }
    }
}

/// In single quotes, as the library has it: it takes the marks off after it has replaced the quotes, so that a backslash at the
/// end loses one of its two.
pub(super) fn quoted(text: &str) -> String {
    let text = quote(text.as_bytes()).replace("\\\"", "\"").replace('\'', "\\'");
    let mut inner = text.chars();
    inner.next();
    inner.next_back();
    format!("'{}'", inner.as_str())
}

/// Names in quotes, with commas.
pub(super) fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// A scalar as messages show it.
pub(super) fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(_) | Json::Object(_) => "value".to_owned(),
        Json::Null => "<nil>".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.written().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_go_quotes() {
        for (text, expected) in [
            ("it's", r"'it\'s'"),
            ("say \"x\"", r#"'say "x"'"#),
            ("\x1b", r"'\x1b'"),
            ("a\u{A0}b", r"'a\u00a0b'"),
            ("e\u{301}", "'e\u{301}'"),
            (r"C:\", r"'C:\'"),
            (r"C:\x", r"'C:\\x'"),
        ] {
            assert_eq!(quoted(text), expected, "{text}");
        }
    }
}
