//! What a value does wrong, as a tree, in the words of the library that Helm uses.

use serde_json::Value as Json;

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

/// In single quotes.
pub(super) fn quoted(text: &str) -> String {
    let text = format!("{text:?}");
    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or_default();
    format!("'{}'", inner.replace("\\\"", "\"").replace('\'', "\\'"))
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
        other => other.to_string(),
    }
}

/// What Go's decoder says of a schema that is no JSON.
pub(super) fn json_error(text: &[u8], error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "unexpected EOF".to_owned();
    }
    let line = text
        .split(|byte| *byte == b'\n')
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let at = String::from_utf8_lossy(line.get(error.column().saturating_sub(1)..).unwrap_or_default())
        .chars()
        .next();
    let what = error.to_string();
    let place = if what.starts_with("key must be a string") {
        "looking for beginning of object key string"
    } else if what.starts_with("expected `:`") {
        "after object key"
    } else if what.starts_with("expected `,` or `}`") {
        "after object key:value pair"
    } else if what.starts_with("expected `,` or `]`") {
        "after array element"
    } else if what.starts_with("trailing characters") {
        "after top-level value"
    } else {
        "looking for beginning of value"
    };
    format!(
        "invalid character {} {place}",
        quoted(&at.map(String::from).unwrap_or_default())
    )
}
