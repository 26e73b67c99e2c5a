//! Segment files: a magic line, then for each content its sha256, its length and its bytes.
//!
//! Segments are renamed into place only when complete and synced, so reading one trusts lengths only
//! as far as the file is long, and contents only as far as their digest says.

use std::io::{self, Read, Write};
use std::sync::Arc;

use cap_std::fs::{File, FileExt};

use crate::{Digest, digest::Measure};

pub(crate) const MAGIC: &[u8] = b"sluice-segment-1\n";
const HEADER_LENGTH: u64 = 32 + 8;

/// Where the segment `number` lies.
pub(crate) fn path(number: u64) -> String {
    format!("segments/{number}.seg")
}

/// Where a content lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// Appends one content and returns the offset of its bytes in the file of which `end` bytes are written.
pub(crate) fn append(
    file: &mut impl Write,
    end: &mut u64,
    digest: &Digest,
    content: &[u8],
) -> io::Result<u64> {
    file.write_all(digest.as_bytes())?;
    file.write_all(&(content.len() as u64).to_le_bytes())?;
    file.write_all(content)?;
    let offset = *end + HEADER_LENGTH;
    *end = offset + content.len() as u64;
    Ok(offset)
}

/// The same for a content that is too large to be held: `size` bytes of it. The inner error is the digest of what was read,
/// where that is another one; the file is of no use then.
pub(crate) fn append_from(
    file: &mut impl Write,
    end: &mut u64,
    (digest, size): (&Digest, u64),
    content: &mut impl Read,
) -> io::Result<Result<u64, Digest>> {
    file.write_all(digest.as_bytes())?;
    file.write_all(&size.to_le_bytes())?;
    let mut measure = Measure::new(file);
    io::copy(&mut content.take(size), &mut measure)?;
    let (found, written) = measure.finish();
    if found != *digest || written != size {
        return Ok(Err(found));
    }
    let offset = *end + HEADER_LENGTH;
    *end = offset + size;
    Ok(Ok(offset))
}

/// The contents of the segment `number`, in file order; what is cut short at the end is left out.
pub(crate) fn scan(number: u64, file: &File) -> io::Result<Vec<(Digest, Location)>> {
    let size = file.metadata()?.len();
    let mut magic = [0; MAGIC.len()];
    if size < MAGIC.len() as u64 {
        return Ok(Vec::new());
    }
    file.read_exact_at(&mut magic, 0)?;
    if magic != MAGIC {
        return Ok(Vec::new());
    }
    let mut contents = Vec::new();
    let mut position = MAGIC.len() as u64;
    let mut digest = [0; 32];
    let mut length = [0; 8];
    while position + HEADER_LENGTH <= size {
        file.read_exact_at(&mut digest, position)?;
        file.read_exact_at(&mut length, position + 32)?;
        let (offset, length) = (position + HEADER_LENGTH, u64::from_le_bytes(length));
        match offset.checked_add(length) {
            Some(end) if end <= size => position = end,
            _ => break,
        }
        contents.push((
            Digest::from(digest),
            Location {
                segment: number,
                offset,
                length,
            },
        ));
    }
    Ok(contents)
}

/// Reads one content and verifies it; the inner error is the digest that was found instead.
pub(crate) fn read(
    file: &File,
    location: Location,
    expected: &Digest,
) -> io::Result<Result<Vec<u8>, Digest>> {
    let length = usize::try_from(location.length).map_err(io::Error::other)?;
    let mut content = vec![0; length];
    file.read_exact_at(&mut content, location.offset)?;
    let found = Digest::of(&content);
    Ok(if found == *expected {
        Ok(content)
    } else {
        Err(found)
    })
}

/// Reads one content piece by piece; it is verified when its end is reached, and only what was read to its end may be used.
pub(crate) struct Reader {
    file: Arc<File>,
    location: Location,
    position: u64,
}

impl Reader {
    pub(crate) fn new(file: Arc<File>, location: Location) -> Reader {
        Reader {
            file,
            location,
            position: 0,
        }
    }

    /// Some bytes of it, which nobody has verified.
    pub(crate) fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = offset.checked_add(length as u64);
        if end.is_none_or(|end| end > self.location.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, self.location.offset + offset)?;
        Ok(bytes)
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.location.length - self.position;
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..room).unwrap_or_default();
        let read = self.file.read_at(buffer, self.location.offset + self.position)?;
        if read == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position += read as u64;
        Ok(read)
    }
}
