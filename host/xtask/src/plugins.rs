//! `cargo xtask plugins`: builds `plugins/`, makes components of them, compiles those ahead of time.
//! `cargo xtask guests`: builds the misbehaving guests of `tests/guests` for the tests of the sandbox.
//!
//! Both work by digest of their inputs: where nothing changed nothing is done.
//! What is made lies in `<target>/plugins` and `<target>/guests-for-tests`; `host/wasm/build.rs` finds it there.
//! Guests have a target folder of their own, so that they wait for no lock of the host's and share no features with it.

use crate::{order, shell};
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wit_component::ComponentEncoder;

const CORE_TARGET: &str = "wasm32-unknown-unknown";
const WASI_TARGET: &str = "wasm32-wasip2";

/// Builds the plugins that are part of the program.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let out = shell::target().join("plugins");
    let inputs = [
        "plugins",
        "wit",
        "sdk/rust",
        "host/yaml",
        "host/semver",
        "host/envsubst",
        "host/regexp",
        "host/object",
        "host/schema",
        "host/wasm/src/engine.rs",
    ];
    let Some(stamp) = Stamp::check(&out, &inputs)? else {
        println!("plugins: up to date in {}", out.display());
        return Ok(());
    };
    let guests = build(&shell::root().join("plugins"), CORE_TARGET)?;
    let mut index = String::from("&[\n");
    for guest in guests {
        let made = finish(&guest, &out)?;
        println!(
            "plugins: {} {} ({} KiB, compiled {} KiB)",
            guest.name,
            made.digest,
            made.size >> 10,
            made.code_size >> 10
        );
        index.push_str(&format!(
            "    Builtin {{ name: {:?}, digest: {:?}, code: embedded!({:?}) }},\n",
            guest.name, made.digest, made.code
        ));
    }
    index.push_str("]\n");
    write_if_changed(&out.join("index.rs"), index.as_bytes())?;
    stamp.keep()
}

/// Builds the guests of the sandbox's tests, and prints where they are.
pub(crate) fn guests(_: &[String]) -> Result<()> {
    let out = shell::target().join("guests-for-tests");
    if let Some(stamp) = Stamp::check(&out, &["tests/guests", "wit", "sdk/rust", "host/yaml"])? {
        for guest in build(&shell::root().join("tests/guests/core"), CORE_TARGET)? {
            fs::write(
                out.join(format!("{}.wasm", guest.name)),
                componentize(&guest.core)?,
            )?;
        }
        // for this target rustc makes components by itself
        for guest in build(&shell::root().join("tests/guests/wasi"), WASI_TARGET)? {
            fs::copy(&guest.core, out.join(format!("{}.wasm", guest.name)))?;
        }
        stamp.keep()?;
    }
    println!("{}", out.display());
    Ok(())
}

/// A guest as cargo built it.
struct Guest {
    name: String,
    folder: PathBuf,
    core: PathBuf,
}

/// Builds every package of a guest workspace that makes a library for WebAssembly.
fn build(workspace: &Path, target: &str) -> Result<Vec<Guest>> {
    ensure_target(target)?;
    let target_dir = shell::target().join("guests");
    let mut cargo = shell::cargo(&[
        "build",
        "--release",
        "--workspace",
        "--lib",
        "--target",
        target,
        "--target-dir",
    ]);
    cargo
        // cargo reads .cargo/config.toml from where it is started
        .current_dir(workspace)
        .arg(&target_dir)
        .arg("--config")
        .arg(same_paths(target)?)
        // flags meant for the host would replace those of the guests' own configuration
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    shell::run(&mut cargo)?;
    let mut guests = Vec::new();
    for manifest in manifests(workspace)? {
        let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
        if !text.contains("cdylib") {
            continue;
        }
        let name = package_name(&text).with_context(|| format!("{}: no package name", manifest.display()))?;
        let core = target_dir
            .join(target)
            .join("release")
            .join(format!("{}.wasm", name.replace('-', "_")));
        let folder = manifest.parent().context("a package lies in a folder")?;
        guests.push(Guest {
            name: folder
                .file_name()
                .context("a package lies in a folder")?
                .to_string_lossy()
                .into_owned(),
            folder: folder.to_owned(),
            core,
        });
    }
    Ok(guests)
}

/// Settings that name source files by where they lie in the repository and the registry: panics carry those names, and
/// what is given to others must not tell of the machine it was built on.
fn same_paths(target: &str) -> Result<String> {
    let cargo_home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cargo")))
        .context("neither CARGO_HOME nor a home directory")?;
    let flag = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let flags = [
        flag(&cargo_home.join("registry/src"), "registry"),
        flag(&shell::root().canonicalize()?, "sluice"),
    ];
    Ok(format!("target.{target}.rustflags={flags:?}"))
}

fn manifests(workspace: &Path) -> Result<Vec<PathBuf>> {
    let folders = shell::folders(workspace)?.into_iter();
    let manifests = folders.map(|folder| folder.join("Cargo.toml"));
    Ok(manifests.filter(|manifest| manifest.is_file()).collect())
}

