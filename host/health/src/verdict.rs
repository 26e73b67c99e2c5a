use crate::{Health, Status};
use std::fmt;

/// One awaited object as it was last seen.
#[derive(Clone, Debug)]
pub struct Looked<Id> {
    /// The object; printed as Flux's subject, `Kind/namespace/name`.
    pub id: Id,
    /// Its health.
    pub health: Health,
}

/// What all awaited objects come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All are as they should be.
    Passed,
    /// Not yet.
    Waiting,
    /// They will not be, or took too long. Flux's text.
    Failed(String),
}

/// Decides over awaited objects (compat kustomize 8.4). `is_fail_fast`: the first failed object ends the wait;
/// `is_over`: the time is over.
pub fn verdict<Id: fmt::Display>(looked: &[Looked<Id>], is_fail_fast: bool, is_over: bool) -> Verdict {
    let pending: Vec<&Looked<Id>> = looked.iter().filter(|one| !one.health.is_current()).collect();
    let failed: Vec<&Looked<Id>> = pending
        .iter()
        .copied()
        .filter(|one| one.health.status == Status::Failed)
        .collect();
    if pending.is_empty() {
        Verdict::Passed
    } else if !failed.is_empty() && (is_fail_fast || failed.len() == pending.len()) {
        Verdict::Failed(format!(
            "failed early due to stalled resources: [{}]",
            list(&failed)
        ))
    } else if is_over {
        Verdict::Failed(format!("timeout waiting for: [{}]", list(&pending)))
    } else {
        Verdict::Waiting
    }
}

fn list<Id: fmt::Display>(looked: &[&Looked<Id>]) -> String {
    let text = |one: &&Looked<Id>| match (one.health.status, one.health.message.as_str()) {
        (Status::Unknown, "") => format!("can't determine status for {}", one.id),
        // an error of the reader is told by Flux too; the words of a rule are not
        (Status::Unknown, error) => format!("{} status: 'Unknown': {error}", one.id),
        (status, _) => format!("{} status: '{}'", one.id, status.as_str()),
    };
    looked.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(statuses: &[Status], is_fail_fast: bool, is_over: bool, expected: Verdict) {
        let looked: Vec<Looked<String>> = statuses
            .iter()
            .enumerate()
            .map(|(number, status)| Looked {
                id: format!("Pod/a/{number}"),
                health: Health::new(*status, ""),
            })
            .collect();
        assert_eq!(verdict(&looked, is_fail_fast, is_over), expected, "{statuses:?}");
    }

    #[test]
    fn all_failed_or_the_time_over() {
        use Status::{Current, Failed, InProgress, Unknown};
        let failed = |text: &str| Verdict::Failed(text.to_owned());
        check(&[], true, false, Verdict::Passed);
        check(&[Current], true, true, Verdict::Passed);
        check(&[Current, InProgress], true, false, Verdict::Waiting);
        check(
            &[Current, InProgress],
            true,
            true,
            failed("timeout waiting for: [Pod/a/1 status: 'InProgress']"),
        );
        check(
            &[Failed, InProgress],
            true,
            false,
            failed("failed early due to stalled resources: [Pod/a/0 status: 'Failed']"),
        );
        check(&[Failed, InProgress], false, false, Verdict::Waiting);
        check(
            &[Failed, Current],
            false,
            false,
            failed("failed early due to stalled resources: [Pod/a/0 status: 'Failed']"),
        );
        check(
            &[Unknown],
            true,
            true,
            failed("timeout waiting for: [can't determine status for Pod/a/0]"),
        );
        let unread = [Looked {
            id: "Pod/a/0",
            health: Health::unknown("no such key: phase"),
        }];
        assert_eq!(
            verdict(&unread, true, true),
            failed("timeout waiting for: [Pod/a/0 status: 'Unknown': no such key: phase]")
        );
    }
}
