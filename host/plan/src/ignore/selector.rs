//! Selectors as text: `app=web,tier in (a, b),!legacy`.

use serde_json::Value;

/// One condition of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Requirement {
    /// Whether labels (or annotations) fulfil it.
    pub(super) fn holds(&self, labels: Option<&Value>) -> bool {
        let value = |key: &str| labels.and_then(|labels| labels.get(key)?.as_str());
        match self {
            Self::In(key, values) => value(key).is_some_and(|value| values.iter().any(|one| one == value)),
            Self::NotIn(key, values) => value(key).is_none_or(|value| values.iter().all(|one| one != value)),
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
        }
    }
}

/// Reads a selector; an empty one has no conditions.
pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    split(text)
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(parse_one)
        .collect()
}

/// Splits at commas outside parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0usize;
    text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn parse_one(part: &str) -> Result<Requirement, String> {
    let bad = || {
        format!("{part:?} is no condition of a selector: write app=web, app!=web, app in (a, b), app or !app")
    };
    if let Some(key) = part.strip_prefix('!') {
        return key_of(key).map(Requirement::Absent).ok_or_else(bad);
    }
    for (operator, is_in) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = part.split_once(operator) {
            let (key, values) = (key_of(key).ok_or_else(bad)?, vec![value.trim().to_owned()]);
            return Ok(if is_in {
                Requirement::In(key, values)
            } else {
                Requirement::NotIn(key, values)
            });
        }
    }
    if let Some((head, values)) = part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => Ok(Requirement::In(key.to_owned(), values)),
            (Some(key), Some("notin"), None) => Ok(Requirement::NotIn(key.to_owned(), values)),
            _ => Err(bad()),
        };
    }
    key_of(part).map(Requirement::Exists).ok_or_else(bad)
}

fn key_of(text: &str) -> Option<String> {
    let key = text.trim();
    let is_key = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/'));
    is_key.then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selects_as_kubernetes_does() {
        let labels = json!({ "app": "web", "tier": "a" });
        for (text, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier!=b", true),
            ("app in (db, web), tier notin (b)", true),
            ("app,!legacy", true),
            ("!app", false),
            ("app!=web", false),
            ("missing notin (a)", true),
            ("missing=a", false),
        ] {
            let holds = parse(text)
                .unwrap()
                .iter()
                .all(|requirement| requirement.holds(Some(&labels)));
            assert_eq!(holds, expected, "{text}");
        }
        for text in ["a in b", "=x", "a within (b)", "a b", "!"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
