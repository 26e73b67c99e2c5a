//! The golden cases beside this file: `input/` is the tree, `config.yaml` the options, and the build gives `expected.yaml`
//! or fails with `expected-error.txt`. `UPDATE_EXPECT=1` rewrites both.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

use std::{fs, path::Path};

use crate::tree::Memory;
use sluice_plugin_kustomize::{Files, LoadRestrictor, Options, Reorder, build};

fn options(config: &str) -> Options {
    Options {
        reorder: if config.contains("reorder: none") {
            Reorder::None
        } else {
            Reorder::Unspecified
        },
        load_restrictor: if config.contains("loadRestrictor: none") {
            LoadRestrictor::None
        } else {
            LoadRestrictor::RootOnly
        },
        add_managed_by_label: config.contains("addManagedByLabel: true"),
        adds_schema_files: config.contains("schemaFile: add"),
        ..Options::default()
    }
}

fn run(files: &dyn Files, options: &Options) -> (&'static str, String) {
    match build(files, "/", options).and_then(|built| built.to_yaml()) {
        Ok(yaml) => ("expected.yaml", yaml),
        Err(error) => ("expected-error.txt", format!("{error}\n")),
    }
}

#[test]
fn cases() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut cases: Vec<_> = fs::read_dir(&tests).unwrap().map(|e| e.unwrap().path()).collect();
    cases.retain(|path| path.join("input").is_dir());
    cases.sort();
    let mut differences = Vec::new();
    let mut errors = 0;
    for case in &cases {
        let config = fs::read_to_string(case.join("config.yaml")).unwrap_or_default();
        let files = Memory::read(&case.join("input"));
        let (name, actual) = run(&files, &options(&config));
        assert_eq!(
            run(&files, &options(&config)).1,
            actual,
            "{}: not deterministic",
            case.display()
        );
        errors += usize::from(name == "expected-error.txt");
        let other = if name == "expected.yaml" {
            "expected-error.txt"
        } else {
            "expected.yaml"
        };
        let expected = fs::read_to_string(case.join(name)).ok();
        if expected.as_deref() == Some(&actual) && !case.join(other).exists() {
            continue;
        }
        if update {
            fs::write(case.join(name), &actual).unwrap();
            let _may_be_missing = fs::remove_file(case.join(other));
        } else {
            differences.push(format!(
                "{}: {name}\n--- expected\n{}\n--- actual\n{actual}",
                case.display(),
                expected.unwrap_or_default()
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(errors >= 60, "only {errors} malformed inputs");
    assert!(cases.len() >= 130, "only {} cases", cases.len());
}

/// What comes out, built again, is the same.
#[test]
fn a_second_build_changes_nothing() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for entry in fs::read_dir(tests).unwrap() {
        let Ok(expected) = fs::read_to_string(entry.unwrap().path().join("expected.yaml")) else {
            continue;
        };
        let files = Memory::from([
            ("kustomization.yaml", "resources: [all.yaml]\n"),
            ("all.yaml", expected.as_str()),
        ]);
        let again = build(
            &files,
            "/",
            &Options {
                reorder: Reorder::None,
                ..Options::default()
            },
        )
        .unwrap()
        .to_yaml()
        .unwrap();
        assert!(
            again == expected || expected.contains("config.kubernetes.io/"),
            "--- first\n{expected}\n--- second\n{again}"
        );
    }
}
