//! The corpus' charts, as `helm template` renders them: the same documents, most of them byte for byte, and the same errors.
//!
//! `HELM_CASES=TEXT` runs the cases whose id contains the text and prints what differs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::corpus::{self, template};
use serde_json::{Value as Json, json};
use sluice_plugin_helm::{Wanted, manifest::split};
use sluice_yaml::{ParseOptions, Resolver, parse_documents, to_json};

/// What the program prints, and the notes.
fn run(root: &Path, case: &Json, wanted: Wanted) -> Result<(String, Option<String>), String> {
    let text = |field: &str| case[field].as_str().unwrap();
    let printed = template::run(
        root,
        text("release"),
        text("chart"),
        &corpus::texts(&case["opts"]),
        wanted,
    );
    printed
        .map(|printed| (printed.text, printed.notes))
        .map_err(|failure| failure.text().to_owned())
}

/// How a case passes.
enum Pass {
    Identical,
    Equal,
}

fn judge(
    root: &Path,
    case: &Json,
    result: &Result<(String, Option<String>), String>,
) -> Result<Pass, String> {
    let expected = fs::read_to_string(root.join(case["expected"].as_str().unwrap())).unwrap_or_else(|_| {
        String::from_utf8_lossy(&fs::read(root.join(case["expected"].as_str().unwrap())).unwrap())
            .into_owned()
    });
    if case["expect"] == "error" {
        let wanted = expected
            .trim()
            .trim_start_matches("Error: ")
            .trim_end()
            .to_owned();
        let Err(got) = result else {
            return Err(format!("want error: {wanted}"));
        };
        if got.trim_end() == wanted {
            return Ok(Pass::Identical);
        }
        return if cause(&wanted) == cause(got) {
            Ok(Pass::Equal)
        } else {
            Err(format!("want error: {wanted}\ngot error:  {got}"))
        };
    }
    let (got, _) = result.as_ref().map_err(|error| format!("failed: {error}"))?;
    if *got == expected {
        return Ok(Pass::Identical);
    }
    match case["mask"].as_array() {
        Some(mask) if case["expect"] == "nondeterministic" => compare_masked(&expected, got, mask),
        _ => compare(&expected, got),
    }
    .map(|()| Pass::Equal)
}

/// What counts of an error: the message of the chart's author whole, else the place, else the sorted lines.
fn cause(text: &str) -> Vec<String> {
    if text.starts_with("execution error at (") {
        return vec![text.trim_end().to_owned()];
    }
    if let Some(rest) = text.strip_prefix("YAML parse error on ") {
        return vec![rest.split(':').next().unwrap().to_owned()];
    }
    if text.starts_with("parse error ") {
        return vec![text.split(')').next().unwrap().to_owned()];
    }
    if text.contains("executing") || text.starts_with("template: ") {
        let text = text.strip_prefix("template: ").unwrap_or(text);
        return vec![
            text.split([' ', '\n'])
                .next()
                .unwrap()
                .trim_end_matches(':')
                .to_owned(),
        ];
    }
    for start in [
        "cannot load ",
        "error unpacking subchart ",
        "failed parsing --",
        "failed to parse ",
    ] {
        if text.starts_with(start) {
            return vec![text.split(':').next().unwrap().to_owned()];
        }
    }
    let lines: BTreeSet<String> = text
        .lines()
        .map(str::to_owned)
        .filter(|line| !line.is_empty())
        .collect();
    lines.into_iter().collect()
}

/// The documents by source, kind and name.
fn compare(expected: &str, got: &str) -> Result<(), String> {
    let by_key = |text: &str| {
        let mut map: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        for document in documents(text)? {
            map.entry(document.key()).or_default().push(document.value);
        }
        Ok::<_, String>(map)
    };
    let (expected, got) = (by_key(expected)?, by_key(got)?);
    for (key, wanted) in &expected {
        match got.get(key) {
            None => return Err(format!("missing document {key}")),
            Some(found) if found != wanted => {
                return Err(format!("{key}: {}", difference(wanted, found)));
            }
            Some(_) => {}
        }
    }
    match got.keys().find(|key| !expected.contains_key(*key)) {
        Some(key) => Err(format!("unexpected document {key}")),
        None => Ok(()),
    }
}

