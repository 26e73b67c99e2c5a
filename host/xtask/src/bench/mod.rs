//! `cargo xtask bench [--n COUNT | --full] [--json FILE] [CASE…]`: the cost table, measured.

use crate::shell::{self, cargo, heading, target};
use anyhow::{Result, bail};

pub(crate) fn run(args: &[String]) -> Result<()> {
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
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    shell::run(&mut cargo(&[&bench[..], &args].concat()))
}
