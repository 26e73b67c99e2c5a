//! Laws that hold for every input: builds are deterministic, and no input makes one panic, loop or exceed its limits.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

use std::{fs, path::Path};

use crate::tree::Memory;
use sluice_plugin_kustomize::{Class, Limits, Options, build};

/// A small generator of numbers: the same cases in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

/// Pieces that make a kustomization or an object mean something else.
const PIECES: [&str; 28] = [
    "~",
    "[]",
    "{}",
    "- ",
    ": ",
    "\n",
    "  ",
    "null",
    "1e999",
    ".inf",
    "\"",
    "'",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary x",
    "|\n",
    ">-\n",
    "..",
    "/",
    "\u{0}",
    "$patch: delete\n",
    "$patch: replace\n",
    "---\n",
    "# ",
    "\t",
    "-1",
    "\u{1F389}",
];

fn mutate(text: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(text.len() + 1);
        match numbers.below(4) {
            0 if at < text.len() => drop(text.remove(at)),
            1 => {
                let piece = PIECES[numbers.below(PIECES.len())].bytes();
                text.splice(at..at, piece);
            }
            2 => {
                let to = (at + numbers.below(20)).min(text.len());
                let copy = text[at..to].to_vec();
                text.splice(at..at, copy);
            }
            _ => {
                let to = (at + numbers.below(8)).min(text.len());
                text.drain(at..to);
            }
        }
    }
}

#[test]
fn ten_thousand_mutations_end_and_repeat_themselves() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut cases: Vec<Memory> = fs::read_dir(tests)
        .unwrap()
        .map(|e| e.unwrap().path().join("input"))
        .filter(|p| p.is_dir())
        .map(|p| Memory::read(&p))
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    let mut numbers = Numbers(42);
    let options = Options {
        limits: Limits {
            kustomizations: 200,
            ..Limits::default()
        },
        ..Options::default()
    };
    let mut built = 0;
    for round in 0..10_000 {
        let mut files = cases[round % cases.len()].clone();
        let target = numbers.below(files.0.len());
        mutate(files.0.values_mut().nth(target).unwrap(), &mut numbers);
        let run = || {
            build(&files, "/", &options)
                .and_then(|b| b.to_yaml())
                .map_err(|e| e.to_string())
        };
        let first = run();
        built += usize::from(first.is_ok());
        if round % 10 == 0 {
            assert_eq!(first, run(), "round {round}");
        }
    }
    assert!(built > 500, "only {built} mutations could be built");
}

#[test]
fn the_order_of_unrelated_fields_does_not_matter() {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let fields = [
        "namePrefix: p-\n",
        "namespace: space\n",
        "commonLabels: {a: b}\n",
        "resources: [a.yaml]\n",
        "commonAnnotations: {c: d}\n",
    ];
    let run = |order: &[usize]| {
        let text: String = order.iter().map(|i| fields[*i]).collect();
        build(
            &Memory::from([("kustomization.yaml", text.as_str()), ("a.yaml", object)]),
            "/",
            &Options::default(),
        )
        .unwrap()
        .to_yaml()
        .unwrap()
    };
    let first = run(&[0, 1, 2, 3, 4]);
    for order in [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3], [1, 4, 0, 3, 2]] {
        assert_eq!(run(&order), first);
    }
}

