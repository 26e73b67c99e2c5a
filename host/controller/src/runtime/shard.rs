//! Which custom resources this process reconciles: `--watch-label-selector`.
//!
//! Kustomizations of other shards are not even watched. Sources of other shards are, because any Kustomization may take
//! its files from them; they are only not reconciled here, as in Flux (compat/kustomize.md 12.1).

use kube::core::{Expression, Selector, SelectorExt as _};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The shard of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shard(Selector);

impl Shard {
    /// Everything where there is no selector.
    ///
    /// # Errors
    /// The selector is none.
    pub(crate) fn parse(selector: Option<&str>) -> Result<Self, String> {
        let text = selector.unwrap_or_default().trim();
        let expressions: Result<Vec<Expression>, String> = split(text)
            .into_iter()
            .map(|term| {
                expression(term.trim()).ok_or_else(|| {
                    format!(
                        "--watch-label-selector: `{term}` is none of key, !key, key=value, key!=value, key in (a,b), key notin (a,b)"
                    )
                })
            })
            .collect();
        Ok(Self(expressions?.into_iter().collect()))
    }

    /// Whether an object belongs to this shard.
    pub(crate) fn has(&self, object: &Value) -> bool {
        if self.0.selects_all() {
            return true;
        }
        let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
        let labels: BTreeMap<String, String> = labels
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect();
        self.0.matches(&labels)
    }
}

/// The terms between commas that are not within parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0usize;
    let is_end = move |character: char| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    };
    if text.is_empty() {
        Vec::new()
    } else {
        text.split(is_end).collect()
    }
}

fn expression(term: &str) -> Option<Expression> {
    let name = |text: &str| {
        let text = text.trim();
        let is_name = !text.is_empty() && !text.contains([' ', '!', '=', '(', ')', ',']);
        is_name.then(|| text.to_owned())
    };
    if let Some((key, value)) = term.split_once("!=") {
        return Some(Expression::NotEqual(name(key)?, value.trim().to_owned()));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Some(Expression::Equal(name(key)?, value.trim().to_owned()));
    }
    if let Some(key) = term.strip_prefix('!') {
        return Some(Expression::DoesNotExist(name(key)?));
    }
    let Some((head, values)) = term.split_once('(') else {
        return Some(Expression::Exists(name(term)?));
    };
    let values: Option<BTreeSet<String>> = values
        .trim_end()
        .strip_suffix(')')?
        .split(',')
        .map(name)
        .collect();
    let (key, word) = head.trim().rsplit_once(' ')?;
    match word {
        "in" => Some(Expression::In(name(key)?, values?)),
        "notin" => Some(Expression::NotIn(name(key)?, values?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_are_read_as_kubernetes_does() {
        let has = |selector: &str, labels: Value| {
            Shard::parse(Some(selector)).map(|shard| shard.has(&json!({"metadata": {"labels": labels}})))
        };
        let one = || json!({"sharding.fluxcd.io/key": "shard1", "a": "b"});
        for (selector, expected) in [
            ("", true),
            ("sharding.fluxcd.io/key=shard1", true),
            ("sharding.fluxcd.io/key==shard2", false),
            ("sharding.fluxcd.io/key != shard2", true),
            ("!sharding.fluxcd.io/key", false),
            ("sharding.fluxcd.io/key", true),
            ("sharding.fluxcd.io/key in (shard1, shard2),a=b", true),
            ("sharding.fluxcd.io/key notin (shard1,shard2)", false),
        ] {
            assert_eq!(has(selector, one()), Ok(expected), "{selector}");
        }
        assert_eq!(has("!sharding.fluxcd.io/key", Value::Null), Ok(true));
        for wrong in ["a b", "a in b", "a within (b)", "=b", "a,,b", "a in (b"] {
            assert!(Shard::parse(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
