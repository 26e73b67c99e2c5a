//! `cargo xtask soak [--minutes M] [--n COUNT] [--seed SEED]`: many Kustomizations, random commits, drift, faults; memory, tasks
//! and descriptors must not grow.

use crate::shell;
use anyhow::Result;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut cargo = shell::cargo(&["run", "--quiet", "-p", "sluice-simulation", "--bin", "soak", "--"]);
    shell::run(cargo.args(args))
}
