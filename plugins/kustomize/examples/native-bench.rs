//! `native-bench DIR [N]`: builds a directory N times natively, from memory; the other half of B13 of the cost table
//! (`host/wasm/examples/plugin-bench` measures the same in the sandbox).

#![allow(clippy::print_stdout, reason = "a command prints")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use sluice_plugin_kustomize::{FileKind, Files, LoadRestrictor, Options, Reorder, build};

/// The files of a directory, read once, so that the disk is not measured.
#[derive(Default)]
struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    directories: BTreeSet<String>,
}

impl Memory {
    fn add(&mut self, folder: &Path, name: &str) -> std::io::Result<()> {
        self.directories.insert(if name.is_empty() {
            "/".to_owned()
        } else {
            name.to_owned()
        });
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{name}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.add(&entry.path(), &path)?;
            } else {
                self.files.insert(path, std::fs::read(entry.path())?);
            }
        }
        Ok(())
    }
}

impl Files for Memory {
    fn kind(&self, path: &str) -> Option<FileKind> {
        let is_directory = self.directories.contains(path).then_some(FileKind::Directory);
        is_directory.or_else(|| self.files.contains_key(path).then_some(FileKind::File))
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files
            .get(path)
            .cloned()
            .ok_or_else(|| format!("no file {path}"))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let directory = args.next().ok_or("native-bench DIR [N]")?;
    let count: usize = args.next().map_or(Ok(50), |count| count.parse())?;
    let mut files = Memory::default();
    files.add(Path::new(&directory), "")?;
    let options = Options {
        reorder: Reorder::None,
        load_restrictor: LoadRestrictor::None,
        ..Options::default()
    };
    let mut times = Vec::with_capacity(count);
    for _ in 0..=count {
        let started = Instant::now();
        let built = build(&files, "/", &options).map_err(|error| error.to_string())?;
        // what the plugin and the host do with each object
        for object in &built.objects {
            let json = object.to_json().map_err(|error| error.to_string())?;
            let _: serde_json::Value = serde_json::from_str(&json)?;
        }
        times.push(started.elapsed());
    }
    times.remove(0); // the first warms the caches
    times.sort();
    let at = |percent: usize| {
        times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or(Duration::ZERO)
    };
    println!(
        "native, {directory}   p50 {:?}  p99 {:?}  min {:?}  ({count} times)",
        at(50),
        at(99),
        at(0)
    );
    Ok(())
}
