//! Who runs next, as a pure state machine: no clock of its own, no task, no lock.
//!
//! ```text
//!            wake                 next                  done
//!  parked ─────────▶ ready (ring of namespaces) ─────▶ running ─────▶ parked
//!    ▲  timer, signal ─┘                                  │ wake: runs again at once
//!    └────────────────────────────────────────────────────┘
//! ```
//!
//! **Invariant:** an object runs at most once at a time. **Invariant:** a wake-up is never lost: it finds its object ready,
//! or makes it so, or makes the running one run again. **Invariant:** a parked object holds no worker.

use super::Key;
use super::ready::{Taken, Workers};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// Why an object is to be looked at. Several at once are kept together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Wake {
    /// It is new, its specification changed, or it is being deleted.
    Changed = 1,
    /// A new value of the annotation `reconcile.fluxcd.io/requestedAt`.
    Requested = 2,
    /// Something it subscribed to changed: its source, a dependency, a ConfigMap.
    Signal = 4,
    /// One of the objects it applied was changed by somebody.
    Drift = 8,
    /// One of the objects whose health it waits for moved.
    Health = 16,
    /// The time it asked for has come.
    Timer = 32,
}

/// A set of [`Wake`]s.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Wakes(u16);

impl Wakes {
    /// The set with `wake` added.
    pub fn with(self, wake: Wake) -> Self {
        Self(self.0 | wake as u16)
    }

    /// Whether `wake` is in the set.
    pub fn has(self, wake: Wake) -> bool {
        self.0 & wake as u16 != 0
    }
}

impl std::fmt::Debug for Wakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            Wake::Changed,
            Wake::Requested,
            Wake::Signal,
            Wake::Drift,
            Wake::Health,
            Wake::Timer,
        ];
        f.debug_set()
            .entries(all.into_iter().filter(|wake| self.has(*wake)))
            .finish()
    }
}

/// How an object is parked after it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Park {
    /// Until an event, or this time from now. None: until an event.
    For(Option<Duration>),
    /// What it applied is not healthy yet: until an event, or this time from now. Then it runs behind those that can go on.
    Awaiting(Duration),
    /// Something failed that may heal by itself: tried again after a delay that doubles with each failure in a row, up
    /// to a bound of its own where one is given.
    Backoff {
        /// The longest delay, where it is shorter than the general one.
        at_most: Option<Duration>,
    },
    /// The same where somebody asked to be left alone for this time. The general bound is the longest.
    BackoffAtLeast(Duration),
    /// It is gone: everything known about it is dropped.
    Gone,
}

/// Bounds of the delay after failures in a row: `--min-retry-delay`, `--max-retry-delay`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetryDelays {
    /// The first delay.
    pub min: Duration,
    /// The longest delay.
    pub max: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Parked,
    Ready,
    Running,
}

#[derive(Debug)]
struct Item {
    phase: Phase,
    /// Collected while ready (why it runs) or running (why it must run again).
    wakes: Wakes,
    timer: Option<(Instant, u64)>,
    subscriptions: HashSet<Topic>,
    /// Subscriptions made by the run that is going on; they replace the others when it ends, or join them.
    subscribing: HashSet<Topic>,
    /// The run that is going on did not come to read all that it needs.
    is_partial: bool,
    failures: u32,
    /// It goes behind the next time it is ready.
    is_behind: bool,
    /// The run that is going on was started from behind.
    runs_behind: bool,
    /// When the last run started.
    started: Instant,
}

impl Item {
    /// It failed once more in a row. After how long it is tried again: half of the delay is spread, so that what failed
    /// together does not come back together.
    fn failed(&mut self, first: Duration, bound: Duration, jitter: f64) -> Duration {
        let doubled = first.saturating_mul(1u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let spread = doubled.min(bound).mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
        spread.min(bound)
    }
}

/// What somebody may want to hear of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// What an object offers others: the artifact of a source, readiness and revision of a dependency, data of a Secret.
    News(Key),
    /// Every change of a Kustomization, for those who judge more of it than what others wait for.
    Every(Key),
    /// Labels and annotations of a Kustomization.
    Description(Key),
}

