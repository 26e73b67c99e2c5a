//! What is known of the applied objects: a fingerprint of how each was last seen, and of how it was last verified.
//! About a hundred bytes an object; the objects themselves are never kept.
//!
//! **Invariant:** an object is `Verified` only while its last seen state is the one that was verified. What is seen while
//! somebody writes the object is judged when he is done: the watch may be quicker than the answer.

use sha2::{Digest, Sha256};
use sluice_object::{GroupKind, ObjectId};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A short digest: 128 bits are enough where nobody chooses the inputs to collide against himself.
pub type Short = [u8; 16];

/// The first half of the sha256 of `bytes`.
pub fn short(bytes: &[u8]) -> Short {
    let digest = Sha256::digest(bytes);
    let mut short = Short::default();
    short
        .iter_mut()
        .zip(digest.iter())
        .for_each(|(to, from)| *to = *from);
    short
}

/// Names an object within its group and kind.
fn name_digest(namespace: Option<&str>, name: &str) -> Short {
    short(format!("{}/{name}", namespace.unwrap_or_default()).as_bytes())
}

/// How an object was seen, by a watch or in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Digest of what matters of its metadata.
    pub fingerprint: Short,
    /// Digest of who owns which of the fields that are ours or ours to take ([`crate::ownership`]).
    pub ownership: Short,
    /// Its resource version as a number, 0 where it is none.
    pub version: u64,
}

/// How an object was when it was last verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Digest of the desired state that it was verified against.
    pub desired: Short,
    /// Whether it was left alone on purpose.
    pub is_skipped: bool,
    /// Whether it goes away by itself when it has done its work.
    pub is_passing: bool,
}

#[derive(Debug)]
struct Entry<O> {
    owner: Option<O>,
    /// Those who want it too: each had verified it when another took it over, and has not let go of it since.
    rivals: Vec<(O, Verified, Seen)>,
    /// Those who write it at this moment.
    writers: Vec<O>,
    /// Whether something was seen of it while they wrote.
    is_stirred: bool,
    /// None: absent, or never seen.
    live: Option<Short>,
    version: u64,
    verified: Option<(Verified, Seen)>,
    is_health_awaited: bool,
    /// The version at which it was found healthy, 0 for none.
    healthy: u64,
    /// By which rules that was: others may find otherwise.
    rules: u64,
    /// The list at which it was last known to be there, by whatever told.
    epoch: u32,
    /// The list at which a watch last showed it.
    shown: u32,
    /// Whether it was written or looked at while a list ran that did not show it: it came after the list, and an event
    /// will follow, or it went before.
    is_unsure: bool,
}

impl<O> Entry<O> {
    /// Whether nobody knows or wants anything of it.
    fn is_idle(&self) -> bool {
        self.live.is_none() && self.verified.is_none() && self.rivals.is_empty() && self.writers.is_empty()
    }
}

impl<O> Default for Entry<O> {
    fn default() -> Self {
        Self {
            owner: None,
            rivals: Vec::new(),
            writers: Vec::new(),
            is_stirred: false,
            live: None,
            version: 0,
            verified: None,
            is_health_awaited: false,
            healthy: 0,
            rules: 0,
            epoch: 0,
            shown: 0,
            is_unsure: false,
        }
    }
}

#[derive(Debug)]
struct Kind<O> {
    is_watched: bool,
    is_synced: bool,
    epoch: u32,
    entries: HashMap<Short, Entry<O>>,
}

impl<O> Default for Kind<O> {
    fn default() -> Self {
        Self {
            is_watched: false,
            is_synced: false,
            epoch: 0,
            entries: HashMap::new(),
        }
    }
}

/// What must happen after an object was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved<O> {
    /// Nothing.
    Nothing,
    /// The owner put it there differently: it drifted.
    Drifted(O),
    /// The owner waits for its health.
    Health(O),
}

/// What is known of an applied object without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// It is as it was last verified, and a watch would have told otherwise. With it the fingerprint.
    Verified(Verified, Short),
    /// It moved since it was verified, or nobody watches it.
    Moved,
    /// The watch says that no object of that name carries an owner label.
    Absent,
    /// It has done its work and went away by itself.
    Passed(Verified),
    /// Nothing is known.
    Unknown,
}

/// All applied objects of this process.
///
/// `O` names an owner; it is cloned for every object and should be cheap.
#[derive(Debug)]
pub struct Live<O> {
    kinds: Mutex<HashMap<GroupKind, Kind<O>>>,
}

impl<O> Default for Live<O> {
    fn default() -> Self {
        Self {
            kinds: Mutex::default(),
        }
    }
}

