//! The shared corpus of template snippets, where it is present: the same text, or the same failure.
//!
//! `SLUICE_SHARED` names the folder (default `../shared` beside the repository); the archive is unpacked once, with `zstd` and
//! `tar`, below the target directory. `SNIPPETS=<text>` runs only those whose identifier or category has the text, and shows all
//! that differ.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

use crate::corpus;

use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

use serde_json::{Value as Json, json};
use sluice_plugin_helm::{
    Map, Str, Value,
    engine::{File, Scope, Templates},
    functions::{self, Environment, Timestamp},
    objects::{self, Capabilities, HelmVersion, KubeVersion},
    template::MissingKey,
    values::read_values,
};
use sluice_yaml::{ParseOptions, Resolver, parse_document, to_json};

fn read(text: &str) -> Result<Json, String> {
    let document =
        parse_document(text, &ParseOptions::new(Resolver::V2)).map_err(|error| error.to_string())?;
    document
        .map_or(Ok(Json::Null), |document| to_json(&document.root, Resolver::V2))
        .map_err(|error| error.to_string())
}

fn yaml(text: &str) -> Json {
    read(text).unwrap()
}

/// A chart's own nulls are not there.
fn without_nulls(map: &Map) {
    for (key, value) in map.entries().iter() {
        match value {
            Value::Nil => map.remove(key),
            Value::Map(inner) => without_nulls(inner),
            _ => {}
        }
    }
}

fn child(map: &Map, key: &str) -> Option<Map> {
    match map.get(key) {
        Some(Value::Map(map)) => Some(map),
        _ => None,
    }
}

/// `.Chart`, from the chart's own words.
fn chart(metadata: &Json, is_root: bool) -> Value {
    let text = |key: &str| {
        metadata[key]
            .as_str()
            .map_or_else(|| metadata[key].to_string(), str::to_owned)
    };
    let or_empty = |key: &str| {
        if metadata[key].is_null() {
            String::new()
        } else {
            text(key)
        }
    };
    let strings = |key: &str| match metadata[key].as_array() {
        Some(items) => Value::List(
            items
                .iter()
                .map(|item| Value::from(item.as_str().unwrap()))
                .collect(),
        ),
        None => Value::List(sluice_plugin_helm::List::nil(
            sluice_plugin_helm::value::CollectionType::ANY,
        )),
    };
    let annotations = match metadata["annotations"].as_object() {
        Some(map) => Map::of_type(
            sluice_plugin_helm::value::CollectionType::STRING,
            map.iter()
                .map(|(key, value)| (Str::from(key.as_str()), Value::from(value)))
                .collect(),
        ),
        None => Map::nil(sluice_plugin_helm::value::CollectionType::STRING),
    };
    let maintainers = metadata["maintainers"].as_array().map_or(Json::Null, |items| {
        let one = |item: &Json| {
            json!({"Name": item["name"], "Email": item["email"].as_str().unwrap_or(""), "URL": item["url"].as_str().unwrap_or("")})
        };
        items.iter().map(one).collect()
    });
    let dependencies = metadata["dependencies"].as_array().cloned().unwrap_or_default();
    let dependencies = dependencies.iter().map(|item| {
        Value::from(&json!({
            "Name": item["name"], "Version": item["version"], "Repository": "", "Condition": item["condition"],
            "Alias": "", "Enabled": true, "Tags": item["tags"], "ImportValues": [],
        }))
    });
    let map: Map = [
        ("APIVersion", text("apiVersion")),
        ("AppVersion", or_empty("appVersion")),
        ("Condition", String::new()),
        ("Description", or_empty("description")),
        ("Home", or_empty("home")),
        ("Icon", or_empty("icon")),
        ("KubeVersion", or_empty("kubeVersion")),
        ("Name", text("name")),
        ("Tags", String::new()),
        ("Type", or_empty("type")),
        ("Version", text("version")),
    ]
    .into_iter()
    .collect();
    map.set("Annotations", annotations);
    map.set("Dependencies", dependencies.collect::<sluice_plugin_helm::List>());
    map.set("Deprecated", false);
    map.set("IsRoot", is_root);
    map.set("Keywords", strings("keywords"));
    map.set("Sources", strings("sources"));
    map.set("Maintainers", Value::from(&maintainers));
    Value::Map(map)
}