/// The objects of this process and what each waits for.
#[derive(Debug)]
pub(crate) struct Schedule {
    items: HashMap<Key, Item>,
    workers: BTreeMap<&'static str, Workers>,
    timers: BTreeMap<(Instant, u64), Key>,
    timer_count: u64,
    /// Sorted, so that equal events wake in equal order.
    subscribers: HashMap<Topic, BTreeSet<Key>>,
    /// Whether a topic has lost its last subscriber since somebody asked.
    has_abandoned: bool,
    retry: RetryDelays,
    parked: usize,
    now: Instant,
}

/// One that runs now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) key: Key,
    /// Why.
    pub(crate) wakes: Wakes,
    /// How long it was ready.
    pub(crate) waited: Duration,
}

/// The queue of one kind at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Objects ready for a worker.
    pub(crate) ready: usize,
    /// Objects that run.
    pub(crate) running: usize,
    /// How many may run at once.
    pub(crate) limit: usize,
    /// How long those that run have been running, together.
    pub(crate) unfinished: Duration,
    /// How long the one that has been running longest.
    pub(crate) longest: Duration,
}

impl Schedule {
    /// An empty schedule. `limits`: how many objects of each kind may run at once (`--concurrent`).
    pub(crate) fn new(
        limits: impl IntoIterator<Item = (&'static str, usize)>,
        retry: RetryDelays,
        now: Instant,
    ) -> Self {
        Self {
            items: HashMap::new(),
            workers: limits
                .into_iter()
                .map(|(kind, limit)| (kind, Workers::new(limit)))
                .collect(),
            timers: BTreeMap::new(),
            timer_count: 0,
            subscribers: HashMap::new(),
            has_abandoned: false,
            retry,
            parked: 0,
            now,
        }
    }

    /// Says what time it is, until it is said again.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = now;
    }

    /// Makes the object run: now if it is parked, again if it is running. An unknown object becomes known.
    /// Kinds without a limit are not reconciled here and are ignored.
    pub(crate) fn wake(&mut self, key: &Key, wake: Wake) {
        let Some(workers) = self.workers.get_mut(key.kind) else {
            return;
        };
        if !self.items.contains_key(key) {
            self.parked += 1;
        }
        let item = self.items.entry(key.clone()).or_insert_with(|| Item {
            phase: Phase::Parked,
            wakes: Wakes::default(),
            timer: None,
            subscriptions: HashSet::new(),
            subscribing: HashSet::new(),
            is_partial: false,
            failures: 0,
            is_behind: false,
            runs_behind: false,
            started: self.now,
        });
        item.wakes = item.wakes.with(wake);
        if wake == Wake::Changed || wake == Wake::Requested {
            item.failures = 0;
            // somebody wants this very one
            item.is_behind = false;
        }
        if item.phase == Phase::Parked {
            item.phase = Phase::Ready;
            if let Some(timer) = item.timer.take() {
                self.timers.remove(&timer);
            }
            self.parked -= 1;
            workers.push(key.clone(), item.is_behind, self.now);
        }
    }

    /// Wakes everybody who subscribed to `topic`.
    pub(crate) fn signal(&mut self, topic: &Topic) {
        self.signal_to(topic, |_| true);
    }

    /// Wakes everybody who subscribed to `topic` but `key`, who has the news.
    pub(crate) fn signal_others(&mut self, topic: &Topic, key: &Key) {
        self.signal_to(topic, |subscriber| subscriber != key);
    }

    fn signal_to(&mut self, topic: &Topic, is_meant: impl Fn(&Key) -> bool) {
        let subscribers = self.subscribers.get(topic).into_iter().flatten();
        let woken: Vec<Key> = subscribers.filter(|key| is_meant(key)).cloned().collect();
        for key in woken {
            self.wake(&key, Wake::Signal);
        }
    }

