//! `cargo xtask test [PART…]`: all tests, or some parts of them. `conformance --whole` runs every case of every corpus; `fuzz` is for itself.

use crate::shell::{self, heading};
use crate::{cluster, conformance, fuzz, plugins};
use anyhow::{Result, bail};
use std::process::Command;

/// The parts, in the order they run.
const PARTS: &[shell::Step] = &[
    ("plugins", engines),
    ("host", host),
    ("conformance", conformance::run),
    ("cluster", real_server),
    ("simulation", || simulation(&[])),
];

pub(crate) fn run(args: &[String]) -> Result<()> {
    if let Some((part, flags)) = args.split_first()
        && (part == "fuzz" || flags.iter().any(|flag| flag.starts_with("--")))
    {
        let words: Vec<&str> = flags.iter().map(String::as_str).collect();
        match part.as_str() {
            "fuzz" => return fuzz::run(&words),
            "simulation" => return simulation(&words),
            "conformance" => return conformance::run_with(flags),
            _ => bail!("part `{part}` has no flags"),
        }
    }
    if let Some(unknown) = args.iter().find(|arg| !PARTS.iter().any(|(name, _)| name == arg)) {
        bail!(
            "no part `{unknown}`; there are {}",
            PARTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        );
    }
    let is_wanted = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    shell::steps(PARTS.iter().filter(|(name, _)| is_wanted(name)))
}

/// The plugins' engines run natively, with their golden cases and the corpora.
fn engines() -> Result<()> {
    heading("plugins: the engines, natively");
    let manifest = shell::root().join("plugins/Cargo.toml");
    let target = shell::target().join("plugin-tests");
    shell::run(
        shell::cargo(&["test", "--quiet", "--workspace", "--manifest-path"])
            .arg(manifest)
            .arg("--target-dir")
            .arg(target),
    )
}

/// Every room, the sandbox with its misbehaving guests among them.
fn host() -> Result<()> {
    heading("plugins and guests as components");
    plugins::run(&[])?;
    plugins::guests(&[])?;
    heading("host: every room");
    shell::run(&mut shell::cargo(&["test", "--quiet", "--workspace"]))
}

/// What is recorded of a real API server is recorded anew and compared.
fn real_server() -> Result<()> {
    heading("cluster: the recorded answers against a real API server");
    if !cluster::available() {
        println!("SKIPPED: no Go 1.26 and no KUBEBUILDER_ASSETS: the real API server cannot be had");
        return Ok(());
    }
    cluster::run(&["compare".to_owned()])
}

/// Stories under faults; the flags are those of `tests/simulation`.
pub(crate) fn simulation(flags: &[&str]) -> Result<()> {
    shell::run(built("simulation")?.args(flags))
}

/// A program of the workspace, built as the tests build it. A package built alone has other features, and all it depends on anew.
pub(crate) fn built(program: &str) -> Result<Command> {
    build()?;
    let mut command = Command::new(shell::target().join("debug").join(program));
    command.current_dir(shell::root());
    Ok(command)
}

/// All tests, and the programs beside them.
pub(crate) fn build() -> Result<()> {
    plugins::run(&[])?;
    shell::run(&mut shell::cargo(&["test", "--quiet", "--workspace", "--no-run"]))
}
