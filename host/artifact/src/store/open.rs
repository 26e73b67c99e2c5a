//! Reading contents: segments are opened when something of them is read, and few stay open.
//!
//! Nothing here holds the store's lock while it waits for the disk.

use std::{
    io,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cap_std::fs::{Dir, File};
use clru::CLruCache;

use super::{
    DirectoryEntry, DirectoryId, Error, Inner,
    directory::decode,
    segment::{self, Location},
    state::State,
};
use crate::Digest;

/// Most segments that are open at once, however many there are: a process may have 1024 files open, often.
const OPEN_MAX: NonZeroUsize = NonZeroUsize::new(64).expect("not zero");

/// Segments that are open, those that were used last.
pub(crate) struct OpenSegments(Mutex<CLruCache<u64, Arc<File>>>);

impl Default for OpenSegments {
    fn default() -> Self {
        Self(Mutex::new(CLruCache::new(OPEN_MAX)))
    }
}

impl OpenSegments {
    fn lock(&self) -> MutexGuard<'_, CLruCache<u64, Arc<File>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, root: &Dir, number: u64) -> io::Result<Arc<File>> {
        let known = self.lock().get(&number).cloned();
        if let Some(file) = known {
            return Ok(file);
        }
        let file = Arc::new(root.open(segment::path(number))?);
        self.lock().put(number, Arc::clone(&file));
        Ok(file)
    }

    /// The segment is gone: who reads it may do so to the end.
    pub(crate) fn close(&self, number: u64) {
        self.lock().pop(&number);
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }
}

impl Inner {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A content's file, and where in it the content lies.
    pub(crate) fn open(&self, digest: &Digest) -> Result<(Arc<File>, Location), Error> {
        let location = self.state().find(digest)?;
        self.open_at(digest, location)
    }

    /// The same for a content that was found there a moment ago.
    pub(crate) fn open_at(
        &self,
        digest: &Digest,
        mut location: Location,
    ) -> Result<(Arc<File>, Location), Error> {
        loop {
            let source = match self.segments.get(&self.root, location.segment) {
                Ok(file) => {
                    if !self.state().segments.contains_key(&location.segment) {
                        // a sweep removes it: kept open it would keep its room
                        self.segments.close(location.segment);
                    }
                    return Ok((file, location));
                }
                Err(source) => source,
            };
            let place = self.state().find(digest)?;
            if place == location {
                return Err(self.unreadable(digest, location, source));
            }
            // a sweep wrote it elsewhere
            location = place;
        }
    }

    /// Reads one content and verifies it.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let (file, location) = self.open(digest)?;
        match segment::read(&file, location, digest) {
            Ok(Ok(content)) => Ok(content),
            Ok(Err(found)) => {
                self.lose(digest, location);
                Err(Error::Damaged {
                    what: "content".to_owned(),
                    expected: *digest,
                    found,
                })
            }
            Err(source) => Err(self.unreadable(digest, location, source)),
        }
    }

    /// Reads one directory.
    pub(crate) fn directory(&self, id: DirectoryId) -> Result<Vec<DirectoryEntry>, Error> {
        decode(&self.read(&id.0)?).map_err(|_| Error::Missing {
            what: format!("directory {}", id.0),
        })
    }

    /// A content is not what it was: it is missing from now on, and those are told who asked to be.
    pub(crate) fn lose(&self, digest: &Digest, location: Location) {
        self.state().lose(digest, location);
        self.tell_of_loss();
    }

    pub(crate) fn tell_of_loss(&self) {
        self.lost.send_modify(|count| *count += 1);
    }

    /// A content that cannot be read: a segment that is gone or shorter than it was, a sector that cannot be read, and it is
    /// lost; anything else, and another attempt may have it.
    pub(crate) fn unreadable(&self, digest: &Digest, location: Location, source: io::Error) -> Error {
        let is_lost = matches!(
            source.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
        ) || source.raw_os_error() == Some(EIO);
        if !is_lost {
            return Error::storage("read from the artifact store")(source);
        }
        self.lose(digest, location);
        Error::Missing {
            what: format!("content {digest} ({source})"),
        }
    }
}

/// What the disk says of a sector that it cannot read.
const EIO: i32 = 5;