/// An object is being written ([`Live::writing`]).
pub(crate) struct Writing<'w, O: Clone + PartialEq> {
    live: &'w Live<O>,
    id: &'w ObjectId,
    owner: &'w O,
    moved: &'w (dyn Fn(Moved<O>) + Send + Sync),
}

impl<O: Clone + PartialEq> Drop for Writing<'_, O> {
    fn drop(&mut self) {
        (self.moved)(self.live.wrote(self.id, self.owner));
    }
}

impl<O: Clone + PartialEq> Live<O> {
    fn lock(&self) -> MutexGuard<'_, HashMap<GroupKind, Kind<O>>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a watch of this kind must be started now; the caller starts it.
    pub fn claim_watch(&self, kind: &GroupKind) -> bool {
        let mut kinds = self.lock();
        let kind = kinds.entry(kind.clone()).or_default();
        !std::mem::replace(&mut kind.is_watched, true)
    }

    /// The watch of this kind ended for good; the next one who needs it starts it again.
    pub fn release_watch(&self, kind: &GroupKind) {
        if let Some(kind) = self.lock().get_mut(kind) {
            (kind.is_watched, kind.is_synced) = (false, false);
        }
    }

    /// What the watch of this kind looks at is not served: nothing that it showed is trusted until it has listed again.
    pub fn unserved(&self, kind: &GroupKind) {
        if let Some(kind) = self.lock().get_mut(kind) {
            kind.is_synced = false;
        }
    }

    /// What is known of an object.
    pub fn knowledge(&self, id: &ObjectId) -> Knowledge {
        let kinds = self.lock();
        let Some(kind) = kinds.get(&id.gvk.group_kind()) else {
            return Knowledge::Unknown;
        };
        let Some(entry) = kind.entries.get(&name_digest(id.namespace.as_deref(), &id.name)) else {
            return if kind.is_synced {
                Knowledge::Absent
            } else {
                Knowledge::Unknown
            };
        };
        match (entry.live, entry.verified) {
            (Some(live), Some((verified, seen)))
                if live == seen.fingerprint && kind.is_synced && !entry.is_unsure =>
            {
                Knowledge::Verified(verified, live)
            }
            (None, Some((verified, _))) if verified.is_passing => Knowledge::Passed(verified),
            (None, _) if kind.is_synced => Knowledge::Absent,
            (None, None) => Knowledge::Unknown,
            _ => Knowledge::Moved,
        }
    }

    /// An object was looked at, or written, and found to be what `desired` says.
    pub fn verified(&self, id: &ObjectId, owner: &O, verified: Verified, seen: Seen) {
        let mut kinds = self.lock();
        let kind = kinds.entry(id.gvk.group_kind()).or_default();
        let epoch = kind.epoch;
        let entry = kind
            .entries
            .entry(name_digest(id.namespace.as_deref(), &id.name))
            .or_default();
        entry.rivals.retain(|(rival, ..)| rival != owner);
        if let Some(before) = entry.owner.take_if(|before| before != owner) {
            entry.is_health_awaited = false;
            if let Some((what, seen)) = entry
                .verified
                .filter(|(what, _)| !what.is_skipped && !verified.is_skipped)
            {
                entry.rivals.push((before, what, seen));
            }
        }
        entry.owner = Some(owner.clone());
        entry.verified = Some((verified, seen));
        (entry.epoch, entry.is_unsure) = (epoch, false);
        // a watch event that came before this answer may show a newer state, never overwrite it by an older one
        if seen.version == 0 || seen.version >= entry.version {
            (entry.live, entry.version) = (Some(seen.fingerprint), seen.version);
        }
    }

    /// Reads what is known of an object.
    fn read<T>(&self, id: &ObjectId, read: impl FnOnce(&Entry<O>) -> T) -> Option<T> {
        let kinds = self.lock();
        let entry = kinds
            .get(&id.gvk.group_kind())?
            .entries
            .get(&name_digest(id.namespace.as_deref(), &id.name))?;
        Some(read(entry))
    }

    /// Changes what is known of an object; where that is nothing any more it is forgotten.
    fn change<T>(&self, id: &ObjectId, change: impl FnOnce(&mut Entry<O>) -> T) -> Option<T> {
        let mut kinds = self.lock();
        let entries = &mut kinds.get_mut(&id.gvk.group_kind())?.entries;
        let name = name_digest(id.namespace.as_deref(), &id.name);
        let entry = entries.get_mut(&name)?;
        let changed = change(entry);
        if entry.is_idle() {
            entries.remove(&name);
        }
        Some(changed)
    }

