//! The content-addressed store: blobs and directories in segments, one record an artifact.
//!
//! ```text
//! <root>/segments/<number>.seg                 what one commit of a draft added, written once
//! <root>/artifacts/<kind>/<ns>/<name>/<file>.json   a record: revision, digest, size, root directory
//! <root>/tmp/                                  what is being written; emptied when the store is opened
//! ```
//!
//! A segment is written to `tmp/`, synced, renamed; then the record likewise. A crash leaves either nothing
//! or a segment that no record needs, which the next sweep removes.

mod collect;
mod directory;
mod draft;
mod error;
mod file;
mod record;
mod segment;
mod state;
mod tree;

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cap_std::{ambient_authority, fs::Dir};

pub use collect::Retention;
pub use directory::{DirectoryEntry, DirectoryId, EntryContent};
pub use draft::{BlobId, Draft};
pub use error::Error;
pub use file::StoredFile;
pub use record::{Artifact, ArtifactPath, Content, InvalidArtifactPath};
use state::State;
pub use tree::StoreTree;

/// What a store keeps in mind.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest single file of an artifact, in bytes: it is read into memory as a whole.
    pub file_size_max: u64,
    /// Most bytes one artifact may add to the store.
    pub artifact_size_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            file_size_max: 100 << 20,
            artifact_size_max: 4 << 30,
        }
    }
}

/// A store on disk. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    root: Dir,
    limits: Limits,
    state: Mutex<State>,
    cache: tree::Cache,
}

impl Store {
    /// Opens the store in the directory `path`, which must exist, as Flux's `--storage-path` must.
    pub fn open(path: &Path, limits: Limits) -> Result<Store, Error> {
        let open = |path| Dir::open_ambient_dir(path, ambient_authority());
        let root = open(path).map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })?;
        Store::new(root, limits)
    }

    /// Opens the store in a directory that is open already.
    pub fn new(root: Dir, limits: Limits) -> Result<Store, Error> {
        let state = State::load(&root).map_err(Error::storage("read the artifact store"))?;
        let store = Store {
            inner: Arc::new(Inner {
                root,
                limits,
                state: Mutex::new(state),
                cache: tree::Cache::default(),
            }),
        };
        store.sweep()?;
        Ok(store)
    }

    /// What is stored at `path`, if all its bytes are there.
    ///
    /// Cheap: contents are verified when they are read, and a damaged one is missing from then on.
    pub fn artifact(&self, path: &ArtifactPath) -> Option<Artifact> {
        let mut state = self.state();
        let record = state.records.get(path)?.clone();
        state.is_complete(path, &record).then(|| record.artifact(path))
    }

    /// All that is stored, in order of path.
    pub fn artifacts(&self) -> Vec<Artifact> {
        self.state()
            .records
            .iter()
            .map(|(path, record)| record.artifact(path))
            .collect()
    }

    /// The files of an artifact. They stay readable as long as the tree lives, whatever is collected meanwhile.
    pub fn tree(&self, path: &ArtifactPath) -> Result<StoreTree, Error> {
        match self.record(path)?.content {
            Content::Tree(root) => Ok(StoreTree::new(self.clone(), root)),
            Content::File(_) => Err(Error::Missing {
                what: format!("tree of {path}, which is one file"),
            }),
        }
    }

    /// The bytes of an artifact that is one file.
    pub fn file(&self, path: &ArtifactPath) -> Result<Vec<u8>, Error> {
        match self.record(path)?.content {
            Content::File(blob) => self.inner.read(&blob.0),
            Content::Tree(_) => Err(Error::Missing {
                what: format!("file of {path}, which is a tree"),
            }),
        }
    }

    /// The same for a file that is too large to be held.
    ///
    /// # Errors
    /// It is not there, or a tree.
    pub fn open_file(&self, path: &ArtifactPath) -> Result<StoredFile, Error> {
        match self.record(path)?.content {
            Content::File(blob) => StoredFile::open(self.clone(), blob),
            Content::Tree(_) => Err(Error::Missing {
                what: format!("file of {path}, which is a tree"),
            }),
        }
    }

    /// The artifact of an object that was stored last; `path` is that of any file of the object.
    pub fn newest(&self, path: &ArtifactPath) -> Option<Artifact> {
        let newest = self.state().newest.get(&path.object())?.clone();
        self.artifact(&newest)
    }

    /// Writes what is served of an artifact, its archive or its one file; the bytes are those whose digest the record holds, or an error.
    pub fn write_archive(&self, path: &ArtifactPath, output: impl io::Write) -> Result<(), Error> {
        let record = self.record(path)?;
        let mut measure = crate::digest::Measure::new(output);
        match record.content {
            Content::Tree(root) => {
                crate::archive::write(&StoreTree::new(self.clone(), root), &mut measure)?;
            }
            Content::File(blob) => {
                let failed = Error::storage("archive artifact to storage");
                let mut file = StoredFile::open(self.clone(), blob)?;
                io::copy(&mut file, &mut measure).map_err(failed)?;
            }
        }
        let (digest, _) = measure.finish();
        if digest == record.digest {
            Ok(())
        } else {
            if let Content::File(blob) = record.content {
                self.state().lose(&blob.0);
            }
            Err(Error::Damaged {
                what: format!("archive {path}"),
                expected: record.digest,
                found: digest,
            })
        }
    }

    /// Starts writing an artifact.
    pub fn draft(&self) -> Draft {
        Draft::new(self.clone())
    }

    fn record(&self, path: &ArtifactPath) -> Result<record::Record, Error> {
        self.state()
            .records
            .get(path)
            .cloned()
            .ok_or_else(|| Error::NotFound(path.clone()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
