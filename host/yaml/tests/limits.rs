//! Hostile texts end soon, in an error that says what to do; no bytes make the crate panic.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::Value as Json;
use sluice_yaml::{
    EmitV3, Error, Limit, Limits, Node, ParseOptions, Resolver, Value, emit_v2, emit_v2_node, emit_v3,
    go_json, parse_document, parse_documents, to_json,
};

fn refused(text: &str) -> Error {
    parse_documents(text, &ParseOptions::default())
        .map(|documents| documents.len())
        .unwrap_err()
}

fn limit(text: &str, options: &ParseOptions) -> Option<Limit> {
    match parse_documents(text, options) {
        Err(Error::Limit { limit, .. }) => Some(limit),
        _ => None,
    }
}

#[test]
fn deep_nesting_is_refused() {
    let blocks: String = (0..10_000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth.min(2_000))))
        .collect();
    for text in [
        "[".repeat(10_000),
        "{a: ".repeat(10_000),
        "- ".repeat(10_000),
        "? ".repeat(10_000),
        "[[[[[[[[[[[\n".repeat(1_000),
        blocks,
    ] {
        assert_eq!(
            limit(&text, &ParseOptions::default()),
            Some(Limit::Depth),
            "{}",
            &text[..20]
        );
    }
    let message = refused(&"- ".repeat(10_000)).to_string();
    assert_eq!(
        message,
        "yaml: line 1: the depth limit of 500 is exceeded (raise Limits::depth)"
    );
}

#[test]
fn depth_within_the_limit_reads_and_prints() {
    let text = format!("{}{}", "[".repeat(499), "]".repeat(499));
    let root = parse_document(&text, &ParseOptions::default())
        .unwrap()
        .unwrap()
        .root;
    assert_eq!(to_json(&root, Resolver::V3).unwrap().to_string(), text);
    assert_eq!(emit_v3(&root, &EmitV3::default()), format!("{text}\n"));
}

#[test]
fn billion_laughs_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert_eq!(
        refused(&text).to_string(),
        "yaml: document contains excessive aliasing"
    );
}

#[test]
fn a_long_text_behind_many_aliases_is_refused() {
    let text = format!(
        "a: &a {}\nb: [{}]\nc: [{}]\n",
        "x".repeat(100_000),
        vec!["*a"; 5_000].join(", "),
        vec!["y"; 50_000].join(", ")
    );
    assert_eq!(limit(&text, &ParseOptions::default()), Some(Limit::AliasBytes));
}

#[test]
fn many_documents_are_refused() {
    assert_eq!(
        limit(&"---\n".repeat(1_000_000), &ParseOptions::default()),
        Some(Limit::Documents)
    );
}

/// N13.
#[test]
fn nodes_and_bytes_are_bounded() {
    let options = ParseOptions {
        limits: Limits {
            nodes: 100,
            bytes: 1_000,
            ..Limits::default()
        },
        ..ParseOptions::default()
    };
    assert_eq!(limit(&"- a\n".repeat(200), &options), Some(Limit::Nodes));
    assert_eq!(limit(&" ".repeat(1_001), &options), Some(Limit::Bytes));
}

#[test]
fn merge_cycles_are_refused() {
    assert_eq!(
        refused("a: &a\n  <<: *a\n").to_string(),
        "yaml: anchor 'a' value contains itself"
    );
    assert_eq!(
        refused("a: &a\n  <<: [*a, {b: 1}]\n").to_string(),
        "yaml: anchor 'a' value contains itself"
    );
}

#[test]
fn many_repeated_keys_end_soon() {
    let root = parse_document("a: 1\n".repeat(50_000), &ParseOptions::default())
        .unwrap()
        .unwrap()
        .root;
    assert!(
        to_json(&root, Resolver::V3)
            .unwrap_err()
            .to_string()
            .lines()
            .count()
            <= 1_001
    );
    assert_eq!(to_json(&root, Resolver::V2).unwrap(), serde_json::json!({"a": 1}));
}

