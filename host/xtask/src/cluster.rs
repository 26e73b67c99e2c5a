//! The real API server that tests, recordings and benchmarks run against; `tests/cluster/README.md` says how it is built.

use crate::{shell, test};
use anyhow::{Result, bail};

pub(crate) fn run(args: &[String]) -> Result<()> {
    match args.split_first() {
        Some((part, [])) if part == "build" => build(),
        Some((part, [])) if part == "compare" => compare(),
        Some((part, scenarios)) if part == "record" => record(scenarios),
        _ => bail!("`cluster build|compare|record [SCENARIO…]`"),
    }
}

/// Whether a real API server can be had: Go builds one, or the user has one.
pub(crate) fn available() -> bool {
    std::env::var_os("KUBEBUILDER_ASSETS").is_some() || shell::has("go", "version")
}

/// Builds kube-apiserver, kube-controller-manager, etcd and kubectl where they are not kept yet, so that every
/// test that starts a real cluster finds them.
pub(crate) fn build() -> Result<()> {
    requests(&["build"])
}

/// Sends the recorded requests to a real API server again and compares with the committed answers.
pub(crate) fn compare() -> Result<()> {
    requests(&["compare"])
}

/// Records the answers to all requests, or to some scenarios, anew.
pub(crate) fn record(scenarios: &[String]) -> Result<()> {
    let scenarios: Vec<&str> = scenarios.iter().map(String::as_str).collect();
    requests(&[&["record"], scenarios.as_slice()].concat())
}

/// Records what a real API server says about itself (`host/schema/data/openapi`), or compares it with what is recorded.
pub(crate) fn record_openapi(is_check: bool) -> Result<()> {
    let mut record = test::built("record-openapi")?;
    if is_check {
        record.arg("--check");
    }
    shell::run(&mut record)
}

fn requests(args: &[&str]) -> Result<()> {
    shell::run(test::built("requests")?.args(args))
}
