//! `cargo xtask demo`: builds what is needed and runs `sluice demo` with the given flags.

use crate::{plugins, shell};
use anyhow::Result;

pub(crate) fn run(args: &[String]) -> Result<()> {
    plugins::run(&[])?;
    shell::run(&mut shell::cargo(&["build", "--package", "sluice"]))?;
    play(args)
}

/// The demo with the program that is in the target folder.
pub(crate) fn play(args: &[String]) -> Result<()> {
    let sluice = shell::target().join("debug/sluice");
    shell::run(std::process::Command::new(sluice).arg("demo").args(args))
}
