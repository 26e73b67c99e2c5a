//! The persistent store of one remote's objects: packs, the shallow boundary, and which commits are complete.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use gix::{
    ObjectId,
    objs::{Find, Kind, bstr::ByteSlice},
};

/// Packs of a store before it is made anew: each delta fetch adds one, and every look-up asks them all.
pub(crate) const PACKS_MAX: usize = 32;
/// Commits remembered to ask for deltas against: branches of one remote share most of their files.
const TIPS_MAX: usize = 16;

/// Marks a store that is not to be used again.
pub(crate) const RETIRED: &str = "retired";

/// What the names of files begin with that are still being written.
pub(crate) const TEMPORARY: &str = "tmp_";

/// An object that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("object {0} is missing")]
    Missing(ObjectId),
    #[error("object {id} is a {found}, not a {expected}")]
    WrongKind {
        id: ObjectId,
        found: Kind,
        expected: Kind,
    },
    #[error("object {id} cannot be read: {cause}")]
    Damaged { id: ObjectId, cause: String },
    #[error("object {id} has {size} bytes, more than the limit of {limit} (object_size_max)")]
    TooLarge { id: ObjectId, size: u64, limit: u64 },
}

/// What is needed of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitFacts {
    pub(crate) tree: ObjectId,
    /// The first line of the message.
    pub(crate) subject: String,
    /// Seconds since 1970.
    pub(crate) time: i64,
}

/// The tag that a commit was asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagFacts {
    /// `v1.0.0`.
    pub(crate) name: String,
    /// The tag itself, None where the name leads to the commit without one.
    pub(crate) id: Option<ObjectId>,
}

/// Objects in a directory. Removed from disk when it is obsolete and the last user lets go.
pub(crate) struct ObjectStore {
    directory: PathBuf,
    odb: Arc<gix::odb::Store>,
    object_size_max: u64,
    is_ours: bool,
    is_obsolete: AtomicBool,
}

impl ObjectStore {
    /// Opens or creates a store of our own. Only one may be writing to it: what is half written is a dead process's.
    pub(crate) fn open(directory: &Path, object_size_max: u64) -> io::Result<ObjectStore> {
        let packs = directory.join("objects/pack");
        fs::create_dir_all(&packs)?;
        remove_leftovers(&packs)?;
        ObjectStore::at(directory, &directory.join("objects"), object_size_max, true)
    }

    /// Opens the objects of somebody's repository, for reading only.
    pub(crate) fn foreign(objects: &Path, object_size_max: u64) -> io::Result<ObjectStore> {
        ObjectStore::at(objects, objects, object_size_max, false)
    }

    fn at(directory: &Path, objects: &Path, object_size_max: u64, is_ours: bool) -> io::Result<ObjectStore> {
        let options = gix::odb::store::init::Options::default();
        let store = gix::odb::Store::at_opts(
            objects.to_owned(),
            gix::hash::Kind::Sha1,
            &mut std::iter::empty(),
            options,
        )?;
        Ok(ObjectStore {
            directory: directory.to_owned(),
            odb: Arc::new(store),
            object_size_max,
            is_ours,
            is_obsolete: AtomicBool::new(false),
        })
    }

    pub(crate) fn handle(&self) -> gix::odb::Handle {
        gix::odb::Cache::from(self.odb.to_handle_arc())
    }

    pub(crate) fn pack_directory(&self) -> PathBuf {
        self.directory.join("objects/pack")
    }

    pub(crate) fn shallow_file(&self) -> PathBuf {
        self.directory.join("shallow")
    }

    /// Its directory goes when nobody uses it any more, and nobody begins to.
    pub(crate) fn retire(&self) {
        self.is_obsolete.store(true, Ordering::Relaxed);
        if self.is_ours {
            // Where the disk refuses even this, the next fetch finds the same damage and tries again.
            let _best_effort: io::Result<()> = fs::write(self.directory.join(RETIRED), b"");
        }
    }

