//! `cargo xtask dependencies`: licenses and known weaknesses of what is used, as `deny.toml` wants them. What it bans, `tidy` finds
//! without any tool.

use crate::shell;
use anyhow::Result;

/// The workspaces of which something is shipped.
const WORKSPACES: [&str; 2] = ["Cargo.toml", "plugins/Cargo.toml"];

pub(crate) fn run(_: &[String]) -> Result<()> {
    if !shell::has("cargo-deny", "--version") {
        println!("SKIPPED: dependencies: no cargo-deny (`cargo install cargo-deny`), which reads deny.toml");
        return Ok(());
    }
    for workspace in WORKSPACES {
        let mut deny = shell::cargo(&["deny", "--manifest-path", workspace, "check", "--config"]);
        shell::run(deny.arg(shell::root().join("deny.toml")))?;
    }
    Ok(())
}
