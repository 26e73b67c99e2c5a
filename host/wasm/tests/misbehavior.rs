//! What becomes of guests that misbehave: an ordinary error with its words, and a host as it was.

use crate::support::{load, outcome, render, tight};
use expect_test::{Expect, expect};
use sluice_wasm::Limits;

fn check(deed: &str, expected: &Expect) {
    let mut limits = tight();
    if !deed.ends_with("loop") {
        // the clock ends what has no end by itself, and nothing else on a busy machine
        limits.set("time", "60s").unwrap();
    }
    let plugin = load("misbehave", limits);
    expected.assert_eq(&outcome(&render(&plugin, deed)));
}

#[test]
fn each_misdeed_is_an_ordinary_error() {
    for (deed, expected) in [
        (
            "loop",
            expect![[r#"
            plugin misbehave runs longer than limits.time allows (300ms); no flag raises it: give it less to do, as by dividing a Kustomization into several
            [guest, transient]"#]],
        ),
        (
            "memory-copy-loop",
            expect![[r#"
            plugin misbehave runs longer than limits.time allows (300ms); no flag raises it: give it less to do, as by dividing a Kustomization into several
            [guest, transient]"#]],
        ),
        (
            "allocate",
            expect![[r#"
            plugin misbehave needs more memory than limits.memory allows (96Mi); no flag raises it: give it less to do, as by dividing a Kustomization into several
            [guest, terminal]"#]],
        ),
        (
            "recurse",
            expect![[r#"
            plugin misbehave stopped: it touched memory that it does not have: recursion without an end, or a wild pointer; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "trap",
            expect![[r#"
            plugin misbehave stopped: it reached code that it says is unreachable; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "wild-pointer",
            expect![[r#"
            plugin misbehave stopped: it touched memory that it does not have: recursion without an end, or a wild pointer; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "panic",
            expect![[r#"
            plugin misbehave stopped: it reached code that it says is unreachable; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "said-panic",
            expect![[r#"
            plugin misbehave panicked: there is no spoon at src/spoon.rs:7; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "divide-by-zero",
            expect![[r#"
            plugin misbehave stopped: it reached code that it says is unreachable; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "huge-output",
            expect![[r#"
            plugin misbehave answers with more bytes than limits.outputBytes allows (64Mi); no flag raises it: give it less to do, as by dividing a Kustomization into several
            [guest, terminal]"#]],
        ),
        (
            "shared-output",
            expect![[r#"
            plugin misbehave answers with more bytes than limits.outputBytes allows (64Mi); no flag raises it: give it less to do, as by dividing a Kustomization into several
            [guest, terminal]"#]],
        ),
        (
            "huge-log-call",
            expect![[r#"
            plugin misbehave answers with more bytes than limits.outputBytes allows (64Mi); no flag raises it: give it less to do, as by dividing a Kustomization into several
            [guest, terminal]"#]],
        ),
        (
            "host-calls",
            expect![[r#"
            plugin misbehave calls the host more often than limits.hostCalls allows (10000); no flag raises it: give it less to do, as by dividing a Kustomization into several
            [guest, terminal]"#]],
        ),
        (
            "read-a-lot",
            expect![[r#"
            plugin misbehave reads more of its tree than limits.treeBytes allows (512Mi); no flag raises it: give it less to do, as by dividing a Kustomization into several
            [guest, terminal]"#]],
        ),
        (
            "body-not-utf8",
            expect![[r#"
            plugin misbehave gave a malformed answer: object 0 (ConfigMap x): its body is not UTF-8 at byte 0; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "body-not-json",
            expect![[r#"
            plugin misbehave gave a malformed answer: object 0 (ConfigMap x): its body is not JSON: key must be a string at line 1 column 2; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "body-not-an-object",
            expect![[r#"
            plugin misbehave gave a malformed answer: object 0 (ConfigMap x): not an object: a Kubernetes object is a mapping with apiVersion, kind and metadata; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "body-without-kind",
            expect![[r#"
            plugin misbehave gave a malformed answer: object 0 (ConfigMap x): kind is missing or not a string; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "body-deeply-nested",
            expect![[r#"
            plugin misbehave gave a malformed answer: object 0 (ConfigMap x): its body is not JSON: recursion limit exceeded at line 1 column 128; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "other-identity",
            expect![[r#"
            plugin misbehave gave a malformed answer: object 0 (ConfigMap x): its body says that it is v1 ConfigMap/y; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "string-not-utf8",
            expect![[r#"
            plugin misbehave gave a malformed answer: invalid utf-8 sequence of 1 bytes from index 0; this is a bug in the plugin
            [guest, terminal]"#]],
        ),
        (
            "terminal",
            expect![[r#"
            this will never work
            [guest, terminal]"#]],
        ),
        (
            "transient",
            expect![[r#"
            this may work later
            [guest, transient]"#]],
        ),
    ] {
        check(deed, &expected);
    }
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
    expect!["1 objects: Err(TreeError::TooLarge(1000))"]
        .assert_eq(&outcome(&render(&load("misbehave", limits), "read-too-large")));
}

#[test]
fn the_tree_is_all_that_a_guest_sees() {
    let answer = render(&load("misbehave", tight()), "tree");
    expect![[r#"
        1 objects: /source:0
        /source/a.yaml:51 /source/big:1048576 /source/dir:0
        /source/a.yaml:51 /source/big:1048576 /source/dir/b.yaml:1
        TreeError::NotADirectory
        kind: ConfigMap
        apiVersion: v1
        metadata: {name: a}

        TreeError::NotAFile
        TreeError::InvalidPath
        TreeError::NotFound
        TreeError::InvalidPath"#]]
    .assert_eq(&outcome(&answer).replace(" | ", "\n"));
}
