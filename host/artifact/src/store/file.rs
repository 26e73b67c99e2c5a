//! An artifact that is one file, read piece by piece.

use std::{
    io::{self, Read},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};

use super::{BlobId, Content, Error, Store, segment::Reader, state::Pin};
use crate::Digest;

/// A stored file that is being read. Its bytes are not collected meanwhile.
///
/// **Invariant:** whoever has read it to its end has read what was stored; damage is an error before that end.
pub struct StoredFile {
    store: Store,
    reader: Reader,
    blob: BlobId,
    hash: Sha256,
    _pin: Arc<Pin>,
}

impl StoredFile {
    pub(super) fn open(store: Store, blob: BlobId) -> Result<StoredFile, Error> {
        let pin = Arc::new(Pin(Content::File(blob)));
        let (file, location) = {
            let mut state = store.state();
            state.pins.push(Arc::downgrade(&pin));
            state.find(&blob.0)?
        };
        Ok(StoredFile {
            reader: Reader::new(file, location),
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
                self.store.state().lose(&self.blob.0);
                Err(Error::Damaged {
                    what: "a part of a file".to_owned(),
                    expected: *expected,
                    found,
                })
            }
            Err(source) => {
                self.store.state().lose(&self.blob.0);
                Err(Error::storage("read from the artifact store")(source))
            }
        }
    }
}

impl Read for StoredFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer);
        let lost = |error: io::Error| {
            self.store.state().lose(&self.blob.0);
            error
        };
        let read = read.map_err(lost)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        if read == 0 && !buffer.is_empty() {
            let found = Digest::from(<[u8; 32]>::from(self.hash.clone().finalize()));
            let expected = self.blob.0;
            if found != expected {
                self.store.state().lose(&expected);
                let text =
                    format!("content in the artifact store is damaged: expected {expected}, found {found}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
        Ok(read)
    }
}
