//! What becomes of guests that misbehave: an ordinary error with its words, and a host as it was.

mod support;

use expect_test::{Expect, expect};
use sluice_wasm::Limits;
use std::time::{Duration, Instant};
use support::{load, outcome, render, resident_mib, tight};

fn check(deed: &str, expected: &Expect) {
    let plugin = load("misbehave", tight());
    let started = Instant::now();
    let result = render(&plugin, deed);
    assert!(started.elapsed() < Duration::from_secs(20), "{deed}: the call must end by its limit");
    expected.assert_eq(&outcome(&result));
}

#[test]
fn each_misdeed_is_an_ordinary_error() {
    for (deed, expected) in [
        ("loop", expect![[""]]),
        ("memory-copy-loop", expect![[""]]),
        ("allocate", expect![[""]]),
        ("recurse", expect![[""]]),
        ("trap", expect![[""]]),
        ("wild-pointer", expect![[""]]),
        ("panic", expect![[""]]),
        ("said-panic", expect![[""]]),
        ("divide-by-zero", expect![[""]]),
        ("huge-output", expect![[""]]),
        ("shared-output", expect![[""]]),
        ("huge-log-call", expect![[""]]),
        ("host-calls", expect![[""]]),
        ("read-a-lot", expect![[""]]),
        ("body-not-utf8", expect![[""]]),
        ("body-not-json", expect![[""]]),
        ("body-not-an-object", expect![[""]]),
        ("body-without-kind", expect![[""]]),
        ("body-deeply-nested", expect![[""]]),
        ("other-identity", expect![[""]]),
        ("string-not-utf8", expect![[""]]),
        ("terminal", expect![[""]]),
        ("transient", expect![[""]]),
    ] {
        check(deed, &expected);
    }
}

/// N41: after every misdeed the host renders as before and has given the memory back.
#[test]
fn the_host_outlives_them_all_and_gets_its_memory_back() {
    let plugin = load("misbehave", tight());
    assert!(render(&plugin, "nothing").is_ok());
    let before = resident_mib();
    for _ in 0..3 {
        for deed in ["allocate", "recurse", "trap", "panic", "huge-output", "shared-output", "host-calls", "memory-copy-loop"] {
            assert!(render(&plugin, deed).is_err(), "{deed}");
            expect!["1 objects: nothing"].assert_eq(&outcome(&render(&plugin, "nothing")));
        }
    }
    let after = resident_mib();
    assert!(after <= before + 96 + 16, "{before} MiB before, {after} MiB after: more than the limit and 16 MiB");
}

/// N40: no call sees what another left in memory.
#[test]
fn memory_is_fresh_in_every_call() {
    let plugin = load("misbehave", Limits::default());
    for _ in 0..50 {
        expect!["1 objects: 0"].assert_eq(&outcome(&render(&plugin, "canary")));
    }
}

#[test]
fn the_log_is_bounded_and_says_what_it_dropped() {
    let answer = render(&load("misbehave", tight()), "log-flood").unwrap();
    assert_eq!((answer.trace.log.len(), answer.trace.log_dropped), (100, 9_900));
}

#[test]
fn a_file_beyond_the_limit_is_refused_to_the_guest() {
    let mut limits = tight();
    limits.set("fileBytes", "1000").unwrap();
    expect![[""]].assert_eq(&outcome(&render(&load("misbehave", limits), "read-too-large")));
}

#[test]
fn the_tree_is_all_that_a_guest_sees() {
    let answer = render(&load("misbehave", tight()), "tree");
    expect![[""]].assert_eq(&outcome(&answer).replace(" | ", "\n"));
}