    /// The running object `key` wants to be woken when there is news of `topic`. Made before what it is about is read, so that
    /// no change between reading and parking is lost. Subscriptions live until the end of the object's next run that does not
    /// [keep](Self::keep) them.
    pub(crate) fn subscribe(&mut self, key: &Key, topic: Topic) {
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        item.subscribing.insert(topic.clone());
        self.subscribers.entry(topic).or_default().insert(key.clone());
    }

    /// The running object ends before it has read all that it needs: what it subscribed to in earlier runs goes on waking it.
    pub(crate) fn keep(&mut self, key: &Key) {
        if let Some(item) = self.items.get_mut(key) {
            item.is_partial = true;
        }
    }

    /// Whether somebody wants to be woken when there is news of `topic`.
    pub(crate) fn is_subscribed(&self, topic: &Topic) -> bool {
        self.subscribers.contains_key(topic)
    }

    /// Whether there is a topic that nobody subscribes to any more, since this was last asked.
    pub(crate) fn take_abandoned(&mut self) -> bool {
        std::mem::take(&mut self.has_abandoned)
    }

    /// The next object to run. None while nothing is ready or the limits are reached.
    pub(crate) fn next(&mut self) -> Option<Started> {
        let taken = self.workers.values_mut().find_map(Workers::take)?;
        let Taken { key, since, .. } = taken;
        let item = self.items.get_mut(&key)?;
        item.phase = Phase::Running;
        item.runs_behind = taken.from_behind;
        item.started = self.now;
        Some(Started {
            wakes: std::mem::take(&mut item.wakes),
            waited: self.now.saturating_duration_since(since),
            key,
        })
    }

    /// Whether somebody woke the running object since it started: what it works on may be old.
    pub(crate) fn is_superseded(&self, key: &Key) -> bool {
        self.items.get(key).is_some_and(|item| {
            [Wake::Changed, Wake::Requested, Wake::Signal]
                .iter()
                .any(|wake| item.wakes.has(*wake))
        })
    }

    /// The object ran. It runs again at once if it was woken meanwhile, else it is parked.
    /// `jitter` in 0..1 spreads delays after failures.
    pub(crate) fn done(&mut self, key: &Key, park: Park, now: Instant, jitter: f64) {
        self.tick(now);
        let Some(item) = self.items.get_mut(key) else {
            return;
        };
        if let Some(workers) = self.workers.get_mut(key.kind) {
            workers.put_back(item.runs_behind);
        }
        let fresh = std::mem::take(&mut item.subscribing);
        let mut stale = Vec::new();
        if std::mem::take(&mut item.is_partial) {
            item.subscriptions.extend(fresh);
        } else {
            let before = std::mem::replace(&mut item.subscriptions, fresh);
            stale.extend(before.difference(&item.subscriptions).cloned());
        }
        item.phase = Phase::Parked;
        self.parked += 1;
        let woken = item.wakes != Wakes::default();
        let is_wanted = item.wakes.has(Wake::Changed) || item.wakes.has(Wake::Requested);
        item.is_behind = matches!(park, Park::Awaiting(_)) && !is_wanted;
        let delay = match park {
            Park::For(delay) => {
                item.failures = 0;
                delay
            }
            Park::Awaiting(delay) => {
                item.failures = 0;
                Some(delay)
            }
            Park::Backoff { at_most } => {
                let bound = at_most.unwrap_or(self.retry.max).min(self.retry.max);
                Some(item.failed(self.retry.min, bound, jitter))
            }
            Park::BackoffAtLeast(after) => {
                let bound = self.retry.max;
                Some(item.failed(self.retry.min, bound, jitter).max(after).min(bound))
            }
            Park::Gone => None,
        };
        self.unsubscribe(key, stale);
        match (park, woken) {
            (Park::Gone, false) => self.forget(key),
            (_, true) => self.make_ready(key),
            (_, false) => {
                if let Some(at) = delay.and_then(|delay| now.checked_add(delay)) {
                    self.set_timer(key, at);
                }
            }
        }
    }

