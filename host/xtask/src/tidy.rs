//! `cargo xtask tidy`: rules of the house that no compiler knows.

use crate::shell::root;
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may use of the others. An arrow that makes the house better is added here, with its reason.
const ARROWS: &[(&str, &[&str])] = &[
    ("yaml", &[]),
    ("object", &["yaml"]),
    ("schema", &["object"]),
    ("api", &["object"]),
    ("event", &["object", "api"]),
    ("artifact", &["object", "event"]),
    ("source", &["artifact", "api", "event"]),
    ("wasm", &["object", "artifact", "event"]),
    // yaml: the generated kustomization file is written and a user's read here
    ("render", &["wasm", "artifact", "api", "event", "object", "yaml"]),
    ("plan", &["object", "schema", "api"]),
    ("apply", &["plan", "event", "object", "schema", "api"]),
    ("health", &["wasm", "api", "event", "object"]),
    // artifact: it reads a tree; event: secrets are its redacted type; yaml: one of the formats
    ("decrypt", &["artifact", "api", "event", "object", "yaml"]),
    ("devcluster", &["object", "schema", "yaml"]),
    (
        "controller",
        &[
            "yaml", "object", "schema", "api", "event", "artifact", "source", "wasm", "render", "plan",
            "apply", "health", "decrypt",
        ],
    ),
    (
        "cli",
        &[
            "yaml",
            "object",
            "schema",
            "api",
            "event",
            "artifact",
            "source",
            "wasm",
            "render",
            "plan",
            "apply",
            "health",
            "decrypt",
            "controller",
            "devcluster",
        ],
    ),
];

/// Crates that one room alone may know.
const HEAVY: &[(&str, &[&str])] = &[
    ("wasmtime", &["wasm"]),
    ("gix", &["source", "cli"]), // cli: the demo writes commits into its own repository
    ("axum", &["artifact", "devcluster", "controller"]),
    ("clap", &["cli"]),
    (
        "tokio",
        &[
            "artifact",
            "source",
            "wasm",
            "render",
            "apply",
            "health",
            "decrypt",
            "controller",
            "devcluster",
            "cli",
            "event",
        ],
    ),
    ("anyhow", &["cli", "xtask"]),
];

pub(crate) fn run(_: &[String]) -> Result<()> {
    let complaints = complaints()?;
    for complaint in &complaints {
        println!("{complaint}");
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        bail!("{} complaints", complaints.len())
    }
}

fn complaints() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for room in fs::read_dir(root().join("host"))? {
        let room = room?.path();
        if room.join("Cargo.toml").is_file() {
            arrows(&room, &mut found)?;
            crate_doc(&room, &mut found)?;
        }
    }
    for file in sources()? {
        lines(&file, &mut found)?;
    }
    found.sort();
    Ok(found)
}

/// The names of the ordinary dependencies that a manifest gives.
fn dependencies(manifest: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(manifest)?;
    let mut names = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]"
                || (line.starts_with("[target.") && line.ends_with(".dependencies]"));
        } else if inside
            && let Some(name) = line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty())
        {
            names.push(name.trim_matches('"').to_owned());
        }
    }
    Ok(names)
}

fn arrows(room: &Path, found: &mut Vec<String>) -> Result<()> {
    let name = room
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let allowed: BTreeMap<_, _> = ARROWS.iter().copied().collect();
    for dependency in dependencies(&room.join("Cargo.toml"))? {
        if let Some(other) = dependency.strip_prefix("sluice-")
            && let Some(may) = allowed.get(name.as_str())
            && other != "testkit"
            && !may.contains(&other)
        {
            found.push(format!(
                "host/{name}: may not use sluice-{other} (arrows: host/xtask/src/tidy.rs)"
            ));
        }
        if let Some((_, rooms)) = HEAVY.iter().find(|(heavy, _)| *heavy == dependency)
            && !rooms.contains(&name.as_str())
        {
            found.push(format!(
                "host/{name}: {dependency} belongs to {}",
                rooms.join(", ")
            ));
        }
    }
    Ok(())
}

fn crate_doc(room: &Path, found: &mut Vec<String>) -> Result<()> {
    let lib = room.join("src/lib.rs");
    if !lib.is_file() {
        return Ok(());
    }
    let text = fs::read_to_string(&lib)?;
    if !text.starts_with("//! ") {
        found.push(format!("{}: opens without saying what it is for", short(&lib)));
    }
    if !text.contains("**Invariant:**") {
        found.push(format!("{}: names no **Invariant:**", short(&lib)));
    }
    Ok(())
}

fn lines(file: &Path, found: &mut Vec<String>) -> Result<()> {
    let Ok(text) = fs::read_to_string(file) else {
        return Ok(());
    };
    for (index, line) in text.lines().enumerate() {
        let at = || format!("{}:{}", short(file), index + 1);
        // rustfmt sees to Rust; what it leaves is the text of an expected answer
        if !file.extension().is_some_and(|end| end == "rs") && line.ends_with([' ', '\t']) {
            found.push(format!("{}: trailing space", at()));
        }
        let mark = concat!("TO", "DO");
        if line.contains(mark) && !line.contains(concat!("TO", "DO(#")) {
            found.push(format!("{}: {mark} without an issue: {mark}(#12)", at()));
        }
    }
    Ok(())
}

/// Rust, WIT and Markdown files of the repository, without data and build output.
fn sources() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && !matches!(name.as_str(), "target" | ".git" | "node_modules" | "data") {
                folders.push(path);
            } else if [".rs", ".wit", ".md", ".toml"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                files.push(path);
            }
        }
    }
    Ok(files)
}

fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let complaints = super::complaints().unwrap();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}
