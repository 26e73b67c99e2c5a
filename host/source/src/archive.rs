//! From a fetched commit to an artifact in the store: ignore rules, then blobs and directories, bottom up.
//!
//! What was stored for an unchanged directory under unchanged rules is not read again: a commit that touches
//! one directory of a thousand costs one directory.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use gix::ObjectId;
use sha2::{Digest as _, Sha256};
use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_artifact::{
    Artifact, ArtifactPath, Store,
    store::{self, BlobId, DirectoryEntry, DirectoryId, Draft, EntryContent},
};

use crate::{
    Fetched, GitTree, Sparse,
    git::tree::{self, Node},
    ignore::{self, IGNORE_FILE, IGNORE_FILE_SIZE_MAX, PATTERNS_MAX, Pattern, Rules},
};

/// Why an artifact could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The commit holds what cannot be an artifact.
    #[error("failed to checkout and determine revision: {0}")]
    Content(#[from] tree::Error),
    /// `spec.sparseCheckout` names what is not there.
    #[error(
        "failed to sparse checkout directories : sparse checkout dir '{0}' does not exist in repository: no such file or directory (correct spec.sparseCheckout)"
    )]
    Sparse(String),
    /// The ignore files cannot be used.
    #[error("failed to load source ignore patterns from repository: {0}")]
    Ignore(String),
    /// The store cannot take it.
    #[error("unable to archive artifact to storage: {error}{}", cause(error))]
    Store {
        /// What it said.
        error: store::Error,
    },
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Error {
        Error::Store { error }
    }
}

fn cause(error: &store::Error) -> String {
    std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default()
}

impl Disposition for Error {
    fn reason(&self) -> Reason {
        match self {
            Error::Content(_) | Error::Sparse(_) => reason::GIT_OPERATION_FAILED,
            Error::Ignore(_) => reason::SOURCE_IGNORE_ERROR,
            Error::Store { .. } => reason::ARCHIVE_OPERATION_FAILED,
        }
    }

    fn next(&self) -> Next {
        match self {
            Error::Content(_) | Error::Sparse(_) | Error::Ignore(_) => Next::Retry,
            Error::Store { .. } => Next::BackOff,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Content(_) | Error::Sparse(_) | Error::Ignore(_) => Blame::User,
            Error::Store { .. } => Blame::Host,
        }
    }
}

/// What was stored before, by what it was made of.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    directories: Mutex<HashMap<[u8; 32], Built>>,
    blobs: Mutex<HashMap<ObjectId, (BlobId, u64)>>,
    /// Directories that hold no ignore file, at any depth.
    plain: Mutex<HashSet<ObjectId>>,
}

#[derive(Clone, Copy, Debug)]
struct Built {
    directory: DirectoryId,
    entries: usize,
}

/// Remembered directories and blobs before a memo starts anew.
const MEMO_MAX: usize = 200_000;

/// Which files of a commit become the artifact.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `spec.ignore`: what is left out, besides what `.sourceignore` files say.
    pub ignore: Option<String>,
    /// `spec.sparseCheckout`: what is looked at.
    pub sparse: Sparse,
}

/// Puts the selected files of a commit into the store. Blocks; the artifact is visible when this returns.
///
/// # Errors
/// See [`Error`].
pub fn store(
    fetched: &Fetched,
    selection: &Selection,
    store: &Store,
    path: &ArtifactPath,
) -> Result<Artifact, Error> {
    let stored = store_files(fetched, selection, store, path);
    if let Err(Error::Content(tree::Error::Lost(_))) = &stored {
        fetched.tree.distrust();
    }
    stored
}

