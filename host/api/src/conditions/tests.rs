use super::*;
use crate::reason;
use ConditionStatus::{False, True, Unknown};

fn at(second: i64) -> Time {
    Time::from_second(second).unwrap()
}

fn wish<'a>(type_: &'a str, status: ConditionStatus, reason: Reason, message: &'a str) -> Wish<'a> {
    Wish {
        type_,
        status,
        reason,
        message,
    }
}

#[test]
fn the_transition_time_moves_with_status_reason_or_message_only() {
    let mut list = Vec::new();
    set(
        &mut list,
        &wish(READY, Unknown, reason::PROGRESSING, "a"),
        1,
        at(1),
    );
    set(
        &mut list,
        &wish(READY, Unknown, reason::PROGRESSING, "a"),
        2,
        at(2),
    );
    assert_eq!(
        (list[0].last_transition_time, list[0].observed_generation),
        (at(1), Some(2))
    );
    for (second, next) in [
        (3, wish(READY, Unknown, reason::PROGRESSING, "b")),
        (4, wish(READY, Unknown, reason::FAILED, "b")),
        (5, wish(READY, True, reason::FAILED, "b")),
    ] {
        set(&mut list, &next, 2, at(second));
        assert_eq!(list[0].last_transition_time, at(second));
    }
}

#[test]
fn the_order_is_flux_order() {
    let mut list = Vec::new();
    for (type_, generation) in [
        ("B", 1),
        (READY, 1),
        ("A", 1),
        (STALLED, 1),
        ("Z", 2),
        (RECONCILING, 1),
    ] {
        set(
            &mut list,
            &wish(type_, True, reason::SUCCEEDED, ""),
            generation,
            at(0),
        );
    }
    let order: Vec<_> = list.iter().map(|condition| condition.type_.as_str()).collect();
    assert_eq!(order, [STALLED, RECONCILING, READY, "Z", "A", "B"]);
}

#[test]
fn reconciling_and_stalled_exclude_each_other() {
    let mut list = Vec::new();
    mark_reconciling(&mut list, reason::PROGRESSING, "a", 1, at(0));
    mark_stalled(&mut list, reason::ACCESS_DENIED, "b", 1, at(0));
    assert!(get(&list, RECONCILING).is_none());
    mark_reconciling(&mut list, reason::PROGRESSING, "a", 1, at(0));
    assert!(get(&list, STALLED).is_none());
}

#[test]
fn at_the_end_reconciling_goes_or_says_that_it_retries() {
    let mut list = Vec::new();
    mark_reconciling(&mut list, reason::PROGRESSING, "Building", 1, at(0));
    set(
        &mut list,
        &wish(READY, False, reason::BUILD_FAILED, "no"),
        1,
        at(0),
    );
    assert!(!finalize(&mut list, 1, at(1)));
    let reconciling = get(&list, RECONCILING).unwrap();
    assert_eq!(
        (reconciling.reason.as_str(), reconciling.message.as_str()),
        ("ProgressingWithRetry", "Building")
    );
    set(
        &mut list,
        &wish(READY, True, reason::RECONCILIATION_SUCCEEDED, "yes"),
        1,
        at(0),
    );
    assert!(finalize(&mut list, 1, at(1)));
    assert!(is_ready(&list) && list.len() == 1);
}

#[test]
fn long_messages_are_cut_between_characters() {
    assert_eq!(truncate("hello", 5), "hello");
    assert_eq!(truncate("hello!", 5), "he...");
    assert_eq!(truncate("héllo!", 5), "h...");
    let mut list = Vec::new();
    set(
        &mut list,
        &wish(READY, True, reason::SUCCEEDED, &"x".repeat(40_000)),
        1,
        at(0),
    );
    assert_eq!(list[0].message.len(), MESSAGE_BYTES_MAX);
}

#[test]
fn the_summary_takes_the_worst_by_priority() {
    const PRIORITY: &[&str] = &[
        STORAGE_OPERATION_FAILED,
        FETCH_FAILED,
        ARTIFACT_OUTDATED,
        ARTIFACT_IN_STORAGE,
        SOURCE_VERIFIED,
        STALLED,
        RECONCILING,
    ];
    const POSITIVE: &[&str] = &[ARTIFACT_IN_STORAGE, SOURCE_VERIFIED];
    let check = |rows: &[(&str, ConditionStatus)], expected: Option<(ConditionStatus, &str)>| {
        let mut list = Vec::new();
        for (type_, status) in rows {
            set(
                &mut list,
                &wish(type_, *status, reason::SUCCEEDED, type_),
                1,
                at(0),
            );
        }
        let got = summarize(&list, PRIORITY, POSITIVE);
        assert_eq!(
            got.as_ref()
                .map(|summary| (summary.status, summary.message.as_str())),
            expected
        );
    };
    check(&[], None);
    check(&[(ARTIFACT_IN_STORAGE, True)], Some((True, ARTIFACT_IN_STORAGE)));
    check(
        &[(ARTIFACT_IN_STORAGE, True), (FETCH_FAILED, True)],
        Some((False, FETCH_FAILED)),
    );
    check(
        &[(ARTIFACT_IN_STORAGE, True), (RECONCILING, True)],
        Some((False, RECONCILING)),
    );
    check(
        &[(ARTIFACT_IN_STORAGE, True), (SOURCE_VERIFIED, False)],
        Some((False, SOURCE_VERIFIED)),
    );
    check(
        &[(ARTIFACT_IN_STORAGE, Unknown)],
        Some((Unknown, ARTIFACT_IN_STORAGE)),
    );
}
