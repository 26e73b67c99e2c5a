//! Guests of other toolchains: WASI is there, and there is nothing behind it (N39).

mod support;

use expect_test::expect;
use std::time::{Duration, Instant};
use support::{load, outcome, render, tight};

#[test]
fn a_guest_that_tries_everything_finds_nothing() {
    let started = Instant::now();
    let result = render(&load("probe", tight()), "probe");
    expect![[""]].assert_eq(&outcome(&result));
    assert!(started.elapsed() < Duration::from_secs(60), "it slept");
    let log: Vec<String> = result.unwrap().trace.log.into_iter().map(|line| line.message).collect();
    assert_eq!(log, ["this goes to the log", "and this too"]);
}

#[test]
fn two_calls_see_the_same_world() {
    let plugin = load("probe", tight());
    assert_eq!(outcome(&render(&plugin, "probe")), outcome(&render(&plugin, "probe")));
}

#[test]
fn endings_of_other_toolchains_are_ordinary_errors() {
    let plugin = load("probe", tight());
    expect![[""]].assert_eq(&outcome(&render(&plugin, "panic")));
    expect![[""]].assert_eq(&outcome(&render(&plugin, "exit")));
    expect![[""]].assert_eq(&outcome(&render(&plugin, "sleep-forever")));
    expect![[""]].assert_eq(&outcome(&render(&plugin, "output-flood")));
}