/// Entries that touch nothing in common may stand in any order, and so may the files they come from.
#[test]
fn the_order_of_unrelated_entries_does_not_matter() {
    let deployment = |name: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: 1, template: {{spec: {{containers: [{{name: c, image: {name}:1}}]}}}}}}\n"
        )
    };
    let lists: [(&str, [&str; 3]); 7] = [
        ("resources", ["a.yaml", "b.yaml", "c.yaml"]),
        (
            "patches",
            [
                "{target: {name: a}, patch: '- {op: add, path: /spec/x, value: 1}'}",
                "{target: {name: b}, patch: '- {op: add, path: /spec/x, value: 2}'}",
                "{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: c}, spec: {x: 3}}'}",
            ],
        ),
        (
            "images",
            [
                "{name: a, newTag: '2'}",
                "{name: b, newName: q}",
                "{name: c, digest: 'sha256:1'}",
            ],
        ),
        (
            "replicas",
            [
                "{name: a, count: 2}",
                "{name: b, count: 3}",
                "{name: c, count: 4}",
            ],
        ),
        (
            "labels",
            ["{pairs: {l: a}}", "{pairs: {m: b}}", "{pairs: {n1: c}}"],
        ),
        (
            "configMapGenerator",
            [
                "{name: d, literals: [k=1]}",
                "{name: e, literals: [k=2]}",
                "{name: f, literals: [k=3]}",
            ],
        ),
        (
            "replacements",
            [
                "{sourceValue: x, targets: [{select: {name: a}, fieldPaths: [spec.y], options: {create: true}}]}",
                "{sourceValue: x, targets: [{select: {name: b}, fieldPaths: [spec.y], options: {create: true}}]}",
                "{sourceValue: x, targets: [{select: {name: c}, fieldPaths: [spec.y], options: {create: true}}]}",
            ],
        ),
    ];
    let run = |order: [usize; 3]| {
        let field = |(name, entries): &(&str, [&str; 3])| {
            let entries = order.map(|at| entries[at]).join(", ");
            format!("{name}: [{entries}]\n")
        };
        let text: String = lists.iter().map(field).collect();
        let (a, b, c) = (deployment("a"), deployment("b"), deployment("c"));
        let files = [
            ("kustomization.yaml", text.as_str()),
            ("a.yaml", a.as_str()),
            ("b.yaml", b.as_str()),
            ("c.yaml", c.as_str()),
        ];
        build(&Memory::from(files), "/", &Options::default())
            .unwrap()
            .to_yaml()
            .unwrap()
    };
    let first = run([0, 1, 2]);
    assert_eq!(first.matches("kind: ").count(), 6, "{first}");
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        assert_eq!(run(order), first, "{order:?}");
    }
}

#[test]
fn bases_that_double_reach_a_limit() {
    let mut files = Memory::default();
    for level in 0..40 {
        let next = level + 1;
        for side in ["a", "b"] {
            let text = format!("namePrefix: {side}-\nresources: [../{next}a, ../{next}b]\n");
            files
                .0
                .insert(format!("/{level}{side}/kustomization.yaml"), text.into_bytes());
        }
    }
    files
        .0
        .insert("/kustomization.yaml".into(), b"resources: [0a]\n".to_vec());
    for side in ["a", "b"] {
        files.0.insert(
            format!("/40{side}/kustomization.yaml"),
            b"resources: [c.yaml]\n".to_vec(),
        );
        files.0.insert(
            format!("/40{side}/c.yaml"),
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {side}}}\n").into_bytes(),
        );
    }
    let error = build(
        &files,
        "/",
        &Options {
            limits: Limits {
                kustomizations: 500,
                ..Limits::default()
            },
            ..Options::default()
        },
    )
    .unwrap_err();
    assert!(error.text().contains("more than 500 kustomizations"), "{error}");
}

#[test]
fn deep_chains_reach_a_limit() {
    let mut files = Memory::default();
    files
        .0
        .insert("/kustomization.yaml".into(), b"components: [c0]\n".to_vec());
    for level in 0..10_000 {
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncomponents: [../c{}]\n",
            level + 1
        );
        files
            .0
            .insert(format!("/c{level}/kustomization.yaml"), text.into_bytes());
    }
    let error = build(&files, "/", &Options::default()).unwrap_err();
    assert!(error.text().contains("more than 100 levels deep"), "{error}");
}

#[test]
fn hostile_yaml_reaches_a_limit() {
    let deep = format!(
        "apiVersion: v1\nkind: X\nmetadata: {{name: a}}\nspec: {}{}\n",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let mut laughs = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let names = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{names}]\n"));
    }
    for text in [deep, laughs] {
        let files = Memory::from([
            ("kustomization.yaml", "resources: [r.yaml]\n"),
            ("r.yaml", text.as_str()),
        ]);
        let error = build(&files, "/", &Options::default()).unwrap_err();
        assert!(
            matches!(error.class(), Class::Limit | Class::Malformed),
            "{error}"
        );
        assert!(error.to_string().len() < 1000, "{error}");
    }
}
