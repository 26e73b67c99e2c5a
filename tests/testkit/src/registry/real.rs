//! `crane registry serve`: a real registry.

use crate::{process::Guarded, tools::program};
use std::fs;

/// `crane registry serve`: the registry of go-containerregistry, contents on disk. It stops when dropped.
pub struct RealRegistry {
    _registry: Guarded,
    host: String,
    _folder: tempfile::TempDir,
}

impl RealRegistry {
    /// Starts it on a free port. None, after a loud line, where it cannot be had.
    pub fn start(what: &str) -> Option<RealRegistry> {
        let crane = program("crane", what)?;
        let folder = tempfile::tempdir().expect("a folder");
        let (contents, log) = (folder.path().join("contents"), folder.path().join("log"));
        fs::create_dir(&contents).expect("a folder");
        let contents = contents.to_str().expect("a path of text");
        let args = [
            "registry",
            "serve",
            "--address",
            "127.0.0.1:0",
            "--disk",
            contents,
        ];
        let registry = Guarded::start(&crane, &args, &log).expect("it starts");
        let port = loop {
            let said = fs::read_to_string(&log).unwrap_or_default();
            if let Some(port) = port_of(&said) {
                break port;
            }
            assert!(!registry.has_ended(), "{said}");
            std::thread::yield_now();
        };
        Some(RealRegistry {
            _registry: registry,
            host: format!("localhost:{port}"),
            _folder: folder,
        })
    }

    /// `localhost:<port>`.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// `2026/01/01 00:00:00 serving on port 40123`, where the line is whole.
fn port_of(said: &str) -> Option<u16> {
    let (port, _) = said.split_once("serving on port ")?.1.split_once('\n')?;
    port.trim().parse().ok()
}
