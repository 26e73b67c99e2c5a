//! Programs of others that tests talk with, built once with Go at fixed versions and kept outside the repository.

use crate::repository;
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Name, and package with version.
const PROGRAMS: &[(&str, &str)] = &[
    (
        "crane",
        "github.com/google/go-containerregistry/cmd/crane@v0.21.6",
    ),
    ("oras", "oras.land/oras/cmd/oras@v1.3.6"),
    ("helm", "helm.sh/helm/v4/cmd/helm@v4.3.2"),
    ("cosign", "github.com/sigstore/cosign/v3/cmd/cosign@v3.0.2"),
    ("versitygw", "github.com/versity/versitygw/cmd/versitygw@v1.8.0"),
    ("source-controller", "github.com/fluxcd/source-controller@v1.9.3"),
    (
        "kustomize-controller",
        "github.com/fluxcd/kustomize-controller@v1.9.6",
    ),
    ("helm-controller", "github.com/fluxcd/helm-controller@v1.6.4"),
    (
        "notification-controller",
        "github.com/fluxcd/notification-controller@v1.9.3",
    ),
];

/// Programs that take minutes to build: only where they are there already, or `SLUICE_BUILD_TOOLS` is set.
const LARGE: &[&str] = &[
    "helm",
    "cosign",
    "versitygw",
    "source-controller",
    "kustomize-controller",
    "helm-controller",
    "notification-controller",
];

/// Programs whose source is in this repository: a name, and the folder of its module.
const OURS: &[(&str, &str)] = &[("notation", "tests/notation")];

/// Modules that `go install` refuses: they replace their `api` by a folder that their archive does not have.
const WITH_API: &[&str] = &[
    "source-controller",
    "kustomize-controller",
    "helm-controller",
    "notification-controller",
];

/// Where a program lies. None, after a loud line, where it cannot be had: the caller returns.
#[allow(clippy::print_stderr)]
pub fn program(name: &str, what: &str) -> Option<PathBuf> {
    match find(name) {
        Ok(path) => Some(path),
        Err(why) => {
            eprintln!("SKIPPED: {what}: {name}: {why}");
            None
        }
    }
}

/// A file of the module that a program is built from, such as its custom resources.
///
/// # Panics
/// Where the module or the file cannot be had: ask for the [`program`] first.
pub fn file_of(name: &str, path: &str) -> String {
    let module = PROGRAMS.iter().find(|(known, _)| *known == name);
    let (_, module) = module.expect("a program of ours to name");
    let folder = download(module).expect("the program was built from it");
    fs::read_to_string(folder.join(path)).expect("a file of the module")
}

fn find(name: &str) -> Result<PathBuf, String> {
    if let Some((_, folder)) = OURS.iter().find(|(known, _)| *known == name) {
        return ours(name, &repository().join(folder));
    }
    let (_, module) = PROGRAMS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or("no such program")?;
    let (package, version) = module.rsplit_once('@').ok_or("no version")?;
    let folder = kept(version)?;
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    if LARGE.contains(&name) && std::env::var_os("SLUICE_BUILD_TOOLS").is_none() {
        return Err("takes minutes to build: set SLUICE_BUILD_TOOLS=1".to_owned());
    }
    // built beside and moved: two tests that build at once leave one whole program
    let building = tempfile::tempdir_in(&folder).map_err(|error| error.to_string())?;
    let built = building.path().join(name);
    if WITH_API.contains(&name) {
        let tree = building.path().join("tree");
        copy(&download(module)?, &tree, &["api"])?;
        copy(
            &download(&format!("{package}/api@{version}"))?,
            &tree.join("api"),
            &[],
        )?;
        go(Command::new("go")
            .current_dir(tree)
            .args(["build", "-o"])
            .arg(&built)
            .arg("."))?;
    } else {
        go(Command::new("go")
            .args(["install", module])
            .env("GOBIN", building.path()))?;
    }
    fs::rename(built, &path).map_err(|error| error.to_string())?;
    Ok(path)
}

/// A program of a module of ours: kept for exactly these sources.
fn ours(name: &str, module: &Path) -> Result<PathBuf, String> {
    let sources = ["go.mod", "go.sum", "main.go"].map(|source| module.join(source));
    let digest = digest(&sources).map_err(|(path, error)| format!("{}: {error}", path.display()))?;
    let folder = kept(&digest)?;
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let building = tempfile::tempdir_in(&folder).map_err(|error| error.to_string())?;
    let built = building.path().join(name);
    go(Command::new("go")
        .current_dir(module)
        .args(["build", "-trimpath", "-o"])
        .arg(&built)
        .arg("."))?;
    fs::rename(built, &path).map_err(|error| error.to_string())?;
    Ok(path)
}

/// The folder that keeps the programs of one version.
fn kept(version: &str) -> Result<PathBuf, String> {
    let cache = cache().ok_or("no cache folder: set SLUICE_CACHE")?;
    let folder = cache.join("tools").join(version);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    Ok(folder)
}

/// Hexadecimal digits that change with the content of these files.
pub(crate) fn digest<P: AsRef<Path>>(files: &[P]) -> Result<String, (PathBuf, std::io::Error)> {
    let mut digest = Sha256::new();
    for path in files {
        let path = path.as_ref();
        digest.update(fs::read(path).map_err(|error| (path.to_owned(), error))?);
    }
    let digest = digest.finalize();
    Ok(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The folder of a module in Go's own cache.
fn download(module: &str) -> Result<PathBuf, String> {
    let answer = go(Command::new("go").args(["mod", "download", "-json", module]))?;
    let answer: serde_json::Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let folder = answer.get("Dir").and_then(serde_json::Value::as_str);
    folder
        .map(PathBuf::from)
        .ok_or_else(|| format!("{module}: no folder"))
}

/// What the command prints.
fn go(command: &mut Command) -> Result<Vec<u8>, String> {
    let output = command.env("CGO_ENABLED", "0").output();
    let output = output.map_err(|_| "Go is not installed".to_owned())?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}

/// A folder with all that is in it, but for what has one of the names at its top.
fn copy(from: &Path, to: &Path, without: &[&str]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if without.iter().any(|other| name == *other) {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            copy(&entry.path(), &to.join(name), &[])?;
        } else {
            fs::copy(entry.path(), to.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}

/// Where programs built for tests are kept between runs.
pub(crate) fn cache() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("SLUICE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("sluice")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/sluice")))
}
