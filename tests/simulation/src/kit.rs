//! What all schedules share: the commits of all stories, stored once, and the definitions of the kinds.

use crate::judge::NAMESPACE;
use crate::script::{Script, Step};
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use sluice_artifact::store::{DirectoryEntry, EntryContent, Limits};
use sluice_artifact::{ArtifactPath, Store};
use sluice_controller::Artifacts;
use std::collections::BTreeMap;

/// The kinds that the stories need; installing all would cost more than the stories.
const DEFINITIONS: [&str; 2] = [
    "kustomizations.kustomize.toolkit.fluxcd.io",
    "gitrepositories.source.toolkit.fluxcd.io",
];

/// The shared parts.
pub(crate) struct Kit {
    pub(crate) artifacts: Artifacts,
    pub(crate) definitions: Vec<Value>,
    /// `script/source/number` → `status.artifact`.
    commits: BTreeMap<String, Value>,
    _folder: tempfile::TempDir,
}

impl Kit {
    /// Stores the commits of `scripts`.
    pub(crate) fn new(scripts: &[Script]) -> Result<Self> {
        sluice_testkit::world::install_tls();
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path(), Limits::default())?;
        let mut commits = BTreeMap::new();
        for script in scripts {
            let mut numbers: BTreeMap<&str, u64> = BTreeMap::new();
            for step in &script.steps {
                let Step::Commit(source, files) = step else {
                    continue;
                };
                let number = numbers.entry(source).or_default();
                *number += 1;
                let key = key(script.name, source, *number);
                let artifact = store_commit(&store, &key, *number, files)?;
                commits.insert(key, artifact);
            }
        }
        let mut definitions = sluice_api::crd::all();
        definitions.retain(|definition| {
            DEFINITIONS
                .iter()
                .any(|name| definition["metadata"]["name"] == *name)
        });
        let artifacts = Artifacts::new(Some(store))?;
        Ok(Self {
            artifacts,
            definitions,
            commits,
            _folder: folder,
        })
    }

    /// `status.artifact` of a commit.
    pub(crate) fn artifact(&self, script: &str, source: &str, number: u64) -> Value {
        self.commits
            .get(&key(script, source, number))
            .cloned()
            .unwrap_or_default()
    }
}

fn key(script: &str, source: &str, number: u64) -> String {
    format!("{script}/{source}/{number}")
}

fn store_commit(store: &Store, key: &str, number: u64, files: &[Value]) -> Result<Value> {
    let mut draft = store.draft();
    let mut entries = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let content = file.to_string();
        let blob = draft.blob(content.as_bytes())?;
        let content = EntryContent::File {
            blob,
            size: content.len() as u64,
            is_executable: false,
        };
        entries.push(DirectoryEntry {
            name: format!("{index:03}.json"),
            content,
        });
    }
    let root = draft.directory(entries)?;
    let file = format!("{}.tar.gz", key.replace([' ', '/', ','], "-"));
    let path = ArtifactPath::new("gitrepository", NAMESPACE, "src", &file).context("a path")?;
    let revision = format!("main@sha1:r{number}");
    let artifact = draft.commit(&path, &revision, root)?;
    Ok(json!({
        "path": path.to_string(), "url": "http://sim.invalid/x", "revision": revision, "digest": artifact.digest.to_string(),
        "lastUpdateTime": "2026-01-01T00:00:00Z", "size": artifact.size,
    }))
}
