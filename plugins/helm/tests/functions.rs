//! Every function by what it answers: rows of a template and what Helm renders for it, or the end of its complaint.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use std::collections::BTreeSet;

use sluice_plugin_helm::{
    Map, Value,
    engine::{File, Scope, Templates},
    functions::{self, Environment, Timestamp},
    objects,
    template::MissingKey,
};

/// Rows of all families: a template, a tab, what comes out in Rust's notation for strings.
const ROWS: [(&str, &str); 8] = [
    ("text", include_str!("functions/text.tsv")),
    ("collections", include_str!("functions/collections.tsv")),
    ("numbers", include_str!("functions/numbers.tsv")),
    ("encoding", include_str!("functions/encoding.tsv")),
    ("time", include_str!("functions/time.tsv")),
    ("crypto", include_str!("functions/crypto.tsv")),
    ("objects", include_str!("functions/objects.tsv")),
    ("corners", include_str!("functions/corners.tsv")),
];

fn rows(family: &str) -> impl Iterator<Item = (&'static str, String)> {
    let (_, text) = ROWS.iter().find(|(name, _)| *name == family).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(|line| {
        let (template, expected) = line
            .split_once('\t')
            .unwrap_or_else(|| panic!("no tab in {line:?}"));
        let expected: String =
            serde_json::from_str(expected).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        (template, expected)
    })
}

fn capabilities() -> Value {
    let kube_version = objects::KubeVersion {
        version: "v1.33.0".to_owned(),
        normalized: "v1.33.0".to_owned(),
        major: "1".to_owned(),
        minor: "33".to_owned(),
    };
    Value::object(objects::Capabilities::new(
        kube_version,
        ["v1", "apps/v1"],
        objects::HelmVersion::default(),
    ))
}

/// What a template renders, with files and a seed of its own; a failure is its text.
fn render(template: &str) -> String {
    let files = [
        ("a.txt", "one\ntwo\n"),
        ("config/b.yaml", "b: 1\n"),
        ("config/c/d.json", "{}"),
    ];
    let data: Map = [
        ("Values", Value::Map(objects::values(&Map::new()))),
        ("Files", Value::Map(objects::files(files))),
        ("Capabilities", capabilities()),
    ]
    .into_iter()
    .collect();
    let scope = Scope {
        data,
        base_path: "c/templates".to_owned(),
    };
    let file = File {
        path: "c/templates/t".to_owned(),
        source: template.into(),
    };
    let now = Timestamp {
        seconds: 1_700_000_000,
        nanoseconds: 123_456_789,
    };
    let templates = match Templates::read(vec![file]) {
        Ok(templates) => templates,
        Err(error) => return error.to_string(),
    };
    match templates.render(&Environment::new(now, [7; 32]), MissingKey::Zero, |_| {
        Some(&scope)
    }) {
        Ok(rendered) => rendered.first().unwrap().1.to_string(),
        Err(error) => error.to_string(),
    }
}

fn check(family: &str) {
    let mut wrong = String::new();
    for (template, expected) in rows(family) {
        let found = render(template);
        let is_failure = found.contains("executing \"c/templates/t\"");
        let fits = if is_failure {
            !expected.is_empty() && found.ends_with(&expected)
        } else {
            found == expected
        };
        if !fits {
            wrong += &format!("{template}\n  expected {expected:?}\n  found    {found:?}\n");
        }
    }
    assert_eq!(wrong, "");
}

/// N27 among others: `getHostByName` answers nothing.
#[test]
fn text() {
    check("text");
}

#[test]
fn collections() {
    check("collections");
}

#[test]
fn numbers() {
    check("numbers");
}

#[test]
fn encoding() {
    check("encoding");
}

#[test]
fn time() {
    check("time");
}

#[test]
fn crypto() {
    check("crypto");
}

#[test]
fn of_objects() {
    check("objects");
}

/// Nothing, too much, other types, other alphabets: what the rows by subject leave out, and the actions.
#[test]
fn corners() {
    check("corners");
}

/// The template with its strings emptied: what is left of words are keywords, fields, variables and functions.
fn without_strings(template: &str) -> String {
    let mut rest = template.chars();
    let mut kept = String::new();
    while let Some(c) = rest.next() {
        kept.push(c);
        if !matches!(c, '"' | '`') {
            continue;
        }
        while let Some(inner) = rest.next().filter(|inner| *inner != c) {
            if c == '"' && inner == '\\' {
                rest.next();
            }
        }
    }
    kept
}

#[test]
fn every_function_has_a_row() {
    let templates: String = ROWS
        .iter()
        .flat_map(|(family, _)| rows(family))
        .map(|(template, _)| without_strings(template) + "\n")
        .collect();
    let words: BTreeSet<&str> = templates
        .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$')))
        .collect();
    let missing: BTreeSet<&str> = functions::all()
        .names()
        .filter(|name| !words.contains(name))
        .collect();
    assert_eq!(missing, BTreeSet::new());
}

/// The table of the README names every function there is, and no other.
#[test]
fn the_readme_lists_every_function() {
    let readme = include_str!("../README.md");
    let listed: BTreeSet<&str> = readme
        .split("<!-- functions -->")
        .nth(1)
        .unwrap()
        .split('`')
        .skip(1)
        .step_by(2)
        .collect();
    let known: BTreeSet<&str> = functions::all().names().collect();
    assert_eq!(listed, known);
}
