//! Guests of other toolchains: WASI is there, and there is nothing behind it (N39).

use crate::support::{load, outcome, render, tight};
use expect_test::expect;

#[test]
fn a_guest_that_tries_everything_finds_nothing() {
    let result = render(&load("probe", tight()), "probe");
    expect![[r#"
        1 objects: variables: 0
        arguments: 0
        read /: refused (No such file or directory (os error 44))
        read .: refused (No such file or directory (os error 44))
        open /etc/passwd: refused (No such file or directory (os error 44))
        create file: refused (No such file or directory (os error 44))
        wall clock: 1577836800s
        wall clock after a day's sleep: 0ns later
        monotonic clock after a day's sleep: 0ns later
        random: 603a56b18b24e875
        standard input: 0
        resolve: refused (failed to lookup address information: Non-recoverable error)
        connect: refused (Permission denied (os error 2))
        listen: refused (Permission denied (os error 2))
        udp: refused (Permission denied (os error 2))
    "#]]
    .assert_eq(&outcome(&result));
    let log: Vec<String> = result
        .unwrap()
        .trace
        .log
        .into_iter()
        .map(|line| line.message)
        .collect();
    assert_eq!(log, ["this goes to the log", "and this too"]);
}

#[test]
fn two_calls_see_the_same_world() {
    let plugin = load("probe", tight());
    assert_eq!(
        outcome(&render(&plugin, "probe")),
        outcome(&render(&plugin, "probe"))
    );
}

#[test]
fn endings_of_other_toolchains_are_ordinary_errors() {
    let plugin = load("probe", tight());
    expect![[r#"
        plugin probe panicked: there is no spoon at probe/src/lib.rs:33:37; this is a bug in the plugin
        [guest, terminal]"#]]
    .assert_eq(&outcome(&render(&plugin, "panic")));
    expect![[r#"
        plugin probe stopped: it exited with status 1; this is a bug in the plugin
        [guest, terminal]"#]]
    .assert_eq(&outcome(&render(&plugin, "exit")));
    expect![[r#"
        plugin probe runs longer than limits.time allows (300ms); no flag raises it: give it less to do, as by dividing a Kustomization into several
        [guest, transient]"#]]
    .assert_eq(&outcome(&render(&plugin, "sleep-forever")));
    expect![[r#"
        plugin probe runs longer than limits.time allows (300ms); no flag raises it: give it less to do, as by dividing a Kustomization into several
        [guest, transient]"#]]
    .assert_eq(&outcome(&render(&plugin, "output-flood")));
}
