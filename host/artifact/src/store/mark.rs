//! What roots need, by walking from them. The store's lock is taken for moments only: directories are read from disk.

use std::collections::{HashMap, hash_map};

use super::{BlobId, Content, DirectoryId, EntryContent, Error, Inner};
use crate::Digest;

/// A walk over contents.
pub(crate) struct Mark<'s> {
    inner: &'s Inner,
    /// What was met, and whether it and all below it is there.
    met: HashMap<Digest, bool>,
    /// How many bytes of each segment are needed.
    needed: HashMap<u64, u64>,
}

impl<'s> Mark<'s> {
    pub(crate) fn new(inner: &'s Inner) -> Mark<'s> {
        Mark {
            inner,
            met: HashMap::new(),
            needed: HashMap::new(),
        }
    }

    /// Marks all that `content` is made of. Whether it is all there.
    ///
    /// # Errors
    /// [`Error::Storage`]: the disk does not answer, so nobody knows.
    pub(crate) fn content(&mut self, content: Content) -> Result<bool, Error> {
        match content {
            Content::Tree(directory) => self.directory(directory),
            Content::File(blob) => Ok(self.blobs(&[blob])),
        }
    }

    pub(crate) fn directory(&mut self, id: DirectoryId) -> Result<bool, Error> {
        if let Some(is_whole) = self.met.get(&id.0) {
            return Ok(*is_whole);
        }
        let mut is_whole = self.blobs(&[BlobId(id.0)]);
        let entries = match self.inner.directory(id) {
            Ok(entries) => entries,
            Err(error @ Error::Storage { .. }) => return Err(error),
            Err(_) => {
                self.met.insert(id.0, false);
                return Ok(false);
            }
        };
        let mut blobs = Vec::new();
        for entry in entries {
            match entry.content {
                EntryContent::File { blob, .. } => blobs.push(blob),
                EntryContent::Directory { directory, .. } => is_whole &= self.directory(directory)?,
            }
        }
        is_whole &= self.blobs(&blobs);
        self.met.insert(id.0, is_whole);
        Ok(is_whole)
    }

    /// Whether all of these are there.
    fn blobs(&mut self, blobs: &[BlobId]) -> bool {
        let state = self.inner.state();
        let mut are_there = true;
        for blob in blobs {
            are_there &= match self.met.entry(blob.0) {
                hash_map::Entry::Occupied(met) => *met.get(),
                hash_map::Entry::Vacant(new) => {
                    let place = state.place(&blob.0);
                    if let Some(location) = place {
                        *self.needed.entry(location.segment).or_default() += location.length.max(1);
                    }
                    *new.insert(place.is_some())
                }
            };
        }
        are_there
    }

    /// Whether anything needs this content.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.met.contains_key(digest)
    }

    /// The segments of what was met, and how many bytes of each are needed.
    pub(crate) fn needed(&self) -> &HashMap<u64, u64> {
        &self.needed
    }
}
