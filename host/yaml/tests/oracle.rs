//! Tricky documents with the answers of Go's libraries, recorded by `tests/yaml-oracle`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use serde_json::Value as Json;
use sluice_yaml::{
    EmitV3, Error, Node, ParseOptions, Resolver, emit_v2, emit_v2_node, emit_v3, go_json, go_json_raw,
    parse_document, to_json, write_json,
};

fn rows() -> Vec<Json> {
    let path = sluice_testkit::repository().join("tests/yaml-oracle/answers.jsonl");
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Compares all rows, prints some differences, and fails on any.
fn compare(name: &str, check: impl Fn(&Json, &str) -> Option<(String, String)>) {
    let rows = rows();
    assert!(rows.len() >= 300);
    let mut failed = 0;
    for row in &rows {
        let input = row["in"].as_str().unwrap();
        if let Some((ours, go)) = check(row, input) {
            failed += 1;
            if failed <= 40 {
                eprintln!("--- {name}\n in   {input:?}\n ours {ours:?}\n go   {go:?}");
            }
        }
    }
    assert_eq!(failed, 0, "{name}: {failed} of {} differ", rows.len());
}

fn root(input: &str, dialect: Resolver) -> Result<Node, Error> {
    Ok(parse_document(input, &ParseOptions::new(dialect))?.map_or_else(Node::null, |document| document.root))
}

fn answer(value: &Json) -> (bool, String) {
    match (&value["ok"], &value["err"]) {
        (Json::String(text), _) => (true, text.clone()),
        (_, Json::String(text)) => (false, text.clone()),
        _ => (true, String::new()),
    }
}

/// Inputs where we mean to differ, and why.
const DIFFERENCES: [(&str, &str); 1] = [(
    "&x a: 1\n*x : 2\n",
    "Go misses a repeated key that is written as an alias; we refuse it",
)];

/// Comments that Go keeps and we do not, or the other way round: inside flow collections and around markers and bare text.
const COMMENTS_MOVED: [&str; 4] = [
    "a: 1\n... # c\n",
    "a\n# c\nb\n",
    "a: [b,\n# c\nd]\n",
    "a: [b # c\n]\n",
];

fn json_as(resolver: Resolver, key: &'static str) -> impl Fn(&Json, &str) -> Option<(String, String)> {
    move |row, input| {
        let (ok, go) = answer(&row[key]);
        // Go marks bytes of !!binary that are no text with an escape, and the character itself with none: the same value.
        let go = go.replace("\\ufffd", "\u{fffd}");
        if DIFFERENCES.iter().any(|(known, _)| *known == input) {
            return None;
        }
        match root(input, resolver).and_then(|root| to_json(&root, resolver)) {
            Ok(value) => {
                let ours = go_json(&value);
                (!ok || ours != go).then_some((ours, go))
            }
            Err(error) => {
                let ours = error.to_string();
                (ok || ours != go).then_some((ours, go))
            }
        }
    }
}

#[test]
fn json_by_v2_rules() {
    compare("v2", json_as(Resolver::V2, "v2"));
}

#[test]
fn json_by_v3_rules() {
    compare("v3", json_as(Resolver::V3, "v3"));
}

#[test]
fn printed_as_yaml_v2_does() {
    compare("out2", |row, _| {
        let (ok, go) = answer(row.get("out2")?);
        let (is_v3, json) = answer(&row["v3"]);
        let json = if is_v3 { json } else { answer(&row["v2"]).1 };
        let value: Json = serde_json::from_str(&json).ok()?;
        let ours = emit_v2(&value);
        (ok && ours != go).then_some((ours, go))
    });
}

#[test]
fn a_tree_prints_as_its_value_does() {
    compare("node", |_, input| {
        for resolver in [Resolver::V2, Resolver::V3] {
            let root = root(input, resolver).ok()?;
            let (direct, detour) = (
                emit_v2_node(&root, resolver),
                to_json(&root, resolver).map(|value| emit_v2(&value)),
            );
            if direct != detour {
                return Some((format!("{direct:?}"), format!("{detour:?}")));
            }
        }
        None
    });
}

#[test]
fn a_tree_is_written_as_json_as_its_value_is() {
    compare("json", |_, input| {
        for resolver in [Resolver::V2, Resolver::V3] {
            let root = root(input, resolver).ok()?;
            let mut direct = "before".to_owned();
            let written = write_json(&root, resolver, &mut direct);
            let detour = to_json(&root, resolver).map(|value| format!("before{}", go_json_raw(&value)));
            if written.as_ref().map(|()| &direct) != detour.as_ref() {
                return Some((format!("{written:?} {direct}"), format!("{detour:?}")));
            }
            if written.is_err() && direct != "before" {
                return Some((direct, "nothing is left of what failed".to_owned()));
            }
        }
        None
    });
}

#[test]
fn printed_as_yaml_v3_does() {
    for (key, compact) in [("out3", false), ("out3c", true)] {
        compare(key, |row, input| {
            let (_, go) = answer(row.get(key)?);
            if COMMENTS_MOVED.contains(&input) {
                return None;
            }
            let options = ParseOptions {
                keep_aliases: true,
                comments: true,
                ..ParseOptions::default()
            };
            let root = parse_document(input, &options).ok()??.root;
            let ours = emit_v3(
                &root,
                &EmitV3 {
                    indent: 2,
                    compact_sequences: compact,
                },
            );
            (ours != go).then_some((ours, go))
        });
    }
}
