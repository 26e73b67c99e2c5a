//! B15: what a chart costs, in the sandbox and natively, small and as an umbrella of many; beside `helm` where it is installed.

use super::sandbox::{native, read, row, sandbox};
use crate::shell::{self, target};
use anyhow::{Context as _, Result};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many subcharts the umbrella has.
const SUBCHARTS: usize = 120;
/// How often each program is started.
const STARTS: usize = 9;

pub(super) fn run() -> Result<()> {
    crate::plugins::run(&[])?;
    let folder = target().join("bench-charts");
    let (small, umbrella) = (folder.join("small"), folder.join("umbrella"));
    write_chart(&small, "small", 0)?;
    write_chart(&umbrella, "umbrella", SUBCHARTS)?;
    let of = |text: &str| {
        let line = text.lines().last().unwrap_or_default();
        read(text, line, "p50").with_context(|| format!("no p50: {text}"))
    };
    let inside = |chart: &Path, times: &str| of(&sandbox(&[&chart.display().to_string(), "/", times])?);
    let outside = |chart: &Path, times: &str| of(&native("helm", &[&chart.display().to_string(), times])?);
    let (small_in, small_out) = (inside(&small, "300")?, outside(&small, "300")?);
    let (umbrella_in, umbrella_out) = (inside(&umbrella, "20")?, outside(&umbrella, "20")?);
    println!("| | id | work | measured | bar |\n|---|---|---|---|---|");
    let figure = format!("p50 {:.2} ms", small_in * 1e3);
    row(
        "B15",
        "a small chart, warm, in the sandbox",
        &figure,
        "p50 ≤ 3 ms",
        small_in <= 3e-3,
    );
    let ratio = umbrella_in / umbrella_out;
    let figure = format!(
        "{ratio:.2} × ({:.1} ms, native {:.1} ms)",
        umbrella_in * 1e3,
        umbrella_out * 1e3
    );
    row(
        "B15",
        "an umbrella of 120 in the sandbox",
        &figure,
        "≤ 2.0 ×",
        ratio <= 2.0,
    );
    let sum = small_out * SUBCHARTS as f64;
    let ratio = umbrella_out / sum;
    let figure = format!(
        "{ratio:.2} × ({:.1} ms, its parts {:.1} ms)",
        umbrella_out * 1e3,
        sum * 1e3
    );
    row(
        "B15",
        "an umbrella of 120 against its parts",
        &figure,
        "≤ 1.3 ×",
        ratio <= 1.3,
    );
    against_helm(&umbrella)
}

/// Whole programs, from start to end: the sum is what whoever calls them waits for.
fn against_helm(chart: &Path) -> Result<()> {
    if !shell::has("helm", "version") {
        println!("SKIPPED: helm is not installed, nothing to compare with");
        return Ok(());
    }
    shell::run(&mut shell::cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package",
        "sluice",
    ]))?;
    let program = target().join("release/sluice");
    let ours = median(Command::new(program).args(["build", "helm", "rel"]).arg(chart))?;
    let theirs = median(Command::new("helm").args(["template", "rel"]).arg(chart))?;
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let figure = format!("{ratio:.2} × ({ours:.1?}, helm {theirs:.1?})");
    row(
        "B15",
        "the umbrella beside helm, as programs",
        &figure,
        "≤ 0.25 ×",
        ratio <= 0.25,
    );
    Ok(())
}

fn median(program: &mut Command) -> Result<Duration> {
    let mut times = Vec::with_capacity(STARTS);
    program.stdout(Stdio::null());
    for _ in 0..STARTS {
        let started = Instant::now();
        let status = program.status()?;
        anyhow::ensure!(status.success(), "{program:?} ended with {status}");
        times.push(started.elapsed());
    }
    times.sort();
    times.get(STARTS / 2).copied().context("no times")
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
