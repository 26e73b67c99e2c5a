//! Artifacts of other GitRepositories in this one (compat/source.md 5.7).

use crate::error_policy::Failure;
use crate::reconcilers::source::{Pass, Trouble};
use crate::runtime::{GIT_REPOSITORY, Key, Run, Topic};
use serde_json::Value;
use sluice_api::conditions::INCLUDE_UNAVAILABLE;
use sluice_api::source::GitInclude;
use sluice_api::{Artifact, GitRepository, Next, Reason, reason};
use sluice_source::archive::Included;
use std::collections::BTreeSet;

/// How many GitRepositories are looked at to find out whether includes go in a circle.
const CIRCLE_MAX: usize = 1000;

/// The artifacts that `spec.include` names, one for each, as they are now.
pub(super) fn artifacts(run: &Run, repository: &GitRepository) -> Result<Vec<Artifact>, Trouble> {
    let include = &repository.spec.include;
    include
        .iter()
        .map(|include| artifact(run, &include.repository.name))
        .collect()
}

fn artifact(run: &Run, name: &str) -> Result<Artifact, Trouble> {
    let key = key(run, name);
    if !leads_back(run, name) {
        run.subscribe(Topic::News(key.clone()));
    }
    let Some(object) = run.cx.store.get(&key) else {
        let message = format!(
            "could not get resource for include '{name}': GitRepository.source.toolkit.fluxcd.io \"{name}\" not found"
        );
        return Err(unavailable(&key, reason::NOT_FOUND, message));
    };
    let artifact = object.pointer("/status/artifact").cloned();
    let artifact = artifact.and_then(|artifact| serde_json::from_value(artifact).ok());
    artifact.ok_or_else(|| {
        let message = format!("no artifact available for include '{name}'");
        unavailable(&key, reason::NO_ARTIFACT, message)
    })
}

fn key(run: &Run, name: &str) -> Key {
    Key::new(GIT_REPOSITORY.kind, &run.key.namespace, name)
}

fn unavailable(key: &Key, reason: Reason, message: String) -> Trouble {
    Trouble::Failed {
        condition: INCLUDE_UNAVAILABLE,
        failure: Failure {
            next: Next::Wait(key.to_string()),
            ..Failure::retry(reason, message)
        },
    }
}

/// Whether what is included includes this object, by others perhaps. Then each new artifact of it would make another one
/// at once and without end; it is looked at once an interval, as in Flux.
fn leads_back(run: &Run, name: &str) -> bool {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![name.to_owned()]);
    while let Some(name) = todo.pop() {
        if *name == *run.key.name || seen.len() >= CIRCLE_MAX {
            return true;
        }
        let object = run.cx.store.get(&key(run, &name));
        if !seen.insert(name) {
            continue;
        }
        let include = object
            .as_deref()
            .and_then(|object| object.pointer("/spec/include")?.as_array());
        let names = include.into_iter().flatten();
        let names = names.filter_map(|include| include.pointer("/repository/name").and_then(Value::as_str));
        todo.extend(names.map(str::to_owned));
    }
    false
}

/// Whether the artifact was made with these. Their times and addresses may differ.
pub(super) fn is_same(observed: &[Artifact], current: &[Artifact]) -> bool {
    let facts = |artifacts: &[Artifact]| -> Vec<(String, String)> {
        let facts = artifacts.iter();
        facts
            .map(|artifact| (artifact.revision.clone(), artifact.digest.clone()))
            .collect()
    };
    facts(observed) == facts(current)
}

/// The files of the artifacts, and where they go.
pub(super) async fn open(
    pass: &Pass<'_, GitRepository>,
    artifacts: &[Artifact],
) -> Result<Vec<Included>, Trouble> {
    let mut opened = Vec::new();
    for (include, artifact) in pass.object.spec.include.iter().zip(artifacts) {
        let (from, to) = paths(include);
        let name = &include.repository.name;
        let tree = pass.open(artifact).await.map_err(|cause| {
            let message = format!("failed to copy '{name}' include from {from} to {to}: {cause}");
            Trouble::storage(Failure::retry(reason::COPY_FAILURE, message))
        })?;
        opened.push(Included {
            name: name.clone(),
            from,
            to,
            tree,
        });
    }
    Ok(opened)
}

/// What is taken, all where nothing is said; where it goes, a directory of the repository's name where nothing is said.
fn paths(include: &GitInclude) -> (String, String) {
    let to = include.to_path.clone().filter(|path| !path.is_empty());
    let to = to.unwrap_or_else(|| include.repository.name.clone());
    (include.from_path.clone().unwrap_or_default(), to)
}
