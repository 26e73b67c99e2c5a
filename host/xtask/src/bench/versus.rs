//! Another commit's binary, to be measured in the same run.

use super::{folder, profile};
use crate::shell::{self, root, target};
use anyhow::{Context as _, Result};
use std::path::PathBuf;
use std::process::Command;

/// Checks `commit` out below the target folder, builds it there as it builds itself, and gives its binary.
pub(super) fn build(commit: &str, is_debug: bool) -> Result<PathBuf> {
    let output = Command::new("git")
        .current_dir(root())
        .args(["rev-parse", "--verify", "--quiet"])
        .arg(format!("{commit}^{{commit}}"))
        .output()
        .context("git")?;
    anyhow::ensure!(output.status.success(), "`{commit}` names no commit");
    let digest = String::from_utf8(output.stdout)?.trim().to_owned();
    let tree = target().join("versus").join(&digest);
    if !tree.join("Cargo.toml").is_file() {
        // a clone, not a worktree: nothing is left in the repository
        let mut clone = Command::new("git");
        clone
            .current_dir(root())
            .args(["clone", "--quiet", "--no-checkout", "."]);
        shell::run(clone.arg(&tree))?;
        shell::run(
            Command::new("git")
                .arg("-C")
                .arg(&tree)
                .args(["checkout", "--quiet", &digest]),
        )?;
    }
    let built = target().join("versus/target");
    shell::heading(&format!("building {digest}"));
    let cargo = |args: &[&str]| {
        let mut command = shell::cargo(args);
        command.current_dir(&tree).env("CARGO_TARGET_DIR", &built);
        shell::run(&mut command)
    };
    cargo(&["xtask", "plugins"])?;
    cargo(&[
        "build",
        "--quiet",
        "--package",
        "sluice",
        "--profile",
        profile(is_debug),
    ])?;
    // the next commit builds into the same folder: keep this one's
    let kept = tree.join(folder(is_debug));
    std::fs::copy(built.join(folder(is_debug)).join("sluice"), &kept)?;
    Ok(kept)
}
