use super::{DeletionPolicy, Kustomization, KustomizationSpec, ResourceRef};
use crate::Condition;
use std::time::Duration;

/// Health waits are never shorter than this, whatever `timeout` says; Flux has the same floor.
const TIMEOUT_FLOOR: Duration = Duration::from_secs(30);

/// What failed is never tried again sooner, whatever `retryInterval` says: `0s` would do nothing but try.
const RETRY_FLOOR: Duration = Duration::from_secs(1);

/// What the spec means where it is silent.
impl KustomizationSpec {
    /// How long to wait after a failure.
    pub fn retry_interval(&self) -> Duration {
        let given = self.retry_interval.unwrap_or(self.interval).get();
        given.max(RETRY_FLOOR)
    }

    /// How long health checks and terminations are waited for.
    pub fn timeout(&self) -> Duration {
        let given = self.timeout.map(|timeout| timeout.get());
        given
            .unwrap_or_else(|| self.interval.get().saturating_sub(TIMEOUT_FLOOR))
            .max(TIMEOUT_FLOOR)
    }

    /// Whether the inventory is deleted with the Kustomization.
    pub fn deletes_inventory(&self) -> bool {
        match self.deletion_policy.unwrap_or_default() {
            DeletionPolicy::MirrorPrune => self.prune,
            DeletionPolicy::Delete | DeletionPolicy::WaitForTermination => true,
            DeletionPolicy::Orphan => false,
        }
    }
}

impl Kustomization {
    /// What it owns.
    pub fn inventory(&self) -> &[ResourceRef] {
        let inventory = self.status.as_ref().and_then(|status| status.inventory.as_ref());
        inventory.map_or(&[], |inventory| inventory.entries.as_slice())
    }

    /// Its conditions.
    pub fn conditions(&self) -> &[Condition] {
        self.status
            .as_ref()
            .map_or(&[], |status| status.conditions.as_slice())
    }

    /// The namespace its source is in.
    pub fn source_namespace(&self) -> Option<&str> {
        self.spec
            .source_ref
            .namespace
            .as_deref()
            .or(self.metadata.namespace.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use crate::kustomize::KustomizationSpec;

    #[test]
    fn the_timeout_has_a_floor_and_a_default() {
        for (interval, timeout, expected) in [
            ("10m", None, 570),
            ("1m", None, 30),
            ("10s", None, 30),
            ("10m", Some("5s"), 30),
            ("10m", Some("20m"), 1200),
        ] {
            let spec: KustomizationSpec = serde_json::from_value(serde_json::json!({
                "interval": interval, "timeout": timeout, "prune": true,
                "sourceRef": { "kind": "GitRepository", "name": "a" }
            }))
            .unwrap();
            assert_eq!(spec.timeout().as_secs(), expected, "{interval} {timeout:?}");
        }
    }

    #[test]
    fn retries_have_a_floor_and_a_default() {
        for (interval, retry, expected) in [
            ("10m", None, 600_000),
            ("10m", Some("1500ms"), 1500),
            ("10m", Some("0s"), 1000),
            ("1ms", None, 1000),
        ] {
            let spec: KustomizationSpec = serde_json::from_value(serde_json::json!({
                "interval": interval, "retryInterval": retry, "prune": true,
                "sourceRef": { "kind": "GitRepository", "name": "a" }
            }))
            .unwrap();
            assert_eq!(
                spec.retry_interval().as_millis(),
                expected,
                "{interval} {retry:?}"
            );
        }
    }
}
