//! Answers without what differs from run to run.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What one scenario's answers have in common: learned from all of them first, then replaced in each.
#[derive(Clone, Debug, Default)]
pub struct Canon {
    namespace: String,
    uids: Vec<String>,
    versions: BTreeSet<u64>,
    /// Names the server made from a prefix.
    made: BTreeMap<String, String>,
}

impl Canon {
    /// For a scenario played in `namespace`.
    pub fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            ..Self::default()
        }
    }

    /// Notes the uids, versions and made-up names in an answer.
    pub fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(map) => {
                if let Some(Value::Object(meta)) = map.get("metadata") {
                    self.learn_metadata(meta);
                }
                map.values().for_each(|value| self.learn(value));
            }
            _ => {}
        }
    }

    fn learn_metadata(&mut self, meta: &Map<String, Value>) {
        let text = |key: &str| meta.get(key).and_then(Value::as_str);
        if let Some(uid) = text("uid").filter(|uid| !self.uids.iter().any(|known| known == uid)) {
            self.uids.push(uid.to_owned());
        }
        // A list has no uid; its version is that of the whole store, which others write to as well.
        // So only versions of objects count.
        if let (Some(_), Some(version)) = (text("uid"), text("resourceVersion").and_then(|v| v.parse().ok()))
        {
            self.versions.insert(version);
        }
        if let (Some(prefix), Some(name)) = (text("generateName"), text("name"))
            && name.len() == prefix.len() + 5
            && name.starts_with(prefix)
        {
            self.made.insert(name.to_owned(), format!("{prefix}<made>"));
        }
    }

    /// The answer with every volatile value replaced.
    pub fn apply(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.apply(item)).collect(),
            Value::Object(map) => {
                let replace = |(key, value): (String, Value)| {
                    let value = self.field(&key, value);
                    (self.text(&key), value)
                };
                let mut map: Map<String, Value> = map.into_iter().map(replace).collect();
                sort_causes(&mut map);
                Value::Object(map)
            }
            other => other,
        }
    }

    fn field(&self, key: &str, value: Value) -> Value {
        match (key, &value) {
            ("resourceVersion", Value::String(text)) if text.parse::<u64>().is_ok() => {
                json!(self.version(text))
            }
            ("continue", Value::String(text)) if !text.is_empty() => json!("<continue>"),
            ("clusterIP", Value::String(text)) if is_address(text) => json!("<address>"),
            ("clusterIPs", Value::Array(items)) => {
                let each = |item: &Value| {
                    if is_address(item.as_str().unwrap_or_default()) {
                        json!("<address>")
                    } else {
                        item.clone()
                    }
                };
                items.iter().map(each).collect()
            }
            ("nodePort" | "healthCheckNodePort", Value::Number(_)) => json!("<port>"),
            // A running Go program and an embedded server never tell the same.
            (
                "gitVersion" | "gitCommit" | "buildDate" | "goVersion" | "compiler" | "platform" | "hash"
                | "storageVersionHash",
                _,
            ) => {
                json!("<build>")
            }
            ("managedFields", Value::Array(entries)) => {
                // The server sorts by time, to the second: two writes in one second may come either way round.
                let mut entries: Vec<Value> = entries.iter().map(|entry| self.apply(entry.clone())).collect();
                entries.sort_by_key(ToString::to_string);
                Value::Array(entries)
            }
            // Of a list, a table or a bookmark: the version of the whole store.
            ("metadata", Value::Object(meta)) if !meta.contains_key("uid") => {
                let mut value = self.apply(value);
                if let Some(version) = value.get_mut("resourceVersion")
                    && version.as_str().is_some_and(|version| version.starts_with("<v"))
                {
                    *version = json!("<version>");
                }
                value
            }
            _ => self.apply(value),
        }
    }

    /// `<v3>`: the third version any object of the scenario had; `<version>` where it is none of an object.
    fn version(&self, text: &str) -> String {
        let version = text.parse().unwrap_or(0);
        match self.versions.iter().position(|known| *known == version) {
            Some(index) => format!("<v{}>", index + 1),
            None => "<version>".to_owned(),
        }
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.replace(&self.namespace, "<ns>");
        for (index, uid) in self.uids.iter().enumerate() {
            text = text.replace(uid, &format!("<uid{}>", index + 1));
        }
        for (name, made) in &self.made {
            text = text.replace(name, made);
        }
        if is_time(&text) {
            return "<time>".to_owned();
        }
        if is_address(&text) {
            return "<address>".to_owned();
        }
        if is_short_age(&text) {
            return "<age>".to_owned();
        }
        let text = without_object(text);
        numbers_behind(
            &text,
            &["resource version: ", "resource version: <n> (", "in record ("],
        )
    }
}

