//! The corpus' values cases: what each chart's templates see, type by type, and what is refused in which words.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

use crate::corpus;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use sluice_plugin_helm::{
    Error, Warnings,
    chart::{Chart, load_tree, process_dependencies},
    release::Release,
    strvals,
    values::{Data, Table, coalesce, merge, read_values, validate},
};

/// Every scalar under the name of its Go type.
fn typed(value: &Data) -> Json {
    match value {
        Data::Null => Json::Null,
        Data::Bool(value) => json!({"bool": value.to_string()}),
        Data::Int(value) => json!({"int64": value.to_string()}),
        Data::Float(value) => json!({"float64": sluice_yaml::format_float(*value)}),
        Data::Text(text) => json!({"string": text.to_string()}),
        Data::List(items) => items.iter().map(typed).collect(),
        Data::Table(table) => typed_table(table),
    }
}

fn typed_table(table: &Table) -> Json {
    Json::Object(
        table
            .iter()
            .map(|(key, value)| (key.to_string(), typed(value)))
            .collect(),
    )
}

fn collect(chart: &Chart, path: &str, values: &Table, dumps: &mut Map<String, Json>) {
    for file in chart
        .templates
        .iter()
        .filter(|file| file.name.ends_with("vdump.yaml"))
    {
        if !chart.is_library() {
            dumps.insert(format!("{path}/{}", file.name), typed_table(values));
        }
    }
    for subchart in &chart.dependencies {
        let empty = Table::new();
        let values = values
            .get(subchart.name())
            .and_then(Data::as_table)
            .unwrap_or(&empty);
        collect(
            subchart,
            &format!("{path}/charts/{}", subchart.name()),
            values,
            dumps,
        );
    }
}

fn run(case: &Json) -> Result<Json, String> {
    let args = corpus::texts(&case["args"]);
    let mut values = Table::new();
    let mut flags: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut rest = args.as_slice();
    while let [flag, tail @ ..] = rest {
        if *flag == "--skip-schema-validation" {
            flags.entry(flag).or_default();
            rest = tail;
        } else {
            flags.entry(flag).or_default().push(tail[0]);
            rest = &tail[1..];
        }
    }
    let files = corpus::texts(&case["value_files"]);
    let extra = case["extra_files"].as_object();
    let read = |name: &str| -> Result<String, Error> {
        let index = name
            .strip_prefix("vals")
            .and_then(|name| name.strip_suffix(".yaml"));
        let text = match index.and_then(|index| index.parse::<usize>().ok()) {
            Some(index) => files.get(index).copied(),
            None => extra.and_then(|files| files.get(name)).and_then(Json::as_str),
        };
        text.map(str::to_owned)
            .ok_or_else(|| Error::new(format!("open {name}: no such file or directory")))
    };
    let of = |flag: &str| flags.get(flag).cloned().unwrap_or_default();
    let say = |error: Error| error.to_string();
    for file in [of("-f"), of("--values")].concat() {
        let table = read_values(read(file).map_err(say)?.as_bytes())
            .map_err(|error| format!("failed to parse {file}: {error}"))?;
        merge(&mut values, table);
    }
    for text in of("--set-json") {
        strvals::set_json(text, &mut values).map_err(say)?;
    }
    for text in of("--set") {
        strvals::set(text, &mut values).map_err(say)?;
    }
    for text in of("--set-string") {
        strvals::set_string(text, &mut values).map_err(say)?;
    }
    for text in of("--set-file") {
        let bytes = |name: &str| read(name).map(String::into_bytes);
        strvals::set_file(text, &mut values, &bytes).map_err(say)?;
    }
    for text in of("--set-literal") {
        strvals::set_literal(text, &mut values).map_err(say)?;
    }
    let files = case["files"].as_object().unwrap();
    let files = files
        .iter()
        .map(|(name, text)| (name.clone(), text.as_str().unwrap().as_bytes().to_vec()));
    let mut chart = load_tree(&corpus::Memory::tree(files.collect())).map_err(say)?;
    chart.check_installable().map_err(say)?;
    chart.check_dependencies().map_err(say)?;
    let release = Release {
        name: "rel".into(),
        namespace: "default".into(),
        revision: 1,
        ..Release::default()
    };
    release.check_name().map_err(say)?;
    process_dependencies(&mut chart, &values, &mut Warnings::default()).map_err(say)?;
    let values = coalesce(&chart, &values, &mut Warnings::default()).map_err(say)?;
    if !flags.contains_key("--skip-schema-validation") {
        validate(&chart, &values).map_err(|failure| failure.text().to_owned())?;
    }
    let mut dumps = Map::new();
    collect(&chart, chart.name(), &values, &mut dumps);
    Ok(Json::Object(dumps))
}

fn judge(case: &Json) -> Result<(), String> {
    let result = run(case);
    let Some(wanted) = case["error"].as_str() else {
        let got = result.map_err(|error| format!("failed: {error}"))?;
        return if got == case["values_typed"] {
            Ok(())
        } else {
            Err(format!("want {}\n     got  {got}", case["values_typed"]))
        };
    };
    let got = match result {
        Ok(got) => return Err(format!("want error {wanted}\n     got  {got}")),
        Err(got) => got,
    };
    // the order of violations is random in the original
    let lines = |text: &str| {
        text.lines()
            .map(str::to_owned)
            .filter(|line| !line.is_empty())
            .collect::<BTreeSet<_>>()
    };
    if lines(wanted) == lines(&got)
        || case["nondeterministic"] == true && lines(wanted).first() == lines(&got).first()
    {
        Ok(())
    } else {
        Err(format!("want error {wanted}\n     got error  {got}"))
    }
}

#[test]
fn every_values_case_of_the_corpus_passes() {
    let Some(corpus) = corpus::folder().map(|folder| folder.join("helm-shared")) else {
        eprintln!("SKIPPED: the shared Helm corpus is not here (set SLUICE_SHARED)");
        return;
    };
    let cases = corpus::lines(&corpus.join("values.jsonl"));
    assert!(cases.len() >= 362, "only {} cases found", cases.len());
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            judge(case)
                .err()
                .map(|why| format!("{} [{}] {}: {why}", case["id"], case["category"], case["args"]))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} failed:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}
