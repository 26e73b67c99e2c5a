//! Running other programs, and where things lie.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// A named part of a longer run.
pub(crate) type Step = (&'static str, fn() -> Result<()>);

/// The root of the repository that cargo runs this program for. Where clones share a target folder, the one that it was
/// compiled in can be another.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR");
    let own = own.map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.join("../..")
}

/// The folder cargo builds into.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folders in a folder, by name.
pub(crate) fn folders(of: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(of).with_context(|| of.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// The folders at and below one that hold a file of a name, in order.
pub(crate) fn find(name: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.join(name).is_file() {
        found.push(folder.to_owned());
    }
    for folder in folders(folder)? {
        found.extend(find(name, &folder)?);
    }
    Ok(found)
}

/// Cargo, started from the root of the repository.
///
/// What `cargo run` tells this program of its own package is not handed on: build scripts watch these variables, and
/// everything above ring would be built anew whenever `cargo` and `cargo xtask` take turns.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(args);
    for (name, _) in std::env::vars_os() {
        let is_own = |prefix: &str| name.to_str().is_some_and(|name| name.starts_with(prefix));
        if is_own("CARGO_PKG_") || is_own("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a program to its end; not ending well is an error that names it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Whether a program can be started at all.
pub(crate) fn has(program: &str, probe: &str) -> bool {
    Command::new(program)
        .arg(probe)
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A heading before a part of a longer run.
pub(crate) fn heading(text: &str) {
    println!("\n── {text}");
}

/// Runs one step after the other and says how long each took. The first that fails ends it.
pub(crate) fn steps<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Result<()> {
    let mut took = Vec::new();
    for (name, step) in steps {
        heading(name);
        let began = Instant::now();
        step()?;
        took.push((name, began.elapsed()));
    }
    heading("all passed");
    for (name, time) in took {
        println!("  {name:<16}{:>5} s", time.as_secs());
    }
    Ok(())
}

fn show(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}
