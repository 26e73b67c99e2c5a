//! `cargo xtask tidy`: rules of the house that no compiler knows.

use crate::shell::{self, root};
use anyhow::{Result, bail};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may use of the others. An arrow that makes the house better is added here, with its reason.
const ARROWS: &[(&str, &[&str])] = &[
    ("yaml", &[]),
    ("semver", &[]),
    ("envsubst", &[]),
    ("regexp", &[]),
    ("object", &["yaml"]),
    ("schema", &["object"]),
    ("api", &["object"]),
    ("event", &[]),
    ("artifact", &[]),
    ("source", &["artifact", "api", "event", "semver", "yaml"]),
    ("wasm", &["object", "artifact"]),
    // yaml: the generated kustomization file is written and a user's read here
    ("render", &["wasm", "artifact", "api", "object", "yaml"]),
    ("plan", &["object", "schema", "api"]),
    ("apply", &["plan", "event", "object", "api"]),
    // regexp: expressions are written for Go
    ("health", &["api", "regexp"]),
    // artifact: it reads a tree; event: secrets are its redacted type; regexp: rules of files; yaml: one of the formats
    ("decrypt", &["artifact", "api", "event", "regexp", "yaml"]),
    ("devcluster", &["object", "schema", "yaml"]),
    (
        "controller",
        &[
            "object", "api", "event", "artifact", "source", "wasm", "render", "plan", "apply", "health",
            "decrypt",
        ],
    ),
    (
        "cli",
        &[
            "yaml",
            "object",
            "api",
            "event",
            "artifact",
            "source",
            "semver",
            "envsubst",
            "wasm",
            "render",
            "plan",
            "apply",
            // what is installed is ready when a Kustomization would say so
            "health",
            "controller",
            "devcluster",
        ],
    ),
    ("xtask", &[]), // it answers at once because it links no room (ADR 0011)
];

/// Crates that one room alone may know.
const HEAVY: &[(&str, &[&str])] = &[
    ("wasmtime", &["wasm"]),
    ("gix", &["source", "cli"]), // cli: the demo writes commits into its own repository
    ("kube", &["apply", "controller", "cli", "devcluster"]), // devcluster: a ready client, where it is asked for
    ("axum", &["artifact", "devcluster", "controller"]),
    ("clap", &["cli"]),
    (
        "tokio",
        &[
            "artifact",
            "source",
            "wasm",
            "apply",
            "decrypt",
            "controller",
            "devcluster",
            "cli",
        ],
    ),
    ("anyhow", &["cli", "xtask"]),
];

