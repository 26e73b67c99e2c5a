//! `cargo xtask bench [--n COUNT[,COUNT…] | --full | --short] [--debug] [--vs COMMIT] [--json FILE] [CASE…]`: the cost table.
//!
//! B12 and B13 (`bench B12`) and B15 (charts) need no cluster; the others run against a real API server.
//! `--full` takes 100, 300 and 1000 Kustomizations. `--short` is what `cargo xtask ci` runs: few Kustomizations and the
//! debug build, for what is counted counts on any build. `--vs` builds another commit beside this one and compares.

mod charts;
mod process;
mod sandbox;
mod versus;

use crate::shell::{self, cargo, heading, target};
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;

/// What `--short` stands for.
const SHORT: &[&str] = &[
    "--n", "20", "--parked", "20", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B9", "B10", "B11",
];
/// What `--full` stands for.
const FULL: &[&str] = &["--n", "100,300,1000"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut is_debug, mut other, mut rest) = (false, None, Vec::new());
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        match arg {
            "--debug" => is_debug = true,
            "--short" => {
                is_debug = true;
                rest.extend(SHORT);
            }
            "--full" => rest.extend(FULL),
            "--vs" => other = Some(args.next().context("--vs COMMIT")?),
            arg => rest.push(arg),
        }
    }
    let cases: Vec<&str> = rest.iter().copied().filter(|arg| is_case(arg)).collect();
    if cases.is_empty() || cases.iter().any(|case| is_sandbox(case)) {
        heading("measuring the sandbox");
        sandbox::run(is_debug)?;
    }
    if cases.is_empty() || cases.iter().any(|case| is_chart(case)) {
        heading("measuring charts");
        charts::run(is_debug)?;
    }
    if !cases.is_empty() && cases.iter().all(|case| is_sandbox(case) || is_chart(case)) {
        return Ok(());
    }
    if !crate::cluster::available() {
        bail!("no real API server to measure against: install Go 1.26, or set KUBEBUILDER_ASSETS");
    }
    heading("building what is measured");
    crate::plugins::run(&[])?;
    let mut flags = vec!["--sluice".to_owned(), build(is_debug)?.display().to_string()];
    if let Some(commit) = other {
        flags.extend([
            "--versus".to_owned(),
            versus::build(commit, is_debug)?.display().to_string(),
        ]);
    }
    heading("measuring");
    let mut bench = vec![
        "run",
        "--quiet",
        "--package",
        "sluice-cluster-tests",
        "--bin",
        "bench",
    ];
    if !is_debug {
        bench.push("--release");
    }
    bench.push("--");
    bench.extend(flags.iter().map(String::as_str));
    bench.extend(rest.into_iter().filter(|arg| !is_sandbox(arg) && !is_chart(arg)));
    shell::run(&mut cargo(&bench))
}

/// Builds the binary of this tree.
fn build(is_debug: bool) -> Result<PathBuf> {
    let mut build = cargo(&["build", "--quiet", "--package", "sluice"]);
    if !is_debug {
        build.arg("--release");
    }
    shell::run(&mut build)?;
    Ok(target().join(profile(is_debug)).join("sluice"))
}

/// The folder of a profile below the target folder.
fn profile(is_debug: bool) -> &'static str {
    if is_debug { "debug" } else { "release" }
}

/// `B1` to `B15`; anything else is a flag or its value.
fn is_case(arg: &str) -> bool {
    arg.strip_prefix(['B', 'b'])
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_sandbox(case: &str) -> bool {
    case.eq_ignore_ascii_case("B12") || case.eq_ignore_ascii_case("B13")
}

fn is_chart(case: &str) -> bool {
    case.eq_ignore_ascii_case("B15")
}
