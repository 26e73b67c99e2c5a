//! N14: patterns, pointers and copies that would take for ever, or all memory, end in an answer or a named limit.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::fmt::Write as _;

use crate::tree::Memory;
use sluice_plugin_kustomize::{Class, Error, Options, build};

/// Builds one ConfigMap of a long name, and what `kustomization` makes of it.
fn build_with(kustomization: &str) -> Result<(), Error> {
    build_patched(kustomization, "[]")
}

/// The same with a JSON patch for it.
fn patched(operations: &str) -> Result<(), Error> {
    build_patched(
        "patches: [{target: {kind: ConfigMap}, path: patch.yaml}]",
        operations,
    )
}

fn build_patched(kustomization: &str, patch: &str) -> Result<(), Error> {
    let long = "a".repeat(253);
    let files = Memory::from([
        ("patch.yaml", patch),
        (
            "kustomization.yaml",
            format!("resources: [r.yaml]\n{kustomization}").as_str(),
        ),
        (
            "r.yaml",
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {long}}}\n\
                 data: {{a: \"x,x\", json: '{{\"b\": \"c\"}}', list: [{{name: {long}, value: v}}]}}\n"
            )
            .as_str(),
        ),
    ]);
    build(&files, "/", &Options::default()).map(drop)
}

#[test]
fn no_pattern_takes_for_ever() {
    // exponential where it is tried one way after the other
    let slow = [
        "(a+)+b",
        "(a|aa)+b",
        "(a|a?)+b",
        "(.*)*b",
        "(a?){200}a{200}b",
        "((a*)*)*b",
        "(.*a){20}b",
    ];
    // too large to be made at all
    let large = [
        "((((a{1000}){1000}){1000}){1000})".to_owned(),
        format!("{}a{}", "(".repeat(20_000), ")".repeat(20_000)),
        "(a?){1000}(a?){1000}".repeat(50),
    ];
    for (pattern, must_fail) in slow
        .map(str::to_owned)
        .iter()
        .map(|pattern| (pattern, false))
        .chain(large.iter().map(|pattern| (pattern, true)))
    {
        for kustomization in [
            format!(
                "patches: [{{target: {{name: '{pattern}'}}, patch: '[{{\"op\": \"test\", \"path\": \"/data/a\", \"value\": \"x,x\"}}]'}}]"
            ),
            format!(
                "patches: [{{target: {{kind: '{pattern}', namespace: '{pattern}'}}, patch: '[{{\"op\": \"test\", \"path\": \"/data/a\", \"value\": \"x,x\"}}]'}}]"
            ),
            format!(
                "replacements: [{{sourceValue: v, targets: [{{select: {{name: '{pattern}'}}, fieldPaths: [data.none], options: {{create: true}}}}]}}]"
            ),
        ] {
            let built = build_with(&kustomization);
            assert_eq!(built.is_err(), must_fail, "{pattern:.60}: {built:?}");
            if let Err(error) = built {
                assert!(error.text().contains("regexp"), "{error}");
                assert!(error.text().len() < 200_000, "{pattern:.60}");
            }
        }
    }
    // the patterns of a list's path
    for pattern in slow {
        let kustomization = format!(
            "replacements: [{{sourceValue: v, targets: [{{select: {{kind: ConfigMap}}, fieldPaths: ['data.list.[name={pattern}].value']}}]}}]"
        );
        let _answer = build_with(&kustomization);
    }
}

#[test]
fn no_pointer_leads_to_more_than_there_is() {
    for path in [
        "/a".repeat(100_000),
        "/data/list/99999999999999999999".to_owned(),
        "/data/list/-9223372036854775808".to_owned(),
        "/data/list/9223372036854775807".to_owned(),
        "~1".repeat(50_000),
    ] {
        for operation in ["add", "remove", "move", "copy", "test"] {
            let patch = format!("- {{op: {operation}, path: '{path}', from: '{path}x', value: 1}}\n");
            let error = patched(&patch).unwrap_err();
            assert!(!error.text().contains("unable to parse"), "{error:.300}");
        }
    }
}

/// A limit that is told by its number.
fn limited(built: Result<(), Error>, what: &str) {
    let error = built.unwrap_err();
    assert_eq!(error.class(), Class::Limit, "{error}");
    assert!(error.text().contains(what), "{error}");
}

#[test]
fn copies_of_copies_reach_a_limit() {
    let wide =
        "- {op: copy, from: /data, path: /data/x}\n- {op: copy, from: /data, path: /data/y}\n".repeat(40);
    limited(patched(&wide), "the object gets more than ");
    let mut deep = String::new();
    for level in 0..600 {
        let path = "/x".repeat(level);
        writeln!(deep, "- {{op: add, path: /data{path}/x, value: {{}}}}").unwrap();
    }
    limited(patched(&deep), "the object gets more than 500 levels");
    // each replacement copies what the one before it made: whole parts, pieces of a text, a text within a text
    let source = |field: &str| format!("source: {{kind: ConfigMap, fieldPath: {field}}}");
    let rows = [
        (
            source("data"),
            "data.x",
            "create: true",
            "the object gets more than ",
        ),
        (
            source("data.a"),
            "data.a",
            "delimiter: ',', index: 99",
            "bytes of text",
        ),
        (source("data.json"), "data.json.b", "index: 0", "bytes of text"),
    ];
    for (source, target, options, what) in rows {
        let one = format!(
            "{{{source}, targets: [{{select: {{kind: ConfigMap}}, fieldPaths: [{target}], options: {{{options}}}}}]}},"
        );
        limited(build_with(&format!("replacements: [{}]", one.repeat(700))), what);
    }
}