#[test]
fn anchors_are_kept_on_request() {
    let options = ParseOptions {
        keep_aliases: true,
        ..ParseOptions::default()
    };
    let text = "a: &x {b: 1}\nc: *x\nd:\n  !!merge <<: *x\n";
    let root = parse_document(text, &options).unwrap().unwrap().root;
    assert_eq!(emit_v3(&root, &EmitV3::default()), text);
    assert!(to_json(&root, Resolver::V3).is_err());
}

/// Everything that can be done with a text.
fn use_everything(text: &[u8]) {
    for dialect in [Resolver::V2, Resolver::V3] {
        for keep_aliases in [false, true] {
            let options = ParseOptions {
                keep_aliases,
                ..ParseOptions::new(dialect)
            };
            for document in parse_documents(text, &options).unwrap_or_default() {
                let _ = emit_v2_node(&document.root, dialect);
                emit_v3(&document.root, &EmitV3::default());
                if let Ok(value) = to_json(&document.root, dialect) {
                    emit_v2(&value);
                    go_json(&value);
                }
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,30}",
        "[a-z0-9:#&*!|>' \n\t\"{}\\[\\],?.%@`~=+_-]{0,20}",
        "(word ){0,40}(é|x|: |\n| ){0,5}",
        "\\PC{0,12}",
        "[0-9xobe_.:+-]{0,8}"
    ]
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            proptest::collection::btree_map(text(), inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// Numbers compared by what Go prints of them: 1.0 and 1 are the same.
fn same(a: &Json, b: &Json) -> bool {
    go_json(a).replace("-0", "0") == go_json(b).replace("-0", "0")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        use_everything(&bytes);
    }

    #[test]
    fn no_yaml_like_text_panics(text in "([a-c]|\n|  |- |: |\\? |&a |\\*a|<<: |!!str |!x |\\[|\\]|\\{|\\}|,|'|\"|\\\\|#|\\||>|---\n|\\.\\.\\.\n|\t|é|\u{85}|\u{2028}|\u{feff}|%YAML 1.1\n){0,40}") {
        use_everything(text.as_bytes());
    }

    #[test]
    fn what_is_printed_reads_the_same(value in value()) {
        let printed = emit_v2(&value);
        let root = parse_document(&printed, &ParseOptions::default()).unwrap().map_or_else(Node::null, |document| document.root);
        for resolver in [Resolver::V2, Resolver::V3] {
            let read = to_json(&root, resolver).unwrap();
            prop_assert!(same(&read, &value), "{printed}\n{}\n{}", go_json(&read), go_json(&value));
        }
        prop_assert_eq!(emit_v2_node(&root, Resolver::V2).unwrap(), printed);
    }

    #[test]
    fn what_v3_prints_reads_the_same(value in value()) {
        let root = parse_document(go_json(&value), &ParseOptions::default()).unwrap().map_or_else(Node::null, |document| document.root);
        let printed = emit_v3(&root, &EmitV3::default());
        let again = parse_document(&printed, &ParseOptions::default()).unwrap().map_or_else(Node::null, |document| document.root);
        prop_assert_eq!(to_json(&again, Resolver::V3).unwrap(), to_json(&root, Resolver::V3).unwrap(), "{}", printed);
    }
}

#[test]
fn collections_take_the_room_that_they_need() {
    fn check(node: &Node) {
        match &node.value {
            Value::Sequence(items, _) => {
                assert_eq!(items.capacity(), items.len(), "{node:?}");
                items.iter().for_each(check);
            }
            Value::Mapping(entries, _) => {
                assert_eq!(entries.capacity(), entries.len(), "{node:?}");
                entries.iter().for_each(|(key, value)| {
                    check(key);
                    check(value);
                });
            }
            Value::Scalar(..) | Value::Alias(_) => {}
        }
    }
    let text = "a: {b: [1, 2, 3, 4, 5, c: d], e}\nlist:\n- f: 1\n  g: 2\n-\n- - x\n  - y\nempty: [{}, []]\n";
    let document = parse_document(text, &ParseOptions::default());
    let root = document.expect("it is YAML").expect("a document").root;
    let shown = "{a: {b: [1, 2, 3, 4, 5, {c: d}], e: }, list: [{f: 1, g: 2}, , [x, y]], empty: [{}, []]}";
    assert_eq!(format!("{root:?}"), shown);
    check(&root);
}
