//! `cargo xtask bench [--n COUNT | --full] [--json FILE] [CASE…]`: the cost table, measured.
//!
//! B12 and B13 (`bench B12`) need no cluster; the others run against a real API server.

mod sandbox;

use crate::shell::{self, cargo, heading, target};
use anyhow::{Result, bail};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let cases: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|arg| is_case(arg))
        .collect();
    if cases.is_empty() || cases.iter().any(|case| is_sandbox(case)) {
        heading("measuring the sandbox");
        sandbox::run()?;
    }
    if !cases.is_empty() && cases.iter().all(|case| is_sandbox(case)) {
        return Ok(());
    }
    if !crate::cluster::available() {
        bail!("no real API server to measure against: install Go 1.26, or set KUBEBUILDER_ASSETS");
    }
    heading("building the release binary");
    shell::run(&mut cargo(&["build", "--release", "--package", "sluice"]))?;
    let sluice = target().join("release/sluice").display().to_string();
    heading("measuring");
    let bench = [
        "run",
        "--release",
        "--quiet",
        "--package",
        "sluice-cluster-tests",
        "--bin",
        "bench",
        "--",
        "--sluice",
        &sluice,
    ];
    let args: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|arg| !is_sandbox(arg))
        .collect();
    shell::run(&mut cargo(&[&bench[..], &args].concat()))
}

/// `B1` to `B14`; anything else is a flag or its value.
fn is_case(arg: &str) -> bool {
    arg.strip_prefix(['B', 'b'])
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_sandbox(case: &str) -> bool {
    case.eq_ignore_ascii_case("B12") || case.eq_ignore_ascii_case("B13")
}
