//! Which custom resources this process reconciles: `--watch-label-selector`.
//!
//! Kustomizations of other shards are not even watched. Sources of other shards are, because any Kustomization may take
//! its files from them; they are only not reconciled here, as in Flux (compat/kustomize.md 12.1).

use serde_json::Value;
use sluice_object::LabelSelector;

/// The shard of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shard(LabelSelector);

impl Shard {
    /// Everything where there is no selector.
    ///
    /// # Errors
    /// The selector is none.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, String> {
        selector("--watch-label-selector", text.unwrap_or_default()).map(Self)
    }

    /// Whether an object belongs to this shard.
    pub(crate) fn has(&self, object: &Value) -> bool {
        self.0.matches(object.pointer("/metadata/labels"))
    }
}

/// Reads the selector that a flag gives.
///
/// # Errors
/// It is none.
pub(crate) fn selector(flag: &str, text: &str) -> Result<LabelSelector, String> {
    LabelSelector::parse(text).map_err(|error| {
        let term = &error.term;
        format!(
            "{flag}: `{term}` is none of key, !key, key=value, key!=value, key in (a,b), key notin (a,b): {error}"
        )
    })
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
        assert_eq!(
            Shard::parse(Some("a=b,c d")).unwrap_err(),
            "--watch-label-selector: `c d` is none of key, !key, key=value, key!=value, key in (a,b), key notin (a,b): \
             unable to parse requirement: found 'd', expected: in, notin, =, ==, !=, gt, lt"
        );
    }
}
