//! Where artifacts lie and what is known of each.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{BlobId, DirectoryId};
use crate::Digest;

/// `<kind>/<namespace>/<name>/<file>`: the path of `status.artifact.path` and of its URL.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath {
    kind: String,
    namespace: String,
    name: String,
    file: String,
}

/// A text that is not the path of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArtifactPath {
    /// It has another form.
    #[error("'{0}' is not an artifact path of the form <kind>/<namespace>/<name>/<file>")]
    Form(String),
    /// Its last part is longer than a file's name may be with what is appended to it.
    #[error(
        "the file name of artifact path '{0}' is longer than {FILE_NAME_MAX} bytes: choose a shorter name"
    )]
    Long(String),
}

/// Longest name of a file, in bytes: file systems take 255, and a record's name ends in `.json`. Flux's locks end in `.lock`.
const FILE_NAME_MAX: usize = 250;

impl ArtifactPath {
    /// Builds a path; the kind is written in lower case.
    pub fn new(
        kind: &str,
        namespace: &str,
        name: &str,
        file: &str,
    ) -> Result<ArtifactPath, InvalidArtifactPath> {
        let kind = kind.to_lowercase();
        let is_plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.len() <= 255
                && !part.contains(|c: char| matches!(c, '/' | '\\') || c.is_control())
        };
        let text = || format!("{kind}/{namespace}/{name}/{file}");
        if file.len() > FILE_NAME_MAX {
            return Err(InvalidArtifactPath::Long(text()));
        }
        if [&kind, namespace, name, file].into_iter().all(is_plain) {
            let (namespace, name, file) = (namespace.to_owned(), name.to_owned(), file.to_owned());
            Ok(ArtifactPath {
                kind,
                namespace,
                name,
                file,
            })
        } else {
            Err(InvalidArtifactPath::Form(text()))
        }
    }

    /// Another file of the same object.
    pub fn with_file(&self, file: &str) -> Result<ArtifactPath, InvalidArtifactPath> {
        ArtifactPath::new(&self.kind, &self.namespace, &self.name, file)
    }

    /// The kind in lower case.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The namespace of the object.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name of the object.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The URL under an advertised address, a prefix as it is where it names a scheme.
    pub fn url(&self, advertised_address: &str) -> String {
        let address = advertised_address.trim_end_matches('/');
        if address.starts_with("http://") || address.starts_with("https://") {
            format!("{address}/{self}")
        } else {
            format!("http://{address}/{self}")
        }
    }

    /// Whether both belong to the same object.
    pub(crate) fn is_sibling(&self, other: &ArtifactPath) -> bool {
        (&self.kind, &self.namespace, &self.name) == (&other.kind, &other.namespace, &other.name)
    }

    /// The object it belongs to: `<kind>/<namespace>/<name>`.
    pub(crate) fn object(&self) -> String {
        format!("{}/{}/{}", self.kind, self.namespace, self.name)
    }

    pub(crate) fn record_directory(&self) -> String {
        format!("artifacts/{}", self.object())
    }

    pub(crate) fn record_path(&self) -> String {
        format!("{}/{}.json", self.record_directory(), self.file)
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.kind, self.namespace, self.name, self.file)
    }
}

impl FromStr for ArtifactPath {
    type Err = InvalidArtifactPath;

    fn from_str(text: &str) -> Result<ArtifactPath, InvalidArtifactPath> {
        let mut parts = text.split('/');
        match (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) {
            (Some(kind), Some(namespace), Some(name), Some(file), None) => {
                ArtifactPath::new(kind, namespace, name, file)
            }
            _ => Err(InvalidArtifactPath::Form(text.to_owned())),
        }
    }
}

/// What an artifact is made of; equal contents give equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// A directory of files: its archive is made whenever it is asked for.
    #[serde(rename = "tree")]
    Tree(DirectoryId),
    /// One file, served byte for byte: a chart, an index, a layer that is not unpacked.
    #[serde(rename = "file")]
    File(BlobId),
}

/// One stored artifact: the facts of `status.artifact`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Where it lies.
    pub path: ArtifactPath,
    /// The revision as text.
    pub revision: String,
    /// sha256 of what is served.
    pub digest: Digest,
    /// Size of what is served, in bytes.
    pub size: u64,
    /// When it was stored.
    pub last_update_time: jiff::Timestamp,
    /// What it is made of.
    pub content: Content,
}

/// A record as it lies on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// How the archive is made; see [`crate::archive::FORMAT`]. A record of another format is as good as none.
    pub(crate) format: u32,
    pub(crate) revision: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) last_update_time: jiff::Timestamp,
    #[serde(flatten)]
    pub(crate) content: Content,
}

impl Record {
    pub(crate) fn artifact(&self, path: &ArtifactPath) -> Artifact {
        Artifact {
            path: path.clone(),
            revision: self.revision.clone(),
            digest: self.digest,
            size: self.size,
            last_update_time: self.last_update_time,
            content: self.content,
        }
    }
}