fn capabilities(context: &Json, defaults: &[Str]) -> Value {
    let version = context["kube_version"].as_str().unwrap();
    let kube_version = KubeVersion {
        version: format!("v{version}"),
        normalized: format!("v{version}"),
        major: "1".to_owned(),
        minor: version.split('.').nth(1).unwrap().to_owned(),
    };
    let added = context["api_versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap().into());
    Value::object(Capabilities::new(
        kube_version,
        defaults.iter().cloned().chain(added),
        HelmVersion::default(),
    ))
}

struct Context {
    files: BTreeMap<String, String>,
    json: Json,
    api_versions: Vec<Str>,
}

fn run(context: &Context, snippet: &Json) -> Result<Str, String> {
    let mut files = context.files.clone();
    for key in ["files", "templates"] {
        for (path, text) in snippet[key].as_object().into_iter().flatten() {
            files.insert(path.clone(), text.as_str().unwrap().to_owned());
        }
    }
    files.insert(
        "templates/t.yaml".to_owned(),
        snippet["template"].as_str().unwrap().to_owned(),
    );
    let values = read_values(snippet["values"].as_str().unwrap().as_bytes())
        .map_err(|error| format!("cannot load values.yaml: {error}"))?
        .to_map();
    without_nulls(&values);
    for set in snippet["set"].as_array().into_iter().flatten() {
        for pair in set.as_str().unwrap().split(',') {
            let (key, text) = pair.split_once('=').unwrap();
            let value = match text {
                "true" => true.into(),
                "null" => Value::Nil,
                _ if text.starts_with('0') && text.len() > 1 => text.into(),
                _ => text.parse::<i64>().map_or_else(|_| text.into(), Value::int64),
            };
            values.set(key, value);
        }
    }
    let sub_values = child(&values, "sub").unwrap_or_default();
    if let Value::Map(defaults) = Value::from(&yaml(&files["charts/sub/values.yaml"])) {
        for (key, value) in defaults.entries().iter() {
            if !sub_values.contains(key) {
                sub_values.set(key.clone(), value.clone());
            }
        }
    }
    values.set("sub", sub_values.clone());
    let release: Map = [
        ("Name", context.json["release"].as_str().unwrap()),
        ("Namespace", "ns"),
        ("Service", "Helm"),
    ]
    .into_iter()
    .collect();
    release.set("IsInstall", true);
    release.set("IsUpgrade", false);
    release.set("Revision", Value::int(1));
    let data = |metadata: &Json, prefix: &str, values: &Map, is_root: bool| {
        let own = |path: &&String| path.starts_with(prefix) && !(is_root && path.starts_with("charts/"));
        let kept =
            |path: &&str| !path.starts_with("templates/") && !matches!(*path, "Chart.yaml" | "values.yaml");
        let files = files
            .keys()
            .filter(own)
            .map(|path| path.strip_prefix(prefix).unwrap())
            .filter(kept);
        let files = files.map(|path| {
            (
                path.to_owned(),
                Str::from(files_text(&context.files, prefix, path)),
            )
        });
        let map: Map = [
            ("Chart", chart(metadata, is_root)),
            ("Capabilities", capabilities(&context.json, &context.api_versions)),
            ("Release", Value::Map(release.clone())),
            ("Values", Value::Map(objects::values(values))),
            ("Files", Value::Map(objects::files(files))),
        ]
        .into_iter()
        .collect();
        map
    };
    let sub = data(
        &yaml(&files["charts/sub/Chart.yaml"]),
        "charts/sub/",
        &sub_values,
        false,
    );
    sub.set("Subcharts", Map::new());
    let root = data(&yaml(&files["Chart.yaml"]), "", &values, true);
    let subcharts = Map::new();
    subcharts.set("sub", sub.clone());
    root.set("Subcharts", subcharts);
    let root = Scope {
        data: root,
        base_path: "snip/templates".to_owned(),
    };
    let sub = Scope {
        data: sub,
        base_path: "snip/charts/sub/templates".to_owned(),
    };
    let templates = files
        .iter()
        .filter(|(path, _)| path.starts_with("templates/") || path.starts_with("charts/sub/templates/"))
        .map(|(path, text)| File {
            path: format!("snip/{path}"),
            source: text.as_str().into(),
        });
    let templates = Templates::read(templates.collect()).map_err(|error| error.to_string())?;
    let environment = Environment::new(
        Timestamp {
            seconds: 1_700_000_000,
            nanoseconds: 0,
        },
        [7; 32],
    );
    let rendered = templates
        .render(&environment, MissingKey::Zero, |path| {
            Some(if path.starts_with("snip/charts/sub/") {
                &sub
            } else {
                &root
            })
        })
        .map_err(|error| error.to_string())?;
    let found = rendered
        .into_iter()
        .find(|(path, _)| path == "snip/templates/t.yaml");
    Ok(found.unwrap().1)
}

fn files_text(files: &BTreeMap<String, String>, prefix: &str, path: &str) -> String {
    files[&format!("{prefix}{path}")].clone()
}

fn judge(context: &Context, snippet: &Json) -> Result<(), String> {
    let result = run(context, snippet);
    let wanted_bytes = snippet["output_b64"].as_str();
    match (&result, snippet["output"].as_str(), snippet["error"].as_str()) {
        (Ok(text), Some(wanted), _) if text == wanted => Ok(()),
        (Ok(text), None, None) if Value::Bytes(text.clone()).to_json().unwrap().as_str() == wanted_bytes => {
            Ok(())
        }
        (Err(error), _, Some(wanted)) if error == wanted => Ok(()),
        _ => {
            let wanted = snippet["output"]
                .as_str()
                .or(snippet["error"].as_str())
                .or(wanted_bytes);
            Err(format!(
                "  want {:?}\n  got  {result:?}",
                wanted.unwrap_or_default()
            ))
        }
    }
}

#[test]
fn snippets_come_out_as_with_helm() {
    let Some(corpus) = corpus::folder() else {
        eprintln!("SKIPPED: the Helm corpus is not here (see the top of this file)");
        return;
    };
    if functions::all().get("trunc").is_none() {
        eprintln!("SKIPPED: sprig's functions are not in this build, and every snippet's helpers need them");
        return;
    }
    let corpus = corpus.join("helm-shared");
    let json: Json =
        serde_json::from_str(&fs::read_to_string(corpus.join("snippets-context.json")).unwrap()).unwrap();
    let files = json["files"].as_object().unwrap().iter();
    let files = files
        .map(|(path, text)| (path.clone(), text.as_str().unwrap().to_owned()))
        .collect();
    let text = fs::read_to_string(corpus.join("snippets.jsonl")).unwrap();
    let snippets: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let listed = snippets
        .iter()
        .find(|snippet| snippet["template"] == r#"{{ .Capabilities.APIVersions | join "," }}"#);
    let listed = listed.unwrap()["output"]
        .as_str()
        .unwrap()
        .split(',')
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let api_versions = listed[..listed.len() - 2].to_vec();
    let filter = std::env::var("SNIPPETS").unwrap_or_default();
    let mut failures: HashMap<String, usize> = HashMap::new();
    let (mut failed, mut passed) = (0, 0);
    let thread = std::thread::Builder::new().stack_size(256 << 20);
    let report = thread
        .spawn(move || {
            let api_versions = api_versions.into_iter().map(Str::from).collect();
            let context = Context {
                files,
                json,
                api_versions,
            };
            let mut report = Vec::new();
            for snippet in &snippets {
                let (id, category) = (
                    snippet["id"].as_str().unwrap(),
                    snippet["category"].as_str().unwrap(),
                );
                if !filter.is_empty() && !id.contains(&filter) && !category.contains(&filter) {
                    continue;
                }
                let result = judge(&context, snippet);
                report.push((
                    id.to_owned(),
                    category.to_owned(),
                    snippet["template"].to_string(),
                    result,
                ));
            }
            report
        })
        .unwrap()
        .join()
        .unwrap();
    for (id, category, template, result) in &report {
        match result {
            Ok(()) => passed += 1,
            Err(why) => {
                failed += 1;
                *failures.entry(category.clone()).or_default() += 1;
                eprintln!("{id} {category}: {template}\n{why}");
            }
        }
    }
    let mut failures: Vec<_> = failures.into_iter().collect();
    failures.sort();
    eprintln!("{passed} passed, {failed} failed {failures:?}");
    assert_eq!(failed, 0);
}
