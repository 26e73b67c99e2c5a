//! What an open store knows: every content's place, every record.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    io,
    sync::{Arc, Weak},
};

use cap_std::fs::Dir;

use super::{
    Error,
    record::{ArtifactPath, Content, Record},
    segment::{self, Location},
};
use crate::{Digest, archive};

/// Keeps a tree's contents from being collected.
pub(crate) struct Pin(pub(crate) Content);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) contents: HashMap<Digest, Location>,
    /// The segments, and how many bytes of contents each has. What a segment that is not here held is not there.
    pub(crate) segments: BTreeMap<u64, u64>,
    pub(crate) records: BTreeMap<ArtifactPath, Record>,
    /// The artifact of each object that was stored last.
    pub(crate) newest: HashMap<String, ArtifactPath>,
    /// Artifacts whose contents are all there and no longer make what was promised.
    spoiled: HashSet<ArtifactPath>,
    pins: Vec<Weak<Pin>>,
    pub(crate) next_segment: u64,
    pub(crate) next_temporary: u64,
    next_draft: u64,
    /// The segments that drafts being written count on: these must not be collected.
    holds: HashMap<u64, BTreeSet<u64>>,
    /// Those of drafts that ended while a sweep goes on, which did not see what they made; none while there is no sweep.
    late: Option<BTreeSet<u64>>,
    /// How many contents were found damaged or missing; what was whole before may not be now.
    pub(crate) losses: u64,
    whole_at: HashMap<ArtifactPath, u64>,
}

