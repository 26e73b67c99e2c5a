//! From a layer to an artifact in the store: unpacked and without what is ignored, or as it is (compat/source.md 6.5).

use std::{
    collections::BTreeMap,
    io::{BufReader, Read},
    time::Duration,
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
    ignore::{
        self, IGNORE_FILE, IGNORE_FILE_SIZE_MAX, IGNORE_FILES_SIZE_MAX, OutOfTime, PATTERNS_MAX, Rules, Trial,
    },
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
    /// How long patterns may be tried with its paths.
    pub(super) ignore_time_max: Duration,
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

impl From<OutOfTime> for StoreError {
    fn from(error: OutOfTime) -> StoreError {
        StoreError::Ignore(error.to_string())
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
                let ignore = (spec_ignore, self.ignore_time_max);
                extract(content, &self.revision, ignore, store, path)
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
    (spec_ignore, ignore_time_max): (Option<&str>, Duration),
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
    root.leave_out(&mut Trial::new(rules, Some(ignore_time_max)))?;
    let root = root.build(&mut draft)?;
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

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

    use sluice_artifact::{Tree as _, store::Limits};
    use sluice_testkit::registry::{Entry, tgz};

    use super::*;

    #[test]
    fn patterns_are_tried_with_a_layers_files_as_long_as_there_is_time() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path(), Limits::default()).unwrap();
        let path: ArtifactPath = "ocirepository/ns/app/one.tar.gz".parse().unwrap();
        let files = ["a.yaml", "left/out.txt", "left/again/in.yaml"].map(|path| Entry::file(path, path));
        let archive = tgz(&files);
        let stored = |ignore_time_max| {
            let mut content = SpooledTempFile::new(1 << 20);
            content.write_all(&archive).unwrap();
            content.rewind().unwrap();
            let pulled = Pulled {
                revision: "latest@sha256:1".to_owned(),
                annotations: BTreeMap::new(),
                digest: ContentDigest::of(&archive),
                content,
                ignore_time_max,
            };
            let ignore = Some("left\n!left/again/in.yaml");
            pulled.store(LayerOperation::Extract, ignore, &store, &path)
        };
        let refusal = stored(Duration::ZERO).err().unwrap();
        assert_eq!(refusal.reason(), reason::SOURCE_IGNORE_ERROR);
        assert!(refusal.to_string().contains("(spec.timeout)"), "{refusal}");
        stored(Duration::from_secs(3600)).unwrap();
        let tree = store.tree(&path).unwrap();
        let is_there = |path: &str| tree.read(path).is_ok();
        assert_eq!(
            ["/a.yaml", "/left/out.txt", "/left/again/in.yaml"].map(is_there),
            [true, false, true]
        );
    }
}