    fn make_ready(&mut self, key: &Key) {
        if let Some(item) = self.items.get_mut(key)
            && let Some(workers) = self.workers.get_mut(key.kind)
        {
            item.phase = Phase::Ready;
            self.parked -= 1;
            workers.push(key.clone(), item.is_behind, self.now);
        }
    }

    fn set_timer(&mut self, key: &Key, at: Instant) {
        self.timer_count += 1;
        let timer = (at, self.timer_count);
        if let Some(item) = self.items.get_mut(key) {
            item.timer = Some(timer);
            self.timers.insert(timer, key.clone());
        }
    }

    fn unsubscribe(&mut self, key: &Key, topics: Vec<Topic>) {
        for topic in topics {
            if let Some(subscribers) = self.subscribers.get_mut(&topic) {
                subscribers.remove(key);
                if subscribers.is_empty() {
                    self.subscribers.remove(&topic);
                    self.has_abandoned = true;
                }
            }
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(item) = self.items.remove(key) {
            self.parked -= 1;
            self.unsubscribe(key, item.subscriptions.into_iter().collect());
        }
    }

    /// Makes those ready whose time has come.
    pub(crate) fn fire(&mut self, now: Instant) {
        self.tick(now);
        while let Some((&timer, _)) = self.timers.first_key_value() {
            if timer.0 > now {
                return;
            }
            if let Some(key) = self.timers.remove(&timer) {
                if let Some(item) = self.items.get_mut(&key) {
                    item.timer = None;
                }
                self.wake(&key, Wake::Timer);
            }
        }
    }

    /// When [`Schedule::fire`] next has something to do.
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many are ready, and how many parked.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.workers.values().map(Workers::ready).sum(), self.parked)
    }

    /// How much the workers of a kind have to do.
    pub(crate) fn load(&self, kind: &'static str) -> Load {
        let Some(workers) = self.workers.get(kind) else {
            return Load::default();
        };
        let running = self
            .items
            .iter()
            .filter(|(key, item)| key.kind == kind && item.phase == Phase::Running);
        let ages = running.map(|(_, item)| self.now.saturating_duration_since(item.started));
        let (unfinished, longest) = ages.fold((Duration::ZERO, Duration::ZERO), |(sum, max), age| {
            (sum + age, max.max(age))
        });
        Load {
            ready: workers.ready(),
            running: workers.running(),
            limit: workers.limit(),
            unfinished,
            longest,
        }
    }

    /// Whether nothing runs.
    pub(crate) fn is_idle(&self) -> bool {
        self.workers.values().all(|workers| workers.running() == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIN: Duration = Duration::from_millis(750);

    fn schedule(limit: usize) -> Schedule {
        Schedule::new(
            [("K", limit)],
            RetryDelays {
                min: MIN,
                max: Duration::from_secs(900),
            },
            Instant::now(),
        )
    }

    fn key(namespace: &str, name: &str) -> Key {
        Key::new("K", namespace, name)
    }

    fn run(schedule: &mut Schedule) -> Option<String> {
        schedule.next().map(|started| started.key.to_string())
    }

    #[test]
    fn namespaces_take_turns() {
        let mut s = schedule(100);
        for name in ["1", "2", "3"] {
            s.wake(&key("big", name), Wake::Changed);
        }
        s.wake(&key("small", "1"), Wake::Changed);
        let order: Vec<_> = std::iter::from_fn(|| run(&mut s)).collect();
        assert_eq!(order, ["K/big/1", "K/small/1", "K/big/2", "K/big/3"]);
    }

    #[test]
    fn what_awaits_health_goes_behind_what_can_go_on_and_is_not_forgotten() {
        let mut s = schedule(1);
        let now = Instant::now();
        let stuck: Vec<Key> = (0..3).map(|number| key("x", &format!("stuck{number}"))).collect();
        for key in &stuck {
            s.wake(key, Wake::Changed);
            s.next().unwrap();
            s.done(key, Park::Awaiting(Duration::from_secs(60)), now, 0.0);
        }
        for key in &stuck {
            s.wake(key, Wake::Signal);
        }
        for name in ["1", "2", "3", "4"] {
            s.wake(&key("x", name), Wake::Signal);
        }
        let mut order = Vec::new();
        while let Some(Started { key, .. }) = s.next() {
            s.done(&key, Park::For(None), now, 0.0);
            order.push(key.name.to_string());
        }
        // the fourth run of all is the first of these
        assert_eq!(order, ["stuck0", "1", "2", "3", "stuck1", "4", "stuck2"]);
    }

    #[test]
    fn what_awaits_health_and_is_wanted_anew_does_not_go_behind() {
        let now = Instant::now();
        for (meanwhile, expected) in [(Wake::Changed, ["b", "a", "c"]), (Wake::Signal, ["b", "c", "a"])] {
            let mut s = schedule(1);
            let a = key("x", "a");
            s.wake(&a, Wake::Changed);
            s.next().unwrap();
            s.wake(&key("x", "b"), Wake::Signal);
            s.wake(&a, meanwhile);
            s.done(&a, Park::Awaiting(Duration::from_secs(60)), now, 0.0);
            s.wake(&key("x", "c"), Wake::Signal);
            let mut order = Vec::new();
            while let Some(Started { key, .. }) = s.next() {
                s.done(&key, Park::For(None), now, 0.0);
                order.push(key.name.to_string());
            }
            assert_eq!(order, expected);
        }
    }

    #[test]
    fn what_awaits_health_leaves_most_workers_to_what_can_go_on() {
        let mut s = schedule(8);
        let now = Instant::now();
        for number in 0..10 {
            let key = key("x", &format!("stuck{number}"));
            s.wake(&key, Wake::Changed);
            s.next().unwrap();
            s.done(&key, Park::Awaiting(Duration::from_secs(60)), now, 0.0);
        }
        for number in 0..10 {
            s.wake(&key("x", &format!("stuck{number}")), Wake::Signal);
        }
        s.wake(&key("x", "well"), Wake::Signal);
        let beside: Vec<_> = std::iter::from_fn(|| run(&mut s)).collect();
        assert_eq!(beside, ["K/x/well", "K/x/stuck0", "K/x/stuck1"]);
        s.done(&key("x", "well"), Park::For(None), now, 0.0);
        let after = std::iter::from_fn(|| run(&mut s)).count();
        assert_eq!(after, 6, "nothing else to do: they have all eight workers");
    }

    #[test]
    fn the_load_says_how_long_things_take() {
        let mut s = schedule(1);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        s.tick(at(0));
        s.wake(&key("x", "a"), Wake::Changed);
        s.wake(&key("x", "b"), Wake::Changed);
        s.tick(at(2));
        assert_eq!(s.next().unwrap().waited, Duration::from_secs(2));
        s.tick(at(5));
        let load = s.load("K");
        assert_eq!((load.ready, load.running, load.limit), (1, 1, 1));
        assert_eq!(load.longest, Duration::from_secs(3));
        s.done(&key("x", "a"), Park::For(None), at(6), 0.0);
        assert_eq!(s.next().unwrap().waited, Duration::from_secs(6));
    }

    #[test]
    fn limits_hold_and_wakes_coalesce() {
        let mut s = schedule(1);
        let (a, b) = (key("x", "a"), key("x", "b"));
        s.wake(&a, Wake::Changed);
        s.wake(&a, Wake::Requested);
        s.wake(&b, Wake::Changed);
        let first = s.next().unwrap();
        assert_eq!(first.key, a);
        assert_eq!(
            first.wakes,
            Wakes::default().with(Wake::Changed).with(Wake::Requested)
        );
        assert_eq!(s.next(), None, "one worker");
        s.done(&a, Park::For(None), Instant::now(), 0.0);
        assert_eq!(s.next().unwrap().key, b);
        assert_eq!(s.counts(), (0, 1));
    }

    #[test]
    fn a_wake_up_while_running_runs_again() {
        let mut s = schedule(1);
        let a = key("x", "a");
        s.wake(&a, Wake::Changed);
        s.next().unwrap();
        assert!(!s.is_superseded(&a));
        s.wake(&a, Wake::Signal);
        assert!(s.is_superseded(&a));
        assert_eq!(s.next(), None, "never twice at once");
        s.done(&a, Park::For(Some(Duration::from_secs(600))), Instant::now(), 0.0);
        let again = s.next().unwrap();
        assert_eq!((again.key, again.wakes), (a, Wakes::default().with(Wake::Signal)));
    }

    #[test]
    fn a_change_between_reading_and_parking_is_not_lost() {
        let mut s = schedule(1);
        let (a, source) = (key("x", "a"), Topic::News(Key::new("GitRepository", "x", "src")));
        s.wake(&a, Wake::Changed);
        s.next().unwrap();
        s.subscribe(&a, source.clone());
        s.signal(&source);
        s.done(&a, Park::For(None), Instant::now(), 0.0);
        assert!(s.next().is_some(), "the signal came while running");
        assert!(!s.take_abandoned(), "who subscribed last has not run since");
        s.done(&a, Park::For(None), Instant::now(), 0.0);
        assert!(s.take_abandoned() && !s.take_abandoned());
        s.signal(&source);
        assert_eq!(s.next(), None, "the second run did not subscribe");
    }

    #[test]
    fn who_has_the_news_is_not_told() {
        let mut s = schedule(2);
        let (a, b, source) = (
            key("x", "a"),
            key("x", "b"),
            Topic::News(Key::new("Secret", "x", "s")),
        );
        for key in [&a, &b] {
            s.wake(key, Wake::Changed);
            s.next().unwrap();
            s.subscribe(key, source.clone());
            s.done(key, Park::For(None), Instant::now(), 0.0);
        }
        s.signal_others(&source, &a);
        assert_eq!(s.next().unwrap().key, b);
        assert_eq!(s.next(), None);
    }

    #[test]
    fn subscriptions_of_the_last_run_stay_until_the_next_run_ends() {
        let mut s = schedule(1);
        let (a, source) = (key("x", "a"), Topic::News(Key::new("GitRepository", "x", "src")));
        s.wake(&a, Wake::Changed);
        s.next().unwrap();
        s.subscribe(&a, source.clone());
        s.done(&a, Park::For(None), Instant::now(), 0.0);
        s.signal(&source);
        assert_eq!(s.next().unwrap().wakes, Wakes::default().with(Wake::Signal));
        s.signal(&source);
        s.subscribe(&a, source.clone());
        s.done(&a, Park::For(None), Instant::now(), 0.0);
        assert!(s.next().is_some(), "signalled before it subscribed anew");
    }

    #[test]
    fn what_does_not_come_to_read_all_still_hears_of_all() {
        let mut s = schedule(1);
        let (a, source) = (key("x", "a"), Topic::News(Key::new("GitRepository", "x", "src")));
        let values = Topic::News(Key::new("ConfigMap", "x", "values"));
        s.wake(&a, Wake::Changed);
        s.next().unwrap();
        s.subscribe(&a, source.clone());
        s.subscribe(&a, values.clone());
        s.done(&a, Park::For(None), Instant::now(), 0.0);
        // it is held back, and then waits for its source alone
        for (wake, looks) in [(Wake::Drift, false), (Wake::Health, false), (Wake::Timer, true)] {
            s.wake(&a, wake);
            s.next().unwrap();
            if looks {
                s.subscribe(&a, source.clone());
            }
            s.keep(&a);
            s.done(&a, Park::For(Some(MIN)), Instant::now(), 0.0);
        }
        assert!(!s.take_abandoned(), "both are still read");
        for topic in [&source, &values] {
            s.signal(topic);
            assert_eq!(s.next().unwrap().wakes, Wakes::default().with(Wake::Signal));
            s.keep(&a);
            s.done(&a, Park::For(None), Instant::now(), 0.0);
        }
        s.wake(&a, Wake::Changed);
        s.next().unwrap();
        s.subscribe(&a, source.clone());
        s.done(&a, Park::For(None), Instant::now(), 0.0);
        assert!(
            s.take_abandoned(),
            "this one read all, and the other was not among it"
        );
        s.signal(&values);
        assert_eq!(s.next(), None);
        s.signal(&source);
        assert!(s.next().is_some());
    }

    #[test]
    fn timers_fire_once_and_an_event_takes_their_place() {
        let mut s = schedule(2);
        let now = Instant::now();
        let (a, b) = (key("x", "a"), key("x", "b"));
        for key in [&a, &b] {
            s.wake(key, Wake::Changed);
            s.next().unwrap();
            s.done(key, Park::For(Some(Duration::from_secs(10))), now, 0.0);
        }
        s.wake(&a, Wake::Drift);
        assert_eq!(s.next().unwrap().wakes, Wakes::default().with(Wake::Drift));
        s.done(&a, Park::For(None), now, 0.0);
        assert_eq!(
            s.next_timer(),
            Some(now + Duration::from_secs(10)),
            "only b's is left"
        );
        s.fire(now + Duration::from_secs(9));
        assert_eq!(s.next(), None);
        s.fire(now + Duration::from_secs(10));
        let timed = s.next().unwrap();
        assert_eq!((timed.key, timed.wakes), (b, Wakes::default().with(Wake::Timer)));
        assert_eq!(s.next_timer(), None);
    }

    #[test]
    fn failures_back_off_until_the_wish_changes() {
        let mut s = schedule(1);
        let (a, mut now) = (key("x", "a"), Instant::now());
        let fail = |s: &mut Schedule, now: &mut Instant| {
            s.next().unwrap();
            s.done(&a, Park::Backoff { at_most: None }, *now, 1.0);
            let at = s.next_timer().unwrap();
            let delay = at - *now;
            *now = at;
            s.fire(at);
            delay
        };
        s.wake(&a, Wake::Changed);
        let delays: Vec<_> = (0..40).map(|_| fail(&mut s, &mut now)).collect();
        assert_eq!(delays.get(..3).unwrap(), [MIN, MIN * 2, MIN * 4]);
        assert_eq!(*delays.last().unwrap(), Duration::from_secs(900));
        s.wake(&a, Wake::Changed);
        assert_eq!(fail(&mut s, &mut now), MIN, "a new wish starts anew");
    }

    #[test]
    fn who_asks_to_be_left_alone_is_left_alone() {
        let mut s = schedule(1);
        let (a, now) = (key("x", "a"), Instant::now());
        let mut after = |seconds| {
            s.wake(&a, Wake::Signal);
            s.next().unwrap();
            let park = Park::BackoffAtLeast(Duration::from_secs(seconds));
            s.done(&a, park, now, 0.0);
            s.next_timer().unwrap().duration_since(now)
        };
        assert_eq!(after(60), Duration::from_secs(60));
        assert_eq!(after(0), MIN, "half of the second delay");
        assert_eq!(
            after(24 * 3600),
            Duration::from_secs(900),
            "no longer than anything"
        );
    }

    #[test]
    fn gone_objects_leave_nothing_behind() {
        let mut s = schedule(1);
        let (a, source) = (key("x", "a"), Topic::News(Key::new("GitRepository", "x", "src")));
        s.wake(&a, Wake::Changed);
        s.next().unwrap();
        s.subscribe(&a, source.clone());
        s.done(&a, Park::For(Some(MIN)), Instant::now(), 0.0);
        s.wake(&a, Wake::Changed);
        s.next().unwrap();
        s.done(&a, Park::Gone, Instant::now(), 0.0);
        assert!(s.items.is_empty() && s.timers.is_empty() && s.subscribers.is_empty());
        assert_eq!(s.counts(), (0, 0));
    }

    #[test]
    fn kinds_of_others_are_not_run() {
        let mut s = schedule(1);
        s.wake(&Key::new("GitRepository", "x", "src"), Wake::Changed);
        assert_eq!(s.next(), None);
    }
}
