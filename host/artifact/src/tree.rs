//! The files of an artifact as one read-only tree.

use std::sync::Arc;

/// What an entry of a directory is. Artifacts hold no symbolic links: they are dropped when the artifact is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryType {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// One entry of a directory or of a walk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Absolute path in the tree.
    pub path: String,
    /// Size in bytes; 0 for directories.
    pub size: u64,
    /// File or directory.
    pub entry_type: EntryType,
}

/// Why a path could not be read. Mirrors `sluice:host/tree`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TreeError {
    /// Nothing is there.
    #[error("no such file or directory")]
    NotFound,
    /// It is a directory.
    #[error("is a directory")]
    NotAFile,
    /// It is a file.
    #[error("not a directory")]
    NotADirectory,
    /// The path is not absolute, not normal, or leads out of the tree.
    #[error("invalid path")]
    InvalidPath,
    /// The file is larger than the limit, given in bytes.
    #[error("larger than the limit of {0} bytes")]
    TooLarge(u64),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// One question that can be asked of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// The bytes of a file.
    Read,
    /// The entries of a directory.
    ReadDir,
    /// All regular files below a path.
    Walk,
}

/// sha256 of the answer to a [`Question`], errors included.
pub type AnswerDigest = [u8; 32];

/// A read-only tree of files. Paths are absolute, UTF-8, `/`-separated, without `.`, `..` or empty parts; the root is `/`.
///
/// **Invariant:** answers never change during the life of a tree.
pub trait Tree: Send + Sync {
    /// The bytes of the file at `path`.
    fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError>;
    /// The entries of the directory at `path`, sorted by path.
    fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError>;
    /// All regular files below `path`, sorted by path.
    fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError>;
    /// The digest of the answer to a question. Equal answers give equal digests on every kind of tree;
    /// a tree that knows digests beforehand (Git objects, the artifact store) answers without reading.
    fn answer_digest(&self, question: Question, path: &str) -> AnswerDigest;
}

/// Accepts an absolute, normal path and nothing else: `/`, `/a/b`; not `a`, `/a/`, `/a//b`, `/a/../b`.
pub fn check_path(path: &str) -> Result<(), TreeError> {
    let rest = path.strip_prefix('/').ok_or(TreeError::InvalidPath)?;
    if rest.is_empty() {
        return Ok(());
    }
    let is_normal = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    if rest.split('/').all(is_normal) {
        Ok(())
    } else {
        Err(TreeError::InvalidPath)
    }
}

/// The path of the entry `name` of the directory `directory`.
pub fn join_path(directory: &str, name: &str) -> String {
    if directory == "/" {
        format!("/{name}")
    } else {
        format!("{directory}/{name}")
    }
}

/// The parts of a path that [`check_path`] accepts; none for the root.
pub(crate) fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}
