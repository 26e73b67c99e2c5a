//! What is remembered of a Kustomization between its runs. Losing it costs requests, never correctness.

use super::remote::Attached;
use sluice_api::kustomize::Inventory;
use sluice_apply::live::Short;
use sluice_object::ObjectId;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// Everything that decides what a reconcile does; equal inputs and unmoved objects mean that nothing is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inputs {
    /// `metadata.generation`.
    pub(super) generation: i64,
    /// The artifact's revision.
    pub(super) revision: String,
    /// The artifact's digest.
    pub(super) digest: String,
    /// Digest of the variables read from ConfigMaps and Secrets.
    pub(super) variables: Short,
    /// Digest of the keys that files are decrypted with.
    pub(super) keys: Option<Short>,
}

/// The last reconcile that came to its end.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub(super) inputs: Inputs,
    /// Digest of the manifests, for the history.
    pub(super) manifests: String,
}

/// Health that is awaited.
#[derive(Clone, Debug)]
pub(super) struct Awaiting {
    pub(super) inputs: Inputs,
    pub(super) manifests: String,
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// What is applied: the status that tells of it is written when the wait ends.
    pub(super) inventory: Option<Inventory>,
    /// Those not yet healthy.
    pub(super) pending: Vec<ObjectId>,
    pub(super) is_progress_told: bool,
    /// Whether users hear of passed checks: it was not healthy before, it is a new revision, or drift was corrected.
    pub(super) is_news: bool,
    /// When the reconcile began that waits.
    pub(super) started: Instant,
}

/// Somebody else keeps changing an object.
#[derive(Clone, Debug)]
pub(super) struct Fight {
    pub(super) corrections: u32,
    pub(super) last: Instant,
    pub(super) is_told: bool,
}

/// All of it.
#[derive(Default)]
pub(super) struct Memory {
    /// The cluster its objects are in, where that is another one.
    pub(super) remote: Option<Attached>,
    pub(super) settled: Option<Settled>,
    pub(super) awaiting: Option<Awaiting>,
    /// Since when it waits, and for what.
    pub(super) waiting: Option<(String, Instant)>,
    /// When everything was last looked at, whatever the watches said.
    pub(super) full_at: Option<Instant>,
    /// When the interval is over.
    pub(super) due: Option<Instant>,
    pub(super) fights: HashMap<ObjectId, Fight>,
}

/// Corrections of one object that are made at once; after that each waits twice as long as the one before.
const FIGHT_CORRECTIONS_FREE: u32 = 3;
/// An object left in peace for so long is no longer fought over.
const FIGHT_PEACE: Duration = Duration::from_secs(300);
/// The first delay of a damped correction.
const FIGHT_DELAY_FIRST: Duration = Duration::from_secs(5);

impl Memory {
    /// Notes that drift of an object was corrected. The delay of the next correction, where it has one.
    pub(super) fn corrected(&mut self, id: &ObjectId, now: Instant) -> Option<(Duration, bool)> {
        self.fights
            .retain(|_, fight| now.duration_since(fight.last) < FIGHT_PEACE.max(fight.delay() * 2));
        let fight = self.fights.entry(id.clone()).or_insert(Fight {
            corrections: 0,
            last: now,
            is_told: false,
        });
        fight.corrections += 1;
        fight.last = now;
        let is_damped = fight.corrections > FIGHT_CORRECTIONS_FREE;
        let is_first = is_damped && !fight.is_told;
        fight.is_told |= is_damped;
        is_damped.then(|| (fight.delay(), is_first))
    }

    /// The objects whose correction must still wait, and how long the first of them. Never longer than the interval.
    pub(super) fn held(&self, now: Instant, interval: Duration) -> (HashSet<ObjectId>, Option<Duration>) {
        let waits = self.fights.iter().filter_map(|(id, fight)| {
            let wait = (fight.last + fight.delay().min(interval)).checked_duration_since(now)?;
            (!wait.is_zero()).then_some((id, wait))
        });
        let waits: Vec<_> = waits.collect();
        let first = waits.iter().map(|(_, wait)| *wait).min();
        (waits.into_iter().map(|(id, _)| id.clone()).collect(), first)
    }
}

impl Fight {
    fn delay(&self) -> Duration {
        match self.corrections.checked_sub(FIGHT_CORRECTIONS_FREE + 1) {
            None => Duration::ZERO,
            Some(more) => FIGHT_DELAY_FIRST.saturating_mul(1 << more.min(16)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_object::GroupVersionKind;

    #[test]
    fn a_fight_is_damped_and_told_once_and_ends_in_peace() {
        let id = ObjectId {
            gvk: GroupVersionKind::new("v1", "ConfigMap"),
            namespace: None,
            name: "a".into(),
        };
        let mut memory = Memory::default();
        let mut now = Instant::now();
        let seconds = Duration::from_secs;
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(memory.corrected(&id, now));
            now += seconds(1);
        }
        assert_eq!(
            answers,
            [
                None,
                None,
                None,
                Some((seconds(5), true)),
                Some((seconds(10), false)),
                Some((seconds(20), false))
            ]
        );
        assert_eq!(
            memory.held(now, seconds(600)),
            (HashSet::from([id.clone()]), Some(seconds(19)))
        );
        assert_eq!(
            memory.held(now, seconds(10)).1,
            Some(seconds(9)),
            "never longer than the interval"
        );
        now += seconds(301);
        assert_eq!(memory.corrected(&id, now), None, "peace");
    }
}
