//! Archives, honest and hostile.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

/// One entry of an archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As it is written, whatever it leads to.
    pub path: String,
    /// File, link, device.
    pub kind: EntryType,
    /// Where a link leads.
    pub target: String,
    /// The content.
    pub content: Vec<u8>,
    /// Permission bits.
    pub mode: u32,
}

impl Entry {
    /// A regular file.
    pub fn file(path: &str, content: &str) -> Entry {
        Entry {
            path: path.to_owned(),
            kind: EntryType::Regular,
            target: String::new(),
            content: content.as_bytes().to_vec(),
            mode: 0o644,
        }
    }

    /// Something that is no regular file.
    pub fn special(path: &str, kind: EntryType, target: &str) -> Entry {
        Entry {
            kind,
            target: target.to_owned(),
            ..Entry::file(path, "")
        }
    }
}

/// A tar archive, not compressed.
pub fn tar(entries: &[Entry]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_size(entry.content.len() as u64);
        let old = header.as_old_mut();
        let name = entry.path.as_bytes();
        old.name[..name.len()].copy_from_slice(name);
        let target = entry.target.as_bytes();
        old.linkname[..target.len()].copy_from_slice(target);
        header.set_cksum();
        builder
            .append(&header, entry.content.as_slice())
            .expect("memory takes any bytes");
    }
    builder.into_inner().expect("memory takes any bytes")
}

/// Compresses some bytes.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes any bytes");
    encoder.finish().expect("memory takes any bytes")
}

/// A compressed tar archive.
pub fn tgz(entries: &[Entry]) -> Vec<u8> {
    gzip(&tar(entries))
}
