//! The conformance corpora beside the repository: Kustomize's files and the YAML snippets of Helm.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use sluice_yaml::{
    ParseOptions, Resolver, emit_v2, emit_v2_node, from_str, go_json, parse_documents, to_json,
};

/// A corpus, unpacked once into a folder outside the repository.
fn unpacked(name: &str, what: &str) -> Option<PathBuf> {
    let archive = sluice_testkit::shared(what)?
        .join("corpus")
        .join(format!("{name}.tar.zst"));
    if !archive.is_file() {
        eprintln!("SKIPPED: {what}: no file {}", archive.display());
        return None;
    }
    let cache = std::env::var_os("SLUICE_CORPUS_CACHE")
        .map_or_else(|| std::env::temp_dir().join("sluice-corpus"), PathBuf::from);
    let folder = cache.join(format!("yaml-{name}"));
    if !folder.is_dir() {
        // unpacked aside and moved in one step: tests that run at the same time see all of it or nothing
        let aside = cache.join(format!(
            "yaml-{name}.{}.{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&aside).unwrap();
        let file = std::io::BufReader::new(std::fs::File::open(archive).unwrap());
        tar::Archive::new(ruzstd::decoding::StreamingDecoder::new(file).unwrap())
            .unpack(&aside)
            .unwrap();
        if std::fs::rename(&aside, &folder).is_err() {
            let _ = std::fs::remove_dir_all(aside);
        }
    }
    Some(folder)
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

fn has_name(path: &Path, test: impl Fn(&str) -> bool) -> bool {
    path.file_name().is_some_and(|name| test(&name.to_string_lossy()))
}

#[test]
fn every_file_of_the_kustomize_corpus_reads() {
    let Some(folder) = unpacked("kustomize-shared", "the YAML files of the Kustomize corpus") else {
        return;
    };
    let mut all = Vec::new();
    files(&folder, &mut all);
    let go: std::collections::BTreeMap<String, String> = serde_json::from_str(
        &std::fs::read_to_string(
            sluice_testkit::repository().join("tests/yaml-oracle/kustomize-refused.json"),
        )
        .unwrap(),
    )
    .unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for path in all.iter().filter(|path| {
        has_name(path, |name| {
            name.ends_with(".yaml") || name.ends_with(".yml") || name == "Kustomization"
        })
    }) {
        count += 1;
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let refused = parse_documents(std::fs::read(path).unwrap(), &ParseOptions::default())
            .err()
            .map(|error| error.to_string());
        if refused.as_ref() != go.get(&name) {
            wrong.push(format!("{name}: {refused:?}, Go: {:?}", go.get(&name)));
        }
    }
    assert!(count > 5000, "{count}");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn expected_output_is_printed_again_byte_for_byte() {
    let Some(folder) = unpacked("kustomize-shared", "the expected output of the Kustomize corpus") else {
        return;
    };
    let mut all = Vec::new();
    files(&folder, &mut all);
    let (mut count, mut wrong) = (0, Vec::new());
    for path in all
        .iter()
        .filter(|path| has_name(path, |name| name == "expected.yaml"))
    {
        count += 1;
        let text = std::fs::read_to_string(path).unwrap();
        let documents = parse_documents(&text, &ParseOptions::default()).unwrap();
        for resolver in [Resolver::V3, Resolver::V2] {
            let direct: Vec<String> = documents
                .iter()
                .map(|document| emit_v2_node(&document.root, resolver).unwrap())
                .collect();
            let detour: Vec<String> = documents
                .iter()
                .map(|document| emit_v2(&to_json(&document.root, resolver).unwrap()))
                .collect();
            if direct != detour || direct.join("---\n") != text {
                let printed = direct.join("---\n");
                let at = printed
                    .lines()
                    .zip(text.lines())
                    .position(|(ours, go)| ours != go);
                let lines = at.map(|at| (printed.lines().nth(at), text.lines().nth(at)));
                wrong.push(format!("{} ({resolver:?}): {lines:?}", path.display()));
            }
        }
    }
    assert!(count > 700, "{count}");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// Helm decodes every number as float64.
fn as_floats(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(as_floats).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), as_floats(value)))
            .collect(),
        Json::Number(number) => number.as_f64().into(),
        value => value.clone(),
    }
}

#[test]
fn the_yaml_snippets_of_the_helm_corpus_have_the_same_values() {
    let Some(folder) = unpacked("helm-shared", "the YAML snippets of the Helm corpus") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("helm-shared/snippets.jsonl")).unwrap();
    let (mut count, mut wrong) = (0, Vec::new());
    for row in text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap())
        .filter(|row| row["category"] == "yaml/fromYaml")
    {
        // Helm refuses the text around some documents already
        let Ok(values) = from_str::<Json>(row["values"].as_str().unwrap(), Resolver::V2, false) else {
            continue;
        };
        let (Some(document), Some(output)) = (values["doc"].as_str(), row["output"].as_str()) else {
            continue;
        };
        // the template prints the value as JSON, then "|" and the kinds at its top
        let Some(expected) = serde_json::Deserializer::from_str(output)
            .into_iter::<Json>()
            .next()
        else {
            continue;
        };
        let expected = expected.unwrap();
        count += 1;
        let same = match from_str::<Json>(document, Resolver::V2, false) {
            Ok(Json::Null) => expected == Json::Object(serde_json::Map::new()),
            Ok(value @ Json::Object(_)) => go_json(&as_floats(&value)) == go_json(&as_floats(&expected)),
            Ok(_) => expected["Error"]
                .as_str()
                .is_some_and(|error| error.contains("cannot unmarshal")),
            Err(error) => expected["Error"]
                .as_str()
                .is_some_and(|go| go.ends_with(&error.to_string()) || go.contains("unsupported map key")),
        };
        if !same {
            wrong.push(format!(
                "{}: {document:?}: {:?}, Helm: {expected}",
                row["id"],
                from_str::<Json>(document, Resolver::V2, false)
            ));
        }
    }
    assert!(count >= 100, "{count}");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
