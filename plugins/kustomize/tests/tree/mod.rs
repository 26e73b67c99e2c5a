//! A tree in memory, for the tests beside this file.

use std::{collections::BTreeMap, fs, path::Path};

use sluice_plugin_kustomize::{FileKind, Files};

/// Files by absolute path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(pub(crate) BTreeMap<String, Vec<u8>>);

impl Memory {
    /// The files below a directory of the disk.
    pub(crate) fn read(root: &Path) -> Self {
        let mut memory = Self::default();
        memory.add(root, "");
        memory
    }

    fn add(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}/{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                self.add(&path, &name);
            } else {
                self.0.insert(name, fs::read(path).unwrap());
            }
        }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Memory {
    fn from(files: [(&str, &str); N]) -> Self {
        Self(
            files
                .into_iter()
                .map(|(path, text)| (format!("/{path}"), text.as_bytes().to_vec()))
                .collect(),
        )
    }
}

impl Files for Memory {
    fn kind(&self, path: &str) -> Option<FileKind> {
        if self.0.contains_key(path) {
            return Some(FileKind::File);
        }
        let folder = if path == "/" {
            path.to_owned()
        } else {
            format!("{path}/")
        };
        let is_folder = self
            .0
            .range(folder.clone()..)
            .next()
            .is_some_and(|(p, _)| p.starts_with(&folder));
        (is_folder || path == "/").then_some(FileKind::Directory)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0
            .get(path)
            .cloned()
            .ok_or_else(|| "no such file or directory".to_owned())
    }
}
