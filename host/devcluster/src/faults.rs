//! Faults on demand, for tests: answers that fail, answers that are late, watches that end, admission that objects.

use crate::status::Status;
use serde_json::Value;
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

/// What admission does to writes of a resource, dry runs among them, as a webhook or a quota of a real cluster would.
#[derive(Clone, Debug, PartialEq)]
pub struct Admission {
    /// The resource it is asked about (`deployments.apps`).
    pub resource: String,
    /// The object it is asked about, empty for every one.
    pub name: String,
    /// What it says.
    pub verdict: Verdict,
}

/// What an [`Admission`] says.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The write is refused: HTTP status, reason (`Forbidden`) and the whole message.
    Refuse(u16, &'static str, String),
    /// This is merged over the object (RFC 7396). Nobody is noted as the owner, as with a real webhook.
    Mutate(Value),
}

/// The faults of a running server; clones speak to the same server.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Arc<Mutex<Vec<Fault>>>,
    admissions: Arc<Mutex<Vec<Admission>>>,
}

impl Faults {
    /// Adds a rule; earlier rules are asked first.
    pub fn add(&self, fault: Fault) {
        self.rules
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    /// Lets something object to writes, or change them, from now on.
    pub fn admit(&self, admission: Admission) {
        let mut admissions = self.admissions.lock().unwrap_or_else(PoisonError::into_inner);
        admissions.push(admission);
    }

    /// Drops all rules and admissions.
    pub fn clear(&self) {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut admissions = self.admissions.lock().unwrap_or_else(PoisonError::into_inner);
        admissions.clear();
    }

    /// What admission makes of an object that is about to be written.
    pub(crate) fn review(&self, resource: &str, name: &str, object: &mut Value) -> Result<(), Status> {
        let admissions = self.admissions.lock().unwrap_or_else(PoisonError::into_inner);
        for admission in admissions.iter() {
            if admission.resource != resource || !admission.name.is_empty() && admission.name != name {
                continue;
            }
            match &admission.verdict {
                &Verdict::Refuse(code, reason, ref message) => {
                    return Err(Status::new(code, reason, message.clone()));
                }
                Verdict::Mutate(patch) => json_patch::merge(object, patch),
            }
        }
        Ok(())
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
