//! How a Deployment moves from old ReplicaSets to the new one: never more Pods than its strategy allows, never fewer.

use serde_json::Value;

/// What the strategy of a Deployment allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    /// Old Pods go before new ones come.
    Recreate,
    /// So many Pods above what is wanted, and so many fewer ready ones.
    Rolling {
        /// `maxSurge`.
        surge: i64,
        /// `maxUnavailable`.
        unavailable: i64,
    },
}

/// The size of a ReplicaSet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// `spec.replicas`.
    pub(super) wanted: i64,
    /// `status.replicas`.
    pub(super) there: i64,
    /// `status.availableReplicas`.
    pub(super) available: i64,
}

/// The strategy that a Deployment with `wanted` replicas names.
pub(super) fn strategy(deployment: &Value, wanted: i64) -> Strategy {
    if deployment.pointer("/spec/strategy/type").and_then(Value::as_str) == Some("Recreate") {
        return Strategy::Recreate;
    }
    let share =
        |field: &str, up: bool| match deployment.pointer(&format!("/spec/strategy/rollingUpdate/{field}")) {
            Some(Value::String(percent)) => {
                let percent: i64 = percent.trim_end_matches('%').parse().unwrap_or(25);
                (wanted * percent + if up { 99 } else { 0 }) / 100
            }
            Some(number) => number.as_i64().unwrap_or_default(),
            None => (wanted + if up { 3 } else { 0 }) / 4,
        };
    let (surge, unavailable) = (share("maxSurge", true), share("maxUnavailable", false));
    Strategy::Rolling {
        surge,
        // with neither nothing could ever move
        unavailable: unavailable.max(i64::from(surge == 0)),
    }
}

/// How many replicas the new ReplicaSet and each old one have next.
pub(super) fn next(wanted: i64, strategy: Strategy, new: Size, old: &[Size]) -> (i64, Vec<i64>) {
    match strategy {
        Strategy::Recreate => {
            let is_clear = old.iter().all(|size| size.wanted == 0 && size.there == 0);
            (if is_clear { wanted } else { new.wanted }, vec![0; old.len()])
        }
        Strategy::Rolling { surge, unavailable } => {
            let others: i64 = old.iter().map(|size| size.wanted).sum();
            let room = (wanted + surge - others - new.wanted).max(0);
            // at once fewer where fewer are wanted, step by step more
            let grown = (new.wanted + room).min(wanted);
            (grown, shrunk(wanted - unavailable, new, old))
        }
    }
}

/// Old Pods go as far as `min_available` ready ones remain; those that are not ready go first.
fn shrunk(min_available: i64, new: Size, old: &[Size]) -> Vec<i64> {
    let all = new.wanted + old.iter().map(|size| size.wanted).sum::<i64>();
    let mut left = (all - min_available - (new.wanted - new.available)).max(0);
    let mut next: Vec<i64> = old.iter().map(|size| size.wanted).collect();
    for (count, size) in next.iter_mut().zip(old) {
        let unhealthy = (size.wanted - size.available).clamp(0, left);
        *count -= unhealthy;
        left -= unhealthy;
    }
    let available = new.available + old.iter().map(|size| size.available).sum::<i64>();
    let mut spare = (available - min_available).clamp(0, left);
    for (count, size) in next.iter_mut().zip(old) {
        let gone = (*count).min(size.available).min(spare);
        *count -= gone;
        spare -= gone;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Rolls to the end with Pods that are ready at once; every state on the way as `new+old`.
    fn roll(wanted: i64, strategy: Strategy, mut old: i64) -> String {
        let mut new = 0;
        let mut states = Vec::new();
        let size = |count| Size {
            wanted: count,
            there: count,
            available: count,
        };
        for _ in 0..20 {
            let (next_new, next_old) = next(wanted, strategy, size(new), &[size(old)]);
            if (next_new, next_old[0]) == (new, old) {
                break;
            }
            (new, old) = (next_new, next_old[0]);
            states.push(format!("{new}+{old}"));
        }
        states.join(" ")
    }

    #[test]
    fn a_rolling_update_stays_within_its_strategy() {
        let rolling = |surge, unavailable| Strategy::Rolling { surge, unavailable };
        assert_eq!(roll(3, rolling(1, 0), 3), "1+3 1+2 2+2 2+1 3+1 3+0");
        assert_eq!(roll(3, rolling(0, 1), 3), "0+2 1+2 1+1 2+1 2+0 3+0");
        assert_eq!(roll(2, rolling(2, 2), 2), "2+0");
        assert_eq!(roll(3, Strategy::Recreate, 3), "0+0 3+0");
        assert_eq!(roll(3, rolling(1, 0), 0), "3+0", "the first one comes whole");
    }

    #[test]
    fn what_never_becomes_ready_leaves_the_old_ones() {
        let ready = Size {
            wanted: 3,
            there: 3,
            available: 3,
        };
        let stuck = Size {
            wanted: 1,
            there: 1,
            available: 0,
        };
        let strategy = Strategy::Rolling {
            surge: 1,
            unavailable: 0,
        };
        assert_eq!(next(3, strategy, stuck, &[ready]), (1, vec![3]));
    }

    #[test]
    fn shares_are_rounded_as_kubernetes_does() {
        let of = |rolling: Value| strategy(&json!({"spec": {"strategy": {"rollingUpdate": rolling}}}), 3);
        let rolling = |surge, unavailable| Strategy::Rolling { surge, unavailable };
        assert_eq!(
            of(json!({"maxSurge": "25%", "maxUnavailable": "25%"})),
            rolling(1, 0)
        );
        assert_eq!(of(json!({"maxSurge": 0, "maxUnavailable": 0})), rolling(0, 1));
        assert_eq!(
            of(json!({"maxSurge": "100%", "maxUnavailable": 2})),
            rolling(3, 2)
        );
        assert_eq!(of(json!({})), rolling(1, 0));
    }
}
