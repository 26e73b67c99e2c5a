//! `cargo xtask test [PART…]`: all tests, or some parts of them.

use crate::shell::{self, heading};
use anyhow::{Result, bail};

pub(crate) fn run(args: &[String]) -> Result<()> {
    let _ = args;
    heading("unit");
    shell::run(&mut shell::cargo(&["test", "--workspace", "--quiet"]))?;
    if args.iter().any(|arg| arg == "nothing") {
        bail!("no such part");
    }
    Ok(())
}
