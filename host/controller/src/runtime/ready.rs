//! The workers of one kind, and what is ready for them in the order in which it runs.

use super::Key;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::time::Instant;

/// Of so many runs one is for those that go behind, so that they are late but never forgotten. While others run or could,
/// they have one of so many workers.
const BEHIND_SHARE: usize = 4;

/// Two lanes: those that can go on, and behind them those that were parked because what they applied is not healthy yet.
/// Hundreds that never become healthy must not hold up the one that can (design: waiting holds nothing).
#[derive(Debug)]
pub(super) struct Workers {
    limit: usize,
    front: Ring,
    behind: Ring,
    running_front: usize,
    running_behind: usize,
    runs: usize,
}

/// One that got a worker.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) key: Key,
    /// When it became ready.
    pub(super) since: Instant,
    pub(super) from_behind: bool,
}

impl Workers {
    /// `limit` workers (`--concurrent`), at least one.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(1),
            front: Ring::default(),
            behind: Ring::default(),
            running_front: 0,
            running_behind: 0,
            runs: 0,
        }
    }

    pub(super) fn push(&mut self, key: Key, is_behind: bool, now: Instant) {
        match is_behind {
            true => self.behind.push(key, now),
            false => self.front.push(key, now),
        }
    }

    /// What runs next. None while nothing is ready or no worker is free.
    pub(super) fn take(&mut self) -> Option<Taken> {
        if self.running() >= self.limit {
            return None;
        }
        let is_alone = self.front.len == 0 && self.running_front == 0;
        let has_room = is_alone || self.running_behind < self.limit.div_ceil(BEHIND_SHARE);
        let is_turn = (self.runs + 1).is_multiple_of(BEHIND_SHARE);
        let from_behind = self.behind.len > 0 && has_room && (is_turn || self.front.len == 0);
        let (key, since) = match from_behind {
            true => self.behind.pop(),
            false => self.front.pop(),
        }?;
        self.runs = self.runs.wrapping_add(1);
        match from_behind {
            true => self.running_behind += 1,
            false => self.running_front += 1,
        }
        Some(Taken {
            key,
            since,
            from_behind,
        })
    }

    /// One that [`Workers::take`] gave has run.
    pub(super) fn put_back(&mut self, from_behind: bool) {
        let count = match from_behind {
            true => &mut self.running_behind,
            false => &mut self.running_front,
        };
        *count = count.saturating_sub(1);
    }

    /// How many are ready.
    pub(super) fn ready(&self) -> usize {
        self.front.len + self.behind.len
    }

    /// How many run.
    pub(super) fn running(&self) -> usize {
        self.running_front + self.running_behind
    }

    /// How many may run at once.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }
}

/// Namespaces take turns, so that one with thousands of objects does not starve the others.
#[derive(Debug, Default)]
struct Ring {
    turns: VecDeque<Arc<str>>,
    queues: HashMap<Arc<str>, VecDeque<(Key, Instant)>>,
    len: usize,
}

impl Ring {
    fn push(&mut self, key: Key, now: Instant) {
        let namespace = key.namespace.clone();
        let queue = self.queues.entry(namespace.clone()).or_default();
        if queue.is_empty() {
            self.turns.push_back(namespace);
        }
        queue.push_back((key, now));
        self.len += 1;
    }

    fn pop(&mut self) -> Option<(Key, Instant)> {
        let namespace = self.turns.pop_front()?;
        let queue = self.queues.get_mut(&namespace)?;
        let key = queue.pop_front()?;
        if queue.is_empty() {
            self.queues.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        self.len -= 1;
        Some(key)
    }
}
