//! Reading somebody else's `.tar.gz` into memory. The archive is hostile until proven otherwise.
//!
//! Regular files and directories are taken, links and devices dropped, names that lead out refused, sizes capped.
//! An archive that two readers could understand differently is refused: what we reconcile must be what others see.

use std::{
    cell::Cell,
    collections::HashSet,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io::{self, Read},
};

use flate2::read::MultiGzDecoder;

use crate::memory::{AddError, MemoryTree};

/// What one archive may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes after decompression, headers included: a few kilobytes of gzip can hold gigabytes of zeros.
    pub unpacked_size_max: u64,
    /// Most entries, links and directories counted, those too that only a name has.
    pub entries_max: usize,
    /// Largest single file, in bytes.
    pub file_size_max: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            unpacked_size_max: 1 << 30,
            entries_max: 100_000,
            file_size_max: 100 << 20,
        }
    }
}

/// Most bytes that are said of one entry: long names, links, attributes. They are held before anybody can look at them. Go
/// reads three such records, of a mebibyte each.
const HEADERS_SIZE_MAX: u64 = 4 << 20;
/// Deepest directory: deeper ones are nobody's files, and whoever walks them needs a stack.
const DEPTH_MAX: usize = 200;
/// Longest name of an entry: nobody who unpacks it to a disk could have a longer one.
const NAME_SIZE_MAX: usize = 4096;
/// Characters of a name that is hostile that are told.
const NAME_SHOWN_MAX: usize = 256;
/// Bytes of all names together: most readers hold them.
const NAMES_SIZE_MAX: usize = 32 << 20;

/// Why an archive was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Cut short, not gzip, not tar: fetch it again.
    #[error("the archive cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// A limit was reached.
    #[error("the archive is refused: {what} exceeds the limit of {limit} ({knob})")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// Its name.
        knob: &'static str,
    },
    /// An entry has a name that no honest archive has, or that cannot coexist with another.
    #[error("the archive is refused: entry '{name}' {problem}")]
    Hostile {
        /// The entry's name, escaped.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// What is neither file nor directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// Is left out.
    Dropped,
    /// Makes the archive unacceptable, unless it is a link: those are left out.
    Refused,
}

/// One entry of an archive.
#[derive(Debug)]
pub struct Found {
    /// `/a/b`, normal.
    pub path: String,
    /// The bytes of a file; none for a directory.
    pub content: Option<Vec<u8>>,
    /// Whether any executable bit is set.
    pub is_executable: bool,
}

/// Unpacks a gzip-compressed tar archive into memory.
pub fn unpack(archive: impl Read, limits: &Limits) -> Result<MemoryTree, Error> {
    let mut tree = MemoryTree::new();
    visit(archive, limits, Special::Dropped, |found| {
        let added = match found.content {
            None => tree.add_directory(&found.path),
            Some(content) => tree.add_file(&found.path, content, found.is_executable),
        };
        added.map_err(|error| Error::Hostile {
            name: found.path.trim_start_matches('/').escape_debug().to_string(),
            problem: match error {
                AddError::InvalidPath => "has an invalid name",
                AddError::Clash => "is both a file and a directory",
            },
        })
    })?;
    Ok(tree)
}

/// Reads a gzip-compressed tar archive entry by entry; one file is held at a time. The first error ends it: what was
/// visited before must not be used then, for the end of an archive proves its beginning.
pub fn visit<E: From<Error>>(
    archive: impl Read,
    limits: &Limits,
    special: Special,
    visitor: impl FnMut(Found) -> Result<(), E>,
) -> Result<(), E> {
    let headers_left = Cell::new(None);
    let budget = Budget {
        inner: MultiGzDecoder::new(archive),
        left: limits.unpacked_size_max,
        is_spent: false,
        headers_left: &headers_left,
    };
    let mut archive = tar::Archive::new(budget);
    let result = read_entries(&mut archive, &headers_left, limits, special, visitor);
    headers_left.set(None);
    let mut budget = archive.into_inner();
    // The checksum of gzip lies behind the end of the tar archive.
    let drained = io::copy(&mut budget, &mut io::sink());
    if budget.is_spent {
        let limit = limits.unpacked_size_max;
        return Err(E::from(too_large(
            "its unpacked size",
            limit,
            "unpacked_size_max",
        )));
    }
    result?;
    drained.map_err(Error::Unreadable)?;
    Ok(())
}

fn too_large(what: &'static str, limit: u64, knob: &'static str) -> Error {
    Error::TooLarge { what, limit, knob }
}

