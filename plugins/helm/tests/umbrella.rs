//! An umbrella costs what its parts cost: counted in allocations, which are the same on every machine.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[allow(dead_code, reason = "it uses a part of it")]
mod corpus;

use allocation_counter::{AllocationInfo, measure};
use corpus::Memory;
use sluice_plugin_helm::{
    Request,
    chart::load_tree,
    functions::{Environment, Timestamp},
    release::Release,
    render,
};

/// How many subcharts the umbrella has.
const PARTS: usize = 120;

const VALUES: &str = "replicas: 2
image: {repository: registry.example.com/app, tag: \"\"}
annotations: {checksum: \"{{ .Release.Name }}-{{ .Chart.Name }}\"}
resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
env: [{name: LOG_LEVEL, value: info}, {name: MODE, value: fast}]
";

const TEMPLATE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "fullname" . }}
  annotations:
    {{- tpl (toYaml .Values.annotations) . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      containers:
      - image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.Version }}"
        env:
          {{- range .Values.env }}
          - {name: {{ .name }}, value: {{ .value | quote }}}
          {{- end }}
        resources:
          {{- toYaml .Values.resources | nindent 10 }}
        args: {{ .Values.global | toJson }}
"#;

const HELPERS: &str = r#"{{- define "fullname" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}
"#;

/// Values that a parent gives to all of its subcharts.
fn globals() -> String {
    let lines = (0..50).map(|index| format!("  key{index}: {{a: {index}, b: [1, 2, 3]}}\n"));
    format!("global:\n{}", lines.collect::<String>())
}

/// The files of a part, below a folder.
fn part(folder: &str, name: &str, values: &str) -> Memory {
    let file = |path: &str, text: String| (format!("{folder}{path}"), text.into_bytes());
    Memory(vec![
        file(
            "Chart.yaml",
            format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n"),
        ),
        file("values.yaml", format!("{VALUES}{values}")),
        file("templates/_helpers.tpl", HELPERS.to_owned()),
        file("templates/all.yaml", TEMPLATE.to_owned()),
    ])
}

/// A chart with so many dependencies, and `parts` in `charts/`.
fn umbrella(values: &str, dependency: impl Fn(usize) -> String, parts: Vec<Memory>) -> Memory {
    let dependencies: String = (0..PARTS).map(dependency).collect();
    let metadata = format!("apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies:\n{dependencies}");
    let mut files = vec![
        ("Chart.yaml".to_owned(), metadata.into_bytes()),
        ("values.yaml".to_owned(), values.as_bytes().to_vec()),
    ];
    files.extend(parts.into_iter().flat_map(|part| part.0));
    Memory(files)
}

fn cost(chart: &Memory, manifests: usize) -> AllocationInfo {
    let request = Request {
        release: Release {
            name: "rel".to_owned(),
            namespace: "ns".to_owned(),
            revision: 1,
            ..Release::default()
        },
        ..Request::default()
    };
    let environment = Environment::new(Timestamp::default(), [7; 32]);
    let tree = Memory::tree(chart.0.clone());
    let run = || render(|| load_tree(&tree), &request, &environment).unwrap();
    assert_eq!(run().manifests.len(), manifests);
    measure(|| drop(run()))
}

#[track_caller]
fn assert_linear(umbrella: &Memory, part: &Memory) {
    let (all, one) = (cost(umbrella, PARTS), cost(part, 1));
    let ratios = [
        ("allocations", all.count_total, one.count_total),
        ("bytes", all.bytes_total, one.bytes_total),
        ("bytes at the same time", all.bytes_max, one.bytes_max),
    ];
    for (what, all, one) in ratios {
        let ratio = all as f64 / (one * PARTS as u64) as f64;
        assert!(
            ratio <= 1.3,
            "{what}: {all}, {ratio:.2} times those of {PARTS} parts with {one}"
        );
    }
}

#[test]
fn a_folder_for_each_part() {
    let name = |index| format!("part-{index:03}");
    let dependency = |index| {
        let name = name(index);
        format!("- {{name: {name}, version: 1.x, condition: {name}.enabled}}\n")
    };
    let folder = |index| part(&format!("charts/{}/", name(index)), &name(index), "");
    let umbrella = umbrella("", dependency, (0..PARTS).map(folder).collect());
    assert_linear(&umbrella, &part("", "part-000", ""));
}

#[test]
fn one_chart_under_many_names() {
    let dependency = |index| format!("- {{name: part, version: 1.x, alias: part-{index:03}}}\n");
    let umbrella = umbrella("", dependency, vec![part("charts/part/", "part", "")]);
    assert_linear(&umbrella, &part("", "part-000", ""));
}

#[test]
fn globals_for_all() {
    let dependency = |index| format!("- {{name: part, version: 1.x, alias: part-{index:03}}}\n");
    let umbrella = umbrella(&globals(), dependency, vec![part("charts/part/", "part", "")]);
    assert_linear(&umbrella, &part("", "part-000", &globals()));
}
