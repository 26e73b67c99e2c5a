//! B12 and B13: what a call into the sandbox costs, and rendering there against the same code native.

use crate::shell::{self, cargo, target};
use anyhow::{Context as _, Result};
use std::path::Path;

/// How often the sample is rendered on each side.
const TIMES: &str = "100";

/// Measures and prints the rows of both cases.
pub(super) fn run(is_debug: bool) -> Result<()> {
    crate::plugins::run(&[])?;
    let sample = target().join("bench-sample");
    write_sample(&sample)?;
    let sample = sample.display().to_string();
    let inside = sandbox(&[&sample, TIMES], is_debug)?;
    let outside = native("kustomize", &[&sample, TIMES])?;

    let of = |text: &str, line: &str, figure: &str| {
        read(text, line, figure).with_context(|| format!("no {line}: {text}"))
    };
    let instantiate = of(&inside, "instantiate", "p99")?;
    let echo = of(&inside, "transformer", "p99")?;
    let (inside, outside) = (of(&inside, "kustomize", "p50")?, of(&outside, "native", "p50")?);
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

/// What the program prints that calls plugins in the sandbox.
pub(super) fn sandbox(args: &[&str], is_debug: bool) -> Result<String> {
    let package = ["--package", "sluice-wasm", "--features", "builtin"];
    example("plugin-bench", &package, args, is_debug)
}

/// What the program prints that runs the same code of a plugin natively; it is optimised in any build, as in the sandbox.
pub(super) fn native(plugin: &str, args: &[&str]) -> Result<String> {
    let manifest = shell::root().join("plugins/Cargo.toml").display().to_string();
    let package = format!("sluice-plugin-{plugin}");
    let package = ["--manifest-path", &manifest, "--package", &package];
    example("native-bench", &package, args, false)
}

fn example(name: &str, package: &[&str], args: &[&str], is_debug: bool) -> Result<String> {
    let profile: &[&str] = if is_debug { &[] } else { &["--release"] };
    let run = ["run", "--quiet", "--example", name];
    output(&[&run, profile, package, &["--"], args].concat())
}

pub(super) fn row(id: &str, work: &str, figure: &str, bar: &str, holds: bool) {
    println!(
        "| {} | {id} | {work} | {figure} | {bar} |",
        if holds { "✔" } else { "✗" }
    );
}

fn output(args: &[&str]) -> Result<String> {
    let output = cargo(args).stderr(std::process::Stdio::inherit()).output()?;
    let text = String::from_utf8(output.stdout)?;
    anyhow::ensure!(
        output.status.success(),
        "`cargo {}` ended with {}",
        args.join(" "),
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

/// An overlay over thirty applications of three objects each: patches, labels, images, a generator.
fn write_sample(folder: &Path) -> Result<()> {
    let base = folder.join("base");
    std::fs::create_dir_all(&base)?;
    let mut names = String::new();
    for index in 0..30 {
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
