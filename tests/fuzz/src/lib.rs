//! What is read of strangers: for each kind of input a function that must answer, and seeds that are accepted.
//!
//! Start at [`TARGETS`]. `tests/seeds.rs` keeps the seeds good; `tests/fuzz.rs` is the program that libFuzzer drives, built
//! by `cargo xtask test fuzz`.
//!
//! **Invariant:** a target depends on nothing but its bytes.
#![allow(clippy::panic, clippy::unwrap_used)] // a broken promise must end the process: that is how it is found

mod seeds;

use flate2::{Compression, write::GzEncoder};
use sluice_artifact::{Tree as _, archive::TarWriter, check_path, unpack};
use sluice_source::{fuzzing, helm};
use std::io::{Cursor, Write as _};

/// A kind of input.
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// Reads it. An error is what it is refused with.
    pub read: fn(&[u8]) -> Result<(), String>,
    /// Inputs that are accepted, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Everything that is fuzzed.
pub const TARGETS: &[Target] = &[
    Target {
        name: "pack",
        read: pack,
        seeds: seeds::packs,
    },
    Target {
        name: "pkt-line",
        read: conversation,
        seeds: seeds::conversations,
    },
    Target {
        name: "tar",
        read: archive,
        seeds: seeds::archives,
    },
    Target {
        name: "index",
        read: index,
        seeds: seeds::indexes,
    },
    Target {
        name: "manifest",
        read: fuzzing::manifest,
        seeds: seeds::manifests,
    },
];

fn pack(bytes: &[u8]) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    fuzzing::pack(bytes, directory.path()).map(drop)
}

fn conversation(bytes: &[u8]) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    fuzzing::conversation(bytes, directory.path()).map(drop)
}

/// A tar archive, before gzip. What is accepted is read the same when it is written anew.
fn archive(bytes: &[u8]) -> Result<(), String> {
    let limits = unpack::Limits {
        unpacked_size_max: 1 << 20,
        entries_max: 1000,
        file_size_max: 1 << 20,
    };
    let unpacked = |tar: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
        gzip.write_all(tar).unwrap();
        unpack::unpack(Cursor::new(gzip.finish().unwrap()), &limits).map_err(|error| error.to_string())
    };
    let tree = unpacked(bytes)?;
    let mut again = TarWriter::new(Vec::new());
    let files = tree.walk("/").unwrap();
    for file in &files {
        assert_eq!(check_path(&file.path), Ok(()), "a path of an archive");
        let content = tree.read(&file.path).unwrap();
        let name = file.path.trim_start_matches('/');
        again.file(name, 0o600, &content).unwrap();
    }
    let again = again.finish().unwrap();
    if again.len() as u64 <= limits.unpacked_size_max {
        let tree_again = unpacked(&again).unwrap();
        assert_eq!(tree_again.walk("/").unwrap(), files, "the same files");
        for file in &files {
            assert_eq!(
                tree.read(&file.path),
                tree_again.read(&file.path),
                "{}",
                file.path
            );
        }
    }
    Ok(())
}

/// An index of charts. What is accepted is one JSON document, and is read the same once more.
fn index(bytes: &[u8]) -> Result<(), String> {
    let read = |bytes: &[u8]| {
        let mut json = Vec::new();
        helm::read_index(Cursor::new(bytes), 1 << 20, None, &mut json)
            .map(|indexed| (indexed, json))
            .map_err(|error| error.to_string())
    };
    let (indexed, json) = read(bytes)?;
    let document: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let charts = document
        .get("entries")
        .and_then(serde_json::Value::as_object)
        .unwrap();
    assert_eq!(charts.len(), indexed.charts, "charts are counted");
    let (indexed_again, _) = read(&json).unwrap();
    assert_eq!(indexed_again, indexed, "what we write is what we read");
    Ok(())
}