/// Ways to start a program. No room of the product does: no shell, no `git`, no exec plugin of a kubeconfig.
const PROGRAMS: &[&str] = &[
    concat!("process::", "Command"),
    concat!("Command", "::new("),
    concat!("os::unix::process", "::CommandExt"),
    concat!("libc::", "exec"),
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
    for room in shell::folders(&root().join("host"))? {
        if room.join("Cargo.toml").is_file() {
            arrows(&room, &mut found)?;
            crate_doc(&room, &mut found)?;
        }
    }
    proofs(&mut found)?;
    bans(&mut found)?;
    for file in sources()? {
        programs(&file, &mut found)?;
        lines(&file, &mut found)?;
        if file.ends_with("Cargo.toml") {
            suites(&file, &mut found)?;
        }
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
    let Some((_, may)) = ARROWS.iter().find(|(other, _)| *other == name) else {
        found.push(format!(
            "host/{name}: may use no room until host/xtask/src/tidy.rs has its arrows"
        ));
        return Ok(());
    };
    let dependencies = dependencies(&room.join("Cargo.toml"))?;
    for dependency in &dependencies {
        if let Some(other) = dependency.strip_prefix("sluice-")
            && other != "testkit"
            && !may.contains(&other)
        {
            found.push(format!(
                "host/{name}: may not use sluice-{other} (arrows: host/xtask/src/tidy.rs)"
            ));
        }
        if let Some((_, rooms)) = HEAVY.iter().find(|(heavy, _)| heavy == dependency)
            && !rooms.contains(&name.as_str())
        {
            found.push(format!(
                "host/{name}: {dependency} belongs to {}",
                rooms.join(", ")
            ));
        }
    }
    // what nobody uses is not there for the next one either: who needs it gives the reason
    let others = may.iter().map(|other| format!("sluice-{other}"));
    let heavy = HEAVY.iter().filter(|(_, rooms)| rooms.contains(&name.as_str()));
    for unused in others.chain(heavy.map(|(heavy, _)| (*heavy).to_owned())) {
        if !dependencies.contains(&unused) {
            found.push(format!(
                "host/{name}: may use {unused} and does not (arrows: host/xtask/src/tidy.rs)"
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

/// The tests that `tests/README.md` names are there.
fn proofs(found: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(root().join("tests/README.md"))?;
    for line in text.lines().filter(|line| line.contains(".rs` | `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [.., file, tests] = cells.as_slice() else {
            continue;
        };
        let source = fs::read_to_string(root().join(file.trim_matches(['`', ' ']))).unwrap_or_default();
        for test in tests.split(',').map(|test| test.trim_matches(['`', ' '])) {
            if !source.contains(&format!("fn {test}(")) {
                found.push(format!("tests/README.md: {file} has no test {test}"));
            }
        }
    }
    Ok(())
}

/// What `deny.toml` bans is not there.
fn bans(found: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(root().join("deny.toml"))?;
    let banned: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ crate = \"")?.split('"').next())
        .collect();
    for lock in ["Cargo.lock", "plugins/Cargo.lock"] {
        let packages = fs::read_to_string(root().join(lock))?;
        for name in &banned {
            if packages.contains(&format!("name = \"{name}\"\n")) {
                found.push(format!("{lock}: {name} is banned (deny.toml says why)"));
            }
        }
    }
    Ok(())
}

/// Where a crate names its programs of tests, every file in its `tests` is one of them or a module of one: nobody runs the
/// others, and nobody would notice.
fn suites(manifest: &Path, found: &mut Vec<String>) -> Result<()> {
    let text = fs::read_to_string(manifest)?;
    let folder = manifest.with_file_name("tests");
    if !text.contains("autotests = false") || !folder.is_dir() {
        return Ok(());
    }
    let program = fs::read_to_string(folder.join("it.rs")).unwrap_or_default();
    for file in fs::read_dir(&folder)? {
        let file = file?.path();
        let (Some(name), Some("rs")) = (
            file.file_stem().and_then(OsStr::to_str),
            file.extension().and_then(OsStr::to_str),
        ) else {
            continue;
        };
        let is_module = program.lines().any(|line| line == format!("mod {name};"));
        if !is_module && !text.contains(&format!("path = \"tests/{name}.rs\"")) {
            found.push(format!(
                "{}: never runs: add `mod {name};` to it.rs",
                short(&file)
            ));
        }
    }
    Ok(())
}

/// The one file that may start programs: whoever runs the command line has told Docker's configuration which.
const STARTS_PROGRAMS: &str = "host/cli/src/commands/artifact/docker.rs";

/// The sources of the product start no program; its build system and its tests may.
fn programs(file: &Path, found: &mut Vec<String>) -> Result<()> {
    let name = short(file);
    let is_product = ["host/", "plugins/", "sdk/"]
        .iter()
        .any(|room| name.starts_with(room))
        && name.contains("/src/")
        && name.ends_with(".rs")
        && !name.starts_with("host/xtask/")
        && name != STARTS_PROGRAMS;
    if !is_product {
        return Ok(());
    }
    for (index, line) in fs::read_to_string(file)?.lines().enumerate() {
        let starts = |way: &&str| {
            let at = line.find(*way);
            // a longer name that ends so is something else
            at.is_some_and(|at| {
                !line
                    .get(..at)
                    .is_some_and(|head| head.ends_with(char::is_alphanumeric))
            })
        };
        if PROGRAMS.iter().any(starts) {
            found.push(format!("{name}:{}: starts a program", index + 1));
        }
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
        if file.extension().is_none_or(|end| end != "rs") && line.ends_with([' ', '\t']) {
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
