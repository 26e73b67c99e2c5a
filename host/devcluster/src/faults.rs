//! Faults on demand, for tests: answers that fail, answers that are late, watches that end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What happens to a request that a [`Fault`] matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The request is not carried out and is answered with this HTTP status: 409, 429, 500, 503, 504 …
    Answer(u16),
    /// The request is carried out and its answer is lost: the connection is closed.
    LoseAnswer,
    /// The request waits before it is carried out.
    Delay(Duration),
}

/// A rule that spoils requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The verb that is hit (`patch`, `apply`, `watch` …), empty for every one.
    pub verb: String,
    /// The resource that is hit (`deployments.apps`), empty for every one.
    pub resource: String,
    /// The object that is hit, empty for every one.
    pub name: String,
    /// So many matching requests pass unharmed first.
    pub after: usize,
    /// So many matching requests are hit; then the rule is spent.
    pub times: usize,
    /// What happens.
    pub effect: Effect,
}

impl Fault {
    /// Every request of `verb` on `resource`, once.
    pub fn once(verb: &str, resource: &str, effect: Effect) -> Self {
        Self {
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            name: String::new(),
            after: 0,
            times: 1,
            effect,
        }
    }
}

/// The faults of a running server; clones speak to the same server.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Fault>>>,
}

impl Faults {
    /// Adds a rule; earlier rules are asked first.
    pub fn add(&self, fault: Fault) {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    /// Drops all rules.
    pub fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The effect on a request, if any; uses the rule up.
    pub(crate) fn strike(&self, verb: &str, resource: &str, name: &str) -> Option<Effect> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let hits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        let rule = rules.iter_mut().find(|rule| {
            hits(&rule.verb, verb) && hits(&rule.resource, resource) && hits(&rule.name, name)
        })?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        rule.times = rule.times.saturating_sub(1);
        let effect = rule.effect.clone();
        rules.retain(|rule| rule.times > 0);
        Some(effect)
    }
}