/// The documents in their order. A leaf whose place is in `mask` (random, clock) must be of the same type only.
fn compare_masked(expected: &str, got: &str, mask: &[Json]) -> Result<(), String> {
    let mask: BTreeSet<String> = mask.iter().map(ToString::to_string).collect();
    let (expected, got) = (documents(expected)?, documents(got)?);
    if expected.len() != got.len() {
        return Err(format!("{} documents instead of {}", got.len(), expected.len()));
    }
    for (index, (wanted, found)) in expected.iter().zip(&got).enumerate() {
        if wanted.source != found.source {
            return Err(format!("{} instead of {}", found.source, wanted.source));
        }
        let mut path = vec![Json::from(index)];
        masked_difference(&mask, &mut path, &wanted.value, &found.value)
            .map_err(|why| format!("{}: {why}", wanted.source))?;
    }
    Ok(())
}

fn masked_difference(
    mask: &BTreeSet<String>,
    path: &mut Vec<Json>,
    a: &Json,
    b: &Json,
) -> Result<(), String> {
    let place = Json::from(path.clone()).to_string();
    let is_same_type = std::mem::discriminant(a) == std::mem::discriminant(b);
    if mask.contains(&place) && is_same_type {
        return Ok(());
    }
    let mut inner = |step: Json, a: &Json, b: &Json| {
        path.push(step);
        let result = masked_difference(mask, path, a, b);
        path.pop();
        result
    };
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => inner(json!(["k", key]), a, b)?,
                    _ => inner(json!(["k", key]), &Json::Null, &Json::Null)
                        .and(Err(format!("{place}: only one side has {key}")))?,
                }
            }
            Ok(())
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.try_for_each(|(index, (a, b))| inner(json!(["i", index]), a, b))
        }
        _ if a == b => Ok(()),
        _ => Err(format!("{place}: want {a} got {b}").chars().take(400).collect()),
    }
}

fn difference(wanted: &[Json], found: &[Json]) -> String {
    fn walk(path: &str, a: &Json, b: &Json) -> Option<String> {
        match (a, b) {
            (Json::Object(a), Json::Object(b)) => {
                let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                keys.into_iter().find_map(|key| match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => walk(&format!("{path}.{key}"), a, b),
                    (a, _) => Some(format!(
                        "{path}.{key} is {}",
                        if a.is_some() { "missing" } else { "unexpected" }
                    )),
                })
            }
            (Json::Array(a), Json::Array(b)) if a.len() == b.len() => a
                .iter()
                .zip(b)
                .enumerate()
                .find_map(|(i, (a, b))| walk(&format!("{path}[{i}]"), a, b)),
            _ if a == b => None,
            _ => Some(format!("{path}: want {a} got {b}").chars().take(400).collect()),
        }
    }
    walk("", &Json::from(wanted.to_vec()), &Json::from(found.to_vec())).unwrap_or_default()
}

/// A document with the template that it comes from; what is no YAML counts as text.
struct Document {
    source: String,
    value: Json,
}

impl Document {
    fn key(&self) -> String {
        let name = |pointer: &str| {
            self.value
                .pointer(pointer)
                .map_or(String::new(), ToString::to_string)
        };
        format!("{} {} {}", self.source, name("/0/kind"), name("/0/metadata/name"))
    }
}

fn documents(text: &str) -> Result<Vec<Document>, String> {
    let mut source = String::new();
    let mut documents = Vec::new();
    for (_, document) in split(text) {
        let named = document
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# Source: "));
        if let Some(name) = named {
            name.trim().clone_into(&mut source);
        }
        let parsed =
            parse_documents(document, &ParseOptions::new(Resolver::V2)).map_err(|error| error.to_string());
        let value = parsed.and_then(|all| {
            let values = all
                .iter()
                .map(|one| to_json(&one.root, Resolver::V2).map_err(|error| error.to_string()));
            values.collect::<Result<Vec<_>, _>>()
        });
        documents.push(Document {
            source: source.clone(),
            value: value.map_or_else(|_| Json::from(document.trim()), Json::from),
        });
    }
    Ok(documents)
}