    /// `owner` writes the object until the answer is dropped, by success, failure or cancellation. Until then nobody is told
    /// of what is seen of it; `moved` is, when it has ended.
    pub(crate) fn writing<'w>(
        &'w self,
        id: &'w ObjectId,
        owner: &'w O,
        moved: &'w (dyn Fn(Moved<O>) + Send + Sync),
    ) -> Writing<'w, O> {
        let mut kinds = self.lock();
        let kind = kinds.entry(id.gvk.group_kind()).or_default();
        let name = name_digest(id.namespace.as_deref(), &id.name);
        kind.entries.entry(name).or_default().writers.push(owner.clone());
        Writing {
            live: self,
            id,
            owner,
            moved,
        }
    }

    fn wrote(&self, id: &ObjectId, owner: &O) -> Moved<O> {
        let moved = self.change(id, |entry| {
            if let Some(at) = entry.writers.iter().position(|writer| writer == owner) {
                entry.writers.swap_remove(at);
            }
            match std::mem::take(&mut entry.is_stirred) {
                true => verdict(entry),
                false => Moved::Nothing,
            }
        });
        moved.unwrap_or(Moved::Nothing)
    }

    /// Digest of the desired state that the object was last verified against, whatever became of it since.
    pub fn last_desired(&self, id: &ObjectId) -> Option<Short> {
        self.read(id, |entry| Some(entry.verified?.0.desired)).flatten()
    }

    /// Who took this object over from `owner`, or does so at this moment, and the digest of what `owner` had verified it
    /// against. None while it is as `owner` left it, or never was.
    pub fn taken(&self, id: &ObjectId, owner: &O) -> Option<(O, Short)> {
        let taken = self.read(id, |entry| {
            if entry.owner.as_ref() == Some(owner) {
                let taker = entry.writers.iter().find(|writer| *writer != owner)?;
                return Some((taker.clone(), entry.verified?.0.desired));
            }
            let (_, verified, _) = entry.rivals.iter().find(|(rival, ..)| rival == owner)?;
            Some((entry.owner.clone()?, verified.desired))
        });
        taken.flatten()
    }

    /// Whether the object goes away by itself when it has done its work.
    pub fn is_passing(&self, id: &ObjectId) -> bool {
        let passes = self.read(id, |entry| {
            entry.verified.is_some_and(|(verified, _)| verified.is_passing)
        });
        passes.unwrap_or(false)
    }

    /// The next look at this object must ask the API server.
    pub fn distrust(&self, id: &ObjectId) {
        self.change(id, |entry| entry.verified = None);
    }

    /// `owner` does not own this object any more. What is known of it for another owner stays; one from whom it had been
    /// taken has it again, and must hear of that.
    #[must_use = "another owner may have to look at it"]
    pub fn forget(&self, id: &ObjectId, owner: &O) -> Moved<O> {
        let moved = self.change(id, |entry| {
            let is_theirs = entry.owner.as_ref() == Some(owner);
            let moved = let_go(entry, owner);
            if is_theirs && entry.owner.is_none() {
                entry.live = None;
            }
            moved
        });
        moved.unwrap_or(Moved::Nothing)
    }

    /// `owner` is gone, and owns nothing any more, whatever became of the objects. Returns what that means for others.
    #[must_use = "other owners may have to look at some of them"]
    pub fn forget_all(&self, owner: &O) -> Vec<Moved<O>> {
        let mut moved = Vec::new();
        for (kind, known) in self.lock().iter_mut() {
            known.entries.retain(|name, entry| {
                match let_go(entry, owner) {
                    Moved::Nothing => {}
                    other => moved.push((kind.clone(), *name, other)),
                }
                !entry.is_idle()
            });
        }
        moved.sort_unstable_by(|(a, one, _), (b, other, _)| (a, one).cmp(&(b, other)));
        moved.into_iter().map(|(_, _, moved)| moved).collect()
    }

    /// Whether the owner wants to be woken by every move of this object, because it waits for its health.
    pub fn await_health(&self, id: &ObjectId, owner: &O, is_awaited: bool) {
        self.change(id, |entry| {
            if entry.owner.as_ref() == Some(owner) {
                entry.is_health_awaited = is_awaited;
            }
        });
    }

    /// The resource version at which the object was last seen, 0 where it is not known.
    pub fn version(&self, id: &ObjectId) -> u64 {
        self.read(id, |entry| entry.version).unwrap_or(0)
    }

    /// An object was found healthy at this resource version. `rules` tells by what.
    pub fn healthy(&self, id: &ObjectId, version: u64, rules: u64) {
        self.change(id, |entry| (entry.healthy, entry.rules) = (version, rules));
    }

    /// Whether the object has not moved since it was found healthy by the same rules, and a watch would have told otherwise.
    pub fn is_healthy(&self, id: &ObjectId, rules: u64) -> bool {
        let kinds = self.lock();
        let Some(kind) = kinds.get(&id.gvk.group_kind()).filter(|kind| kind.is_synced) else {
            return false;
        };
        let entry = kind.entries.get(&name_digest(id.namespace.as_deref(), &id.name));
        entry.is_some_and(|entry| match (entry.live, entry.verified) {
            (None, verified) => verified.is_some_and(|(verified, _)| verified.is_passing),
            (Some(_), _) => {
                let is_as_found = entry.healthy != 0 && entry.healthy == entry.version;
                is_as_found && entry.rules == rules && !entry.is_unsure
            }
        })
    }

    /// A watch showed an object (`seen` none: it is gone). `owner`: who its labels say owns it.
    pub fn saw(
        &self,
        kind: &GroupKind,
        namespace: Option<&str>,
        name: &str,
        owner: Option<O>,
        seen: Option<Seen>,
    ) -> Moved<O> {
        let mut kinds = self.lock();
        let kind = kinds.entry(kind.clone()).or_default();
        let epoch = kind.epoch;
        let entry = kind.entries.entry(name_digest(namespace, name)).or_default();
        if let Some(seen) = seen {
            entry.epoch = epoch;
            entry.shown = epoch;
            if seen.version != 0 && seen.version < entry.version {
                return Moved::Nothing;
            }
            entry.version = seen.version;
        }
        entry.is_unsure = false;
        if entry.owner.is_none() {
            entry.owner = owner;
        }
        entry.live = seen.map(|seen| seen.fingerprint);
        // somebody changed what is not ours, such as a controller its annotation: whoever changes a field that we applied
        // takes its ownership from us, so nothing of ours has moved
        if let (Some(seen), Some((_, verified))) = (seen, &mut entry.verified)
            && seen.ownership == verified.ownership
        {
            verified.fingerprint = seen.fingerprint;
        }
        let moved = verdict(entry);
        if entry.is_idle() {
            kind.entries.remove(&name_digest(namespace, name));
        }
        moved
    }

    /// A watch starts to list from the beginning.
    pub fn listing(&self, kind: &GroupKind) {
        let mut kinds = self.lock();
        let kind = kinds.entry(kind.clone()).or_default();
        kind.epoch = kind.epoch.wrapping_add(1);
    }

    /// A watch has listed everything: what it did not show is gone. Returns what that means for each.
    pub fn listed(&self, kind: &GroupKind) -> Vec<Moved<O>> {
        let mut kinds = self.lock();
        let Some(kind) = kinds.get_mut(kind) else {
            return Vec::new();
        };
        kind.is_synced = true;
        let epoch = kind.epoch;
        for entry in kind.entries.values_mut() {
            entry.is_unsure = entry.epoch == epoch && entry.shown != epoch;
        }
        let missing = kind
            .entries
            .iter_mut()
            .filter(|(_, entry)| entry.epoch != epoch && entry.live.is_some());
        let mut missing: Vec<_> = missing.collect();
        missing.sort_unstable_by_key(|(name, _)| **name);
        let moved = missing.into_iter().map(|(_, entry)| {
            entry.live = None;
            verdict(entry)
        });
        let moved: Vec<Moved<O>> = moved.collect();
        kind.entries.retain(|_, entry| !entry.is_idle());
        moved
    }

    /// How many objects are known.
    pub fn len(&self) -> usize {
        self.lock().values().map(|kind| kind.entries.len()).sum()
    }

    /// Whether no object is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Leaves what `owner` had to one from whom it had been taken, or to nobody.
fn let_go<O: Clone + PartialEq>(entry: &mut Entry<O>, owner: &O) -> Moved<O> {
    entry.rivals.retain(|(rival, ..)| rival != owner);
    if entry.owner.as_ref() != Some(owner) {
        return Moved::Nothing;
    }
    (entry.is_health_awaited, entry.healthy) = (false, 0);
    let Some((next, verified, seen)) = entry.rivals.pop() else {
        (entry.owner, entry.verified) = (None, None);
        return Moved::Nothing;
    };
    (entry.owner, entry.verified) = (Some(next), Some((verified, seen)));
    verdict(entry)
}

fn verdict<O: Clone>(entry: &mut Entry<O>) -> Moved<O> {
    if !entry.writers.is_empty() {
        entry.is_stirred = true;
        return Moved::Nothing;
    }
    let Some(owner) = &entry.owner else {
        return Moved::Nothing;
    };
    match entry.verified {
        Some((verified, seen))
            if entry.live != Some(seen.fingerprint) && !(verified.is_passing && entry.live.is_none()) =>
        {
            Moved::Drifted(owner.clone())
        }
        _ if entry.is_health_awaited => Moved::Health(owner.clone()),
        _ => Moved::Nothing,
    }
}

#[cfg(test)]
mod tests;
