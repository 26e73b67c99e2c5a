//! What one conversation with a server may cost, whatever carries it: one deadline, one budget of bytes.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::http::{Failure, innermost};

/// Longest text that is kept of what a server says beside the protocol, in bytes.
const SAID_MAX: usize = 512;

/// Budget and findings of one conversation, shared with whoever started it.
#[derive(Debug)]
pub(crate) struct Conversation {
    deadline: Instant,
    budget: Mutex<Budget>,
    failure: Mutex<Option<Failure>>,
    said: Mutex<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
struct Budget {
    what: &'static str,
    knob: &'static str,
    limit: u64,
    left: u64,
}

impl Conversation {
    pub(crate) fn new(deadline: Instant) -> Arc<Conversation> {
        let budget = Budget {
            what: "nothing",
            knob: "",
            limit: 0,
            left: 0,
        };
        Arc::new(Conversation {
            deadline,
            budget: Mutex::new(budget),
            failure: Mutex::default(),
            said: Mutex::default(),
        })
    }

    /// Sets how many bytes the server may send from now on.
    pub(crate) fn allow(&self, what: &'static str, limit: u64, knob: &'static str) {
        *lock(&self.budget) = Budget {
            what,
            knob,
            limit,
            left: limit,
        };
    }

    /// The first thing that went wrong.
    pub(crate) fn failure(&self) -> Option<Failure> {
        lock(&self.failure).clone()
    }

    /// What the server said to its user beside the protocol, on one line.
    pub(crate) fn said(&self) -> Option<String> {
        let said = lock(&self.said);
        let text = String::from_utf8_lossy(&said);
        let words: Vec<&str> = text.split_whitespace().collect();
        let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
        (!words.is_empty()).then(|| words.join(" ").chars().map(plain).collect())
    }

    /// Keeps the beginning of what the server says beside the protocol.
    pub(crate) fn hear(&self, text: &[u8]) {
        let mut said = lock(&self.said);
        let room = SAID_MAX.saturating_sub(said.len());
        said.extend(text.iter().take(room));
    }

    /// How long it may still last.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    pub(crate) fn fail(&self, failure: Failure) -> io::Error {
        let kind = match failure {
            Failure::TimedOut => io::ErrorKind::TimedOut,
            _ => io::ErrorKind::Other,
        };
        let text = format!("{failure:?}");
        lock(&self.failure).get_or_insert(failure);
        io::Error::new(kind, text)
    }

    /// The connection broke, or the time was over.
    pub(crate) fn fail_transport(&self, error: &dyn std::error::Error) -> io::Error {
        self.fail(if self.is_over() {
            Failure::TimedOut
        } else {
            Failure::Transport(innermost(error))
        })
    }

    pub(crate) fn spend(&self, bytes: usize) -> io::Result<()> {
        let mut budget = lock(&self.budget);
        let Budget {
            what,
            limit,
            knob,
            left,
        } = *budget;
        match left.checked_sub(bytes as u64) {
            Some(left) => {
                budget.left = left;
                Ok(())
            }
            None => {
                drop(budget);
                Err(self.fail(Failure::TooLarge { what, limit, knob }))
            }
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
