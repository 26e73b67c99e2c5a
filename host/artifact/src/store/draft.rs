//! Writing an artifact: contents first, then its record.

use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use cap_std::fs::{File, OpenOptions};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::{
    Artifact, ArtifactPath, Content, DirectoryEntry, DirectoryId, Error, Store, StoreTree,
    directory::encode,
    mark::Mark,
    record::Record,
    segment::{self, Location, MAGIC},
};
use crate::{Digest, archive, digest::Measure};

/// The digest of a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlobId(pub(crate) Digest);

/// An artifact being written, bottom up: blobs, then the directories that hold them, then [`Draft::commit`].
///
/// Contents the store has already cost a look-up. Dropped without a commit, it leaves nothing behind.
pub struct Draft {
    store: Store,
    /// Under which the store holds what this draft counts on.
    number: u64,
    writing: Option<Writing>,
    /// Offsets in the file being written.
    added: HashMap<Digest, (u64, u64)>,
    size: u64,
}

/// Contents that enter the index before others have their turn with it: a millisecond.
const PUBLISHED_AT_ONCE: usize = 10_000;

struct Writing {
    name: String,
    file: BufWriter<File>,
    end: u64,
}

impl Draft {
    pub(crate) fn new(store: Store) -> Draft {
        let number = store.state().begin_draft();
        Draft {
            store,
            number,
            writing: None,
            added: HashMap::new(),
            size: 0,
        }
    }

    /// Adds the bytes of a file.
    pub fn blob(&mut self, content: &[u8]) -> Result<BlobId, Error> {
        let limit = self.store.inner.limits.file_size_max;
        if content.len() as u64 > limit {
            let what = format!("a file of {} bytes", content.len());
            return Err(Error::TooLarge {
                what,
                limit,
                knob: "file_size_max",
            });
        }
        self.add(content).map(BlobId)
    }

    /// Adds the bytes of a file that is too large to be held; it is read twice, and must be the same both times.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above `artifact_size_max`, [`Error::Storage`].
    pub fn blob_from(&mut self, content: &mut (impl Read + Seek)) -> Result<BlobId, Error> {
        let failed = Error::storage("write to the artifact store");
        let mut measure = Measure::new(io::sink());
        content.seek(SeekFrom::Start(0)).map_err(&failed)?;
        io::copy(content, &mut measure).map_err(&failed)?;
        let (digest, size) = measure.finish();
        if self.has(&digest) {
            return Ok(BlobId(digest));
        }
        self.grow(size)?;
        content.seek(SeekFrom::Start(0)).map_err(&failed)?;
        let writing = match &mut self.writing {
            Some(writing) => writing,
            none => none.insert(start(&self.store).map_err(&failed)?),
        };
        let Writing { file, end, .. } = writing;
        match segment::append_from(file, end, (&digest, size), content).map_err(failed)? {
            Ok(offset) => {
                self.added.insert(digest, (offset, size));
                Ok(BlobId(digest))
            }
            Err(found) => {
                // what was written of it stands in the way of all that follows
                self.discard();
                Err(Error::Damaged {
                    what: "a file that is added".to_owned(),
                    expected: digest,
                    found,
                })
            }
        }
    }

    /// Adds a directory; its entries must have been added before, here or to the store.
    pub fn directory(&mut self, mut entries: Vec<DirectoryEntry>) -> Result<DirectoryId, Error> {
        let content = encode(&mut entries);
        self.add(&content).map(DirectoryId)
    }

    /// Whether a blob that was stored earlier is still there and need not be added.
    pub fn has_blob(&self, blob: BlobId) -> bool {
        self.has(&blob.0)
    }

    /// Whether a directory that was stored earlier, and all below it, is still there.
    pub fn has_directory(&self, directory: DirectoryId) -> bool {
        // Contents are collected by marking from the roots, so a directory's own presence does not prove
        // that of what it holds; walk it.
        if !self.has(&directory.0) || self.added.contains_key(&directory.0) {
            return false;
        }
        let mut mark = Mark::new(&self.store.inner);
        if !matches!(mark.directory(directory), Ok(true)) {
            return false;
        }
        let mut state = self.store.state();
        let mut segments = mark.needed().keys();
        segments.all(|number| {
            state.hold_segment(self.number, *number);
            // a sweep may have moved what was there
            state.segments.contains_key(number)
        })
    }

    /// Whether a content is here, or in the store and stays there.
    fn has(&self, digest: &Digest) -> bool {
        self.added.contains_key(digest) || self.store.state().hold(self.number, digest)
    }

    fn add(&mut self, content: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(content);
        if self.has(&digest) {
            return Ok(digest);
        }
        self.grow(content.len() as u64)?;
        let failed = Error::storage("write to the artifact store");
        let writing = match &mut self.writing {
            Some(writing) => writing,
            none => none.insert(start(&self.store).map_err(&failed)?),
        };
        let offset =
            segment::append(&mut writing.file, &mut writing.end, &digest, content).map_err(failed)?;
        self.added.insert(digest, (offset, content.len() as u64));
        Ok(digest)
    }

