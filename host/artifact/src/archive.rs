//! The `.tar.gz` of an artifact, byte-stable: the same tree gives the same bytes.
//!
//! Order, modes and headers are those of Flux's archives (compat/source.md 3.3): depth first, names sorted in
//! each directory, the root as `.`, directories without trailing slash, no times, no owners.

use std::io::{self, Write};

use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

use crate::store::{DirectoryId, EntryContent, Error, StoreTree};

/// Changes whenever the bytes for an unchanged tree do; records of another format are made again.
pub(crate) const FORMAT: u32 = 1;

const DIRECTORY_MODE: u32 = 0o750;
const FILE_MODE: u32 = 0o600;
const EXECUTABLE_MODE: u32 = 0o700;

/// RFC 1952's "unknown" operating system, which Go writes too.
const GZIP_UNKNOWN_OS: u8 = 255;

pub(crate) fn write(tree: &StoreTree, output: impl Write) -> Result<(), Error> {
    let failed = Error::storage("make the archive");
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .operating_system(GZIP_UNKNOWN_OS)
        .write(output, Compression::default());
    write_header(&mut gzip, ".", EntryType::Directory, DIRECTORY_MODE, 0).map_err(&failed)?;
    write_directory(tree, tree.root(), "", &mut gzip)?;
    gzip.write_all(&[0; 2 * BLOCK]).map_err(&failed)?;
    gzip.finish().map_err(failed)?;
    Ok(())
}

/// A tar archive that depends on nothing but the names, modes and contents of its files.
pub struct TarWriter<W> {
    output: W,
}

impl<W: Write> TarWriter<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> TarWriter<W> {
        TarWriter { output }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Those of the output.
    pub fn file(&mut self, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        let size = content.len() as u64;
        write_header(&mut self.output, name, EntryType::Regular, mode, size)?;
        self.output.write_all(content)?;
        pad(&mut self.output, size)
    }

    /// Ends the archive, and gives the output back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.write_all(&[0; 2 * BLOCK])?;
        Ok(self.output)
    }
}

fn write_directory(
    tree: &StoreTree,
    id: DirectoryId,
    prefix: &str,
    output: &mut impl Write,
) -> Result<(), Error> {
    let failed = Error::storage("make the archive");
    for entry in tree.entries(id)?.iter() {
        let path = format!("{prefix}{}", entry.name);
        match &entry.content {
            EntryContent::File {
                blob, is_executable, ..
            } => {
                let content = tree.content(*blob)?;
                let mode = if *is_executable {
                    EXECUTABLE_MODE
                } else {
                    FILE_MODE
                };
                let size = content.len() as u64;
                write_header(output, &path, EntryType::Regular, mode, size).map_err(&failed)?;
                output.write_all(&content).map_err(&failed)?;
                pad(output, size).map_err(&failed)?;
            }
            EntryContent::Directory { directory, is_listed } => {
                if *is_listed {
                    write_header(output, &path, EntryType::Directory, DIRECTORY_MODE, 0).map_err(&failed)?;
                }
                write_directory(tree, *directory, &format!("{path}/"), output)?;
            }
        }
    }
    Ok(())
}

const BLOCK: usize = 512;
const NAME_MAX: usize = 100;
const PREFIX_MAX: usize = 155;
/// Eleven octal digits.
const USTAR_SIZE_MAX: u64 = 0o77_777_777_777;

/// One entry's header: USTAR where it fits, a PAX record before it where it does not. A name with a line break is written
/// as GNU writes long names: readers of PAX records that look for the end of a line take it for the end of the name.
fn write_header(
    output: &mut impl Write,
    path: &str,
    kind: EntryType,
    mode: u32,
    size: u64,
) -> io::Result<()> {
    let split = split_name(path);
    let mut records = Vec::new();
    if split.is_none() {
        if path.contains('\n') {
            // the name's end is a NUL
            let size = path.len() as u64 + 1;
            let header = header(("", "././@LongLink"), EntryType::GNULongName, 0o644, size);
            output.write_all(header.as_bytes())?;
            output.write_all(path.as_bytes())?;
            output.write_all(b"\0")?;
            pad(output, size)?;
        } else {
            records.push(("path", path.to_owned()));
        }
    }
    if size > USTAR_SIZE_MAX {
        records.push(("size", size.to_string()));
    }
    if !records.is_empty() {
        let content: String = records
            .iter()
            .map(|(key, value)| pax_record(key, value))
            .collect();
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        let slash = if directory.is_empty() { "" } else { "/" };
        let name = ascii_name(&format!("{directory}{slash}PaxHeaders.0/{file}"));
        let header = header(("", &name), EntryType::XHeader, 0, content.len() as u64);
        output.write_all(header.as_bytes())?;
        output.write_all(content.as_bytes())?;
        pad(output, content.len() as u64)?;
    }
    let short = ascii_name(path);
    let size = if size > USTAR_SIZE_MAX { 0 } else { size };
    output.write_all(header(split.unwrap_or(("", &short)), kind, mode, size).as_bytes())
}

fn header((prefix, name): (&str, &str), kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    if let Some(ustar) = header.as_ustar_mut() {
        fill(&mut ustar.name, name);
        fill(&mut ustar.prefix, prefix);
        ustar.set_device_major(0);
        ustar.set_device_minor(0);
    }
    // Six digits, NUL, space: as Go and POSIX write the sum, which is taken over spaces in its place.
    fill(&mut header.as_old_mut().cksum, "        ");
    let sum: u32 = header.as_bytes().iter().map(|byte| u32::from(*byte)).sum();
    fill(&mut header.as_old_mut().cksum, &format!("{sum:06o}\0 "));
    header
}

fn fill(field: &mut [u8], text: &str) {
    for (to, from) in field.iter_mut().zip(text.bytes()) {
        *to = from;
    }
}

/// Prefix and name of a USTAR header; None where the path does not fit one.
fn split_name(path: &str) -> Option<(&str, &str)> {
    if !path.is_ascii() {
        return None;
    }
    if path.len() <= NAME_MAX {
        return Some(("", path));
    }
    let end = path.len().min(PREFIX_MAX + 1);
    let at = path.get(..end)?.rfind('/')?;
    let (prefix, name) = (path.get(..at)?, path.get(at + 1..)?);
    (!prefix.is_empty() && !name.is_empty() && name.len() <= NAME_MAX).then_some((prefix, name))
}

/// What old readers see where the PAX record holds the true name.
fn ascii_name(path: &str) -> String {
    path.chars().filter(char::is_ascii).take(NAME_MAX).collect()
}

/// `<length> <key>=<value>\n`, where the length counts itself.
fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + " =\n".len();
    let mut length = rest + rest.to_string().len();
    if rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn pad(output: &mut impl Write, size: u64) -> io::Result<()> {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    let padding = if over == 0 { 0 } else { BLOCK - over };
    output.write_all([0; BLOCK].get(..padding).unwrap_or_default())
}
