//! Where the shared corpus is, unpacked; directories and memory as trees of charts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

pub(crate) mod template;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
    sync::LazyLock,
};

use serde_json::Value as Json;
use sluice_plugin_helm::{
    Error,
    chart::{Entry, Tree},
};

/// The folder with the unpacked corpus; none where the archive or the programs to unpack it are missing.
pub(crate) fn folder() -> Option<PathBuf> {
    // the first suite that wants it unpacks it, and those beside it wait
    static FOLDER: LazyLock<Option<PathBuf>> = LazyLock::new(unpacked);
    FOLDER.clone()
}

fn unpacked() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.parent()?;
    let shared =
        std::env::var_os("SLUICE_SHARED").map_or_else(|| repository.join("../shared"), PathBuf::from);
    let archive = shared.join("corpus/helm-shared.tar.zst");
    let size = fs::metadata(&archive).ok()?.len();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("helm-corpus-{size}"));
    if target.join("done").exists() {
        return Some(target);
    }
    fs::create_dir_all(&target).ok()?;
    let tar = target.join("corpus.tar");
    let mut zstd = Command::new("zstd");
    let unpacked = zstd
        .args(["-dqf", "--long=27"])
        .arg(&archive)
        .arg("-o")
        .arg(&tar)
        .status()
        .ok()?
        .success()
        && Command::new("tar")
            .arg("-xf")
            .arg(&tar)
            .arg("-C")
            .arg(&target)
            .status()
            .ok()?
            .success();
    fs::remove_file(&tar).ok()?;
    if !unpacked {
        return None;
    }
    fs::write(target.join("done"), "").ok()?;
    Some(target)
}

/// The lines of a file, each a JSON value.
pub(crate) fn lines(file: &Path) -> Vec<Json> {
    let text = fs::read_to_string(file).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The texts of a list.
pub(crate) fn texts(value: &Json) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect()
}

/// A directory of the machine.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Tree for Directory {
    fn walk(&self) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        collect(&self.0, "", &mut entries);
        Ok(entries)
    }

    fn read(&self, names: &[&str]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |name: &&str| fs::read(self.0.join(name)).map_err(|error| Error::new(error.to_string()));
        names.iter().map(read).collect()
    }
}

fn collect(folder: &Path, prefix: &str, entries: &mut Vec<Entry>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            collect(&path, &format!("{name}/"), entries);
        } else if let Ok(metadata) = fs::metadata(&path) {
            entries.push(Entry {
                name,
                size: metadata.len(),
            });
        }
    }
}

/// Files in memory.
#[derive(Clone)]
pub(crate) struct Memory(pub(crate) Vec<(String, Vec<u8>)>);

impl Memory {
    pub(crate) fn tree(files: Vec<(String, Vec<u8>)>) -> Rc<dyn Tree> {
        Rc::new(Self(files))
    }
}

impl Tree for Memory {
    fn walk(&self) -> Result<Vec<Entry>, Error> {
        let entry = |(name, data): &(String, Vec<u8>)| Entry {
            name: name.clone(),
            size: data.len() as u64,
        };
        Ok(self.0.iter().map(entry).collect())
    }

    fn read(&self, names: &[&str]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |name: &&str| {
            let found = self.0.iter().find(|(file, _)| file == name);
            found
                .map(|(_, data)| data.clone())
                .ok_or_else(|| Error::new(format!("{name} is missing")))
        };
        names.iter().map(read).collect()
    }
}