    /// Counts what is added. What nobody wants any more need not be written to its end.
    fn grow(&mut self, size: u64) -> Result<(), Error> {
        self.store.check_turn()?;
        self.size += size;
        let limit = self.store.inner.limits.artifact_size_max;
        if self.size <= limit {
            return Ok(());
        }
        Err(Error::TooLarge {
            what: "the artifact".to_owned(),
            limit,
            knob: "artifact_size_max",
        })
    }

    /// Drops all that was written.
    fn discard(&mut self) {
        self.added.clear();
        if let Some(writing) = self.writing.take() {
            drop(writing.file);
            // What cannot be removed now goes when the store is opened next.
            let _left_behind: io::Result<()> = self.store.inner.root.remove_file(&writing.name);
        }
    }

    /// Makes the artifact visible at `path`: syncs the contents, measures the archive, writes the record.
    pub fn commit(
        mut self,
        path: &ArtifactPath,
        revision: &str,
        root: DirectoryId,
    ) -> Result<Artifact, Error> {
        self.store.check_turn()?;
        let losses = self.store.state().losses;
        self.publish()
            .map_err(Error::storage("write to the artifact store"))?;
        let mut measure = Measure::new(io::sink());
        archive::write(&StoreTree::new(self.store.clone(), root), &mut measure)?;
        let artifact = self.record(path, revision, Content::Tree(root), measure.finish())?;
        // all of it was read just now
        self.store.state().was_whole(path, losses);
        Ok(artifact)
    }

    /// The same for an artifact that is one file, served byte for byte.
    pub fn commit_file(
        mut self,
        path: &ArtifactPath,
        revision: &str,
        file: BlobId,
    ) -> Result<Artifact, Error> {
        self.store.check_turn()?;
        self.publish()
            .map_err(Error::storage("write to the artifact store"))?;
        let size = self.store.state().find(&file.0)?.length;
        self.record(path, revision, Content::File(file), (file.0, size))
    }

    fn record(
        &self,
        path: &ArtifactPath,
        revision: &str,
        content: Content,
        (digest, size): (Digest, u64),
    ) -> Result<Artifact, Error> {
        let record = Record {
            format: archive::FORMAT,
            revision: revision.to_owned(),
            digest,
            size,
            last_update_time: now_in_seconds(),
            content,
        };
        let failed = Error::storage("write to the artifact store");
        let root = &self.store.inner.root;
        let name = self.save(path, &record).map_err(&failed)?;
        let artifact = record.artifact(path);
        let placed = {
            let mut state = self.store.state();
            let placed = self.store.check_turn().and_then(|()| {
                let placed = root.rename(&name, root, path.record_path());
                placed.map_err(&failed)
            });
            if placed.is_ok() {
                state.insert(path.clone(), record);
            }
            placed
        };
        if let Err(error) = placed {
            // What cannot be removed now goes when the store is opened next.
            let _left_behind: io::Result<()> = root.remove_file(&name);
            return Err(error);
        }
        sync_directory(root, &path.record_directory()).map_err(failed)?;
        Ok(artifact)
    }

    /// Renames the finished segment into place and adds its contents to the index.
    fn publish(&mut self) -> io::Result<()> {
        let Some(writing) = self.writing.take() else {
            return Ok(());
        };
        let root = &self.store.inner.root;
        let file = writing
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        drop(file);
        let segment = self.store.state().number_segment();
        root.rename(&writing.name, root, segment::path(segment))?;
        sync_directory(root, "segments")?;
        let contents = std::mem::take(&mut self.added).into_iter();
        let contents = contents.map(|(digest, (offset, length))| {
            let location = Location {
                segment,
                offset,
                length,
            };
            (digest, location)
        });
        let contents: Vec<(Digest, Location)> = contents.collect();
        for part in contents.chunks(PUBLISHED_AT_ONCE) {
            let mut state = self.store.state();
            // nothing else needs it before there is a record
            state.hold_segment(self.number, segment);
            state.add_segment(segment, part);
        }
        Ok(())
    }

    /// Writes a record beside its place. Answers with its name there.
    fn save(&self, path: &ArtifactPath, record: &Record) -> io::Result<String> {
        let (name, file) = temporary(&self.store)?;
        let mut file = BufWriter::new(file);
        serde_json::to_writer(&mut file, record)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        self.store.inner.root.create_dir_all(path.record_directory())?;
        Ok(name)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        self.store.state().end_draft(self.number);
        self.discard();
    }
}

fn start(store: &Store) -> io::Result<Writing> {
    let (name, file) = temporary(store)?;
    let mut file = BufWriter::with_capacity(1 << 16, file);
    file.write_all(MAGIC)?;
    Ok(Writing {
        name,
        file,
        end: MAGIC.len() as u64,
    })
}

pub(crate) fn temporary(store: &Store) -> io::Result<(String, File)> {
    let number = {
        let mut state = store.state();
        state.next_temporary += 1;
        state.next_temporary
    };
    let name = format!("tmp/{number}");
    let file = store
        .inner
        .root
        .open_with(&name, OpenOptions::new().write(true).create_new(true))?;
    Ok((name, file))
}

/// A rename is durable once its directory is.
pub(crate) fn sync_directory(root: &cap_std::fs::Dir, name: &str) -> io::Result<()> {
    // not `open_dir`: the handle it gives can be walked from but not synced
    root.open(name)?.sync_all()
}

/// Kubernetes times have whole seconds.
fn now_in_seconds() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
}