/// Several causes come in the order of a Go map, which is a new one each time; the message lists them again.
fn sort_causes(status: &mut Map<String, Value>) {
    let Some(Value::Array(causes)) = status
        .get_mut("details")
        .and_then(|details| details.get_mut("causes"))
    else {
        return;
    };
    if causes.len() < 2 {
        return;
    }
    causes.sort_by_key(ToString::to_string);
    if let Some(Value::String(message)) = status.get_mut("message")
        && let Some((before, _)) = message.split_once("is invalid: [")
    {
        *message = format!("{before}is invalid: [<causes>]");
    }
}

/// A message that quotes a whole object, in the order of the fields of its Go type, says it of `<object>`.
fn without_object(text: String) -> String {
    match (text.split_once("\"{\\\""), text.rsplit_once("}\": ")) {
        (Some((before, _)), Some((_, after))) => format!("{before}\"<object>\": {after}"),
        _ => text,
    }
}

/// `2024-01-01T00:00:00Z`, with or without a fraction.
fn is_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    match shape.strip_prefix("0000-00-00T00:00:00") {
        Some("Z") => true,
        Some(rest) => rest
            .strip_prefix('.')
            .is_some_and(|rest| rest.trim_start_matches('0') == "Z"),
        None => false,
    }
}

/// An address of the Services' range.
fn is_address(text: &str) -> bool {
    text.strip_prefix("10.").is_some_and(|rest| {
        rest.split('.').count() == 3 && rest.split('.').all(|part| part.parse::<u8>().is_ok())
    })
}

/// `0s` to `99s`: the age column of a Table.
fn is_short_age(text: &str) -> bool {
    text.strip_suffix('s')
        .is_some_and(|digits| (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Replaces the digits that follow each of the markers.
fn numbers_behind(text: &str, markers: &[&str]) -> String {
    markers
        .iter()
        .fold(text.to_owned(), |text, marker| match text.split_once(marker) {
            None => text,
            Some((before, after)) => {
                let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
                if rest.len() == after.len() {
                    text
                } else {
                    format!("{before}{marker}<n>{rest}")
                }
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: Value, expected: Value) {
        let mut canon = Canon::new("t-x");
        canon.learn(&answer);
        assert_eq!(canon.apply(answer), expected);
    }

    #[test]
    fn versions_keep_their_order_and_lists_have_none() {
        check(
            json!([
                {"metadata": {"uid": "u-2", "resourceVersion": "90"}},
                {"metadata": {"uid": "u-1", "resourceVersion": "7"}},
                {"metadata": {"uid": "u-2", "resourceVersion": "90"}},
                {"metadata": {"resourceVersion": "95"}},
                {"metadata": {"resourceVersion": "90"}},
            ]),
            json!([
                {"metadata": {"uid": "<uid1>", "resourceVersion": "<v2>"}},
                {"metadata": {"uid": "<uid2>", "resourceVersion": "<v1>"}},
                {"metadata": {"uid": "<uid1>", "resourceVersion": "<v2>"}},
                {"metadata": {"resourceVersion": "<version>"}},
                {"metadata": {"resourceVersion": "<version>"}},
            ]),
        );
    }

    #[test]
    fn what_differs_from_run_to_run_is_named() {
        check(
            json!({"metadata": {"uid": "0f1e", "generateName": "gen-", "name": "gen-x7k2p", "namespace": "t-x"},
                "a": "2024-01-01T00:00:00Z", "b": "2024-01-01T00:00:00.123456Z", "c": "10.0.3.4", "d": "5s",
                "e": "configmaps \"gen-x7k2p\" in t-x", "spec": {"clusterIP": "None", "clusterIPs": ["None"]}}),
            json!({"metadata": {"uid": "<uid1>", "generateName": "gen-", "name": "gen-<made>", "namespace": "<ns>"},
                "a": "<time>", "b": "<time>", "c": "<address>", "d": "<age>",
                "e": "configmaps \"gen-<made>\" in <ns>", "spec": {"clusterIP": "None", "clusterIPs": ["None"]}}),
        );
    }

    #[test]
    fn several_causes_are_sorted() {
        check(
            json!({"message": "A \"b\" is invalid: [z: no, a: no]", "details": {"causes": [{"field": "z"}, {"field": "a"}]}}),
            json!({"message": "A \"b\" is invalid: [<causes>]", "details": {"causes": [{"field": "a"}, {"field": "z"}]}}),
        );
    }
}
