//! Receiving a pack. gix reads and indexes it; what it may cost while that goes on is bounded here, object by object.
//!
//! gix holds an object's bytes while they arrive, and, of objects that stand on each other, those on which others still wait.
//! Both are the server's to choose: a pack of a few kilobytes can unpack to any size (field/security.md N32).

use std::{
    cell::Cell,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Cursor, Read, Seek, SeekFrom, Write},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use flate2::{Decompress, FlushDecompress};
use gix::{
    odb::pack::{
        self,
        data::{
            EntryRange,
            entry::Header,
            input::{
                BytesToEntriesIter, EntriesToBytesIter, Entry, EntryDataMode, LookupRefDeltaObjectsIter, Mode,
            },
        },
        index,
    },
    progress::Discard,
};
use tempfile::NamedTempFile;

use super::objects::{ObjectStore, TEMPORARY};
use crate::fetch::Limits;

/// Deltas that stand on each other: Git itself makes and reads no longer chains.
const DELTA_DEPTH_MAX: u32 = 4095;
/// What a delta counts besides its bytes, so that endless empty ones end too.
const DELTA_COST: u64 = 4 << 10;
/// Bytes that a compressed object may have more than its content: zlib's own, and what is read ahead of it.
const COMPRESSED_SLACK: u64 = 256 << 10;

const SHA1: gix::hash::Kind = gix::hash::Kind::Sha1;

/// Reads the pack into the store. It becomes visible only when it is complete, its checksum is right and
/// every object of it was resolved and hashed.
pub(crate) fn receive(
    pack: &mut dyn BufRead,
    store: &ObjectStore,
    limits: Limits,
    interrupt: &AtomicBool,
) -> gix::Result<()> {
    let mut header = [0; 12];
    pack.read_exact(&mut header)
        .map_err(|error| corrupt(format!("the pack was cut short: {error}")))?;
    let (version, objects) = pack::data::header::decode(&header)?;
    if objects > limits.pack_objects_max {
        let limit = limits.pack_objects_max;
        return Err(corrupt(format!(
            "the pack has {objects} objects, more than the limit of {limit} (pack_objects_max)"
        )));
    }
    let directory = store.pack_directory();
    let mut file = temporary(&directory)?;
    let left = Cell::new(allowance(limits.object_size_max));
    let metered = Metered {
        inner: Cursor::new(header).chain(pack),
        left: &left,
        limit: limits.object_size_max,
        interrupt,
    };
    let entries = BytesToEntriesIter::new_from_header(
        BufReader::new(metered),
        Mode::Verify,
        EntryDataMode::KeepAndCrc32,
        SHA1,
    )?;
    let compression = pack::bundle::write::Options::default().compression;
    let entries = Weighed {
        entries: LookupRefDeltaObjectsIter::new(entries, store.handle(), compression),
        scales: Scales::new(limits),
        left: &left,
    };
    let path = file.path().to_owned();
    let written = Buffered(BufWriter::with_capacity(64 << 10, file.as_file_mut()));
    let mut entries = EntriesToBytesIter::new(entries, written, version, SHA1);
    let mut index = temporary(&directory)?;
    let outcome = index::write_data_iter_to_stream(
        index::Version::default(),
        move || {
            let pack =
                pack::data::File::at(&path, SHA1).map_err(|error| io::Error::other(error.to_string()))?;
            Ok((slice as fn(EntryRange, &PackFile) -> Option<&[u8]>, pack))
        },
        &mut entries,
        Some(limits.threads_max),
        &mut Discard,
        index.as_file_mut(),
        interrupt,
        SHA1,
        usize::try_from(limits.object_size_max).ok(),
        version,
    )?;
    drop(entries);
    if outcome.num_objects > 0 {
        let name = directory.join(format!("pack-{}", outcome.data_hash));
        // an index without its pack would be asked
        keep(file, &name.with_extension("pack"))?;
        keep(index, &name.with_extension("idx"))?;
    }
    Ok(())
}

fn corrupt(text: String) -> gix::Error {
    gix::Error::from_error(io::Error::new(io::ErrorKind::InvalidData, text))
}

fn temporary(directory: &Path) -> gix::Result<NamedTempFile> {
    let made = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(directory);
    made.map_err(gix::Error::from_error)
}

fn keep(file: NamedTempFile, path: &Path) -> gix::Result<()> {
    let kept = file.persist(path);
    kept.map(drop)
        .map_err(|error| gix::Error::from_error(error.error))
}

type PackFile = pack::data::File<pack::MMap>;

fn slice(range: EntryRange, pack: &PackFile) -> Option<&[u8]> {
    pack.entry_slice(range)
}

/// A pack as it comes: no more of it than one object may have, until the next one is asked for.
struct Metered<'a, R> {
    inner: R,
    left: &'a Cell<u64>,
    limit: u64,
    interrupt: &'a AtomicBool,
}

/// What zlib makes of `limit` bytes at most: it can add one in a thousand.
fn allowance(limit: u64) -> u64 {
    limit
        .saturating_add(limit / 1000)
        .saturating_add(COMPRESSED_SLACK)
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        let left = self.left.get();
        if left == 0 {
            let limit = self.limit;
            let text = format!("an object of the pack exceeds the limit of {limit} bytes (object_size_max)");
            return Err(io::Error::other(text));
        }
        let length = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.inner.read(buffer.get_mut(..length).unwrap_or_default())?;
        self.left.set(left.saturating_sub(read as u64));
        Ok(read)
    }
}

