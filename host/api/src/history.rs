//! `status.history`: what was reconciled lately, newest first (compat kustomize 2.2).

use crate::{Duration, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Entries kept; Flux keeps as many.
pub const ENTRIES_MAX: usize = 5;

/// One set of manifests with one result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Digest of the manifests, `sha256:<hex>`.
    pub digest: String,
    /// When this was first reconciled.
    pub first_reconciled: Time,
    /// When this was last reconciled.
    pub last_reconciled: Time,
    /// How long the last time took.
    pub last_reconciled_duration: Duration,
    /// The reason of Ready that it ended with.
    pub last_reconciled_status: String,
    /// How often it was reconciled.
    pub total_reconciliations: i64,
    /// `revision` and `originRevision`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// One finished reconcile.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Digest of the manifests.
    pub digest: String,
    /// The reason of Ready.
    pub status: String,
    /// When it ended.
    pub time: Time,
    /// How long it took.
    pub duration: Duration,
    /// `revision` and `originRevision`.
    pub metadata: BTreeMap<String, String>,
}

/// Adds an attempt: an entry of the same digest and status moves to the front and counts it, else a new one goes there.
pub fn upsert(history: &mut Vec<Snapshot>, attempt: Attempt) {
    let known = history.iter().position(|snapshot| {
        snapshot.digest == attempt.digest && snapshot.last_reconciled_status == attempt.status
    });
    let (first_reconciled, total) = match known {
        Some(index) => {
            let old = history.remove(index);
            (old.first_reconciled, old.total_reconciliations.saturating_add(1))
        }
        None => (attempt.time, 1),
    };
    let snapshot = Snapshot {
        digest: attempt.digest,
        first_reconciled,
        last_reconciled: attempt.time,
        last_reconciled_duration: attempt.duration,
        last_reconciled_status: attempt.status,
        total_reconciliations: total,
        metadata: attempt.metadata,
    };
    history.insert(0, snapshot);
    history.truncate(ENTRIES_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_known_pairs_and_keeps_five() {
        let mut history = Vec::new();
        let mut step = |digest: &str, status: &str, second| {
            upsert(
                &mut history,
                Attempt {
                    digest: digest.to_owned(),
                    status: status.to_owned(),
                    time: Time::from_second(second).unwrap(),
                    duration: Duration::from_secs(1),
                    metadata: BTreeMap::new(),
                },
            );
            let row = |s: &Snapshot| {
                format!(
                    "{}{}{}",
                    s.digest, s.last_reconciled_status, s.total_reconciliations
                )
            };
            history.iter().map(row).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(step("a", "+", 1), "a+1");
        assert_eq!(step("a", "+", 2), "a+2");
        assert_eq!(step("a", "-", 3), "a-1 a+2");
        assert_eq!(step("a", "+", 4), "a+3 a-1");
        assert_eq!(step("b", "+", 5), "b+1 a+3 a-1");
        step("c", "+", 6);
        step("d", "+", 7);
        assert_eq!(step("e", "+", 8), "e+1 d+1 c+1 b+1 a+3");
        assert_eq!(
            history.last().unwrap().first_reconciled,
            Time::from_second(1).unwrap()
        );
    }
}
