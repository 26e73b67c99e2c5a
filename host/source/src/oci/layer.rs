//! From a layer to an artifact in the store: unpacked and without what is ignored, or as it is (compat/source.md 6.5).

use std::{
    collections::BTreeMap,
    io::{BufReader, Read},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions, OpenOptionsExt},
};
use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_artifact::{
    Artifact, ArtifactPath, Store, store,
    unpack::{self, Special},
};
use tempfile::SpooledTempFile;

use super::{ContentDigest, error::of_archive};
use crate::{
    folder::{File, Folder},
    ignore::{self, IGNORE_FILE, IGNORE_FILE_SIZE_MAX, IGNORE_FILES_SIZE_MAX, PATTERNS_MAX, Rules},
};

/// Which layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// The first one of this media type; the first one where none.
    pub media_type: Option<String>,
}

/// What is done with a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayerOperation {
    /// Its files are the artifact, but for those that are ignored.
    #[default]
    Extract,
    /// It is the artifact.
    Copy,
}

/// A layer that is here, and what is said of its artifact.
#[derive(Debug)]
pub struct Pulled {
    /// Of the artifact.
    pub revision: String,
    /// The annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
    /// Of the layer.
    pub digest: ContentDigest,
    pub(super) content: SpooledTempFile,
}

/// Why a layer could not be stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It is no archive, or a hostile one.
    #[error("{}", of_archive(.0))]
    Archive(#[from] unpack::Error),
    /// The ignore files cannot be used.
    #[error("failed to load source ignore patterns from repository: {0}")]
    Ignore(String),
    /// The store cannot take it.
    #[error("unable to {action} artifact to storage: {error}")]
    Store {
        /// `archive` or `copy`.
        action: &'static str,
        /// What it said.
        error: store::Error,
    },
}

impl From<store::Error> for StoreError {
    fn from(error: store::Error) -> StoreError {
        let action = "archive";
        StoreError::Store { action, error }
    }
}

impl Disposition for StoreError {
    fn reason(&self) -> Reason {
        match self {
            StoreError::Archive(_) => reason::OCI_ARTIFACT_LAYER_OPERATION_FAILED,
            StoreError::Ignore(_) => reason::SOURCE_IGNORE_ERROR,
            StoreError::Store { .. } => reason::ARCHIVE_OPERATION_FAILED,
        }
    }

    fn next(&self) -> Next {
        match self {
            StoreError::Archive(_) | StoreError::Ignore(_) => Next::Retry,
            StoreError::Store { .. } => Next::BackOff,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            StoreError::Archive(_) | StoreError::Ignore(_) => Blame::Upstream,
            StoreError::Store { .. } => Blame::Host,
        }
    }
}

impl Pulled {
    /// Puts the layer into the store. Blocks; the artifact is visible when this returns.
    pub fn store(
        mut self,
        operation: LayerOperation,
        spec_ignore: Option<&str>,
        store: &Store,
        path: &ArtifactPath,
    ) -> Result<Artifact, StoreError> {
        match operation {
            LayerOperation::Copy => self.copy(store, path),
            LayerOperation::Extract => {
                let content = BufReader::new(&mut self.content);
                extract(content, &self.revision, spec_ignore, store, path)
            }
        }
    }

    /// Unpacks the layer into a directory that exists. Links are left out; nothing is written outside of it. Blocks.
    pub fn extract_to(self, directory: &std::path::Path) -> Result<(), StoreError> {
        let disk = |error| StoreError::Archive(unpack::Error::Unreadable(error));
        let root = Dir::open_ambient_dir(directory, ambient_authority()).map_err(disk)?;
        let content = BufReader::new(self.content);
        unpack::visit(content, &unpack::Limits::default(), Special::Refused, |found| {
            let path = found.path.trim_start_matches('/');
            match (found.content, path.rsplit_once('/')) {
                (None, _) if path.is_empty() => Ok(()),
                (None, _) => root.create_dir_all(path).map_err(disk),
                (Some(content), directory) => {
                    if let Some((directory, _)) = directory {
                        root.create_dir_all(directory).map_err(disk)?;
                    }
                    let mut options = OpenOptions::new();
                    let mode = if found.is_executable { 0o755 } else { 0o644 };
                    options.write(true).create(true).truncate(true).mode(mode);
                    let mut file = root.open_with(path, &options).map_err(disk)?;
                    std::io::Write::write_all(&mut file, &content).map_err(disk)
                }
            }
        })
    }