/// The objects of a pack, each weighed before it is kept.
struct Weighed<'a, I> {
    entries: I,
    scales: Scales,
    left: &'a Cell<u64>,
}

impl<I: Iterator<Item = gix::Result<Entry>>> Iterator for Weighed<'_, I> {
    type Item = gix::Result<Entry>;

    fn next(&mut self) -> Option<gix::Result<Entry>> {
        self.left.set(allowance(self.scales.object_size_max));
        let entry = self.entries.next()?;
        Some(entry.and_then(|entry| self.scales.weigh(&entry).map(|()| entry)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
    }
}

/// What an object of a pack costs with all that it stands on.
struct Weight {
    offset: u64,
    /// [`ADRIFT`] where it stands on what is not known yet.
    held: u64,
    depth: u32,
}

const ADRIFT: u64 = u64::MAX;

/// How much may have to be held at once to resolve what came so far.
struct Scales {
    object_size_max: u64,
    chain_size_max: u64,
    /// By offset, as they come.
    weights: Vec<Weight>,
    heaviest: u64,
    /// All that stands on what is not known: it may be one chain.
    adrift: u64,
    zlib: Decompress,
}

impl Scales {
    fn new(limits: Limits) -> Scales {
        Scales {
            object_size_max: limits.object_size_max,
            chain_size_max: limits.delta_chain_size_max,
            weights: Vec::new(),
            heaviest: 0,
            adrift: 0,
            zlib: Decompress::new(true),
        }
    }

    fn weigh(&mut self, entry: &Entry) -> gix::Result<()> {
        let (size, limit) = (entry.decompressed_size, self.object_size_max);
        if size > limit {
            return Err(corrupt(format!(
                "an object of the pack has {size} bytes, more than the limit of {limit} (object_size_max)"
            )));
        }
        let (base, own) = match entry.header {
            Header::Commit | Header::Tree | Header::Blob | Header::Tag => (None, size),
            Header::OfsDelta { base_distance } => {
                let offset = entry.pack_offset.checked_sub(base_distance);
                let base = offset.and_then(|offset| self.at(offset));
                (base, self.delta_cost(entry))
            }
            Header::RefDelta { .. } => (Some((ADRIFT, 0)), self.delta_cost(entry)),
        };
        let (held, depth) = match base {
            None => (own, 0),
            Some((ADRIFT, _)) => {
                self.adrift = self.adrift.saturating_add(own);
                (ADRIFT, 0)
            }
            Some((held, depth)) => (held.saturating_add(own), depth + 1),
        };
        if held != ADRIFT {
            self.heaviest = self.heaviest.max(held);
        }
        let (worst, limit) = (self.heaviest.saturating_add(self.adrift), self.chain_size_max);
        if worst > limit {
            return Err(corrupt(format!(
                "objects of the pack that stand on each other have {worst} bytes, more than the limit of {limit} (delta_chain_size_max)"
            )));
        }
        if depth > DELTA_DEPTH_MAX {
            return Err(corrupt(format!(
                "objects of the pack stand on each other {depth} deep, deeper than the limit of {DELTA_DEPTH_MAX} (delta_depth_max)"
            )));
        }
        let offset = entry.pack_offset;
        self.weights.push(Weight { offset, held, depth });
        Ok(())
    }

    fn at(&self, offset: u64) -> Option<(u64, u32)> {
        let at = self.weights.binary_search_by_key(&offset, |weight| weight.offset);
        let weight = self.weights.get(at.ok()?)?;
        Some((weight.held, weight.depth))
    }

    /// Its own bytes, those that it makes, and what it counts besides.
    fn delta_cost(&mut self, entry: &Entry) -> u64 {
        let made = self.result_size(entry.compressed.as_deref().unwrap_or_default());
        let cost = made.saturating_add(entry.decompressed_size);
        cost.saturating_add(DELTA_COST)
    }

    /// How many bytes a delta says that it makes; nothing where it does not say so, for then gix refuses it.
    fn result_size(&mut self, compressed: &[u8]) -> u64 {
        // two numbers of seven bits a byte stand at its beginning: the size of its base, and that of the result
        let mut beginning = [0; 20];
        self.zlib.reset(true);
        let read = self
            .zlib
            .decompress(compressed, &mut beginning, FlushDecompress::None);
        let length = usize::try_from(self.zlib.total_out()).unwrap_or_default();
        let said = beginning.get(..length).unwrap_or_default();
        let mut numbers = said.split_inclusive(|byte| byte & 0x80 == 0);
        let _base = numbers.next();
        let result = read.ok().and_then(|_| numbers.next()).unwrap_or_default();
        result.iter().rev().fold(0_u64, |size, byte| {
            size.saturating_mul(128).saturating_add(u64::from(byte & 0x7f))
        })
    }
}

/// A file that is written piece by piece, and read once at the end.
struct Buffered<'a>(BufWriter<&'a mut File>);

impl Write for Buffered<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Read for Buffered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.flush()?;
        self.0.get_mut().read(buffer)
    }
}

impl Seek for Buffered<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
