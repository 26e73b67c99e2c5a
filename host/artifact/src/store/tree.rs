//! The files of a stored artifact.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{BlobId, Content, DirectoryEntry, DirectoryId, EntryContent, Error, Store, state::Pin};
use crate::{
    answer::{self, Below, Child},
    tree::{AnswerDigest, Entry, EntryType, Question, Tree, TreeError, check_path, join_path, parts},
};

/// A stored tree. Its contents are not collected while it lives.
///
/// Directories and digests are remembered by directory id, so that asking again, or asking
/// another tree of the same store about an unchanged directory, reads nothing.
#[derive(Clone)]
pub struct StoreTree {
    store: Store,
    root: DirectoryId,
    _pin: Arc<Pin>,
}

/// Directories that were read, shared by all trees of a store.
#[derive(Default)]
pub(crate) struct Cache {
    directories: Mutex<HashMap<DirectoryId, Arc<[DirectoryEntry]>>>,
    walks: Mutex<HashMap<DirectoryId, AnswerDigest>>,
}

/// Directories remembered before the cache starts anew: about 20 MiB where each has ten entries.
const CACHED_DIRECTORIES_MAX: usize = 20_000;

fn remember<V>(cache: &Mutex<HashMap<DirectoryId, V>>, id: DirectoryId, value: V) {
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED_DIRECTORIES_MAX {
        cache.clear();
    }
    cache.insert(id, value);
}

enum Found {
    File(BlobId),
    Directory(DirectoryId),
}

impl StoreTree {
    /// The tree below `root`, whether a record has it or not.
    pub(crate) fn new(store: Store, root: DirectoryId) -> StoreTree {
        let pin = store.state().pin(Content::Tree(root));
        StoreTree::of(store, root, pin)
    }

    pub(super) fn of(store: Store, root: DirectoryId, pin: Arc<Pin>) -> StoreTree {
        StoreTree {
            store,
            root,
            _pin: pin,
        }
    }

    /// The root directory.
    pub fn root(&self) -> DirectoryId {
        self.root
    }

    /// The entries of a stored directory, sorted by name.
    ///
    /// # Errors
    /// Where the store has lost it.
    pub fn entries(&self, id: DirectoryId) -> Result<Arc<[DirectoryEntry]>, Error> {
        let directories = &self.store.inner.cache.directories;
        if let Some(entries) = directories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
        {
            return Ok(Arc::clone(entries));
        }
        let entries: Arc<[DirectoryEntry]> = self.store.inner.directory(id)?.into();
        remember(directories, id, Arc::clone(&entries));
        Ok(entries)
    }

    /// The bytes of a stored file.
    ///
    /// # Errors
    /// Where the store has lost them.
    pub fn content(&self, blob: BlobId) -> Result<Vec<u8>, Error> {
        self.store.inner.read(&blob.0)
    }

    /// What is at a path, as the store has it: to be put into another artifact without being read.
    ///
    /// # Errors
    /// Where there is nothing, or the path is none.
    pub fn content_at(&self, path: &str) -> Result<EntryContent, TreeError> {
        check_path(path)?;
        let mut content = EntryContent::Directory {
            directory: self.root,
            is_listed: true,
        };
        for name in parts(path) {
            let EntryContent::Directory { directory, .. } = content else {
                return Err(TreeError::NotFound);
            };
            let entries = self.entries(directory).map_err(tree_error)?;
            let found = entries.iter().find(|entry| entry.name == name);
            content = found.ok_or(TreeError::NotFound)?.content.clone();
        }
        Ok(content)
    }