    fn copy(mut self, store: &Store, path: &ArtifactPath) -> Result<Artifact, StoreError> {
        let copied = |error| StoreError::Store {
            action: "copy",
            error,
        };
        let mut draft = store.draft();
        let blob = draft.blob_from(&mut self.content).map_err(copied)?;
        draft.commit_file(path, &self.revision, blob).map_err(copied)
    }
}

/// Unpacks an archive into the store, one file in memory at a time.
fn extract(
    archive: impl Read,
    revision: &str,
    spec_ignore: Option<&str>,
    store: &Store,
    path: &ArtifactPath,
) -> Result<Artifact, StoreError> {
    let mut draft = store.draft();
    let mut root = Folder::default();
    let mut ignore_files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut ignore_files_size = 0;
    unpack::visit(archive, &unpack::Limits::default(), Special::Refused, |found| {
        let Some(content) = found.content else {
            root.folder(&found.path).map_err(|at| clash(&at.0))?;
            return Ok(());
        };
        if found.path.rsplit('/').next() == Some(IGNORE_FILE) {
            if content.len() as u64 > IGNORE_FILE_SIZE_MAX {
                let (path, limit) = (&found.path, IGNORE_FILE_SIZE_MAX);
                return Err(StoreError::Ignore(format!(
                    "{path} exceeds the limit of {limit} bytes (ignore_file_size_max)"
                )));
            }
            ignore_files_size += content.len() as u64;
            if ignore_files_size > IGNORE_FILES_SIZE_MAX {
                let limit = IGNORE_FILES_SIZE_MAX;
                return Err(StoreError::Ignore(format!(
                    "{IGNORE_FILE} files together exceed the limit of {limit} bytes (ignore_files_size_max)"
                )));
            }
            ignore_files.insert(found.path.clone(), content.clone());
        }
        let blob = draft.blob(&content)?;
        let size = content.len() as u64;
        let is_executable = found.is_executable;
        let file = File {
            blob,
            size,
            is_executable,
        };
        root.add(&found.path, file).map_err(|at| clash(&at.0))
    })?;
    let rules = rules(&ignore_files, spec_ignore)?;
    let root = root.build(&rules, &mut draft)?;
    Ok(draft.commit(path, revision, root)?)
}

/// Files nearer to the root come first, so that those below decide.
fn rules(files: &BTreeMap<String, Vec<u8>>, spec_ignore: Option<&str>) -> Result<Rules, StoreError> {
    let mut patterns = Vec::new();
    let mut paths: Vec<&String> = files.keys().collect();
    paths.sort_by_key(|path| (path.matches('/').count(), path.as_str()));
    for path in paths {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let domain: Vec<&str> = directory.split('/').filter(|name| !name.is_empty()).collect();
        let text = String::from_utf8_lossy(files.get(path).map_or(&[], Vec::as_slice));
        patterns.extend(ignore::parse(&text, &domain));
    }
    patterns.extend(ignore::parse(spec_ignore.unwrap_or_default(), &[]));
    let number = patterns.len();
    if number > PATTERNS_MAX {
        return Err(StoreError::Ignore(format!(
            "{number} patterns are more than the limit of {PATTERNS_MAX} (patterns_max)"
        )));
    }
    Ok(Rules::new(patterns))
}

fn clash(path: &str) -> StoreError {
    StoreError::Archive(unpack::Error::Hostile {
        name: path.trim_start_matches('/').escape_debug().to_string(),
        problem: "is both a file and a directory, or too deep",
    })
}
