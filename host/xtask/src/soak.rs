//! `cargo xtask soak [--minutes M] [--n COUNT] [--seed SEED]`: many Kustomizations, random commits, drift, faults; memory, tasks
//! and descriptors must not grow.

use crate::shell;
use anyhow::Result;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut cargo = shell::cargo(&[
        "run",
        "--quiet",
        "--release",
        "-p",
        "sluice-simulation",
        "--bin",
        "soak",
        "--",
    ]);
    shell::run(cargo.args(args))
}

/// Long enough to see a leak of a task or a descriptor.
pub(crate) fn short() -> Result<()> {
    shell::heading("soak: five minutes");
    run(&["--minutes".to_owned(), "5".to_owned()])
}
