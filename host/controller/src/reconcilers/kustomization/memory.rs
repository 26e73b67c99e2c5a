//! What is remembered of a Kustomization between its runs. Losing it costs requests, never correctness.

use super::decrypt::Decryption;
use super::remote::Attached;
use super::variables::{self, Variables};
use crate::artifacts::ArtifactFacts;
use crate::runtime::{Wake, Wakes};
use sluice_api::Kustomization;
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

impl Inputs {
    /// Those of an attempt: what it says, and what was read for it.
    pub(super) fn of(
        ks: &Kustomization,
        artifact: &ArtifactFacts,
        variables: &Variables,
        decryption: Option<&Decryption>,
    ) -> Self {
        Self {
            generation: ks.metadata.generation.unwrap_or_default(),
            revision: artifact.revision.clone(),
            digest: artifact.digest.clone(),
            variables: variables::digest(variables),
            keys: decryption.map(|decryption| decryption.digest),
        }
    }
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
    pub(super) origin_revision: Option<String>,
    pub(super) manifests: String,
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// What is applied: the status that tells of it is written when the wait ends.
    pub(super) inventory: Option<Inventory>,
    /// Those not yet healthy.
    pub(super) pending: Vec<ObjectId>,
    pub(super) is_progress_told: bool,
    /// Whether the condition is written anew: it was not healthy before, it is a new revision, or drift was corrected.
    pub(super) is_news: bool,
    /// Whether an event tells of passed checks: it was not healthy before, or a new revision changed something.
    pub(super) is_told: bool,
    /// When the reconcile began that waits.
    pub(super) started: Instant,
}

/// A stage whose objects are not ready; those after it need them.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub(super) inputs: Inputs,
    /// Which, from 0.
    number: usize,
    /// Since when it is waited for.
    since: Instant,
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
    /// The object that all of this is about: another of its name starts anew.
    pub(super) uid: Option<String>,
    /// The cluster its objects are in, where that is another one.
    pub(super) remote: Option<Attached>,
    pub(super) settled: Option<Settled>,
    pub(super) awaiting: Option<Awaiting>,
    pub(super) stage: Option<Stage>,
    /// It failed before its objects were as they should be: until then nothing but a new wish helps.
    pub(super) failed_until: Option<Instant>,
    /// Intervals in which nothing was to be done, and nothing written, since the history was written.
    pub(super) quiet: i64,
    /// Since when it waits, and for what.
    pub(super) waiting: Option<(String, Instant)>,
    /// When everything was last looked at, whatever the watches said.
    pub(super) full_at: Option<Instant>,
    /// When the interval is over.
    pub(super) due: Option<Instant>,
    pub(super) fights: HashMap<ObjectId, Fight>,
    /// Objects that another Kustomization applies too, as users were told.
    pub(super) contested: HashSet<ObjectId>,
    /// Since when its objects are being deleted, because it is deleted itself.
    pub(super) ending_since: Option<Instant>,
}

/// Corrections of one object that are made at once; after that each waits twice as long as the one before.
const FIGHT_CORRECTIONS_FREE: u32 = 3;
/// An object left in peace for so long is no longer fought over.
const FIGHT_PEACE: Duration = Duration::from_secs(300);
/// The first delay of a damped correction.
const FIGHT_DELAY_FIRST: Duration = Duration::from_secs(5);

impl Memory {
    /// What these inputs led to, where everything was applied.
    pub(super) fn settled_at(&self, inputs: &Inputs) -> Option<&Settled> {
        self.settled.as_ref().filter(|settled| settled.inputs == *inputs)
    }

    /// Nothing, about the object with this UID.
    pub(super) fn of(uid: Option<&str>) -> Self {
        Self {
            uid: uid.map(str::to_owned),
            ..Self::default()
        }
    }

    /// How long a wake-up must wait: what failed is tried again in its own time, not whenever one of its objects moves.
    pub(super) fn holds_back(&self, wakes: Wakes) -> Option<Duration> {
        let wishes = [Wake::Changed, Wake::Requested, Wake::Signal, Wake::Timer];
        if wishes.iter().any(|wish| wakes.has(*wish)) {
            return None;
        }
        let left = self.failed_until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// It waits for a stage of what `inputs` gave.
    pub(super) fn awaits_stage(&mut self, number: usize, inputs: Inputs) {
        let since = self.stage_since(number).unwrap_or_else(Instant::now);
        self.stage = Some(Stage {
            inputs,
            number,
            since,
        });
    }

    /// Since when it waits for a stage.
    pub(super) fn stage_since(&self, number: usize) -> Option<Instant> {
        let stage = self.stage.as_ref().filter(|stage| stage.number == number);
        stage.map(|stage| stage.since)
    }

    /// Notes that drift of an object was corrected. The delay of the next correction, where it has one, and whether it is the
    /// first that has.
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

    #[tokio::test(start_paused = true)]
    async fn what_failed_waits_for_its_time_or_a_wish() {
        let mut memory = Memory::default();
        let moved = Wakes::default().with(Wake::Drift).with(Wake::Health);
        assert_eq!(memory.holds_back(moved), None, "nothing failed");
        memory.failed_until = Some(Instant::now() + Duration::from_secs(60));
        assert_eq!(memory.holds_back(moved), Some(Duration::from_secs(60)));
        for wish in [Wake::Changed, Wake::Requested, Wake::Signal, Wake::Timer] {
            assert_eq!(memory.holds_back(moved.with(wish)), None, "{wish:?}");
        }
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(memory.holds_back(moved), None, "its time has come");
    }

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
