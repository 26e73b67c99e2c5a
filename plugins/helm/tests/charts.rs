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

mod corpus;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value as Json;
use sluice_plugin_helm::{
    Request, chart,
    functions::{Environment, Timestamp},
    manifest::split,
    release::{Capabilities, KubeVersion, Release},
    render,
    values::{Source, ValuesFile},
};
use sluice_yaml::{ParseOptions, Resolver, parse_documents, to_json};

/// What `helm template` takes.
#[derive(Default)]
struct Flags {
    include_crds: bool,
    no_hooks: bool,
    skip_tests: bool,
    show_only: Vec<String>,
}

fn file(root: &Path, name: &str) -> Result<ValuesFile, String> {
    let content = fs::read(root.join(name)).map_err(|_| format!("open {name}: no such file or directory"))?;
    Ok(ValuesFile {
        name: name.to_owned(),
        content,
    })
}

/// The request of a case, read from its arguments.
fn request(root: &Path, case: &Json) -> Result<(Request, Flags), String> {
    let mut flags = Flags::default();
    let mut by_kind: [Vec<Source>; 6] = Default::default();
    let mut request = Request {
        values: Vec::new(),
        release: Release {
            name: case["release"].as_str().unwrap().to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            is_upgrade: false,
        },
        name_template: None,
        capabilities: Capabilities::default(),
        skip_schema_validation: false,
        include_subchart_notes: false,
        with_objects: true,
    };
    let args = corpus::texts(&case["opts"]);
    let mut args = args.iter();
    while let Some(flag) = args.next() {
        let mut value = || args.next().map(|text| (*text).to_owned()).unwrap();
        match *flag {
            "--include-crds" => flags.include_crds = true,
            "--no-hooks" => flags.no_hooks = true,
            "--skip-tests" => flags.skip_tests = true,
            "--is-upgrade" => request.release.is_upgrade = true,
            "--skip-schema-validation" => request.skip_schema_validation = true,
            "--namespace" => request.release.namespace = value(),
            "--show-only" => flags.show_only.push(value()),
            "--kube-version" => {
                request.capabilities.kube_version =
                    KubeVersion::parse(&value()).map_err(|error| error.to_string())?;
            }
            "--api-versions" => request
                .capabilities
                .api_versions
                .extend(value().split(',').map(str::to_owned)),
            "-f" => by_kind[0].push(Source::File(file(root, &value())?)),
            "--set-json" => by_kind[1].push(Source::SetJson(value())),
            "--set" => by_kind[2].push(Source::Set(value())),
            "--set-string" => by_kind[3].push(Source::SetString(value())),
            "--set-file" => {
                let assignment = value();
                let files = assignment
                    .split(',')
                    .filter_map(|part| file(root, part.split_once('=')?.1).ok())
                    .collect();
                by_kind[4].push(Source::SetFile(assignment, files));
            }
            "--set-literal" => by_kind[5].push(Source::SetLiteral(value())),
            other => panic!("{other} is not known here"),
        }
    }
    request.values = by_kind.into_iter().flatten().collect();
    Ok((request, flags))
}

/// What the program prints, and the notes.
fn run(root: &Path, case: &Json) -> Result<(String, Option<String>), String> {
    let (request, flags) = request(root, case)?;
    let environment = Environment::new(
        Timestamp {
            seconds: 1_700_000_000,
            nanoseconds: 0,
        },
        [7; 32],
    );
    let path = root.join(case["chart"].as_str().unwrap());
    let load = || {
        if path.is_dir() {
            chart::load_tree(&corpus::Directory(path.clone()))
        } else {
            chart::load_archive(&fs::read(&path).unwrap())
        }
    };
    let rendered = render(load, &request, &environment).map_err(|failure| failure.text().to_owned())?;
    let mut text = String::new();
    let mut add = |path: &str, content: &str| text.push_str(&format!("---\n# Source: {path}\n{content}\n"));
    for (path, file) in rendered.crds.iter().filter(|_| flags.include_crds) {
        add(path, &String::from_utf8_lossy(&file.data));
    }
    rendered
        .manifests
        .iter()
        .for_each(|manifest| add(&manifest.path, &manifest.text));
    let mut text = format!("{}\n", text.trim());
    for hook in rendered.hooks.iter().filter(|_| !flags.no_hooks) {
        if !(flags.skip_tests && hook.events.iter().any(|event| event == "test")) {
            text.push_str(&format!(
                "---\n# Source: {}\n{}\n",
                hook.manifest.path, hook.manifest.text
            ));
        }
    }
    if !flags.show_only.is_empty() {
        text = show_only(&text, &flags.show_only)?;
    }
    Ok((text, rendered.notes))
}

fn show_only(text: &str, wanted: &[String]) -> Result<String, String> {
    let mut shown = String::new();
    for pattern in wanted {
        let before = shown.len();
        for (_, document) in split(text) {
            let name = document
                .lines()
                .find_map(|line| line.split_once("# Source: ")?.1.split_once('/'));
            if name.is_some_and(|(_, name)| chart::matches(pattern, name).unwrap_or(false)) {
                shown.push_str(&format!("---\n{document}\n"));
            }
        }
        if shown.len() == before {
            return Err(format!("could not find template {pattern} in chart"));
        }
    }
    Ok(shown)
}

/// How a case passes.
enum Pass {
    Identical,
    Equal,
}

