//! Typed reading: what does not fit is named with line and field.
#![allow(clippy::unwrap_used)]

use serde::Deserialize;
use sluice_yaml::{Resolver, from_str};

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "camelCase")]
struct File {
    name_prefix: String,
    replicas: Option<u32>,
    patches: Vec<Patch>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Patch {
    path: String,
}

fn error(text: &str) -> String {
    from_str::<File>(text, Resolver::V2, true)
        .unwrap_err()
        .to_string()
}

#[test]
fn reads_what_fits() {
    let file: File = from_str("namePrefix: a\npatches:\n- path: b\n", Resolver::V2, true).unwrap();
    assert_eq!(
        file,
        File {
            name_prefix: "a".into(),
            replicas: None,
            patches: vec![Patch { path: "b".into() }]
        }
    );
}

#[test]
fn names_line_field_and_neighbor() {
    assert_eq!(
        error("namePrefx: a\n"),
        "line 1: unknown field \"namePrefx\", did you mean \"namePrefix\"?"
    );
    assert_eq!(
        error("a: 1\npatches:\n- path: b\n  zzz: c\n"),
        "line 1: unknown field \"a\"\nline 4: unknown field \"patches[0].zzz\""
    );
    assert_eq!(
        error("replicas: x\n"),
        "line 1: replicas: invalid type: string \"x\", expected u32"
    );
    assert_eq!(
        error("patches:\n- path: on\n"),
        "line 2: patches[0].path: invalid type: boolean `true`, expected a string"
    );
    assert_eq!(
        error("namePrefix: a\nnamePrefix: b\n"),
        "yaml: unmarshal errors:\n  line 2: key \"namePrefix\" already set in map"
    );
    assert_eq!(
        error("a: [\n"),
        "yaml: line 1: did not find expected node content"
    );
}

#[test]
fn lenient_reading_drops_what_is_unknown() {
    let file: File = from_str("namePrefix: a\nnamePrefix: b\nx: 1\n", Resolver::V2, false).unwrap();
    assert_eq!(file.name_prefix, "b");
}
