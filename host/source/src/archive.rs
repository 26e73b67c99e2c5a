//! From a fetched commit to an artifact in the store: ignore rules, then blobs and directories, bottom up.
//!
//! What was stored for an unchanged directory under unchanged rules is not read again: a commit that touches
//! one directory of a thousand costs one directory.

mod builder;
mod finder;
mod layout;

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use gix::ObjectId;
use sha2::{Digest as _, Sha256};
use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_artifact::{
    Artifact, ArtifactPath, Store, StoreTree, TreeError,
    store::{self, BlobId, DirectoryId},
};

use builder::Builder;
use finder::Finder;
use layout::{Dir, Grafts, Mount};

use crate::{
    Fetched, GitTree, Sparse,
    git::tree::{self, Node},
    ignore::{self, OutOfTime, PATTERNS_MAX, Rules, Trial},
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
    /// An included artifact cannot be put where it should be.
    #[error("failed to copy '{name}' include from {from} to {to}: {cause} (correct spec.include)")]
    Include {
        /// The included GitRepository.
        name: String,
        /// What was to be taken of it.
        from: String,
        /// Where it was to be put.
        to: String,
        /// What is in the way.
        cause: String,
    },
    /// What is in the way of something that is put into a tree.
    #[error("{0}")]
    Taken(String),
    /// The ignore files cannot be used.
    #[error("failed to load source ignore patterns from repository: {0}")]
    Ignore(String),
    /// The store cannot take it.
    #[error("unable to archive artifact to storage: {error}")]
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

impl From<OutOfTime> for Error {
    fn from(error: OutOfTime) -> Error {
        Error::Ignore(error.to_string())
    }
}

impl Disposition for Error {
    fn reason(&self) -> Reason {
        match self {
            Error::Content(_) | Error::Sparse(_) => reason::GIT_OPERATION_FAILED,
            Error::Include { .. } | Error::Taken(_) => reason::COPY_FAILURE,
            Error::Ignore(_) => reason::SOURCE_IGNORE_ERROR,
            Error::Store { .. } => reason::ARCHIVE_OPERATION_FAILED,
        }
    }

    fn next(&self) -> Next {
        match self {
            Error::Content(_)
            | Error::Sparse(_)
            | Error::Include { .. }
            | Error::Taken(_)
            | Error::Ignore(_) => Next::Retry,
            Error::Store { .. } => Next::BackOff,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Content(_)
            | Error::Sparse(_)
            | Error::Include { .. }
            | Error::Taken(_)
            | Error::Ignore(_) => Blame::User,
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
    /// How long patterns may be tried with paths; as long as it takes where none.
    pub ignore_time_max: Option<Duration>,
    /// `spec.sparseCheckout`: what is looked at.
    pub sparse: Sparse,
    /// `spec.include`: what is put among the files, one after the other.
    pub includes: Vec<Included>,
}

/// An artifact, or a part of it, that is put among the files of a commit (compat/source.md 5.7).
#[derive(Clone)]
pub struct Included {
    /// The GitRepository that it is of.
    pub name: String,
    /// Which file or directory of it; all where empty. `..` leads nowhere above the root.
    pub from: String,
    /// Where it goes. `..` leads nowhere above the root.
    pub to: String,
    /// Its files.
    pub tree: StoreTree,
}

impl Included {
    fn failed(&self, cause: &str) -> Error {
        Error::Include {
            name: self.name.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            cause: cause.to_owned(),
        }
    }
}

impl std::fmt::Debug for Included {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Included({}:{} at {})", self.name, self.from, self.to)
    }
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
    let grafts = graft(fetched, &selection.includes)?;
    let stored = store_files(fetched, selection, store, path, &grafts);
    if let Err(Error::Content(tree::Error::Lost(_))) = &stored {
        fetched.tree.distrust();
        grafts.distrust();
    }
    stored
}

fn store_files(
    fetched: &Fetched,
    selection: &Selection,
    store: &Store,
    path: &ArtifactPath,
    grafts: &Grafts,
) -> Result<Artifact, Error> {
    let mut patterns = Vec::new();
    let Fetched { tree, memo, .. } = fetched;
    let (sparse, limits) = (&selection.sparse, tree.limits());
    for listed in sparse.paths() {
        if !exists(tree, listed)? {
            return Err(Error::Sparse(listed.to_owned()));
        }
    }
    let root = Dir::root(tree, grafts);
    let mut finder = Finder {
        memo,
        limits,
        sparse,
        patterns: &mut patterns,
    };
    finder.find(root, &mut Vec::new())?;
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
        memo,
        limits,
        trial: Trial::new(rules, selection.ignore_time_max),
        sparse,
        fingerprint,
        draft: store.draft(),
        entries: 0,
    };
    let built = builder.build(root, &mut Vec::new())?;
    Ok(builder
        .draft
        .commit(path, &fetched.revision.to_string(), built.directory)?)
}

/// Submodules stand where the commit has them; then one include after the other finds its place.
fn graft(fetched: &Fetched, includes: &[Included]) -> Result<Grafts, Error> {
    let mut grafts = Grafts::default();
    for (path, tree) in &fetched.submodules {
        grafts.add_submodule(path, tree.clone());
    }
    for included in includes {
        let found = included
            .tree
            .content_at(&format!("/{}", names_of(&included.from).join("/")));
        let placed = match found {
            Ok(content) => {
                let mount = Mount::Stored(included.tree.clone(), content);
                grafts.add(&fetched.tree, &names_of(&included.to), mount)
            }
            Err(TreeError::NotFound) => Err(Error::Taken("no such file or directory".to_owned())),
            Err(error) => Err(Error::Taken(error.to_string())),
        };
        placed.map_err(|error| match error {
            Error::Taken(cause) => included.failed(&cause),
            other => other,
        })?;
    }
    Ok(grafts)
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

/// The names of a path that users write: `.` is nothing, `..` leads no higher than the root.
fn names_of(path: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name.to_owned()),
        }
    }
    names
}