    pub(crate) fn pack_count(&self) -> usize {
        let packs = fs::read_dir(self.pack_directory())
            .into_iter()
            .flatten()
            .flatten();
        packs
            .filter(|entry| {
                entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "pack")
            })
            .count()
    }

    /// Commits that were fetched with all their files, newest last.
    pub(crate) fn tips(&self) -> Vec<ObjectId> {
        let text = fs::read(self.directory.join("tips")).unwrap_or_default();
        text.lines()
            .filter_map(|line| ObjectId::from_hex(line).ok())
            .collect()
    }

    /// Remembers a commit whose files are all there; nothing is written into somebody else's repository.
    pub(crate) fn add_tip(&self, commit: ObjectId) -> io::Result<()> {
        let mut tips = self.tips();
        if !self.is_ours || tips.last() == Some(&commit) {
            return Ok(());
        }
        tips.retain(|tip| *tip != commit);
        tips.push(commit);
        let surplus = tips.len().saturating_sub(TIPS_MAX);
        let text: String = tips.iter().skip(surplus).map(|tip| format!("{tip}\n")).collect();
        let (temporary, file) = (self.directory.join("tips.new"), self.directory.join("tips"));
        fs::write(&temporary, text)?;
        fs::rename(temporary, file)
    }

    /// Reads one object of a known kind.
    pub(crate) fn read(&self, id: ObjectId, expected: Kind) -> Result<Vec<u8>, ReadError> {
        self.refuse_large(id)?;
        let damaged = |error: gix::Error| ReadError::Damaged {
            id,
            cause: error.to_string(),
        };
        let mut content = Vec::new();
        let found = self
            .handle()
            .try_find(&id, &mut content)
            .map_err(damaged)?
            .map(|object| object.kind);
        match found {
            None => Err(ReadError::Missing(id)),
            Some(found) if found != expected => Err(ReadError::WrongKind { id, found, expected }),
            Some(_) => Ok(content),
        }
    }

    /// What an object is; None where it is not here.
    pub(crate) fn kind(&self, id: ObjectId) -> Option<Kind> {
        let header = gix::odb::Header::try_header(&self.handle(), &id);
        header.ok().flatten().map(|header| header.kind())
    }

    /// The size of an object, which for most needs no reading of it.
    pub(crate) fn size(&self, id: ObjectId) -> Result<u64, ReadError> {
        let header = gix::odb::Header::try_header(&self.handle(), &id);
        match header.map_err(|error| ReadError::Damaged {
            id,
            cause: error.to_string(),
        })? {
            Some(header) => Ok(header.size()),
            None => Err(ReadError::Missing(id)),
        }
    }

    fn refuse_large(&self, id: ObjectId) -> Result<(), ReadError> {
        let (size, limit) = (self.size(id)?, self.object_size_max);
        if size > limit {
            Err(ReadError::TooLarge { id, size, limit })
        } else {
            Ok(())
        }
    }

    /// Reads a commit; an annotated tag stands for the commit it names.
    pub(crate) fn commit(&self, id: ObjectId) -> Result<(ObjectId, CommitFacts), ReadError> {
        let damaged = |cause: String| ReadError::Damaged { id, cause };
        let mut id = id;
        // Tags may name tags; nobody needs more than a few.
        for _ in 0..8 {
            match self.read(id, Kind::Commit) {
                Err(ReadError::WrongKind { found: Kind::Tag, .. }) => {
                    let content = self.read(id, Kind::Tag)?;
                    let tag = gix::objs::TagRef::from_bytes(&content, gix::hash::Kind::Sha1);
                    id = tag.map_err(|error| damaged(error.to_string()))?.target();
                }
                Err(error) => return Err(error),
                Ok(content) => {
                    let commit = gix::objs::CommitRef::from_bytes(&content, gix::hash::Kind::Sha1)
                        .map_err(|error| damaged(error.to_string()))?;
                    let time = commit
                        .committer()
                        .ok()
                        .and_then(|committer| committer.time().ok());
                    let facts = CommitFacts {
                        tree: commit.tree(),
                        subject: commit
                            .message
                            .lines()
                            .next()
                            .unwrap_or_default()
                            .to_str_lossy()
                            .into_owned(),
                        time: time.map_or(0, |time| time.seconds),
                    };
                    return Ok((id, facts));
                }
            }
        }
        Err(damaged("a tag of a tag of a tag …".to_owned()))
    }
}

/// Packs whose process died while they arrived.
fn remove_leftovers(packs: &Path) -> io::Result<()> {
    for entry in fs::read_dir(packs)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        if self.is_ours && self.is_obsolete.load(Ordering::Relaxed) {
            // What cannot be removed is removed when the fetcher is made next.
            let _left_behind: io::Result<()> = fs::remove_dir_all(&self.directory);
        }
    }
}

#[cfg(test)]
mod tests {
    /// N35: Leurent and Peyrin's two messages of one SHA-1. Who names objects by it notices, in packs too: whatever was made
    /// to collide is an error, not an object.
    #[test]
    fn contents_made_to_collide_are_refused() {
        let messages: [&[u8]; 2] = [
            include_bytes!("../../tests/collisions/sha-mbles-1.bin"),
            include_bytes!("../../tests/collisions/sha-mbles-2.bin"),
        ];
        assert_ne!(messages[0], messages[1]);
        for message in messages {
            let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
            hasher.update(message);
            let error = hasher.try_finalize().unwrap_err().to_string();
            assert!(error.contains("collision"), "{error}");
            // and what only looks like it is not
            let mut other = message.to_vec();
            if let Some(byte) = other.get_mut(300) {
                *byte ^= 1;
            }
            let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
            hasher.update(&other);
            assert!(hasher.try_finalize().is_ok());
        }
    }
}
