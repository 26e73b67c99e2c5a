//! What of many events reaches the cluster: the same is counted, not told again, and one object may tell only so much. As
//! client-go's correlator does it, without its merging of events that are merely similar.

use clru::CLruCache;
use sluice_event::ObjectEvent;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::time::Duration;
use tokio::time::Instant;

/// Events and objects that are remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");
/// Events that one object may tell at once.
const BURST: f64 = 25.0;
/// After so long it may tell one more.
const REFILL: Duration = Duration::from_secs(300);

/// What becomes of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is made.
    New,
    /// The same was told before: by the event of this name, which was told so often now.
    Again(String, u32),
    /// Its object tells too much.
    Dropped,
}

struct Budget {
    left: f64,
    at: Instant,
}

/// What was told before.
pub(super) struct Correlator {
    told: CLruCache<u64, (String, u32)>,
    budgets: CLruCache<u64, Budget>,
}

impl Default for Correlator {
    fn default() -> Self {
        Self {
            told: CLruCache::new(REMEMBERED),
            budgets: CLruCache::new(REMEMBERED),
        }
    }
}

impl Correlator {
    /// What becomes of an event that comes at `now`.
    pub(super) fn fate(&mut self, event: &ObjectEvent, now: Instant) -> Fate {
        if !self.may_tell(object(event), now) {
            return Fate::Dropped;
        }
        match self.told.get_mut(&same(event)) {
            Some((name, count)) => {
                *count = count.saturating_add(1);
                Fate::Again(name.clone(), *count)
            }
            None => {
                self.told.put(same(event), (event.place().1, 1));
                Fate::New
            }
        }
    }

    /// The event that was told before is not there any more: this one takes its place.
    pub(super) fn starts_over(&mut self, event: &ObjectEvent) {
        self.told.put(same(event), (event.place().1, 1));
    }

    fn may_tell(&mut self, object: u64, now: Instant) -> bool {
        let full = Budget { left: BURST, at: now };
        let before = self.budgets.pop(&object).unwrap_or(full);
        let since = now.saturating_duration_since(before.at).as_secs_f64();
        let left = (before.left + since / REFILL.as_secs_f64()).min(BURST);
        let may = left >= 1.0;
        let left = if may { left - 1.0 } else { left };
        self.budgets.put(object, Budget { left, at: now });
        may
    }
}

fn digest(parts: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// Names what an event is about, and who tells it.
fn object(event: &ObjectEvent) -> u64 {
    let subject = &event.subject;
    digest((
        event.controller,
        &subject.api_version,
        &subject.kind,
        &subject.namespace,
        &subject.name,
        &subject.uid,
    ))
}

/// Equal for events that say the same of the same.
fn same(event: &ObjectEvent) -> u64 {
    digest((
        object(event),
        event.severity.as_str(),
        &event.reason,
        &event.message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use sluice_event::{Severity, Subject};

    fn event(message: &str, second: i64) -> ObjectEvent {
        ObjectEvent {
            subject: Subject {
                name: "web".to_owned(),
                ..Subject::default()
            },
            severity: Severity::Error,
            reason: "BuildFailed".to_owned(),
            message: message.to_owned(),
            metadata: [].into(),
            timestamp: Timestamp::from_second(second).unwrap(),
            controller: "kustomize-controller",
            instance: "pod".into(),
        }
    }

    #[test]
    fn the_same_is_counted() {
        let (mut correlator, now) = (Correlator::default(), Instant::now());
        let first = event("no such file", 1);
        assert_eq!(correlator.fate(&first, now), Fate::New);
        let name = first.place().1;
        assert_eq!(
            correlator.fate(&event("no such file", 2), now),
            Fate::Again(name.clone(), 2)
        );
        assert_eq!(correlator.fate(&event("no such directory", 3), now), Fate::New);
        assert_eq!(
            correlator.fate(&event("no such file", 4), now),
            Fate::Again(name, 3)
        );
        let fifth = event("no such file", 5);
        correlator.starts_over(&fifth);
        assert_eq!(
            correlator.fate(&event("no such file", 6), now),
            Fate::Again(fifth.place().1, 2)
        );
    }

    #[test]
    fn an_object_tells_only_so_much() {
        let (mut correlator, now) = (Correlator::default(), Instant::now());
        let mut tell = |number: i64, now| correlator.fate(&event(&format!("try {number}"), number), now);
        for number in 0..25 {
            assert_eq!(tell(number, now), Fate::New);
        }
        assert_eq!(tell(25, now), Fate::Dropped);
        let mut other = event("try 26", 26);
        other.subject.name = "other".to_owned();
        assert_eq!(tell(27, now + REFILL), Fate::New);
        assert_eq!(tell(28, now + REFILL), Fate::Dropped);
        assert_eq!(
            correlator.fate(&other, now),
            Fate::New,
            "each object has its own budget"
        );
    }
}
