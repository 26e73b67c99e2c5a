//! The format: files as ordered trees, values as AES-256-GCM texts, the MAC over all of them. Pure.

mod cipher;
mod dotenv;
mod format;
mod ini;
mod json;
mod metadata;
mod rules;
mod shamir;
mod tree;
mod walk;
mod yaml;

pub use cipher::DataKey;
pub use format::Format;
pub use metadata::{MasterKey, Metadata};
pub use tree::{Branch, Comment, Entry, Item, Node, SecretText};

pub(crate) use shamir::combine;
pub(crate) use walk::{Opened, open};

use crate::Error;

/// A file as it was read: its documents, and what SOPS keeps beside them.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// One branch a document.
    pub branches: Vec<Branch>,
    /// Keys, rules, MAC.
    pub metadata: Metadata,
}

/// Reads an encrypted file.
///
/// # Errors
/// [`Error::Load`]: it is not of that format, or carries no metadata that can be read.
pub fn load(data: &[u8], format: Format) -> Result<Sealed, Error> {
    let failed = |cause: String| Error::Load { format, cause };
    let branches = match format {
        Format::Yaml => yaml::load(data).map_err(failed)?,
        Format::Json | Format::Binary => vec![json::load(data).map_err(failed)?],
        Format::Dotenv => vec![dotenv::load(data).map_err(failed)?],
        Format::Ini => vec![ini::load(data).map_err(failed)?],
    };
    let (branches, raw) = metadata::extract(branches, format).map_err(failed)?;
    let metadata = Metadata::read(&raw).map_err(failed)?;
    Ok(Sealed { branches, metadata })
}

/// Writes decrypted documents.
///
/// # Errors
/// [`Error::Emit`]: the format cannot hold what is there.
pub fn emit(branches: &[Branch], input: Format, output: Format) -> Result<Vec<u8>, Error> {
    let first = || {
        branches
            .first()
            .ok_or_else(|| "the file holds no document".to_owned())
    };
    let written = match output {
        Format::Yaml => Ok(yaml::emit(branches)),
        Format::Json => first().map(json::emit),
        Format::Binary => first().and_then(json::emit_binary),
        Format::Dotenv => first().and_then(dotenv::emit),
        Format::Ini => first().and_then(ini::emit),
    };
    written.map_err(|cause| Error::Emit { input, output, cause })
}
