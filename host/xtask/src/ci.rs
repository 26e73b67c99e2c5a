//! `cargo xtask ci`: everything that must pass before a change lands.

use crate::{shell, test, tidy};
use anyhow::Result;

pub(crate) fn run(_: &[String]) -> Result<()> {
    shell::heading("format");
    shell::run(&mut shell::cargo(&["fmt", "--all", "--check"]))?;
    shell::heading("tidy");
    tidy::run(&[])?;
    test::run(&[])
}