fn store_files(
    fetched: &Fetched,
    selection: &Selection,
    store: &Store,
    path: &ArtifactPath,
) -> Result<Artifact, Error> {
    let mut patterns = Vec::new();
    let Fetched { tree, memo, .. } = fetched;
    let sparse = &selection.sparse;
    for listed in sparse.paths() {
        if !exists(tree, listed)? {
            return Err(Error::Sparse(listed.to_owned()));
        }
    }
    let mut finder = Finder {
        tree,
        memo,
        sparse,
        patterns: &mut patterns,
    };
    finder.find(tree.root(), &mut Vec::new())?;
    patterns.extend(ignore::parse(
        selection.ignore.as_deref().unwrap_or_default(),
        &[],
    ));
    refuse_patterns(patterns.len())?;
    let rules = Rules::new(patterns);
    let fingerprint = Sha256::new()
        .chain_update(rules.fingerprint())
        .chain_update(sparse.fingerprint())
        .finalize()
        .into();
    let mut builder = Builder {
        tree,
        memo,
        rules,
        sparse,
        fingerprint,
        draft: store.draft(),
        entries: 0,
    };
    let root = builder.build(tree.root(), &mut Vec::new())?;
    Ok(builder
        .draft
        .commit(path, &fetched.revision.to_string(), root.directory)?)
}

fn refuse_patterns(number: usize) -> Result<(), Error> {
    let text = || format!("{number} patterns are more than the limit of {PATTERNS_MAX} (patterns_max)");
    if number > PATTERNS_MAX {
        Err(Error::Ignore(text()))
    } else {
        Ok(())
    }
}

/// Whether there is a file or a directory at `path`.
fn exists(tree: &GitTree, path: &str) -> Result<bool, Error> {
    let (mut id, mut names) = (Some(tree.root()), Vec::new());
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        let Some(directory) = id else {
            return Ok(false);
        };
        let nodes = tree.nodes(directory, &shown(&names))?;
        let found = nodes.iter().find(|(name, _)| name == part);
        id = match found {
            Some((_, Node::Directory(below))) => Some(*below),
            Some(_) => None,
            None => return Ok(false),
        };
        names.push(part.to_owned());
    }
    Ok(true)
}

/// Looks for ignore files.
struct Finder<'a> {
    tree: &'a GitTree,
    memo: &'a Memo,
    sparse: &'a Sparse,
    patterns: &'a mut Vec<Pattern>,
}

impl Finder<'_> {
    /// Adds the patterns of a directory and of all below it; returns whether there were any ignore files.
    fn find(&mut self, id: ObjectId, names: &mut Vec<String>) -> Result<bool, Error> {
        let Self { tree, memo, .. } = *self;
        if lock(&memo.plain).contains(&id) {
            return Ok(false);
        }
        tree.limits().refuse_deep(names.len())?;
        let nodes = tree.nodes(id, &shown(names))?;
        let own = nodes
            .binary_search_by(|(name, _)| name.as_str().cmp(IGNORE_FILE))
            .ok()
            .and_then(|at| nodes.get(at));
        let mut has_any = matches!(own, Some((_, Node::File { .. })));
        let path = format!("{}/{IGNORE_FILE}", shown(names));
        let own = own.filter(|_| self.sparse.takes(path.trim_start_matches('/')));
        if let Some((_, Node::File { id, .. })) = own {
            if tree.size(*id)? > IGNORE_FILE_SIZE_MAX {
                let limit = IGNORE_FILE_SIZE_MAX;
                return Err(Error::Ignore(format!(
                    "{path} exceeds the limit of {limit} bytes (ignore_file_size_max)"
                )));
            }
            let text = String::from_utf8_lossy(&tree.content(*id)?).into_owned();
            let domain: Vec<&str> = names.iter().map(String::as_str).collect();
            self.patterns.extend(ignore::parse(&text, &domain));
            refuse_patterns(self.patterns.len())?;
        }
        for (name, node) in nodes.iter() {
            if let Node::Directory(below) = node {
                names.push(name.clone());
                has_any |= self.find(*below, names)?;
                names.pop();
            }
        }
        if !has_any {
            let mut plain = lock(&memo.plain);
            if plain.len() >= MEMO_MAX {
                plain.clear();
            }
            plain.insert(id);
        }
        Ok(has_any)
    }
}