impl State {
    /// Reads the index; what cannot be read or understood is treated as absent and made again by the next fetch. One bad sector
    /// must not keep the rest from being served.
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
            state.next_segment = state.next_segment.max(number + 1);
            match entry.open().and_then(|file| segment::scan(number, &file)) {
                Ok(contents) => state.add_segment(number, &contents),
                // it stays where it is: the next start may read it
                Err(error) => {
                    tracing::warn!(%error, number, "a segment of the artifact store cannot be read")
                }
            }
        }
        let records = root.open_dir("artifacts")?;
        for_each_file(&records, &mut Vec::new(), &mut |names, directory, name| {
            let path = names.join("/") + "/" + name.strip_suffix(".json").unwrap_or(name);
            let Ok(path) = path.parse::<ArtifactPath>() else {
                return Ok(());
            };
            let record = directory.read(name).and_then(|bytes| {
                let record: Option<Record> = serde_json::from_slice(&bytes).ok();
                let record = record.filter(|record| record.format == archive::FORMAT);
                if record.is_none() {
                    directory.remove_file(name)?;
                }
                Ok(record)
            });
            match record {
                Ok(Some(record)) => state.insert(path, record),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, %path, "a record of the artifact store cannot be read"),
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
        self.spoiled.remove(&path);
        self.records.insert(path, record);
    }

    /// Drops a record.
    pub(crate) fn remove(&mut self, path: &ArtifactPath) {
        self.records.remove(path);
        self.spoiled.remove(path);
        self.whole_at.remove(path);
        if self.newest.get(&path.object()) == Some(path) {
            self.newest.remove(&path.object());
        }
    }

    /// The number of the next segment.
    pub(crate) fn number_segment(&mut self) -> u64 {
        self.next_segment += 1;
        self.next_segment - 1
    }

    /// Adds contents of a segment that lies in its place.
    pub(crate) fn add_segment(&mut self, number: u64, contents: &[(Digest, Location)]) {
        let size: u64 = contents.iter().map(|(_, location)| location.length).sum();
        self.contents.extend(contents.iter().copied());
        *self.segments.entry(number).or_default() += size;
    }

    /// Forgets what lay in segments that are gone.
    pub(crate) fn drop_unplaced(&mut self) {
        let segments = &self.segments;
        self.contents
            .retain(|_, location| segments.contains_key(&location.segment));
    }

    /// Where a content lies.
    pub(crate) fn place(&self, digest: &Digest) -> Option<Location> {
        let location = *self.contents.get(digest)?;
        self.segments.contains_key(&location.segment).then_some(location)
    }

    pub(crate) fn find(&self, digest: &Digest) -> Result<Location, Error> {
        self.place(digest).ok_or_else(|| Error::Missing {
            what: format!("content {digest}"),
        })
    }

    /// Forgets a content that turned out damaged where it lies, so that the next fetch writes it again.
    pub(crate) fn lose(&mut self, digest: &Digest, location: Location) {
        self.losses += 1;
        // it may have been stored again meanwhile
        if self.contents.get(digest) == Some(&location) {
            self.contents.remove(digest);
        }
    }

    /// Remembers that an artifact is not what was promised, although all its contents are there.
    pub(crate) fn spoil(&mut self, path: &ArtifactPath) {
        self.losses += 1;
        self.spoiled.insert(path.clone());
    }

    /// Whether an artifact is known to be whole, or known not to be; none where it must be looked at.
    pub(crate) fn is_whole(&self, path: &ArtifactPath) -> Option<bool> {
        if self.spoiled.contains(path) {
            return Some(false);
        }
        (self.whole_at.get(path) == Some(&self.losses)).then_some(true)
    }

    /// An artifact was whole when so many losses had been counted.
    pub(crate) fn was_whole(&mut self, path: &ArtifactPath, losses: u64) {
        if self.records.contains_key(path) {
            self.whole_at.insert(path.clone(), losses);
        }
    }

    /// What is made of `content` stays readable while the pin lives.
    pub(crate) fn pin(&mut self, content: Content) -> Arc<Pin> {
        let pin = Arc::new(Pin(content));
        if self.pins.len() == self.pins.capacity() {
            self.pins.retain(|pin| pin.strong_count() > 0);
        }
        self.pins.push(Arc::downgrade(&pin));
        pin
    }

    /// Begins to hold for a draft, and names it.
    pub(crate) fn begin_draft(&mut self) -> u64 {
        self.next_draft += 1;
        self.holds.insert(self.next_draft, BTreeSet::new());
        self.next_draft
    }

    /// Whether a content is there; if so, it stays as long as the draft is written.
    pub(crate) fn hold(&mut self, draft: u64, digest: &Digest) -> bool {
        let place = self.place(digest);
        if let Some(location) = place {
            self.hold_segment(draft, location.segment);
        }
        place.is_some()
    }

    pub(crate) fn hold_segment(&mut self, draft: u64, number: u64) {
        self.holds.entry(draft).or_default().insert(number);
    }

    /// The draft is written, or given up.
    pub(crate) fn end_draft(&mut self, draft: u64) {
        let held = self.holds.remove(&draft).unwrap_or_default();
        if let Some(late) = &mut self.late {
            late.extend(held);
        }
    }

    /// Whether a draft counts on a segment, or did when this sweep had begun.
    pub(crate) fn is_held(&self, number: u64) -> bool {
        let mut holds = self.holds.values().chain(&self.late);
        holds.any(|held| held.contains(&number))
    }

    /// What a sweep must keep: the contents of records and of trees that are read. Drafts that end from now on hold until
    /// [`State::end_sweep`].
    pub(crate) fn begin_sweep(&mut self) -> Vec<(Option<ArtifactPath>, Content)> {
        self.late = Some(BTreeSet::new());
        self.pins.retain(|pin| pin.strong_count() > 0);
        let records = self.records.iter();
        let mut roots: Vec<_> = records
            .map(|(path, record)| (Some(path.clone()), record.content))
            .collect();
        let pinned = self.pins.iter().filter_map(Weak::upgrade);
        roots.extend(pinned.map(|pin| (None, pin.0)));
        roots
    }

    pub(crate) fn end_sweep(&mut self) {
        self.late = None;
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
