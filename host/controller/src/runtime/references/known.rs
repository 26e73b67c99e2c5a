//! What is known of the objects that somebody reads, and which watches show them: no task, no clock, no request.
//!
//! **Invariant:** who holds an old version is woken: all that is read or shown is compared with what is known.
//! **Invariant:** what was read is shown by a watch that began, or begins, with a list. A narrow watch goes on until the wide
//! one in its place has listed.

use crate::runtime::Key;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// So many objects of a kind in one namespace are watched one by one: each such watch is a connection and a task. Of more, a
/// watch of their namespace shows all, and those that nobody reads with them.
const NAMES_MAX: usize = 8;
/// So many watches of a kind there are. In place of more, one shows all namespaces.
const WATCHES_MAX: usize = 64;

/// The objects that are read, and the watches that show them.
#[derive(Debug)]
pub(in crate::runtime) struct References(Mutex<State>);

#[derive(Debug)]
struct State {
    references: BTreeMap<Key, Reference>,
    watches: BTreeMap<Scope, Watch>,
    /// Whether a watch may show all namespaces.
    is_everywhere: bool,
    /// Ends all watches.
    shutdown: CancellationToken,
}

/// What one watch shows: one object, those of a namespace, or all of the kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    pub(super) kind: &'static str,
    pub(super) namespace: Option<Arc<str>>,
    pub(super) name: Option<Arc<str>>,
}

impl Scope {
    fn object(key: &Key) -> Self {
        Self {
            name: Some(key.name.clone()),
            ..Self::namespace(key)
        }
    }

    fn namespace(key: &Key) -> Self {
        Self {
            namespace: Some(key.namespace.clone()),
            ..Self::all(key.kind)
        }
    }

    fn all(kind: &'static str) -> Self {
        Self {
            kind,
            namespace: None,
            name: None,
        }
    }

    /// Whether others than one named object are shown.
    pub(super) fn is_wide(&self) -> bool {
        self.name.is_none()
    }

    /// Whether all that `other` shows is shown.
    fn holds(&self, other: &Self) -> bool {
        let takes_in = |own: &Option<Arc<str>>, other: &Option<Arc<str>>| own.is_none() || own == other;
        self.kind == other.kind
            && takes_in(&self.namespace, &other.namespace)
            && takes_in(&self.name, &other.name)
    }
}

#[derive(Debug)]
struct Watch {
    stop: CancellationToken,
    progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// What there is has not been shown yet.
    Listing,
    /// It was; since then every change is shown.
    Listed,
    /// The API server does not allow it: narrower ones stand in.
    Refused,
}

/// A watch that is to be started, and what ends it.
pub(super) type Started = (Scope, CancellationToken);

/// What a watch shows of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is there, in this version.
    There(u64),
    /// It was deleted, which is a version too.
    Gone(u64),
    /// A list does not have it.
    Unlisted,
}

/// Who holds an old version, now that somebody has read the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outdated {
    /// Nobody.
    Nobody,
    /// Whoever read it before.
    Others,
    /// The one that has just read it, or it cannot be told: something was shown while the answer was on its way.
    Reader,
}

#[derive(Debug, Default)]
struct Reference {
    /// Whether the object is there; none before it was read or shown.
    is_there: Option<bool>,
    /// The newest version that was read or shown, that of the deletion included.
    version: u64,
    /// How often this has changed.
    changes: u64,
}

impl Reference {
    /// The object was read: `version` is none where it is absent, `since` what [`References::expect`] gave before.
    fn read(&mut self, since: u64, version: Option<u64>) -> Outdated {
        let is_there = Some(version.is_some());
        if self.is_there == is_there && version.is_none_or(|version| version == self.version) {
            return Outdated::Nobody;
        }
        // what is absent may have been so before the answer, or after it
        let is_newer = self.is_there == Some(true) && version.is_some_and(|version| version > self.version);
        // an answer is newer than all that was known when it was asked for, whatever the versions say: a cluster that
        // was restored counts from an earlier one
        if self.changes != since && !is_newer {
            return Outdated::Reader;
        }
        let before = std::mem::replace(&mut self.is_there, is_there);
        self.version = version.unwrap_or(self.version);
        self.changes += 1;
        match before {
            None => Outdated::Nobody,
            Some(_) => Outdated::Others,
        }
    }

