//! B12 and B13: what a call into the sandbox costs, and rendering there against the same code native.

use crate::shell::{self, cargo, target};
use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How often the sandbox and the native code take turns.
const ROUNDS: usize = 3;
/// How often the sample is rendered on each side.
const TIMES: usize = 100;

/// Measures and prints the rows of both cases.
pub(super) fn run(programs: &Measure) -> Result<()> {
    let sample = target().join("bench-sample");
    write_sample(&sample, 30)?;
    let guest = target().join("guests-for-tests/misbehave.wasm");
    let calls = output(Command::new(&programs.sandbox).arg("--echo").arg(guest))?;
    let of = |line: &str| read(&calls, line, "p99").with_context(|| format!("no {line}: {calls}"));
    let (instantiate, echo) = (of("instantiate")?, of("echo")?);
    let (inside, outside) = programs.both("kustomize", &sample, TIMES)?;
    println!("| | id | work | measured | bar |\n|---|---|---|---|---|");
    row(
        "B12",
        "echo of 1 MB through a role",
        &format!("p99 {:.2} ms", echo * 1e3),
        "p99 ≤ 5 ms",
        echo <= 5e-3,
    );
    row(
        "B12",
        "instantiate",
        &format!("p99 {:.0} µs", instantiate * 1e6),
        "p99 ≤ 100 µs",
        instantiate <= 1e-4,
    );
    let ratio = inside / outside;
    let figure = format!(
        "{ratio:.2} × ({:.2} ms, native {:.2} ms)",
        inside * 1e3,
        outside * 1e3
    );
    row(
        "B13",
        "render in the sandbox, 90 objects",
        &figure,
        "≤ 2.0 ×",
        ratio <= 2.0,
    );
    Ok(())
}

/// The programs that call plugins: in the sandbox, and their code natively.
pub(super) struct Measure {
    /// `host/wasm/examples/plugin-bench`, built.
    pub(super) sandbox: PathBuf,
}

impl Measure {
    /// Seconds from a call into the sandbox to its answer, the middle of so many: a directory or a chart.
    pub(super) fn inside(&self, sample: &Path, times: usize) -> Result<f64> {
        let mut program = Command::new(&self.sandbox);
        let text = output(program.arg(sample).args(["/", &times.to_string()]))?;
        text.lines()
            .last()
            .and_then(|line| read(line, line, "p50"))
            .with_context(|| format!("no render: {text}"))
    }

    /// Seconds in the sandbox and natively. The two take turns and the best round of each counts: a machine that is slower
    /// for a while must not look like a ratio.
    pub(super) fn both(&self, plugin: &str, sample: &Path, times: usize) -> Result<(f64, f64)> {
        let mut best = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            let inside = self.inside(sample, times.div_ceil(ROUNDS))?;
            let outside = self.outside(plugin, sample, times.div_ceil(ROUNDS))?;
            best = (best.0.min(inside), best.1.min(outside));
        }
        Ok(best)
    }

    /// Seconds that the same code takes natively; it is optimised in any build, as in the sandbox.
    pub(super) fn outside(&self, plugin: &str, sample: &Path, times: usize) -> Result<f64> {
        let mut native = cargo(&[
            "run",
            "--release",
            "--quiet",
            "--example",
            "native-bench",
            "--package",
        ]);
        native.arg(format!("sluice-plugin-{plugin}"));
        native
            .arg("--manifest-path")
            .arg(shell::root().join("plugins/Cargo.toml"));
        native.arg("--").arg(sample).arg(times.to_string());
        let text = output(&mut native)?;
        read(&text, "native", "p50").with_context(|| format!("no render: {text}"))
    }
}

pub(super) fn row(id: &str, work: &str, figure: &str, bar: &str, holds: bool) {
    println!(
        "| {} | {id} | {work} | {figure} | {bar} |",
        if holds { "✔" } else { "✗" }
    );
}

/// What a program prints; its errors go where ours go.
pub(super) fn output(program: &mut Command) -> Result<String> {
    let output = program.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(
        output.status.success(),
        "{program:?} ended with {}",
        output.status
    );
    Ok(text)
}

/// Seconds behind `figure` in the line that starts so: `p99 6.1µs`.
pub(super) fn read(text: &str, line: &str, figure: &str) -> Option<f64> {
    let line = text.lines().find(|found| found.starts_with(line))?;
    let mut words = line.split_whitespace().skip_while(|word| *word != figure);
    let time = words.nth(1)?;
    let (number, unit) = time.split_at_checked(time.find(|c: char| c.is_alphabetic())?)?;
    let scale = match unit {
        "ns" => 1e-9,
        "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * scale)
}

/// An overlay over applications of three objects each: patches, labels, images, a generator.
pub(super) fn write_sample(folder: &Path, applications: usize) -> Result<()> {
    let base = folder.join("base");
    std::fs::create_dir_all(&base)?;
    let mut names = String::new();
    for index in 0..applications {
        let name = format!("app-{index:02}");
        std::fs::write(
            base.join(format!("{name}.yaml")),
            APPLICATION.replace("NAME", &name),
        )?;
        names += &format!("- {name}.yaml\n");
    }
    std::fs::write(base.join("kustomization.yaml"), format!("resources:\n{names}"))?;
    std::fs::write(folder.join("kustomization.yaml"), OVERLAY)?;
    Ok(())
}

const APPLICATION: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
spec:
  replicas: 2
  selector:
    matchLabels: {app: NAME}
  template:
    metadata:
      labels: {app: NAME}
    spec:
      containers:
      - name: main
        image: registry.example.com/app:1.0.0
        ports: [{containerPort: 8080}]
        env:
        - {name: LOG_LEVEL, value: info}
        - name: SETTINGS
          valueFrom: {configMapKeyRef: {name: settings, key: mode}}
        resources:
          requests: {cpu: 100m, memory: 128Mi}
---
apiVersion: v1
kind: Service
metadata:
  name: NAME
spec:
  selector: {app: NAME}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: NAME
data:
  config.yaml: |
    name: NAME
    # a comment inside
    list: [1, 2, 3]
";

const OVERLAY: &str = "namespace: bench
namePrefix: prod-
resources: [base]
labels:
- pairs: {environment: prod}
images:
- {name: registry.example.com/app, newTag: 2.0.0}
configMapGenerator:
- name: settings
  literals: [mode=fast]
patches:
- target: {kind: Deployment}
  patch: |
    - op: replace
      path: /spec/replicas
      value: 3
";
