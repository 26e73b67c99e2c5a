//! What a guest read is known afterwards, and decides whether its answer still holds.

use crate::support::{load, render, tight, tree};
use expect_test::expect;
use sluice_artifact::{MemoryTree, Tree};
use sluice_wasm::Limits;

#[test]
fn the_closure_holds_every_question_once() {
    let answer = render(&load("misbehave", tight()), "tree").unwrap();
    let closure = answer.trace.closure.unwrap();
    let questions: Vec<String> = closure
        .reads
        .iter()
        .map(|(question, path, _)| format!("{question:?} {path}"))
        .collect();
    expect![[r#"
        Read /a.yaml
        Read /dir
        ReadDir /
        Walk /
        Walk /a.yaml"#]]
    .assert_eq(&questions.join("\n"));
    assert!(!answer.trace.revision_asked);
    assert!(closure.holds_in(&*tree()));
}

#[test]
fn the_closure_breaks_where_an_answer_changed_and_nowhere_else() {
    let closure = render(&load("misbehave", tight()), "echo").map(|answer| answer.trace.closure);
    let closure = closure
        .unwrap_or_else(|_| {
            render(&load("misbehave", tight()), "read-too-large")
                .unwrap()
                .trace
                .closure
        })
        .unwrap();
    let with = |big: &[u8], other: &[u8]| {
        let mut tree = MemoryTree::new();
        tree.add_file("/big", big.to_vec(), false).unwrap();
        tree.add_file("/other", other.to_vec(), false).unwrap();
        tree
    };
    let big = vec![b'x'; 1 << 20];
    let holds = |tree: &dyn Tree| closure.holds_in(tree);
    assert!(
        holds(&with(&big, b"1")) && holds(&with(&big, b"2")),
        "what was not read does not matter"
    );
    assert!(!holds(&with(b"y", b"1")), "what was read does");
}

#[test]
fn asking_for_the_revision_is_remembered() {
    let answer = render(&load("misbehave", tight()), "revision").unwrap();
    assert!(answer.trace.revision_asked);
    assert_eq!(
        answer.value.objects[0].text(&["data", "text"]),
        Some("main@sha1:0123456789abcdef0123456789abcdef01234567")
    );
}

#[test]
fn an_answer_with_too_many_questions_is_not_to_be_kept() {
    let mut limits = Limits::default();
    limits.set("closureEntries", "2").unwrap();
    assert_eq!(
        render(&load("misbehave", limits), "tree").unwrap().trace.closure,
        None
    );
}