    fn find(&self, path: &str) -> Result<Found, TreeError> {
        check_path(path)?;
        let mut found = Found::Directory(self.root);
        for name in parts(path) {
            let Found::Directory(id) = found else {
                return Err(TreeError::NotFound);
            };
            let entries = self.entries(id).map_err(tree_error)?;
            let at = entries
                .binary_search_by(|entry| entry.name.as_str().cmp(name))
                .map_err(|_| TreeError::NotFound)?;
            found = match entries.get(at).map(|entry| &entry.content) {
                Some(EntryContent::File { blob, .. }) => Found::File(*blob),
                Some(EntryContent::Directory { directory, .. }) => Found::Directory(*directory),
                None => return Err(TreeError::NotFound),
            };
        }
        Ok(found)
    }

    fn find_directory(&self, path: &str) -> Result<DirectoryId, TreeError> {
        match self.find(path)? {
            Found::Directory(id) => Ok(id),
            Found::File(_) => Err(TreeError::NotADirectory),
        }
    }

    fn walk_into(&self, id: DirectoryId, path: &str, files: &mut Vec<Entry>) -> Result<(), TreeError> {
        for entry in self.entries(id).map_err(tree_error)?.iter() {
            let path = join_path(path, &entry.name);
            match entry.content {
                EntryContent::File { size, .. } => {
                    files.push(Entry {
                        path,
                        size,
                        entry_type: EntryType::File,
                    });
                }
                EntryContent::Directory { directory, .. } => self.walk_into(directory, &path, files)?,
            }
        }
        Ok(())
    }

    fn walk_digest(&self, id: DirectoryId) -> Result<AnswerDigest, TreeError> {
        let walks = &self.store.inner.cache.walks;
        if let Some(digest) = walks.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(*digest);
        }
        let entries = self.entries(id).map_err(tree_error)?;
        let mut children = Vec::with_capacity(entries.len());
        for entry in entries.iter() {
            children.push((
                entry.name.as_str(),
                match entry.content {
                    EntryContent::File { size, .. } => Below::File(size),
                    EntryContent::Directory { directory, .. } => {
                        Below::Directory(self.walk_digest(directory)?)
                    }
                },
            ));
        }
        let digest = answer::walk(children);
        remember(walks, id, digest);
        Ok(digest)
    }
}

fn child(entry: &DirectoryEntry) -> Child<'_> {
    match entry.content {
        EntryContent::File { size, .. } => Child {
            name: &entry.name,
            size,
            entry_type: EntryType::File,
        },
        EntryContent::Directory { .. } => Child {
            name: &entry.name,
            size: 0,
            entry_type: EntryType::Directory,
        },
    }
}

impl Tree for StoreTree {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError> {
        match self.find(path)? {
            Found::File(blob) => Ok(self.content(blob).map_err(tree_error)?.into()),
            Found::Directory(_) => Err(TreeError::NotAFile),
        }
    }

    fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        let entries = self.entries(self.find_directory(path)?).map_err(tree_error)?;
        let entry = |entry| {
            let Child {
                name,
                size,
                entry_type,
            } = child(entry);
            Entry {
                path: join_path(path, name),
                size,
                entry_type,
            }
        };
        Ok(entries.iter().map(entry).collect())
    }

    fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        let mut files = Vec::new();
        self.walk_into(self.find_directory(path)?, path, &mut files)?;
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Costs no file read: the store knows contents by the digest that the answer needs.
    fn answer_digest(&self, question: Question, path: &str) -> AnswerDigest {
        let digest = match question {
            Question::Read => match self.find(path) {
                Ok(Found::File(blob)) => Ok(answer::read_hashed(*blob.0.as_bytes())),
                Ok(Found::Directory(_)) => Err(TreeError::NotAFile),
                Err(failure) => Err(failure),
            },
            Question::ReadDir => self.find_directory(path).and_then(|id| {
                let entries = self.entries(id).map_err(tree_error)?;
                Ok(answer::read_dir(entries.iter().map(child)))
            }),
            Question::Walk => self.find_directory(path).and_then(|id| self.walk_digest(id)),
        };
        digest.unwrap_or_else(|failure| answer::error(&failure))
    }
}

fn tree_error(error: Error) -> TreeError {
    TreeError::Other(error.to_string())
}