struct Builder<'a> {
    tree: &'a GitTree,
    memo: &'a Memo,
    rules: Rules,
    sparse: &'a Sparse,
    fingerprint: [u8; 32],
    draft: Draft,
    entries: usize,
}

impl Builder<'_> {
    fn build(&mut self, id: ObjectId, names: &mut Vec<String>) -> Result<Built, Error> {
        self.tree.limits().refuse_deep(names.len())?;
        let key = self.key(id, names);
        let known = lock(&self.memo.directories).get(&key).copied();
        if let Some(built) = known.filter(|built| self.draft.has_directory(built.directory)) {
            self.count(built.entries)?;
            return Ok(built);
        }
        let before = self.entries;
        let nodes = self.tree.nodes(id, &shown(names))?;
        let mut entries = Vec::with_capacity(nodes.len());
        for (name, node) in nodes.iter() {
            self.count(1)?;
            names.push(name.clone());
            if let Some(content) = self.entry(node, names)? {
                entries.push(DirectoryEntry {
                    name: name.clone(),
                    content,
                });
            }
            names.pop();
        }
        let directory = self.draft.directory(entries)?;
        let built = Built {
            directory,
            entries: self.entries - before,
        };
        remember(&self.memo.directories, key, built);
        Ok(built)
    }

    fn entry(&mut self, node: &Node, names: &mut Vec<String>) -> Result<Option<EntryContent>, Error> {
        let joined = names.join("/");
        let is_taken = match node {
            Node::File { .. } | Node::Submodule => self.sparse.takes(&joined),
            Node::Directory(_) => self.sparse.reaches(&joined),
        };
        if !is_taken {
            return Ok(None);
        }
        // a directory that only leads to something selected is not there for itself
        let is_way = !self.sparse.takes(&format!("{joined}/"));
        let path: Vec<&str> = names.iter().map(String::as_str).collect();
        let is_excluded = self.rules.excludes(&path, !matches!(node, Node::File { .. }));
        Ok(match node {
            Node::File { .. } if is_excluded => None,
            Node::File { id, is_executable } => {
                let (blob, size) = self.blob(*id)?;
                Some(EntryContent::File {
                    blob,
                    size,
                    is_executable: *is_executable,
                })
            }
            Node::Submodule if is_excluded => None,
            Node::Submodule => {
                let directory = self.draft.directory(Vec::new())?;
                Some(EntryContent::Directory {
                    directory,
                    is_listed: true,
                })
            }
            // An excluded directory is still looked into: a later pattern may include a file of it again.
            Node::Directory(id) => {
                let built = self.build(*id, names)?;
                let is_empty =
                    (is_excluded || is_way) && built.directory == self.draft.directory(Vec::new())?;
                (!is_empty).then_some(EntryContent::Directory {
                    directory: built.directory,
                    is_listed: !is_excluded,
                })
            }
        })
    }

    fn blob(&mut self, id: ObjectId) -> Result<(BlobId, u64), Error> {
        let known = lock(&self.memo.blobs).get(&id).copied();
        if let Some(blob) = known.filter(|(blob, _)| self.draft.has_blob(*blob)) {
            return Ok(blob);
        }
        let content = self.tree.content(id)?;
        let blob = (self.draft.blob(&content)?, content.len() as u64);
        remember(&self.memo.blobs, id, blob);
        Ok(blob)
    }

    /// The rules speak of whole paths, so a directory's result depends on where it is.
    fn key(&self, id: ObjectId, names: &[String]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.fingerprint);
        hash.update(id.as_slice());
        hash.update(shown(names));
        hash.finalize().into()
    }

    fn count(&mut self, entries: usize) -> Result<(), Error> {
        self.entries += entries;
        Ok(self.tree.limits().refuse_many(self.entries)?)
    }
}

fn remember<K: std::hash::Hash + Eq, V>(memo: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut memo = lock(memo);
    if memo.len() >= MEMO_MAX {
        memo.clear();
    }
    memo.insert(key, value);
}

fn shown(names: &[String]) -> String {
    format!("/{}", names.join("/"))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
