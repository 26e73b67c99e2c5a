//! `cargo xtask lints`: Clippy.

use crate::{plugins, shell};
use anyhow::Result;

/// Clippy over what is shipped and what builds it: every room here, and the plugins. Tests have their own habits.
pub(crate) fn run(_: &[String]) -> Result<()> {
    // the rooms embed the plugins
    plugins::run(&[])?;
    let clippy = ["clippy", "--quiet", "--workspace", "--lib", "--bins"];
    let deny = ["--", "-D", "warnings"];
    shell::run(&mut shell::cargo(&[&clippy[..], &deny].concat()))?;
    let manifest = shell::root().join("plugins/Cargo.toml");
    let target = shell::target().join("plugin-tests");
    let mut engines = shell::cargo(&clippy);
    engines
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target);
    shell::run(engines.args(deny))
}
