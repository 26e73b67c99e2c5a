//! Finds the plugins that `cargo xtask plugins` made, for the feature `builtin`. Runs nothing.

use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=SLUICE_PLUGINS_DIR");
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_BUILTIN").is_none() {
        return;
    }
    match plugins_dir() {
        Some(dir) => {
            println!("cargo::rerun-if-changed={}", dir.join(INDEX).display());
            println!("cargo::rustc-env=SLUICE_PLUGINS_DIR={}", dir.display());
        }
        None => println!(
            "cargo::error=the built-in plugins are missing: run `cargo xtask plugins` first (it builds them into <target>/plugins; SLUICE_PLUGINS_DIR names another place)"
        ),
    }
}

/// Written last, so where it is everything is.
const INDEX: &str = "index.rs";

/// `SLUICE_PLUGINS_DIR`, else `plugins` in the nearest folder above this build's own: the target folder.
fn plugins_dir() -> Option<PathBuf> {
    let is_complete = |dir: &PathBuf| dir.join(INDEX).is_file();
    if let Some(dir) = std::env::var_os("SLUICE_PLUGINS_DIR") {
        return Some(PathBuf::from(dir)).filter(is_complete);
    }
    let out = std::env::var_os("OUT_DIR")?;
    Path::new(&out)
        .ancestors()
        .map(|folder| folder.join("plugins"))
        .find(is_complete)
}
