//! `cargo xtask ci`: everything that must pass before a change lands.

use crate::{bench, cluster, codegen, demo, shell, test, tidy, wit};
use anyhow::Result;
use std::time::Instant;

/// What is checked, in the order that fails fastest.
const STEPS: &[(&str, fn() -> Result<()>)] = &[
    ("format", format),
    ("tidy", || tidy::run(&[])),
    ("contract", || wit::run(&["--check".to_owned()])),
    ("generated files", || codegen::run(&["--check".to_owned()])),
    ("test", || test::run(&[])),
    ("lints", lints),
    ("demo", || demo::run(&[])),
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

fn lints() -> Result<()> {
    shell::run(&mut shell::cargo(&[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

/// A small round of the cost table, for its shape; figures to quote come from `cargo xtask bench --full`.
fn short_bench() -> Result<()> {
    if !cluster::available() {
        println!("SKIPPED: no Go 1.26 and no KUBEBUILDER_ASSETS: nothing to measure against");
        return Ok(());
    }
    bench::run(&["--n".to_owned(), "50".to_owned()])
}
