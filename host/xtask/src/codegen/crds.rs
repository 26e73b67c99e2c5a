//! Writes `deploy/base/crds` from the types in `host/api`.
//!
//! The types are read by a program of their own (`host/api/examples/crdgen.rs`), so that the build system need not be
//! built with the Kubernetes API.

use crate::{shell, test};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Where the generated files lie, below the repository's root.
const CRDS: &str = "deploy/base/crds";

pub(super) fn run(is_check: bool) -> Result<()> {
    let fresh = shell::target().join("codegen/crds");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| fresh.display().to_string())?;
    }
    shell::run(test::built("examples/crdgen")?.arg(&fresh))?;
    let (new, target) = (read(&fresh)?, shell::root().join(CRDS));
    let old = if target.is_dir() {
        read(&target)?
    } else {
        BTreeMap::new()
    };
    let stale: Vec<&str> = new
        .keys()
        .chain(old.keys())
        .filter(|name| new.get(*name) != old.get(*name))
        .map(String::as_str)
        .collect();
    if is_check {
        ensure!(
            stale.is_empty(),
            "{CRDS} is out of date ({}); run `cargo xtask codegen`",
            stale.join(", ")
        );
    } else if !stale.is_empty() {
        fs::create_dir_all(&target)?;
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            fs::remove_file(target.join(name))?;
        }
        for (name, text) in &new {
            fs::write(target.join(name), text)?;
        }
    }
    println!("codegen: {} files in {CRDS}", new.len());
    Ok(())
}

fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        files.insert(
            name,
            fs::read_to_string(&path).with_context(|| path.display().to_string())?,
        );
    }
    Ok(files)
}