/// The beginning of a reason, without what is different in every case.
fn sort_of(why: &str) -> String {
    let line = why.lines().next().unwrap_or_default();
    if let Some((_, function)) = line.split_once("function \"") {
        return format!("no function {}", function.split('"').next().unwrap());
    }
    line.chars().take(60).filter(|c| !c.is_ascii_digit()).collect()
}

/// What one case came to: how it passed or why not, and whether its notes are equal, where it has any.
struct Outcome {
    id: String,
    chart: Result<Pass, String>,
    notes: Option<Result<(), String>>,
}

fn outcome(root: &Path, case: &Json) -> Outcome {
    let result = run(root, case, Wanted::Objects);
    let notes = case["notes"].as_str().map(|file| {
        let wanted = fs::read_to_string(root.join(file)).unwrap();
        // of a chart whose manifests are broken the notes are asked for alone
        let got = match &result {
            Ok((_, notes)) => notes.clone(),
            Err(_) => run(root, case, Wanted::Notes)?.1,
        };
        let got = got.unwrap_or_default();
        if got == wanted || format!("{got}\n") == wanted {
            Ok(())
        } else {
            Err("other notes".to_owned())
        }
    });
    Outcome {
        id: case["id"].as_str().unwrap().to_owned(),
        chart: judge(root, case, &result),
        notes,
    }
}

/// As many as there are processors, each with the stack that the deepest includes take in a build without optimisation.
fn outcomes(root: &Path, cases: &[&Json]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(outcome(root, case));
        }
        done
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let spawn = |_| {
            thread::Builder::new()
                .stack_size(STACK)
                .spawn_scoped(scope, work)
                .unwrap()
        };
        let workers: Vec<_> = (0..workers).map(spawn).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    })
}

const STACK: usize = 256 << 20;

#[test]
fn every_chart_of_the_corpus_renders_as_in_helm() {
    let Some(root) = corpus::folder().map(|folder| folder.join("helm-shared")) else {
        eprintln!("SKIPPED: the shared Helm corpus is not here (set SLUICE_SHARED)");
        return;
    };
    let filter = std::env::var("HELM_CASES").unwrap_or_default();
    let cases = corpus::lines(&root.join("index.jsonl"));
    assert!(cases.len() >= 1725, "only {} cases found", cases.len());
    let wanted: Vec<&Json> = cases
        .iter()
        .filter(|case| case["id"].as_str().unwrap().contains(&filter))
        .collect();
    let (mut passed, mut identical, mut notes) = (0, 0, 0);
    let mut failed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for outcome in outcomes(&root, &wanted) {
        match outcome.chart {
            Ok(pass) => {
                passed += 1;
                identical += usize::from(matches!(pass, Pass::Identical));
                if !filter.is_empty() && matches!(pass, Pass::Equal) {
                    eprintln!("{}: not byte for byte", outcome.id);
                }
            }
            Err(why) => {
                if !filter.is_empty() {
                    eprintln!("{}: {why}", outcome.id);
                }
                let line = why.lines().next().unwrap_or_default();
                let line = format!("{}: {line}", outcome.id);
                failed.entry(sort_of(&why)).or_default().push(line);
            }
        }
        match outcome.notes {
            Some(Ok(())) => notes += 1,
            Some(Err(why)) => failed
                .entry("notes".to_owned())
                .or_default()
                .push(format!("{}: {why}", outcome.id)),
            None => {}
        }
    }
    eprintln!("{passed} passed ({identical} byte for byte), {notes} notes equal");
    let mut summary: Vec<_> = failed.iter().collect();
    summary.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let summary: Vec<String> = summary
        .iter()
        .map(|(why, cases)| {
            let some: Vec<_> = cases.iter().take(3).cloned().collect();
            format!("{:5} {why}   ({})", cases.len(), some.join("; "))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{passed} passed, the others by cause:\n{}",
        summary.join("\n")
    );
    let bytes_wanted = wanted
        .iter()
        .filter(|case| case["expect"] != "nondeterministic")
        .count();
    assert!(
        identical * 100 >= bytes_wanted * 98,
        "only {identical} of {bytes_wanted} byte for byte"
    );
}