fn read_entries<E: From<Error>>(
    archive: &mut tar::Archive<impl Read>,
    headers_left: &Cell<Option<u64>>,
    limits: &Limits,
    special: Special,
    mut visitor: impl FnMut(Found) -> Result<(), E>,
) -> Result<(), E> {
    let mut entries = archive.entries().map_err(Error::Unreadable)?;
    let mut names = Names::default();
    loop {
        headers_left.set(Some(HEADERS_SIZE_MAX));
        let next = entries.next();
        let is_spent = headers_left.replace(None) == Some(0);
        let Some(entry) = next else { return Ok(()) };
        let mut entry = entry.map_err(|error| match is_spent {
            true => too_large("what is said of an entry", HEADERS_SIZE_MAX, "headers_size_max"),
            false => Error::Unreadable(error),
        })?;
        let is_directory = entry.header().entry_type().is_dir();
        names.count(&entry.path_bytes(), is_directory, limits)?;
        if let Some(found) = read_entry(&mut entry, limits, special)? {
            visitor(found)?;
        }
    }
}

/// The names of an archive: how many there are, and how long they are together.
#[derive(Default)]
struct Names {
    entries: usize,
    bytes: usize,
    /// The directories that names lead through, by hash.
    directories: HashSet<u64>,
    hasher: RandomState,
}

impl Names {
    /// Counts an entry, and the directories that are there because of it.
    fn count(&mut self, name: &[u8], is_directory: bool, limits: &Limits) -> Result<(), Error> {
        self.bytes += name.len();
        if self.bytes > NAMES_SIZE_MAX {
            let limit = NAMES_SIZE_MAX as u64;
            return Err(too_large("the length of its names", limit, "names_size_max"));
        }
        let mut hash = self.hasher.build_hasher();
        let (mut depth, mut is_new) = (0, false);
        for byte in name {
            if *byte == b'/' && depth < DEPTH_MAX {
                depth += 1;
                is_new = self.directories.insert(hash.finish());
            }
            hash.write_u8(*byte);
        }
        // Flux writes directories without a slash at their end
        let has_slash = name.ends_with(b"/");
        if is_directory && !has_slash && depth < DEPTH_MAX {
            is_new = self.directories.insert(hash.finish());
        }
        // an entry that is a directory is counted among those
        let is_counted = is_new && (is_directory || has_slash);
        self.entries += usize::from(!is_counted);
        if self.entries + self.directories.len() <= limits.entries_max {
            return Ok(());
        }
        let limit = limits.entries_max as u64;
        Err(too_large("its number of entries", limit, "entries_max"))
    }
}

