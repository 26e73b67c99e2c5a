//! `cargo xtask bench [--n COUNT[,COUNT…] | --full] [--debug] [--vs COMMIT] [--json FILE] [CASE…]`: the cost table.
//!
//! B12 and B13 (the sandbox), B14 (Kustomize), B15 (charts) and B16 (sources) need no cluster; the others run against a real API server.
//! `--full` takes 100, 300 and 1000 Kustomizations. `--vs` builds another commit beside this one and compares.

mod charts;
mod kustomize;
mod process;
mod sandbox;
mod sources;
mod versus;

use crate::shell::{self, cargo, heading, target};
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// What [`short`] measures.
const SHORT: &[&str] = &[
    "--n", "20", "--parked", "20", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B9", "B10", "B11", "B17", "B18",
];
/// What `--full` stands for.
const FULL: &[&str] = &["--n", "100,300,1000"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut is_debug, mut other) = (false, None);
    let (mut cases, mut flags) = (Vec::new(), Vec::new());
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg {
            "--debug" => is_debug = true,
            "--full" => flags.extend(FULL),
            "--vs" => other = Some(value()?),
            "--n" | "--parked" | "--json" => flags.extend([arg, value()?]),
            case if is_case(case) => cases.push(case),
            other => bail!("neither a flag nor a case: {other} (`cargo xtask bench --help` names them)"),
        }
    }
    let asks = |names: &[&str]| {
        let named = |case: &&str| names.iter().any(|name| name.eq_ignore_ascii_case(case));
        cases.is_empty() || cases.iter().any(named)
    };
    let on_cluster: Vec<&str> = cases.iter().copied().filter(|case| !needs_none(case)).collect();
    let wants_cluster = cases.is_empty() || !on_cluster.is_empty();
    if wants_cluster && !crate::cluster::available() {
        bail!("no real API server to measure against: install Go 1.26, or set KUBEBUILDER_ASSETS");
    }
    if asks(&["B16"]) {
        // by itself: its servers would bring other features into what the other cases measure
        heading("measuring sources");
        sources::run(is_debug)?;
        if cases.iter().all(|case| case.eq_ignore_ascii_case("B16")) && !cases.is_empty() {
            return Ok(());
        }
    }
    heading("building what is measured");
    let programs = build(is_debug)?;
    let sluice = programs.join("sluice");
    let measure = sandbox::Measure {
        sandbox: programs.join("examples/plugin-bench"),
    };
    if asks(&["B12", "B13"]) {
        heading("measuring the sandbox");
        sandbox::run(&measure)?;
    }
    if asks(&["B14"]) {
        heading("measuring kustomize");
        kustomize::run(&sluice, &measure)?;
    }
    if asks(&["B15"]) {
        heading("measuring charts");
        charts::run(&sluice, &measure)?;
    }
    if !wants_cluster {
        return Ok(());
    }
    let mut bench = Command::new(programs.join("bench"));
    bench.arg("--sluice").arg(&sluice);
    if let Some(commit) = other {
        bench.arg("--versus").arg(versus::build(commit, is_debug)?);
    }
    heading("measuring");
    shell::run(bench.args(flags).args(on_cluster))
}

/// Few Kustomizations, with the programs that `cargo xtask test` left in the target folder: what is counted counts on any
/// build, and nothing is built a second time with other features.
pub(crate) fn short() -> Result<()> {
    let built = target().join(folder(true));
    let mut bench = Command::new(built.join("bench"));
    bench.arg("--sluice").arg(built.join("sluice")).args(SHORT);
    shell::run(&mut bench)
}

/// Builds all that is measured and measures, at once so that everything is built with the same features; gives their folder.
fn build(is_debug: bool) -> Result<PathBuf> {
    crate::plugins::run(&[])?;
    crate::plugins::guests(&[])?;
    let mut build = cargo(&["build", "--quiet", "--bin", "sluice", "--bin", "bench"]);
    build.args(["--example", "plugin-bench", "--features", "sluice-wasm/builtin"]);
    for package in ["sluice", "sluice-cluster-tests", "sluice-wasm"] {
        build.args(["--package", package]);
    }
    shell::run(build.args(["--profile", profile(is_debug)]))?;
    Ok(target().join(folder(is_debug)))
}

/// The profile that is measured: what is shipped, unless it should be quick.
fn profile(is_debug: bool) -> &'static str {
    if is_debug { "dev" } else { "dist" }
}

/// Its folder below the target folder.
fn folder(is_debug: bool) -> &'static str {
    if is_debug { "debug" } else { "dist" }
}

/// `B1` to `B19`.
fn is_case(arg: &str) -> bool {
    let number = arg
        .strip_prefix(['B', 'b'])
        .and_then(|digits| digits.parse().ok());
    number.is_some_and(|number: u8| (1..=19).contains(&number))
}

/// Cases that need no API server.
fn needs_none(case: &str) -> bool {
    ["B12", "B13", "B14", "B15", "B16"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(case))
}
