//! An artifact that is one file, read piece by piece.

use std::{
    io::{self, Read},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::{BlobId, Error, Store, segment::Location, segment::Reader, state::Pin};
use crate::Digest;

/// A stored file that is being read. Its bytes are not collected meanwhile.
///
/// **Invariant:** whoever has read it to its end has read what was stored; damage is an error before that end.
pub struct StoredFile {
    store: Store,
    reader: Reader,
    location: Location,
    blob: BlobId,
    hash: Sha256,
    _pin: Arc<Pin>,
}

impl StoredFile {
    pub(super) fn open(store: Store, blob: BlobId, pin: Arc<Pin>) -> Result<StoredFile, Error> {
        let (file, location) = store.inner.open(&blob.0)?;
        Ok(StoredFile {
            reader: Reader::new(file, location),
            location,
            store,
            blob,
            hash: Sha256::new(),
            _pin: pin,
        })
    }

    /// Some of its bytes, if they have this digest: which the caller knows from reading the file to its end.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Damaged`]: the file is missing from then on.
    pub fn part(&self, offset: u64, length: usize, expected: &Digest) -> Result<Vec<u8>, Error> {
        let read = self.reader.read_at(offset, length).map(|bytes| {
            let found = Digest::of(&bytes);
            if found == *expected { Ok(bytes) } else { Err(found) }
        });
        match read {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(found)) => {
                self.lose();
                Err(Error::Damaged {
                    what: "a part of a file".to_owned(),
                    expected: *expected,
                    found,
                })
            }
            Err(source) => Err(self.store.inner.unreadable(&self.blob.0, self.location, source)),
        }
    }

    /// The file is missing from now on.
    pub(super) fn lose(&self) {
        self.store.inner.lose(&self.blob.0, self.location);
    }
}

impl Read for StoredFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        let failed = |source: io::Error| {
            let kind = source.kind();
            let error = self.store.inner.unreadable(&self.blob.0, self.location, source);
            io::Error::new(kind, error)
        };
        let read = read.map_err(failed)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        if read == 0 && !buffer.is_empty() {
            let found = Digest::from(<[u8; 32]>::from(self.hash.clone().finalize()));
            let expected = self.blob.0;
            if found != expected {
                self.lose();
                let text =
                    format!("content in the artifact store is damaged: expected {expected}, found {found}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
        Ok(read)
    }
}
