//! `cargo xtask soak [--minutes M] [--n COUNT] [--seed SEED]`: many Kustomizations, random commits, drift, faults; memory, tasks
//! and descriptors must not grow.

use crate::{shell, test};
use anyhow::Result;

pub(crate) fn run(args: &[String]) -> Result<()> {
    shell::run(test::built("soak")?.args(args))
}
