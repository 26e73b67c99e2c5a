//! What the tests share: where the corpora lie, servers, fakes.
#![forbid(unsafe_code)]

#[cfg(feature = "http")]
pub mod authority;
#[cfg(feature = "http")]
pub mod canned;
pub mod cluster;
#[cfg(feature = "git")]
pub mod git_server;
#[cfg(feature = "http")]
pub mod http_server;
pub mod process;
#[cfg(feature = "http")]
pub mod proxy;
#[cfg(feature = "registry")]
pub mod registry;
#[cfg(feature = "ssh")]
pub mod ssh_server;
#[cfg(feature = "storage")]
pub mod storage;
pub mod tools;
#[cfg(feature = "http")]
pub mod webhook;
#[cfg(feature = "world")]
pub mod world;

use std::path::PathBuf;

/// The folder with the conformance corpora: `SLUICE_SHARED`, else `shared` beside the repository.
/// None, after a loud line, where it is absent: the caller returns.
#[allow(clippy::print_stderr)]
pub fn shared(what: &str) -> Option<PathBuf> {
    let path =
        std::env::var_os("SLUICE_SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: {what}: no folder {} (set SLUICE_SHARED)",
        path.display()
    );
    None
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