fn package_name(manifest: &str) -> Option<&str> {
    manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

/// Rust's own component for a target, installed where it is missing.
fn ensure_target(target: &str) -> Result<()> {
    let output = Command::new("rustc")
        .current_dir(shell::root())
        .args(["--print", "sysroot"])
        .output()?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if sysroot.join("lib/rustlib").join(target).join("lib").is_dir() {
        return Ok(());
    }
    println!("plugins: adding the Rust target {target} (rustup target add {target})");
    shell::run(
        Command::new("rustup")
            .current_dir(shell::root())
            .args(["target", "add", target]),
    )
}

/// A component of a core module that says by its sections which worlds it is for.
fn componentize(core: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(core).with_context(|| core.display().to_string())?;
    let encode = || {
        ComponentEncoder::default()
            .validate(true)
            .module(&bytes)?
            .encode()
    };
    encode().with_context(|| format!("{} does not make a component", core.display()))
}

/// The core module of a plugin with its functions as `functions.order` of its folder has them (see [`crate::order`]).
fn in_order(guest: &Guest) -> Result<Vec<u8>> {
    let bytes = fs::read(&guest.core).with_context(|| guest.core.display().to_string())?;
    let order = guest.folder.join("functions.order");
    if !order.is_file() {
        return Ok(bytes);
    }
    let order = fs::read_to_string(&order).with_context(|| order.display().to_string())?;
    order::guest::reorder(&bytes, &order).with_context(|| guest.name.clone())
}

/// A plugin as the host embeds it.
struct Made {
    digest: String,
    size: usize,
    code: PathBuf,
    code_size: u64,
}

/// Makes the component, adds what it says about itself, and compiles it ahead of time unless that was done before.
fn finish(guest: &Guest, out: &Path) -> Result<Made> {
    let path = |extension: &str| out.join(format!("{}.{extension}", guest.name));
    let (raw, finished, code, of) = (path("raw.wasm"), path("wasm"), path("cwasm"), path("of"));
    let ordered = path("core.wasm");
    fs::write(&ordered, in_order(guest)?)?;
    let component = componentize(&ordered)?;
    // the compiler's version and settings are part of what the code fits
    let engine = fs::read(shell::root().join("host/wasm/src/engine.rs"))?;
    let source = hex(&[&component, &engine, wasmtime_version()?.as_bytes()]);
    if fs::read_to_string(&of).ok().as_deref() != Some(&source) || !code.is_file() {
        fs::write(&raw, &component)?;
        precompile(&[&ordered, &raw, &finished, &code], out)?;
        fs::write(&of, source)?;
    }
    let bytes = fs::read(&finished)?;
    let code_size = fs::metadata(&code)?.len();
    Ok(Made {
        digest: format!("sha256:{}", hex(&[bytes.as_slice()])),
        size: bytes.len(),
        code,
        code_size,
    })
}

/// Runs the compiler of `host/wasm`: the one that `SLUICE_PRECOMPILE` names, else one built here.
///
/// It is built among the packages of the program itself, so that both share one build of wasmtime; the program's own
/// plugins are not there yet, so it is shown an empty list of them.
fn precompile(paths: &[&Path], out: &Path) -> Result<()> {
    if let Some(compiler) = std::env::var_os("SLUICE_PRECOMPILE") {
        return shell::run(Command::new(compiler).args(paths));
    }
    let none = out.join("none");
    fs::create_dir_all(&none)?;
    write_if_changed(&none.join("index.rs"), b"&[]\n")?;
    let args = [
        "build",
        "--package",
        "sluice",
        "--package",
        "sluice-wasm",
        "--bin",
        "sluice-precompile",
    ];
    shell::run(shell::cargo(&args).env("SLUICE_PLUGINS_DIR", &none))?;
    shell::run(Command::new(shell::target().join("debug/sluice-precompile")).args(paths))
}

/// The inputs of a build by digest, and where that digest is kept.
struct Stamp {
    path: PathBuf,
    digest: String,
}

impl Stamp {
    /// None when everything in `out` was made from these inputs.
    fn check(out: &Path, inputs: &[&str]) -> Result<Option<Self>> {
        fs::create_dir_all(out)?;
        let root = shell::root();
        let how = [
            "Cargo.toml",
            "rust-toolchain.toml",
            "host/xtask/src/plugins.rs",
            "host/xtask/src/order/guest.rs",
        ];
        let mut files: Vec<PathBuf> = how.iter().map(|file| root.join(file)).collect();
        for input in inputs {
            collect(&root.join(input), &mut files)?;
        }
        files.sort();
        let mut hash = Sha256::new();
        hash.update(wasmtime_version()?);
        for file in files {
            hash.update(file.to_string_lossy().as_bytes());
            let content = fs::read(&file).with_context(|| file.display().to_string())?;
            hash.update(Sha256::digest(content));
        }
        let stamp = Self {
            path: out.join("stamp"),
            digest: hex_of(&hash.finalize()),
        };
        let is_current = fs::read_to_string(&stamp.path).ok().as_deref() == Some(stamp.digest.as_str());
        Ok(if is_current { None } else { Some(stamp) })
    }

    fn keep(self) -> Result<()> {
        Ok(fs::write(self.path, self.digest)?)
    }
}

/// The version of wasmtime that the program is locked to.
fn wasmtime_version() -> Result<String> {
    let lock = fs::read_to_string(shell::root().join("Cargo.lock")).context("Cargo.lock")?;
    let (_, after) = lock
        .split_once("name = \"wasmtime\"\nversion = \"")
        .context("Cargo.lock names no wasmtime")?;
    Ok(after.split('"').next().unwrap_or_default().to_owned())
}

/// Every file below a path that a build may read: not tests, not what a build made.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default();
    if matches!(name.to_str(), Some("target" | "examples" | "benches")) || !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        let is_cases = entry.ends_with("tests")
            && entry
                .parent()
                .is_some_and(|parent| parent.join("Cargo.toml").is_file());
        if !is_cases {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(path).ok().as_deref() != Some(bytes) {
        fs::write(path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hex_of(&hash.finalize())
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
