//! Charts as `.tgz` archives.

use std::io::Read;

use super::load::{LoadedFile, unmarked};
use crate::{Error, go::quote::quote};

/// How many bytes a chart may hold when it is unpacked: 100 MiB, as in Helm. The largest of the public charts have 15.
pub const ARCHIVE_BYTES_MAX: u64 = 100 << 20;

/// How many files an archive may hold. The largest of the public charts have 2 000; a hostile one fills memory with names.
const FILES_MAX: usize = 100_000;

/// What a gzip stream begins with.
pub(super) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How long the least header of one is.
const GZIP_HEADER_BYTES: usize = 10;

/// The files of an archive by their path in the chart. Links, devices and directories are left out or refused as in Helm;
/// no path leads out of the chart.
///
/// # Errors
/// In the original's words: what is no archive, paths out of the chart, more than [`ARCHIVE_BYTES_MAX`].
pub fn unpack(bytes: &[u8]) -> Result<Vec<LoadedFile>, Error> {
    match bytes.len() {
        0 => return Err(Error::new("EOF")),
        1..GZIP_HEADER_BYTES => return Err(Error::new("unexpected EOF")),
        _ if !bytes.starts_with(&GZIP_MAGIC) => return Err(Error::new("gzip: invalid header")),
        _ => {}
    }
    let mut remaining = ARCHIVE_BYTES_MAX;
    let too_large = || {
        Error::new(format!(
            "decompressed chart is larger than the maximum size {ARCHIVE_BYTES_MAX}"
        ))
    };
    let broken = |error: std::io::Error| Error::new(error.to_string());
    // headers and padding count too, so that an archive of nothing but headers ends as well; gzip streams may follow each other
    let reader = flate2::read::MultiGzDecoder::new(bytes).take(ARCHIVE_BYTES_MAX.saturating_mul(2));
    let mut archive = tar::Archive::new(reader);
    let mut files = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let kind = entry.header().entry_type();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        // the oldest archives tell a directory by its slash alone
        let is_old_directory = entry.header().as_old().linkflag == [0] && path.ends_with('/');
        if kind.is_dir()
            || is_old_directory
            || kind.is_pax_global_extensions()
            || kind.is_pax_local_extensions()
        {
            continue;
        }
        let name = name_in_chart(&path)?;
        if entry.size() > remaining {
            return Err(too_large());
        }
        let mut data = Vec::with_capacity(usize::try_from(entry.size().min(1 << 20)).unwrap_or(0));
        let read = entry
            .by_ref()
            .take(remaining)
            .read_to_end(&mut data)
            .map_err(broken)? as u64;
        remaining -= read;
        if read < entry.size() && kind.is_file() || remaining == 0 || files.len() >= FILES_MAX {
            return Err(too_large());
        }
        files.push(LoadedFile {
            name,
            data: unmarked(data).into(),
        });
    }
    if files.is_empty() {
        return Err(Error::new("no files in chart archive"));
    }
    Ok(files)
}

/// The path without the archive's top directory, checked.
fn name_in_chart(path: &str) -> Result<String, Error> {
    let delimiter = if path.contains('\\') { '\\' } else { '/' };
    let mut parts = path.split(delimiter);
    let top = parts.next().unwrap_or_default();
    let rest = parts.collect::<Vec<_>>().join("/");
    if rest.starts_with('/') {
        return Err(Error::new("chart illegally contains absolute paths"));
    }
    let mut name: Vec<&str> = Vec::new();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." if name.pop().is_some() => {}
            ".." => return Err(Error::new("chart illegally references parent directory")),
            part => name.push(part),
        }
    }
    let name = name.join("/");
    if name.is_empty() {
        return Err(Error::new(format!(
            "chart illegally contains content outside the base directory: {}",
            quote(path.as_bytes())
        )));
    }
    if name.starts_with("..") {
        return Err(Error::new("chart illegally references parent directory"));
    }
    let mut start = name.chars();
    if start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.as_str().starts_with(":/") {
        return Err(Error::new("chart contains illegally named files"));
    }
    if top == "Chart.yaml" {
        return Err(Error::new("chart yaml not in base directory"));
    }
    Ok(name)
}