fn judge(root: &Path, case: &Json) -> Result<Pass, String> {
    let expected = fs::read_to_string(root.join(case["expected"].as_str().unwrap())).unwrap_or_else(|_| {
        String::from_utf8_lossy(&fs::read(root.join(case["expected"].as_str().unwrap())).unwrap())
            .into_owned()
    });
    let result = run(root, case);
    if case["expect"] == "error" {
        let wanted = expected
            .trim()
            .trim_start_matches("Error: ")
            .trim_end()
            .to_owned();
        let got = match result {
            Ok(_) => return Err(format!("want error: {wanted}")),
            Err(got) => got,
        };
        if got.trim_end() == wanted {
            return Ok(Pass::Identical);
        }
        return if cause(&wanted) == cause(&got) {
            Ok(Pass::Equal)
        } else {
            Err(format!("want error: {wanted}\ngot error:  {got}"))
        };
    }
    let (got, _) = result.map_err(|error| format!("failed: {error}"))?;
    if got == expected {
        return Ok(Pass::Identical);
    }
    let masked: BTreeSet<u64> = case["mask"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|mask| mask[0].as_u64())
        .collect();
    compare(&expected, &got, &masked).map(|()| Pass::Equal)
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

/// The documents by source, kind and name. Documents with masked leaves (random, clock) need the same keys only.
fn compare(expected: &str, got: &str, masked: &BTreeSet<u64>) -> Result<(), String> {
    let (expected, got) = (documents(expected)?, documents(got)?);
    if masked.is_empty() {
        let by_key = |documents: Vec<(String, Json)>| {
            let mut map: BTreeMap<String, Vec<Json>> = BTreeMap::new();
            documents
                .into_iter()
                .for_each(|(key, value)| map.entry(key).or_default().push(value));
            map
        };
        let (expected, got) = (by_key(expected), by_key(got));
        for (key, wanted) in &expected {
            match got.get(key) {
                None => return Err(format!("missing document {key}")),
                Some(found) if found != wanted => {
                    return Err(format!("{key}: {}", difference(wanted, found)));
                }
                Some(_) => {}
            }
        }
        return match got.keys().find(|key| !expected.contains_key(*key)) {
            Some(key) => Err(format!("unexpected document {key}")),
            None => Ok(()),
        };
    }
    if expected.len() != got.len() {
        return Err(format!("{} documents instead of {}", got.len(), expected.len()));
    }
    for (index, ((key, wanted), (other, found))) in expected.iter().zip(&got).enumerate() {
        if key != other {
            return Err(format!("document {other} instead of {key}"));
        }
        if wanted != found && !masked.contains(&(index as u64)) {
            return Err(format!(
                "{key}: {}",
                difference(
                    &Json::from(vec![wanted.clone()]).as_array().unwrap().clone(),
                    std::slice::from_ref(found)
                )
            ));
        }
    }
    Ok(())
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

/// Each document with its source, kind and name; what is no YAML counts as text.
fn documents(text: &str) -> Result<Vec<(String, Json)>, String> {
    let mut source = String::new();
    let mut documents = Vec::new();
    for (_, document) in split(text) {
        if let Some(line) = document
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# Source: "))
        {
            source = line.trim().to_owned();
        }
        let parsed =
            parse_documents(document, &ParseOptions::new(Resolver::V2)).map_err(|error| error.to_string());
        let value = parsed.and_then(|all| {
            let values = all
                .iter()
                .map(|one| to_json(&one.root, Resolver::V2).map_err(|error| error.to_string()));
            values.collect::<Result<Vec<_>, _>>()
        });
        let value = value.map_or_else(|_| Json::from(document.trim()), Json::from);
        let name = |pointer: &str| value.pointer(pointer).map_or(String::new(), ToString::to_string);
        documents.push((
            format!("{source} {} {}", name("/0/kind"), name("/0/metadata/name")),
            value,
        ));
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

#[test]
fn every_chart_of_the_corpus_renders_as_in_helm() {
    let Some(root) = corpus::folder().map(|folder| folder.join("helm-shared")) else {
        eprintln!("SKIPPED: the shared Helm corpus is not here (set SLUICE_SHARED)");
        return;
    };
    let filter = std::env::var("HELM_CASES").unwrap_or_default();
    let cases = corpus::lines(&root.join("index.jsonl"));
    assert!(cases.len() >= 1725, "only {} cases found", cases.len());
    let (mut passed, mut identical, mut notes) = (0, 0, 0);
    let mut failed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in cases
        .iter()
        .filter(|case| case["id"].as_str().unwrap().contains(&filter))
    {
        match judge(&root, case) {
            Ok(pass) => {
                passed += 1;
                identical += usize::from(matches!(pass, Pass::Identical));
            }
            Err(why) => {
                if !filter.is_empty() {
                    eprintln!("{}: {why}", case["id"]);
                }
                failed.entry(sort_of(&why)).or_default().push(format!(
                    "{}: {}",
                    case["id"],
                    why.lines().next().unwrap_or_default()
                ));
            }
        }
        if let Some(file) = case["notes"].as_str()
            && let Ok((_, text)) = run(&root, case)
        {
            let wanted = fs::read_to_string(root.join(file)).unwrap();
            let text = text.unwrap_or_default();
            if text == wanted || format!("{text}\n") == wanted {
                notes += 1;
            } else {
                failed
                    .entry("notes".to_owned())
                    .or_default()
                    .push(case["id"].to_string());
            }
        }
    }
    eprintln!("{passed} passed ({identical} byte for byte), {notes} notes equal");
    let mut summary: Vec<_> = failed.iter().collect();
    summary.sort_by_key(|(_, cases)| std::cmp::Reverse(cases.len()));
    let summary: Vec<String> = summary
        .iter()
        .map(|(why, cases)| {
            format!(
                "{:5} {why}   ({})",
                cases.len(),
                cases.iter().take(2).cloned().collect::<Vec<_>>().join("; ")
            )
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{passed} passed, the others by cause:\n{}",
        summary.join("\n")
    );
}
