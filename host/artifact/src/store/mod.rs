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
//!
//! One lock keeps the index; nobody holds it while the disk is read or synced.

mod collect;
mod directory;
mod draft;
mod error;
mod file;
mod mark;
mod open;
mod record;
mod segment;
mod state;
mod sweep;
mod tree;
mod turn;

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, atomic::AtomicBool},
};

use cap_std::{ambient_authority, fs::Dir};
use tokio::sync::watch;

pub use collect::Retention;
pub use directory::{DirectoryEntry, DirectoryId, EntryContent};
pub use draft::{BlobId, Draft};
pub use error::{Error, remedy};
pub use file::StoredFile;
pub use record::{Artifact, ArtifactPath, Content, InvalidArtifactPath};
use state::{Pin, State};
pub use tree::StoreTree;
pub use turn::Turn;

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
    /// Whether the turn of who has this clone is over; none for one who needs no turn.
    is_over: Option<Arc<AtomicBool>>,
}

struct Inner {
    root: Dir,
    limits: Limits,
    state: Mutex<State>,
    segments: open::OpenSegments,
    cache: tree::Cache,
    sweeps: Mutex<sweep::Sweeps>,
    /// Held while contents are dropped.
    sweeping: Mutex<()>,
    /// Counts what was found damaged or missing.
    lost: watch::Sender<u64>,
}

/// What a store has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// An artifact, and all its contents.
    Whole(Artifact),
    /// An artifact that was stored and cannot be had any more: fetch again.
    Damaged(Artifact),
    /// Nothing.
    Nothing,
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
                segments: open::OpenSegments::default(),
                cache: tree::Cache::default(),
                sweeps: Mutex::default(),
                sweeping: Mutex::default(),
                lost: watch::Sender::default(),
            }),
            is_over: None,
        };
        // what cannot be dropped now is dropped later
        let _later: Result<(), Error> = store.sweep();
        Ok(store)
    }

    /// What is stored at `path`, if all its bytes are there.
    ///
    /// Contents are verified when they are read, and a damaged one is missing from then on. Cheap, but after a loss: then
    /// directories are read once.
    pub fn artifact(&self, path: &ArtifactPath) -> Option<Artifact> {
        match self.look(path) {
            Look::Whole(artifact) => Some(artifact),
            Look::Damaged(_) | Look::Nothing => None,
        }
    }

    /// The same, where it matters whether something was stored that is damaged.
    pub fn look(&self, path: &ArtifactPath) -> Look {
        if let Some(known) = self.known(path) {
            return known;
        }
        let (record, losses) = {
            let state = self.state();
            let Some(record) = state.records.get(path) else {
                return Look::Nothing;
            };
            (record.clone(), state.losses)
        };
        let artifact = record.artifact(path);
        match mark::Mark::new(&self.inner).content(record.content) {
            Ok(false) => Look::Damaged(artifact),
            Ok(true) => {
                self.state().was_whole(path, losses);
                Look::Whole(artifact)
            }
            // a disk that does not answer has lost nothing yet
            Err(_) => Look::Whole(artifact),
        }
    }

    /// What [`Store::look`] answers, where that is known without asking the disk.
    pub fn known(&self, path: &ArtifactPath) -> Option<Look> {
        let state = self.state();
        let Some(record) = state.records.get(path) else {
            return Some(Look::Nothing);
        };
        let artifact = record.artifact(path);
        match state.is_whole(path)? {
            true => Some(Look::Whole(artifact)),
            false => Some(Look::Damaged(artifact)),
        }
    }

    /// Counts losses: whoever watches it learns that something was found damaged or missing. What it was says [`Store::damaged`].
    pub fn losses(&self) -> watch::Receiver<u64> {
        self.inner.lost.subscribe()
    }

    /// The artifacts of a kind (in lower case) that were stored and cannot be had any more. Blocks: directories are read.
    pub fn damaged(&self, kind: &str) -> Vec<ArtifactPath> {
        let mut paths: Vec<ArtifactPath> = self.state().records.keys().cloned().collect();
        paths.retain(|path| path.kind() == kind && matches!(self.look(path), Look::Damaged(_)));
        paths
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
        let (record, pin) = self.pinned(path)?;
        match record.content {
            Content::Tree(root) => Ok(StoreTree::of(self.clone(), root, pin)),
            Content::File(_) => Err(Error::Missing {
                what: format!("tree of {path}, which is one file"),
            }),
        }
    }

    /// The bytes of an artifact that is one file.
    pub fn file(&self, path: &ArtifactPath) -> Result<Vec<u8>, Error> {
        let (record, _pin) = self.pinned(path)?;
        match record.content {
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
        let (record, pin) = self.pinned(path)?;
        match record.content {
            Content::File(blob) => StoredFile::open(self.clone(), blob, pin),
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
        let (record, pin) = self.pinned(path)?;
        let mut measure = crate::digest::Measure::new(output);
        match record.content {
            Content::Tree(root) => {
                crate::archive::write(&StoreTree::of(self.clone(), root, pin), &mut measure)?;
            }
            Content::File(blob) => {
                let failed = Error::storage("send the artifact");
                let mut file = StoredFile::open(self.clone(), blob, pin)?;
                io::copy(&mut file, &mut measure).map_err(failed)?;
            }
        }
        let (digest, _) = measure.finish();
        if digest == record.digest {
            return Ok(());
        }
        // Each content is what it was: it is the record that does not belong to them, or another program that made it.
        self.state().spoil(path);
        self.inner.tell_of_loss();
        Err(Error::Damaged {
            what: format!("archive {path}"),
            expected: record.digest,
            found: digest,
        })
    }

    /// Starts writing an artifact.
    pub fn draft(&self) -> Draft {
        Draft::new(self.clone())
    }

    /// A record, and what keeps its contents from being collected.
    fn pinned(&self, path: &ArtifactPath) -> Result<(record::Record, Arc<Pin>), Error> {
        let mut state = self.state();
        let record = state.records.get(path).cloned();
        let record = record.ok_or_else(|| Error::NotFound(path.clone()))?;
        let pin = state.pin(record.content);
        Ok((record, pin))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state()
    }
}

#[cfg(test)]
mod tests;
