//! B15: what a chart costs, in the sandbox and natively, small, heavy and as an umbrella of many; beside `helm` where it is
//! installed.

use super::process::measure;
use super::sandbox::{Measure, row};
use crate::conformance;
use crate::shell::{self, target};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many subcharts the umbrella has.
const SUBCHARTS: usize = 120;
/// How many charts of the corpus are measured: those with the most bytes.
const HEAVY: usize = 10;

/// How many calls of `tpl` are few.
const TPL_CALLS: usize = 2000;
/// What `sluice` may take of what `helm` takes.
const RATIO_MAX: f64 = 0.25;
/// What the sandbox may take of what the same code takes natively.
const SANDBOX_MAX: f64 = 2.0;

/// Measures and prints the rows.
pub(super) fn run(sluice: &Path, programs: &Measure) -> Result<()> {
    let folder = target().join("bench-charts");
    let (small, umbrella) = (folder.join("small"), folder.join("umbrella"));
    write_chart(&small, "small", 0)?;
    write_chart(&umbrella, "umbrella", SUBCHARTS)?;
    println!("| | id | work | measured | bar |\n|---|---|---|---|---|");
    let time = programs.inside(&small, 300)?;
    row(
        "B15",
        "a small chart, warm, in the sandbox",
        &format!("p50 {:.2} ms", time * 1e3),
        "p50 ≤ 3 ms",
        time <= 3e-3,
    );
    let sum = programs.outside("helm", &small, 300)? * SUBCHARTS as f64;
    let time = programs.outside("helm", &umbrella, 20)?;
    let figure = format!(
        "{:.2} × ({:.1} ms, its parts {:.1} ms)",
        time / sum,
        time * 1e3,
        sum * 1e3
    );
    row(
        "B15",
        "an umbrella of 120 against its parts",
        &figure,
        "≤ 1.3 ×",
        time <= 1.3 * sum,
    );
    let once = programs.outside("helm", &write_tpl(&folder, TPL_CALLS)?, 20)?;
    let often = programs.outside("helm", &write_tpl(&folder, 4 * TPL_CALLS)?, 20)?;
    let figure = format!(
        "{:.2} × ({:.1} ms, {:.1} ms)",
        often / once,
        often * 1e3,
        once * 1e3
    );
    row(
        "B15",
        "four times as many calls of tpl",
        &figure,
        "≤ 4.4 ×",
        often <= 4.4 * once,
    );
    let mut charts = vec![Chart::new(&umbrella)];
    charts.extend(heavy()?);
    for chart in &charts {
        let (inside, outside) = programs.both("helm", &chart.folder, 9)?;
        let ratio = inside / outside;
        let name = chart.folder.file_name().unwrap_or_default().to_string_lossy();
        let figure = format!(
            "{ratio:.2} × ({:.1} ms, native {:.1} ms)",
            inside * 1e3,
            outside * 1e3
        );
        row(
            "B15",
            &format!("{name} in the sandbox"),
            &figure,
            "≤ 2.0 ×",
            ratio <= SANDBOX_MAX,
        );
    }
    against_helm(sluice, &charts)
}

/// Whole programs, from start to end: the sum is what whoever calls them waits for.
fn against_helm(sluice: &Path, charts: &[Chart]) -> Result<()> {
    if !shell::has("helm", "version") {
        println!(
            "SKIPPED: helm is not installed, nothing to compare with: go install helm.sh/helm/v4/cmd/helm@v4.3.1, on the PATH"
        );
        return Ok(());
    }
    println!("\n| | chart | helm | sluice | wall | peak memory |\n|---|---|---|---|---|---|");
    let mut worst = (0.0_f64, 0.0_f64);
    for Chart { folder, options } in charts {
        let theirs = measure(
            Command::new("helm")
                .args(["template", "rel"])
                .arg(folder)
                .args(options),
        )?;
        let ours = measure(
            Command::new(sluice)
                .args(["build", "helm", "rel"])
                .arg(folder)
                .args(options),
        )?;
        let wall = ours.wall.as_secs_f64() / theirs.wall.as_secs_f64();
        let memory = ours.kibibytes as f64 / theirs.kibibytes.max(1) as f64;
        worst = (worst.0.max(wall), worst.1.max(memory));
        let mark = if wall <= RATIO_MAX && memory <= RATIO_MAX {
            "✔"
        } else {
            "✗"
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        println!("| {mark} | {name} | {theirs} | {ours} | {wall:.2} × | {memory:.2} × |");
    }
    println!("\n| | id | work | measured | bar |\n|---|---|---|---|---|");
    for (what, worst) in [("wall", worst.0), ("peak memory", worst.1)] {
        let work = format!("heavy charts beside helm, as programs, {what}");
        row(
            "B15",
            &work,
            &format!("at most {worst:.2} ×"),
            "≤ 0.25 ×",
            worst <= RATIO_MAX,
        );
    }
    Ok(())
}

/// A chart and how it is rendered.
struct Chart {
    folder: PathBuf,
    options: Vec<String>,
}

impl Chart {
    fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            options: Vec::new(),
        }
    }
}

