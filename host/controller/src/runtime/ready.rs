//! Ready objects of one kind, in the order in which they run.

use super::Key;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Of so many runs one is for those that go behind, so that they are late but never forgotten.
const BEHIND_SHARE: u32 = 4;

/// Two lanes: those that can go on, and behind them those that were parked because what they applied is not healthy yet.
/// Hundreds that never become healthy must not hold up the one that can (design: waiting holds nothing).
#[derive(Debug, Default)]
pub(super) struct Ready {
    front: Ring,
    behind: Ring,
    runs: u32,
}

impl Ready {
    pub(super) fn push(&mut self, key: Key, is_behind: bool) {
        match is_behind {
            true => self.behind.push(key),
            false => self.front.push(key),
        }
    }

    pub(super) fn pop(&mut self) -> Option<Key> {
        self.runs = self.runs.wrapping_add(1);
        if self.runs.is_multiple_of(BEHIND_SHARE) {
            self.behind.pop().or_else(|| self.front.pop())
        } else {
            self.front.pop().or_else(|| self.behind.pop())
        }
    }

    pub(super) fn len(&self) -> usize {
        self.front.len + self.behind.len
    }
}

/// Namespaces take turns, so that one with thousands of objects does not starve the others.
#[derive(Debug, Default)]
struct Ring {
    turns: VecDeque<Arc<str>>,
    queues: HashMap<Arc<str>, VecDeque<Key>>,
    len: usize,
}

impl Ring {
    fn push(&mut self, key: Key) {
        let namespace = key.namespace.clone();
        let queue = self.queues.entry(namespace.clone()).or_default();
        if queue.is_empty() {
            self.turns.push_back(namespace);
        }
        queue.push_back(key);
        self.len += 1;
    }

    fn pop(&mut self) -> Option<Key> {
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
