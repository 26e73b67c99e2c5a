//! `cargo xtask ci`: everything that must pass before a change lands.

use crate::{bench, cluster, codegen, demo, lints, shell, test, tidy, wit};
use anyhow::Result;
use std::time::Instant;

/// What is checked, in the order that fails fastest.
const STEPS: &[shell::Step] = &[
    ("format", format),
    ("tidy", || tidy::run(&[])),
    ("contract", || wit::run(&["--check".to_owned()])),
    ("lints", || lints::run(&[])),
    ("test", || test::run(&[])),
    // what follows uses what the tests built
    ("generated files", || codegen::run(&["--check".to_owned()])),
    ("demo", || demo::play(&[])),
    ("bench", short_bench),
];

pub(crate) fn run(_: &[String]) -> Result<()> {
    let mut took = Vec::new();
    for (name, step) in STEPS {
        shell::heading(name);
        let began = Instant::now();
        step()?;
        took.push((name, began.elapsed()));
    }
    shell::heading("all passed");
    for (name, time) in took {
        println!("  {name:<16}{:>5} s", time.as_secs());
    }
    Ok(())
}

fn format() -> Result<()> {
    shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))?;
    shell::run(
        shell::cargo(&["fmt", "--all", "--check", "--manifest-path"])
            .arg(shell::root().join("plugins/Cargo.toml")),
    )
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
