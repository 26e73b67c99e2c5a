//! Changing lists of conditions by Flux's rules: order, transition time, length of messages, who excludes whom.

use crate::{Condition, ConditionStatus, Reason, Time};

/// Everything is as it should be.
pub const READY: &str = "Ready";
/// Work is under way. Present only while true.
pub const RECONCILING: &str = "Reconciling";
/// Work stopped until somebody changes something. Present only while true.
pub const STALLED: &str = "Stalled";
/// The health checks passed.
pub const HEALTHY: &str = "Healthy";
/// A source's artifact is stored.
pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
/// A source's artifact is older than its remote.
pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
/// A source cannot be fetched.
pub const FETCH_FAILED: &str = "FetchFailed";
/// A source's artifact cannot be stored.
pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
/// A GitRepository's include is not there.
pub const INCLUDE_UNAVAILABLE: &str = "IncludeUnavailable";
/// A chart cannot be built.
pub const BUILD_FAILED: &str = "BuildFailed";
/// A source's signature was checked.
pub const SOURCE_VERIFIED: &str = "SourceVerified";

/// Longest message in bytes: the CRD schema refuses more.
pub const MESSAGE_BYTES_MAX: usize = 32768;

/// What a caller wants a condition to say. [`set`] adds the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish<'a> {
    /// The condition's type.
    pub type_: &'a str,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// The reason.
    pub reason: Reason,
    /// The message; cut when too long.
    pub message: &'a str,
}

/// The condition of that type.
pub fn get<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// Whether the condition is there and has this status.
pub fn is(conditions: &[Condition], type_: &str, status: ConditionStatus) -> bool {
    get(conditions, type_).is_some_and(|condition| condition.status == status)
}

/// Whether the object is ready: Ready is true, and neither Reconciling nor Stalled.
pub fn is_ready(conditions: &[Condition]) -> bool {
    let holds = |type_| is(conditions, type_, ConditionStatus::True);
    holds(READY) && !holds(RECONCILING) && !holds(STALLED)
}

/// Sets one condition. The transition time moves only when status, reason or message change; the generation always follows.
/// The list is left in Flux's order.
pub fn set(conditions: &mut Vec<Condition>, wish: &Wish<'_>, generation: i64, now: Time) {
    let message = truncate(wish.message, MESSAGE_BYTES_MAX);
    let next = Condition {
        type_: wish.type_.to_owned(),
        status: wish.status,
        observed_generation: Some(generation),
        last_transition_time: now,
        reason: wish.reason.into(),
        message,
    };
    match conditions
        .iter_mut()
        .find(|condition| condition.type_ == wish.type_)
    {
        Some(old) => {
            let same = old.status == next.status && old.reason == next.reason && old.message == next.message;
            let since = if same { old.last_transition_time } else { now };
            *old = Condition {
                last_transition_time: since,
                ..next
            };
        }
        None => conditions.push(next),
    }
    sort(conditions);
}

/// Removes one condition, if there.
pub fn remove(conditions: &mut Vec<Condition>, type_: &str) {
    conditions.retain(|condition| condition.type_ != type_);
}

/// Says that work is under way: Reconciling is true, Stalled goes.
pub fn mark_reconciling(
    conditions: &mut Vec<Condition>,
    reason: Reason,
    message: &str,
    generation: i64,
    now: Time,
) {
    remove(conditions, STALLED);
    set(
        conditions,
        &Wish {
            type_: RECONCILING,
            status: ConditionStatus::True,
            reason,
            message,
        },
        generation,
        now,
    );
}

/// Says that work stopped for good: Stalled is true, Reconciling goes.
pub fn mark_stalled(
    conditions: &mut Vec<Condition>,
    reason: Reason,
    message: &str,
    generation: i64,
    now: Time,
) {
    remove(conditions, RECONCILING);
    set(
        conditions,
        &Wish {
            type_: STALLED,
            status: ConditionStatus::True,
            reason,
            message,
        },
        generation,
        now,
    );
}

/// What Flux does with Reconciling at the end of each reconcile: gone when ready; `ProgressingWithRetry`, its message
/// kept, when not. Returns whether the object's `observedGeneration` may follow (it is ready).
pub fn finalize(conditions: &mut Vec<Condition>, generation: i64, now: Time) -> bool {
    if is(conditions, READY, ConditionStatus::True) {
        remove(conditions, RECONCILING);
        return true;
    }
    if is(conditions, READY, ConditionStatus::False)
        && let Some(message) = get(conditions, RECONCILING).map(|condition| condition.message.clone())
    {
        let wish = Wish {
            type_: RECONCILING,
            status: ConditionStatus::True,
            reason: crate::reason::PROGRESSING_WITH_RETRY,
            message: &message,
        };
        set(conditions, &wish, generation, now);
    }
    false
}

/// Flux's order: Stalled, Reconciling, Ready, then by larger generation, then by type.
pub fn sort(conditions: &mut [Condition]) {
    let weight = |condition: &Condition| match condition.type_.as_str() {
        STALLED => 0,
        RECONCILING => 1,
        READY => 2,
        _ => 3,
    };
    conditions.sort_by(|a, b| {
        let generation = |condition: &Condition| match weight(condition) {
            3 => condition.observed_generation.unwrap_or_default(),
            _ => 0,
        };
        weight(a)
            .cmp(&weight(b))
            .then_with(|| generation(b).cmp(&generation(a)))
            .then_with(|| a.type_.cmp(&b.type_))
    });
}

/// `text`, or as much of it as leaves room for `...` within `bytes_max`, cut between characters.
pub fn truncate(text: &str, bytes_max: usize) -> String {
    const MARK: &str = "...";
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max.saturating_sub(MARK.len()));
    format!("{}{MARK}", text.get(..end).unwrap_or_default())
}

/// One condition of several, by priority, as source kinds sum up to Ready (compat source 2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The status Ready takes.
    pub status: ConditionStatus,
    /// The reason Ready takes.
    pub reason: String,
    /// The message Ready takes.
    pub message: String,
}

/// Sums up the conditions named in `priority`. Those named in `positive` are good when true, all others bad when true.
/// None when no named condition is there: Ready stays as it is.
pub fn summarize(conditions: &[Condition], priority: &[&str], positive: &[&str]) -> Option<Summary> {
    let group = |condition: &Condition| match (condition.status, positive.contains(&condition.type_.as_str()))
    {
        (ConditionStatus::True, false) => 0,
        (ConditionStatus::False, true) => 1,
        (ConditionStatus::True, true) => 2,
        (ConditionStatus::False, false) => 3,
        (ConditionStatus::Unknown, _) => 4,
    };
    let (best, condition) = priority
        .iter()
        .filter_map(|type_| get(conditions, type_))
        .map(|condition| (group(condition), condition))
        .min_by_key(|(group, _)| *group)?;
    let status = match best {
        0 | 1 => ConditionStatus::False,
        2 | 3 => ConditionStatus::True,
        _ => ConditionStatus::Unknown,
    };
    Some(Summary {
        status,
        reason: condition.reason.clone(),
        message: condition.message.clone(),
    })
}

#[cfg(test)]
mod tests;
