//! The artifact, as a renderer reads it.

#[cfg(not(target_arch = "wasm32"))]
use std::collections::BTreeMap;
use std::fmt;

/// The artifact as a read-only tree. In a component it is a handle to the host's; natively it is files in memory.
///
/// Paths are absolute and begin with `/source`.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    #[cfg(not(target_arch = "wasm32"))]
    files: BTreeMap<String, Vec<u8>>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryType {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// One entry of a directory or of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its absolute path.
    pub path: String,
    /// Size in bytes; 0 for directories.
    pub size: u64,
    /// A file or a directory.
    pub entry_type: EntryType,
}

/// Why a path could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeError {
    /// Nothing is there.
    NotFound,
    /// It is a directory.
    NotAFile,
    /// It is a file.
    NotADirectory,
    /// The path is not absolute, not normal, or leads out of the tree.
    InvalidPath,
    /// The file is larger than the limit, given in bytes.
    TooLarge(u64),
    /// Anything else, in words.
    Other(String),
}

impl std::error::Error for TreeError {}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such file or directory"),
            Self::NotAFile => f.write_str("is a directory"),
            Self::NotADirectory => f.write_str("not a directory"),
            Self::InvalidPath => f.write_str("invalid path"),
            Self::TooLarge(limit) => write!(f, "larger than the limit of {limit} bytes"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod host {
    use super::{Entry, EntryType, Tree, TreeError};
    use crate::bindings::renderer::sluice::host::{revision, tree};

    impl Tree {
        /// The bytes of the file at `path`.
        pub fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
            tree::read(path).map_err(error)
        }

        /// The bytes of several files, answered in the order asked.
        pub fn read_many(&self, paths: &[String]) -> Vec<Result<Vec<u8>, TreeError>> {
            tree::read_many(paths)
                .into_iter()
                .map(|answer| answer.map_err(error))
                .collect()
        }

        /// The entries of the directory at `path`, sorted by path.
        pub fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
            tree::read_dir(path).map(entries).map_err(error)
        }

        /// All regular files below `path`, sorted by path.
        pub fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
            tree::walk(path).map(entries).map_err(error)
        }

        /// The revision of the artifact. Asking makes the render be done again for every commit.
        pub fn revision(&self) -> String {
            revision::revision()
        }
    }

    fn entries(entries: Vec<tree::Entry>) -> Vec<Entry> {
        let entry = |entry: tree::Entry| Entry {
            path: entry.path,
            size: entry.size,
            entry_type: match entry.entry_type {
                tree::EntryType::File => EntryType::File,
                tree::EntryType::Directory => EntryType::Directory,
            },
        };
        entries.into_iter().map(entry).collect()
    }

    fn error(error: tree::TreeError) -> TreeError {
        match error {
            tree::TreeError::NotFound => TreeError::NotFound,
            tree::TreeError::NotAFile => TreeError::NotAFile,
            tree::TreeError::NotADirectory => TreeError::NotADirectory,
            tree::TreeError::InvalidPath => TreeError::InvalidPath,
            tree::TreeError::TooLarge(limit) => TreeError::TooLarge(limit),
            tree::TreeError::Other(words) => TreeError::Other(words),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod fake {
    use super::{Entry, EntryType, Tree, TreeError};

    /// The native fake: `Tree::from([("/source/a.yaml", "…")])`; a path without a slash is below `/source`.
    impl<P: AsRef<str>, B: AsRef<[u8]>, const N: usize> From<[(P, B); N]> for Tree {
        fn from(files: [(P, B); N]) -> Self {
            files.into_iter().collect()
        }
    }

    impl<P: AsRef<str>, B: AsRef<[u8]>> FromIterator<(P, B)> for Tree {
        fn from_iter<T: IntoIterator<Item = (P, B)>>(files: T) -> Self {
            let absolute = |path: &str| {
                if path.starts_with('/') {
                    path.to_owned()
                } else {
                    format!("/source/{path}")
                }
            };
            let file = |(path, bytes): (P, B)| (absolute(path.as_ref()), bytes.as_ref().to_vec());
            Self {
                files: files.into_iter().map(file).collect(),
            }
        }
    }

    impl Tree {
        /// The bytes of the file at `path`.
        pub fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
            check(path)?;
            match self.files.get(path) {
                Some(bytes) => Ok(bytes.clone()),
                None if self.is_directory(path) => Err(TreeError::NotAFile),
                None => Err(TreeError::NotFound),
            }
        }

        /// The bytes of several files, answered in the order asked.
        pub fn read_many(&self, paths: &[String]) -> Vec<Result<Vec<u8>, TreeError>> {
            paths.iter().map(|path| self.read(path)).collect()
        }

        /// The entries of the directory at `path`, sorted by path.
        pub fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
            let mut entries: Vec<Entry> = Vec::new();
            for (file, bytes) in self.below(path)? {
                let name = file.get(path.len() + 1..).unwrap_or_default();
                let entry = match name.split_once('/') {
                    None => Entry {
                        path: file.clone(),
                        size: bytes.len() as u64,
                        entry_type: EntryType::File,
                    },
                    Some((directory, _)) => Entry {
                        path: format!("{path}/{directory}"),
                        size: 0,
                        entry_type: EntryType::Directory,
                    },
                };
                if !entries.contains(&entry) {
                    entries.push(entry);
                }
            }
            entries.sort_by(|a, b| a.path.cmp(&b.path));
            Ok(entries)
        }

        /// All regular files below `path`, sorted by path.
        pub fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
            let entry = |(file, bytes): (&String, &Vec<u8>)| Entry {
                path: file.clone(),
                size: bytes.len() as u64,
                entry_type: EntryType::File,
            };
            Ok(self.below(path)?.map(entry).collect())
        }

        /// The revision of the artifact. Asking makes the render be done again for every commit.
        pub fn revision(&self) -> String {
            "main@sha1:0000000000000000000000000000000000000000".to_owned()
        }

        fn below<'a>(
            &'a self,
            path: &str,
        ) -> Result<impl Iterator<Item = (&'a String, &'a Vec<u8>)>, TreeError> {
            check(path)?;
            if self.files.contains_key(path) {
                return Err(TreeError::NotADirectory);
            }
            if !self.is_directory(path) {
                return Err(TreeError::NotFound);
            }
            let prefix = format!("{path}/");
            Ok(self
                .files
                .iter()
                .filter(move |(file, _)| file.starts_with(&prefix)))
        }

        fn is_directory(&self, path: &str) -> bool {
            let prefix = format!("{path}/");
            path == "/source" || self.files.keys().any(|file| file.starts_with(&prefix))
        }
    }

    fn check(path: &str) -> Result<(), TreeError> {
        let inner = path.strip_prefix('/').ok_or(TreeError::InvalidPath)?;
        let is_normal = inner.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if is_normal {
            Ok(())
        } else {
            Err(TreeError::InvalidPath)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fake_answers_as_the_host_does() {
        let tree = Tree::from([("a.yaml", "a"), ("b/c.yaml", "cc"), ("b/d/e.yaml", "e")]);
        let names = |entries: Vec<Entry>| {
            entries
                .into_iter()
                .map(|entry| entry.path)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(tree.read("/source/b/c.yaml"), Ok(b"cc".to_vec()));
        assert_eq!(
            names(tree.read_dir("/source").unwrap()),
            "/source/a.yaml /source/b"
        );
        assert_eq!(
            names(tree.walk("/source/b").unwrap()),
            "/source/b/c.yaml /source/b/d/e.yaml"
        );
        for (path, error) in [
            ("/source/b", TreeError::NotAFile),
            ("/source/x", TreeError::NotFound),
            ("/source/../x", TreeError::InvalidPath),
            ("source/a.yaml", TreeError::InvalidPath),
        ] {
            assert_eq!(tree.read(path), Err(error), "{path}");
        }
        assert_eq!(tree.walk("/source/a.yaml"), Err(TreeError::NotADirectory));
    }
}