/// The charts of the corpus with the most bytes, as their cases with default values render them; none without a corpus.
fn heavy() -> Result<Vec<Chart>> {
    let Some(corpus) = conformance::corpus() else {
        println!("SKIPPED: no charts to measure: SLUICE_SHARED names the folder that holds corpus/");
        return Ok(Vec::new());
    };
    let corpus = conformance::unpacked(&corpus, "helm-shared")?;
    let index = std::fs::read_to_string(corpus.join("index.jsonl"))?;
    let mut charts = Vec::new();
    for line in index.lines() {
        let case: Value = serde_json::from_str(line)?;
        let text = |name: &str| case.get(name).and_then(Value::as_str).unwrap_or_default();
        if !text("id").ends_with("/default") || text("expect") == "error" {
            continue;
        }
        let options = case.get("opts").and_then(Value::as_array).into_iter().flatten();
        let chart = Chart {
            folder: corpus.join(text("chart")),
            options: options.filter_map(Value::as_str).map(str::to_owned).collect(),
        };
        charts.push((size(&chart.folder)?, chart));
    }
    charts.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    ensure!(
        charts.len() > HEAVY,
        "only {} charts in {}",
        charts.len(),
        corpus.display()
    );
    Ok(charts.into_iter().take(HEAVY).map(|(_, chart)| chart).collect())
}

/// The bytes of a directory, or of a file.
fn size(path: &Path) -> Result<u64> {
    let metadata = std::fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    let mut sum = 0;
    for entry in std::fs::read_dir(path)? {
        sum += size(&entry?.path())?;
    }
    Ok(sum)
}

/// A chart that calls `tpl` so often, each time with another text.
fn write_tpl(folder: &Path, calls: usize) -> Result<PathBuf> {
    let chart = folder.join(format!("tpl-{calls}"));
    write_chart(&chart, "tpl", 0)?;
    let template = format!(
        "{{{{- range $i := until {calls} }}}}\n{{{{ tpl (printf \"k%d: {{{{ .Release.Name }}}}\" $i) $ }}}}\n{{{{- end }}}}\n"
    );
    std::fs::write(chart.join("templates/tpl.txt"), template)?;
    Ok(chart)
}

/// A chart like those that `helm create` makes, with a `tpl`; and so many of them below it.
fn write_chart(folder: &Path, name: &str, subcharts: usize) -> Result<()> {
    let mut metadata = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\nappVersion: \"1.0\"\n");
    if subcharts > 0 {
        metadata.push_str("dependencies:\n");
    }
    for index in 0..subcharts {
        let name = format!("part-{index:03}");
        writeln!(
            metadata,
            "- {{name: {name}, version: \"1.x\", condition: {name}.enabled}}"
        )?;
        write_chart(&folder.join("charts").join(&name), &name, 0)?;
    }
    let templates = folder.join("templates");
    std::fs::create_dir_all(&templates)?;
    std::fs::write(folder.join("Chart.yaml"), metadata)?;
    std::fs::write(folder.join("values.yaml"), VALUES)?;
    if subcharts == 0 {
        std::fs::write(templates.join("_helpers.tpl"), HELPERS.replace("CHART", name))?;
        std::fs::write(templates.join("all.yaml"), TEMPLATE.replace("CHART", name))?;
    }
    Ok(())
}

const VALUES: &str = "replicas: 2
image: {repository: registry.example.com/app, tag: \"\"}
annotations: {checksum: \"{{ .Release.Name }}-{{ .Chart.Name }}\"}
resources:
  requests: {cpu: 100m, memory: 128Mi}
  limits: {memory: 256Mi}
env: [{name: LOG_LEVEL, value: info}, {name: MODE, value: fast}]
nodeSelector: {}
";

const HELPERS: &str = r#"{{- define "CHART.fullname" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}
{{- define "CHART.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}
"#;

const TEMPLATE: &str = r#"apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "CHART.fullname" . }}
  labels:
    {{- include "CHART.labels" . | nindent 4 }}
  annotations:
    {{- tpl (toYaml .Values.annotations) . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app: {{ include "CHART.fullname" . }}}
  template:
    metadata:
      labels: {app: {{ include "CHART.fullname" . }}}
    spec:
      {{- with .Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
      - name: main
        image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
        env:
          {{- range .Values.env }}
          - name: {{ .name }}
            value: {{ .value | quote }}
          {{- end }}
        resources:
          {{- toYaml .Values.resources | nindent 10 }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "CHART.fullname" . }}
  labels:
    {{- include "CHART.labels" . | nindent 4 }}
spec:
  selector: {app: {{ include "CHART.fullname" . }}}
  ports: [{name: http, port: 80}]
"#;