    /// A watch shows the object. Whether that is news to those who have read it.
    fn show(&mut self, shown: Shown) -> bool {
        let (is_there, version) = match shown {
            Shown::There(version) if version > self.version => (true, version),
            Shown::Gone(version) if version >= self.version => (false, version),
            Shown::Unlisted => (false, self.version),
            // it is behind a reader, or behind another watch
            Shown::There(_) | Shown::Gone(_) => return false,
        };
        self.version = version;
        let before = self.is_there.replace(is_there);
        if before == Some(false) && !is_there {
            return false;
        }
        self.changes += 1;
        // who is still reading compares when the answer is there
        before.is_some()
    }
}

impl References {
    /// Nothing is read yet. `is_everywhere`: whether a watch may show all namespaces; `shutdown` ends them all.
    pub(in crate::runtime) fn new(is_everywhere: bool, shutdown: CancellationToken) -> Self {
        Self(Mutex::new(State {
            references: BTreeMap::new(),
            watches: BTreeMap::new(),
            is_everywhere,
            shutdown,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object is about to be read: what a watch shows of it from now on counts.
    pub(super) fn expect(&self, key: &Key) -> u64 {
        self.lock().references.entry(key.clone()).or_default().changes
    }

    /// It was read. Who is to read again, and the watches that are to be started.
    pub(super) fn read(&self, key: &Key, since: u64, version: Option<u64>) -> (Outdated, Vec<Started>) {
        let mut state = self.lock();
        let reference = state.references.entry(key.clone()).or_default();
        let outdated = reference.read(since, version);
        let started = match state.is_watched(key) {
            true => Vec::new(),
            false => state.watch(key),
        };
        (outdated, started)
    }

    /// A watch shows an object. Whether that is news to somebody.
    pub(super) fn shown(&self, key: &Key, shown: Shown) -> bool {
        let mut state = self.lock();
        let reference = state.references.get_mut(key);
        reference.is_some_and(|reference| reference.show(shown))
    }

    /// The objects of `scope` that are read.
    pub(super) fn of(&self, scope: &Scope) -> BTreeSet<Key> {
        let state = self.lock();
        let keys = state.references.keys();
        keys.filter(|key| scope.holds(&Scope::object(key)))
            .cloned()
            .collect()
    }

    /// A watch has shown all there is. The watches that are to be started.
    pub(super) fn listed(&self, scope: &Scope) -> Vec<Started> {
        self.went(scope, Progress::Listed)
    }

    /// A watch is not allowed. The watches that are to be started in its place.
    pub(super) fn refused(&self, scope: &Scope) -> Vec<Started> {
        self.went(scope, Progress::Refused)
    }

    fn went(&self, scope: &Scope, progress: Progress) -> Vec<Started> {
        let mut state = self.lock();
        match state.watches.get_mut(scope) {
            Some(watch) if watch.progress != progress => watch.progress = progress,
            _ => return Vec::new(),
        }
        state.settle(scope.kind)
    }

    /// Forgets what is not `wanted`, and ends the watches that show nothing else. The watches that are to be started: few are
    /// watched one by one again.
    pub(super) fn retain(&self, wanted: impl Fn(&Key) -> bool) -> Vec<Started> {
        let mut state = self.lock();
        let mut kinds = BTreeSet::new();
        state.references.retain(|key, _| {
            let is_wanted = wanted(key);
            if !is_wanted {
                kinds.insert(key.kind);
            }
            is_wanted
        });
        let mut started = Vec::new();
        for kind in kinds {
            started.extend(state.settle(kind));
        }
        started
    }

    /// How many watches there are of single objects, of namespaces, of all, and how many of them have listed what there is.
    #[cfg(test)]
    pub(super) fn watches(&self) -> ([usize; 3], usize) {
        let state = self.lock();
        let count = |is: fn(&Scope) -> bool| state.watches.keys().filter(|scope| is(scope)).count();
        let counts = [
            count(|scope| !scope.is_wide()),
            count(|scope| scope.is_wide() && scope.namespace.is_some()),
            count(|scope| scope.namespace.is_none()),
        ];
        let watches = state.watches.values();
        let listed = watches.filter(|watch| watch.progress == Progress::Listed);
        (counts, listed.count())
    }
}

impl State {
    /// Whether a watch shows the object, or will when it has listed.
    fn is_watched(&self, key: &Key) -> bool {
        [Scope::object(key), Scope::namespace(key), Scope::all(key.kind)]
            .iter()
            .filter_map(|scope| self.watches.get(scope))
            .any(|watch| watch.progress != Progress::Refused)
    }

    /// Starts what shows one more object.
    fn watch(&mut self, key: &Key) -> Vec<Started> {
        // where wide watches are refused there may be thousands: looking at all of them for each takes seconds
        match self.stands_alone(key) {
            true => vec![self.start(Scope::object(key))],
            false => self.settle(key.kind),
        }
    }

    /// Whether an object that was read makes no difference to the watches of others.
    fn stands_alone(&self, key: &Key) -> bool {
        let progress = |scope: &Scope| self.watches.get(scope).map(|watch| watch.progress);
        let all = progress(&Scope::all(key.kind));
        if progress(&Scope::object(key)).is_some() || (self.is_everywhere && all != Some(Progress::Refused)) {
            return false;
        }
        match progress(&Scope::namespace(key)) {
            Some(progress) => progress == Progress::Refused,
            None => {
                let is_near = |other: &Key| other.kind == key.kind && other.namespace == key.namespace;
                let near = self.references.range(Key::new(key.kind, &key.namespace, "")..);
                let read = near
                    .take_while(|(other, _)| is_near(other))
                    .filter(|(_, reference)| reference.is_there.is_some());
                read.take(NAMES_MAX + 1).count() <= NAMES_MAX
            }
        }
    }

    fn start(&mut self, scope: Scope) -> Started {
        let stop = self.shutdown.child_token();
        let watch = Watch {
            stop: stop.clone(),
            progress: Progress::Listing,
        };
        self.watches.insert(scope.clone(), watch);
        (scope, stop)
    }

    /// Starts the watches of a kind that are wanted and ends the others.
    fn settle(&mut self, kind: &'static str) -> Vec<Started> {
        let wanted = self.wanted(kind);
        let progress = |scope: &Scope| self.watches.get(scope).map(|watch| watch.progress);
        let listing: Vec<&Scope> = wanted
            .iter()
            .filter(|scope| scope.is_wide() && progress(scope).is_none_or(|is| is == Progress::Listing))
            .collect();
        self.watches.retain(|scope, watch| {
            let is_kept =
                scope.kind != kind || wanted.contains(scope) || listing.iter().any(|wide| wide.holds(scope));
            if !is_kept {
                watch.stop.cancel();
            }
            is_kept
        });
        let mut started = Vec::new();
        for scope in wanted {
            if !self.watches.contains_key(&scope) {
                started.push(self.start(scope));
            }
        }
        started
    }

    /// The watches that show all objects of a kind that were read.
    fn wanted(&self, kind: &'static str) -> BTreeSet<Scope> {
        let references = self.references.range(Key::new(kind, "", "")..);
        let mut namespaces: BTreeMap<Scope, Vec<Scope>> = BTreeMap::new();
        for (key, reference) in references.take_while(|(key, _)| key.kind == kind) {
            // who could not read an object asks for it again by itself
            if reference.is_there.is_some() {
                let objects = namespaces.entry(Scope::namespace(key)).or_default();
                objects.push(Scope::object(key));
            }
        }
        let watches: Vec<Scope> = namespaces
            .into_iter()
            .flat_map(|(namespace, objects)| self.one_for(namespace, objects, NAMES_MAX))
            .collect();
        let watches = match self.is_everywhere {
            true => self.one_for(Scope::all(kind), watches, WATCHES_MAX),
            false => watches,
        };
        watches.into_iter().collect()
    }

    /// One wide watch in the place of more than `max`. They stand beside it where it is refused.
    fn one_for(&self, wide: Scope, mut narrow: Vec<Scope>, max: usize) -> Vec<Scope> {
        let watch = self.watches.get(&wide);
        // one that is there stays until there are far fewer: at the bound each that comes and goes would be a list
        let max = if watch.is_some() { max / 2 } else { max };
        if narrow.len() > max {
            if watch.is_none_or(|watch| watch.progress != Progress::Refused) {
                narrow.clear();
            }
            narrow.push(wide);
        }
        narrow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads and shows objects, and knows which watches were started.
    struct World {
        references: References,
        running: BTreeMap<Scope, CancellationToken>,
    }

    impl World {
        fn new(is_everywhere: bool) -> Self {
            Self {
                references: references(is_everywhere),
                running: BTreeMap::new(),
            }
        }

        fn start(&mut self, started: Vec<Started>) {
            self.running.retain(|_, stop| !stop.is_cancelled());
            for (scope, stop) in started {
                assert!(
                    self.running.insert(scope, stop).is_none(),
                    "one of each is enough"
                );
            }
        }

        fn read(&mut self, key: &Key, version: Option<u64>) -> Outdated {
            let since = self.references.expect(key);
            let (outdated, started) = self.references.read(key, since, version);
            self.start(started);
            outdated
        }

        fn listed(&mut self, scope: &Scope) {
            let started = self.references.listed(scope);
            self.start(started);
        }

        fn refused(&mut self, scope: &Scope) {
            let started = self.references.refused(scope);
            self.start(started);
        }

        fn retain(&mut self, wanted: impl Fn(&Key) -> bool) {
            let started = self.references.retain(wanted);
            self.start(started);
        }

        fn watches(&self) -> [usize; 3] {
            let (watches, _) = self.references.watches();
            assert_eq!(watches.iter().sum::<usize>(), self.running.len());
            watches
        }
    }

    fn references(is_everywhere: bool) -> References {
        References::new(is_everywhere, CancellationToken::new())
    }

    fn key(name: impl std::fmt::Display) -> Key {
        Key::new("Secret", "ns", &name.to_string())
    }

    #[test]
    fn what_was_read_is_no_news_and_everything_after_is() {
        use Shown::{Gone, There, Unlisted};
        let (mut world, key) = (World::new(true), key("vars"));
        let shown = |world: &World, shown| world.references.shown(&key, shown);
        assert!(!shown(&world, There(3)), "nobody reads it");
        assert_eq!(world.read(&key, Some(5)), Outdated::Nobody);
        assert_eq!(world.read(&key, Some(5)), Outdated::Nobody);
        assert_eq!(world.watches(), [1, 0, 0], "one watch is enough");
        assert!(!shown(&world, There(5)));
        assert!(shown(&world, There(6)));
        assert!(!shown(&world, There(6)), "a relist shows it again");
        assert!(
            !shown(&world, There(5)) && !shown(&world, Gone(4)),
            "another watch is behind"
        );
        assert!(shown(&world, Gone(7)));
        assert!(!shown(&world, Gone(7)) && !shown(&world, Unlisted));
        assert!(shown(&world, There(9)), "made anew");
        assert!(shown(&world, Unlisted));
        world.retain(|_| false);
        assert_eq!(
            (
                world.running.len(),
                world.references.of(&Scope::all("Secret")).len()
            ),
            (0, 0)
        );
        assert_eq!(world.read(&key, None), Outdated::Nobody);
        assert!(!shown(&world, Unlisted));
        assert!(shown(&world, There(12)));
    }

    #[test]
    fn who_reads_what_no_watch_has_shown_yet_tells_those_who_read_before() {
        let (mut world, key) = (World::new(true), key("vars"));
        world.read(&key, Some(5));
        assert_eq!(world.read(&key, Some(6)), Outdated::Others);
        assert!(!world.references.shown(&key, Shown::There(6)), "they know");
        assert_eq!(world.read(&key, None), Outdated::Others);
        assert!(!world.references.shown(&key, Shown::Gone(7)));
        assert_eq!(world.read(&key, Some(8)), Outdated::Others);
        // restored from a backup: what is read holds, and is told once
        assert_eq!(world.read(&key, Some(2)), Outdated::Others);
        assert_eq!(world.read(&key, Some(2)), Outdated::Nobody);
        assert!(world.references.shown(&key, Shown::There(3)));
    }

    #[test]
    fn an_answer_that_is_older_than_what_was_shown_meanwhile_is_asked_for_again() {
        let rows = [
            // a watch of the namespace shows it before the first answer is there
            (None, Shown::There(6), Some(5), Outdated::Reader),
            (None, Shown::There(6), None, Outdated::Reader),
            (None, Shown::There(6), Some(6), Outdated::Nobody),
            (None, Shown::There(6), Some(7), Outdated::Others),
            (None, Shown::Gone(6), Some(5), Outdated::Reader),
            (None, Shown::Gone(6), None, Outdated::Nobody),
            (None, Shown::Gone(6), Some(7), Outdated::Reader),
            (None, Shown::Unlisted, Some(5), Outdated::Reader),
            (Some(4), Shown::There(6), Some(4), Outdated::Reader),
            (Some(4), Shown::Gone(6), Some(4), Outdated::Reader),
        ];
        for (before, shown, answer, expected) in rows {
            let (mut world, key) = (World::new(true), key("vars"));
            if before.is_some() {
                world.read(&key, before);
            }
            let since = world.references.expect(&key);
            assert_eq!(world.references.shown(&key, shown), before.is_some());
            let (outdated, _) = world.references.read(&key, since, answer);
            assert_eq!(outdated, expected, "{before:?} {shown:?} {answer:?}");
        }
    }

    #[test]
    fn of_two_first_readers_the_one_with_the_older_answer_reads_again() {
        let (world, key) = (World::new(true), key("vars"));
        let since = [world.references.expect(&key), world.references.expect(&key)];
        let read = |since, version| world.references.read(&key, since, version).0;
        assert_eq!(read(since[0], Some(6)), Outdated::Nobody);
        assert_eq!(read(since[1], Some(5)), Outdated::Reader);
    }

    #[test]
    fn many_of_a_namespace_share_a_watch_and_few_do_not() {
        let mut world = World::new(true);
        let namespace = Scope::namespace(&key(""));
        for number in 0..NAMES_MAX {
            world.read(&key(number), Some(1));
        }
        assert_eq!(world.watches(), [NAMES_MAX, 0, 0]);
        for number in NAMES_MAX..100 {
            world.read(&key(number), Some(1));
            let missing = Key::new("Secret", "ns", "not-readable");
            world.references.expect(&missing);
        }
        assert_eq!(world.watches(), [NAMES_MAX, 1, 0], "until it has listed");
        world.listed(&namespace);
        world.listed(&namespace);
        assert_eq!(world.watches(), [0, 1, 0]);
        world.read(&Key::new("ConfigMap", "ns", "0"), Some(1));
        world.read(&Key::new("Secret", "other", "0"), Some(1));
        assert_eq!(world.watches(), [2, 1, 0]);
        let least = NAMES_MAX / 2;
        world.retain(|key| key.name.parse::<usize>().is_ok_and(|number| number <= least));
        assert_eq!(
            world.watches(),
            [2, 1, 0],
            "one that comes and goes moves nothing"
        );
        world.retain(|key| key.name.parse::<usize>().is_ok_and(|number| number < least));
        assert_eq!(world.watches(), [2 + least, 0, 0]);
    }

    #[test]
    fn where_a_namespace_may_not_be_watched_each_object_is() {
        let mut world = World::new(true);
        let namespace = Scope::namespace(&key(""));
        for number in 0..=NAMES_MAX {
            world.read(&key(number), Some(1));
        }
        assert_eq!(world.watches(), [NAMES_MAX, 1, 0]);
        world.refused(&namespace);
        assert_eq!(
            world.watches(),
            [NAMES_MAX + 1, 1, 0],
            "it is asked for again later"
        );
        world.read(&key("more"), Some(1));
        assert_eq!(world.watches(), [NAMES_MAX + 2, 1, 0]);
        world.retain(|key| &*key.name != "more");
        assert_eq!(world.watches(), [NAMES_MAX + 1, 1, 0]);
        // somebody allowed it
        world.listed(&namespace);
        assert_eq!(world.watches(), [0, 1, 0]);
        world.refused(&namespace);
        assert_eq!(world.watches(), [NAMES_MAX + 1, 1, 0], "and forbade it again");
    }

    #[test]
    fn many_namespaces_share_a_watch_where_all_may_be_watched() {
        let all = Scope::all("Secret");
        let read = |world: &mut World, number: usize| {
            let namespace = format!("tenant{number}");
            world.read(&Key::new("Secret", &namespace, "token"), Some(1));
        };
        let mut world = World::new(true);
        (0..=WATCHES_MAX).for_each(|number| read(&mut world, number));
        assert_eq!(world.watches(), [WATCHES_MAX, 0, 1]);
        world.listed(&all);
        assert_eq!(world.watches(), [0, 0, 1]);
        world.refused(&all);
        assert_eq!(world.watches(), [WATCHES_MAX + 1, 0, 1]);
        world.listed(&all);
        world.retain(|key| &*key.namespace == "tenant1");
        assert_eq!(world.watches(), [1, 0, 0]);

        let mut world = World::new(false);
        (0..=WATCHES_MAX).for_each(|number| read(&mut world, number));
        assert_eq!(world.watches(), [WATCHES_MAX + 1, 0, 0]);
        (0..=NAMES_MAX).for_each(|number| {
            world.read(&key(number), Some(1));
        });
        assert_eq!(world.watches(), [WATCHES_MAX + 1 + NAMES_MAX, 1, 0]);
        world.refused(&Scope::namespace(&key("")));
        world.read(&key("more"), Some(1));
        assert_eq!(world.watches(), [WATCHES_MAX + NAMES_MAX + 3, 1, 0]);
    }

    /// Looking at all others for each that is read would not come to an end.
    #[test]
    fn where_all_may_not_be_watched_very_many_are_one_by_one() {
        for is_everywhere in [false, true] {
            let references = references(is_everywhere);
            for number in 0..20_000 {
                let key = Key::new("Secret", &format!("tenant{number}"), "token");
                let since = references.expect(&key);
                let (_, started) = references.read(&key, since, Some(1));
                let is_first_beyond = is_everywhere && number == WATCHES_MAX;
                assert_eq!(started.len(), 1, "{number}");
                if is_first_beyond {
                    // in its place one of all was started
                    let started = references.refused(&Scope::all("Secret"));
                    assert_eq!(started.len(), 1);
                }
            }
        }
    }
}
