//! `cargo xtask ci`: everything that must pass before a change lands.

use crate::{bench, cluster, codegen, demo, dependencies, fuzz, lints, shell, test, tidy, wit};
use anyhow::{Context as _, Result, ensure};

/// What is checked, in the order that fails fastest.
const STEPS: &[shell::Step] = &[
    ("format", format),
    ("tidy", || tidy::run(&[])),
    ("dependencies", || dependencies::run(&[])),
    ("contract", || wit::run(&["--check".to_owned()])),
    ("lints", || lints::run(&[])),
    ("test", || test::run(&[])),
    // what follows uses what the tests built
    ("simulation", many_schedules),
    ("fuzz", || fuzz::run(&[])),
    ("generated files", || codegen::run(&["--check".to_owned()])),
    ("demo", || demo::play(&[])),
    ("bench", short_bench),
];

pub(crate) fn run(_: &[String]) -> Result<()> {
    shell::steps(STEPS)
}

fn format() -> Result<()> {
    shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))?;
    shell::run(
        shell::cargo(&["fmt", "--all", "--check", "--manifest-path"])
            .arg(shell::root().join("plugins/Cargo.toml")),
    )
}

/// Ten thousand schedules: a death before and after every request of every story, and seeds that the tests did not take.
/// The soak, which mostly waits, goes on beside them.
fn many_schedules() -> Result<()> {
    let mut soak = test::built("soak")?
        .args(["--minutes", "5"])
        .spawn()
        .context("the soak does not start")?;
    let held = test::simulation(&["--crashes", "all", "--from", "250", "--seeds", "8500"]);
    let soaked = soak.wait()?;
    held?;
    ensure!(soaked.success(), "the soak failed");
    Ok(())
}

/// What is counted (requests, renders, writes) is as the cost table says, at a small size. Times are only printed.
fn short_bench() -> Result<()> {
    if !cluster::available() {
        println!(
            "SKIPPED: bench: no Go 1.26 and no KUBEBUILDER_ASSETS: no real API server to measure against"
        );
        return Ok(());
    }
    bench::short()
}
