//! Directories as contents of the store.

use serde::{Deserialize, Serialize};

use super::BlobId;
use crate::Digest;

/// The digest of a directory's canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DirectoryId(pub(crate) Digest);

/// One entry of a stored directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryEntry {
    /// The name: not empty, no `/`, not `.` or `..`.
    #[serde(rename = "n")]
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub content: EntryContent,
}

/// What an entry of a stored directory is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EntryContent {
    /// A regular file.
    #[serde(rename = "f")]
    File {
        /// Its bytes.
        blob: BlobId,
        /// Their number.
        size: u64,
        /// Whether any executable bit is set.
        is_executable: bool,
    },
    /// A directory.
    #[serde(rename = "d")]
    Directory {
        /// Its entries.
        directory: DirectoryId,
        /// Whether the archive has an entry for the directory itself: Flux leaves it out for an ignored
        /// directory some of whose files were included again.
        is_listed: bool,
    },
}

/// The canonical bytes: entries sorted by name, one JSON object a line.
pub(crate) fn encode(entries: &mut [DirectoryEntry]) -> Vec<u8> {
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let mut bytes = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut bytes, entry)
            .expect("a directory entry is plain data, and memory takes any bytes");
        bytes.push(b'\n');
    }
    bytes
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<DirectoryEntry>, serde_json::Error> {
    serde_json::Deserializer::from_slice(bytes).into_iter().collect()
}
