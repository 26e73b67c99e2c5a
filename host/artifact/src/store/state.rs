//! What an open store knows: every content's place, every record.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    sync::{Arc, Weak},
};

use cap_std::fs::{Dir, File};

use super::{
    DirectoryEntry, DirectoryId, EntryContent, Error, Inner,
    directory::decode,
    record::{ArtifactPath, Content, Record},
    segment::{self, Location},
};
use crate::{Digest, archive};

pub(crate) struct Segment {
    pub(crate) file: Arc<File>,
    /// Bytes of contents in it.
    pub(crate) size: u64,
}

/// Keeps a tree's contents from being collected.
pub(crate) struct Pin(pub(crate) Content);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) contents: HashMap<Digest, Location>,
    pub(crate) segments: BTreeMap<u64, Segment>,
    pub(crate) records: BTreeMap<ArtifactPath, Record>,
    /// The artifact of each object that was stored last.
    pub(crate) newest: HashMap<String, ArtifactPath>,
    pub(crate) pins: Vec<Weak<Pin>>,
    pub(crate) next_segment: u64,
    pub(crate) next_temporary: u64,
    /// Drafts being written: contents they count on must not be collected.
    pub(crate) open_drafts: usize,
    /// How many contents were found damaged or missing; what was complete before may not be now.
    losses: u64,
    complete_at: HashMap<ArtifactPath, u64>,
}

impl State {
    /// Reads the index; what cannot be understood is treated as absent and made again by the next fetch.
    pub(crate) fn load(root: &Dir) -> io::Result<State> {
        for directory in ["segments", "artifacts"] {
            root.create_dir_all(directory)?;
        }
        if root.try_exists("tmp")? {
            root.remove_dir_all("tmp")?;
        }
        root.create_dir("tmp")?;
        let mut state = State::default();
        for entry in root.read_dir("segments")? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_suffix(".seg"))
                .and_then(|n| n.parse().ok());
            let Some(number) = number else { continue };
            state.add_segment(number, entry.open()?)?;
        }
        let records = root.open_dir("artifacts")?;
        for_each_file(&records, &mut Vec::new(), &mut |names, directory, name| {
            let path = names.join("/") + "/" + name.strip_suffix(".json").unwrap_or(name);
            let Ok(path) = path.parse::<ArtifactPath>() else {
                return Ok(());
            };
            let record: Option<Record> = serde_json::from_slice(&directory.read(name)?).ok();
            match record.filter(|record| record.format == archive::FORMAT) {
                Some(record) => state.insert(path, record),
                None => directory.remove_file(name)?,
            }
            Ok(())
        })?;
        Ok(state)
    }

    /// Adds a record; of one object's, the one with the latest time is the newest.
    pub(crate) fn insert(&mut self, path: ArtifactPath, record: Record) {
        let newest = self.newest.get(&path.object());
        let known = newest.and_then(|newest| self.records.get(newest));
        if known.is_none_or(|known| known.last_update_time <= record.last_update_time) {
            self.newest.insert(path.object(), path.clone());
        }
        self.records.insert(path, record);
    }

    pub(crate) fn add_segment(&mut self, number: u64, file: File) -> io::Result<()> {
        let mut size = 0;
        for (digest, location) in segment::scan(number, &file)? {
            size += location.length;
            self.contents.insert(digest, location);
        }
        self.segments.insert(
            number,
            Segment {
                file: Arc::new(file),
                size,
            },
        );
        self.next_segment = self.next_segment.max(number + 1);
        Ok(())
    }

    /// Forgets a content that turned out damaged, so that the next fetch writes it again.
    pub(super) fn lose(&mut self, digest: &Digest) {
        self.losses += 1;
        self.contents.remove(digest);
    }

    /// Whether all contents of a record are there; walked again only after a loss.
    pub(crate) fn is_complete(&mut self, path: &ArtifactPath, record: &Record) -> bool {
        if self.complete_at.get(path) == Some(&self.losses) {
            return true;
        }
        let mut live = HashSet::new();
        let is_complete = self.mark_content(record.content, &mut live).is_ok()
            && live.iter().all(|digest| self.contents.contains_key(digest));
        if is_complete {
            self.complete_at.insert(path.clone(), self.losses);
        }
        is_complete
    }

    /// Adds to `live` the digests of all that an artifact is made of.
    pub(crate) fn mark_content(&mut self, content: Content, live: &mut HashSet<Digest>) -> Result<(), Error> {
        match content {
            Content::Tree(directory) => self.mark(directory, live),
            Content::File(blob) => {
                live.insert(blob.0);
                Ok(())
            }
        }
    }

    /// Adds to `live` the digests of a directory and everything below it.
    pub(crate) fn mark(&mut self, directory: DirectoryId, live: &mut HashSet<Digest>) -> Result<(), Error> {
        if !live.insert(directory.0) {
            return Ok(());
        }
        for entry in self.directory(directory)? {
            match entry.content {
                EntryContent::File { blob, .. } => drop(live.insert(blob.0)),
                EntryContent::Directory { directory, .. } => self.mark(directory, live)?,
            }
        }
        Ok(())
    }

    pub(crate) fn directory(&mut self, id: DirectoryId) -> Result<Vec<DirectoryEntry>, Error> {
        let (file, location) = self.find(&id.0)?;
        let content = self.verified(&id.0, segment::read(&file, location, &id.0))?;
        decode(&content).map_err(|_| Error::Missing {
            what: format!("directory {}", id.0),
        })
    }

    pub(crate) fn find(&self, digest: &Digest) -> Result<(Arc<File>, Location), Error> {
        let missing = || Error::Missing {
            what: format!("content {digest}"),
        };
        let location = *self.contents.get(digest).ok_or_else(missing)?;
        let segment = self.segments.get(&location.segment).ok_or_else(missing)?;
        Ok((Arc::clone(&segment.file), location))
    }

    pub(crate) fn verified(
        &mut self,
        digest: &Digest,
        read: io::Result<Result<Vec<u8>, Digest>>,
    ) -> Result<Vec<u8>, Error> {
        match read {
            Ok(Ok(content)) => Ok(content),
            Ok(Err(found)) => {
                self.lose(digest);
                Err(Error::Damaged {
                    what: "content".to_owned(),
                    expected: *digest,
                    found,
                })
            }
            // A segment shorter than it was, a sector that cannot be read: gone as well.
            Err(source) => {
                self.lose(digest);
                Err(Error::Storage {
                    action: "read from the artifact store",
                    source,
                })
            }
        }
    }
}

impl Inner {
    /// Reads one content and verifies it; the file is read without the lock.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let lock = || {
            self.state
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        };
        let (file, location) = lock().find(digest)?;
        match segment::read(&file, location, digest) {
            Ok(Ok(content)) => Ok(content),
            bad => lock().verified(digest, bad),
        }
    }
}

/// What is done with a file: names of the directories above it, its directory, its name.
type Visit<'v> = dyn FnMut(&[String], &Dir, &str) -> io::Result<()> + 'v;

/// Calls `visit(directory names, directory, file name)` for every file below `directory`.
fn for_each_file(directory: &Dir, names: &mut Vec<String>, visit: &mut Visit<'_>) -> io::Result<()> {
    for entry in directory.entries()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let file_type = entry.file_type()?;
        if file_type.is_dir() {
            names.push(name);
            for_each_file(&entry.open_dir()?, names, visit)?;
            names.pop();
        } else if file_type.is_file() {
            visit(names, directory, &name)?;
        }
    }
    Ok(())
}