/// One entry; none for what is left out.
fn read_entry(
    entry: &mut tar::Entry<'_, impl Read>,
    limits: &Limits,
    special: Special,
) -> Result<Option<Found>, Error> {
    let raw_name = entry.path_bytes().into_owned();
    let shown = String::from_utf8_lossy(&raw_name);
    let shown: String = shown.escape_debug().take(NAME_SHOWN_MAX).collect();
    let hostile = |problem| Error::Hostile {
        name: shown.clone(),
        problem,
    };
    refuse_ambiguity(entry, &raw_name).map_err(|problem| match problem {
        Ambiguity::Unreadable(error) => Error::Unreadable(error),
        Ambiguity::Found(problem) => hostile(problem),
    })?;
    let name = std::str::from_utf8(&raw_name).map_err(|_| hostile("has a name that is not UTF-8"))?;
    let path = normal_path(name).ok_or_else(|| hostile("leads out of the archive"))?;
    if name.len() > NAME_SIZE_MAX || path.split('/').count() > DEPTH_MAX + 2 {
        return Err(hostile("is longer or deeper than paths can be"));
    }
    let kind = entry.header().entry_type();
    // the oldest archives have no type for directories
    if kind.is_dir() || (kind.is_file() && name.ends_with('/')) {
        return Ok(Some(Found {
            path,
            content: None,
            is_executable: false,
        }));
    }
    if kind.is_pax_global_extensions() {
        // `git archive` begins with one; Flux leaves an empty file in its place
        return Ok(None);
    }
    if !kind.is_file() {
        let is_link = kind.is_symlink() || kind.is_hard_link();
        return match special {
            Special::Refused if !is_link => Err(hostile("is neither a file nor a directory")),
            Special::Refused | Special::Dropped => Ok(None),
        };
    }
    let size = entry.size();
    if size > limits.file_size_max {
        let limit = limits.file_size_max;
        return Err(too_large("a file's size", limit, "file_size_max"));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(Error::Unreadable)?;
    if content.len() as u64 != size {
        return Err(Error::Unreadable(io::ErrorKind::UnexpectedEof.into()));
    }
    Ok(Some(Found {
        path,
        content: Some(content),
        is_executable: entry.header().mode().unwrap_or(0) & 0o111 != 0,
    }))
}

enum Ambiguity {
    Unreadable(io::Error),
    Found(&'static str),
}

/// What readers understand differently (N36): where an entry ends, what it is called, whether it is a file.
fn refuse_ambiguity(entry: &mut tar::Entry<'_, impl Read>, name: &[u8]) -> Result<(), Ambiguity> {
    let header = entry.header();
    let header_size = header.entry_size().map_err(Ambiguity::Unreadable)?;
    // the format says where the name goes on
    let is_known = header.as_ustar().is_some() || header.as_gnu().is_some();
    let old = header.as_old();
    if !is_known && header.as_bytes().get(MAGIC).is_none_or(|magic| magic != [0; 8]) {
        return Err(Ambiguity::Found("has a header of an unknown format"));
    }
    // a file where its type is no other's, in the eyes of some readers
    let is_other = !b"\x000123456g".contains(old.linkflag.first().unwrap_or(&0));
    let kind = header.entry_type();
    if kind.is_gnu_sparse() {
        return Err(Ambiguity::Found("is a sparse file"));
    }
    if is_other {
        return Err(Ambiguity::Found("has a type that readers do not agree on"));
    }
    if kind.is_pax_global_extensions() {
        return refuse_ambiguous_defaults(entry, header_size);
    }
    if !kind.is_file() && header_size > 0 {
        return Err(Ambiguity::Found("is no file and has content"));
    }
    if kind.is_file() && name.ends_with(b"/") && header_size > 0 {
        return Err(Ambiguity::Found("is a file with the name of a directory"));
    }
    let Some(records) = entry.pax_extensions().map_err(Ambiguity::Unreadable)? else {
        return Ok(());
    };
    for record in records {
        let record = record.map_err(Ambiguity::Unreadable)?;
        match record.key_bytes() {
            key if key.starts_with(b"GNU.sparse") => return Err(Ambiguity::Found("is a sparse file")),
            b"size"
                if record.value().ok().and_then(|value| value.parse::<u64>().ok()) != Some(header_size) =>
            {
                return Err(Ambiguity::Found("has two different sizes"));
            }
            b"path" if record.value_bytes() != name => {
                return Err(Ambiguity::Found("has two different names"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where a header says which format it is in.
const MAGIC: std::ops::Range<usize> = 257..265;
/// Bytes of what an archive says of all its entries: a comment with the commit, in those of Git.
const DEFAULTS_SIZE_MAX: u64 = 64 << 10;

/// Some readers apply names and sizes that are said for all entries, some do not.
fn refuse_ambiguous_defaults(entry: &mut tar::Entry<'_, impl Read>, size: u64) -> Result<(), Ambiguity> {
    if size > DEFAULTS_SIZE_MAX {
        return Err(Ambiguity::Found("says too much of all entries"));
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(Ambiguity::Unreadable)?;
    for record in tar::PaxExtensions::new(&content) {
        let record = record.map_err(Ambiguity::Unreadable)?;
        let key = record.key_bytes();
        if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse") {
            return Err(Ambiguity::Found("says of all entries what one has of its own"));
        }
    }
    Ok(())
}

/// `./a/b/`, `a/b` → `/a/b`; None for absolute names and for `..` anywhere.
fn normal_path(name: &str) -> Option<String> {
    if name.starts_with('/') || name.contains('\0') || name.contains('\\') {
        return None;
    }
    let mut path = String::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part => {
                path.push('/');
                path.push_str(part);
            }
        }
    }
    Some(if path.is_empty() { "/".to_owned() } else { path })
}

/// Ends the stream with an error when the budget is spent.
struct Budget<'b, R> {
    inner: R,
    left: u64,
    is_spent: bool,
    /// How much may be read until the next entry is there; none while one is read.
    headers_left: &'b Cell<Option<u64>>,
}

impl<R: Read> Read for Budget<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.headers_left.get() == Some(0) {
            return Err(io::Error::other("size limit reached"));
        }
        if self.left == 0 {
            // The end of the archive may lie exactly here.
            let mut probe = [0];
            let more = self.inner.read(&mut probe)?;
            self.is_spent = more > 0;
            return if more > 0 {
                Err(io::Error::other("size limit reached"))
            } else {
                Ok(0)
            };
        }
        let most = self.left.min(self.headers_left.get().unwrap_or(u64::MAX));
        let room = usize::try_from(most).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.inner.read(buffer.get_mut(..room).unwrap_or_default())?;
        self.left -= read as u64;
        let headers_left = self.headers_left.get();
        self.headers_left.set(headers_left.map(|left| left - read as u64));
        Ok(read)
    }
}
