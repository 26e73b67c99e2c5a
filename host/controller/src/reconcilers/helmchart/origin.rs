//! Which source a chart comes from, and what it has (compat/source.md 8.2).

use crate::artifacts::{ArtifactFacts, look};
use crate::error_policy::Failure;
use crate::reconcilers::source::{Pass, Trouble};
use crate::runtime::{BUCKET, GIT_REPOSITORY, HELM_REPOSITORY, Key, Topic};
use serde_json::Value;
use sluice_api::source::{ChartSourceKind, HelmRepositorySpec, HelmRepositoryType, ReconcileStrategy};
use sluice_api::{HelmChart, HelmRepository, Next, decode, reason};
use sluice_artifact::{ArtifactPath, Store};

/// Where a chart is looked for.
pub(super) enum Origin {
    /// A chart repository; `index` is where its index is stored, none for registries.
    Repository {
        spec: Box<HelmRepositorySpec>,
        index: Option<ArtifactPath>,
    },
    /// The files of another source; `revision` is what of its revision enters the chart's version.
    Files {
        path: ArtifactPath,
        revision: Option<String>,
    },
}

/// How much of a revision enters a version: it ends up in labels, which hold 63 characters.
const REVISION_LENGTH: usize = 12;

/// The source that the chart names. From now on it wakes the chart.
pub(super) async fn find(pass: &mut Pass<'_, HelmChart>, store: &Store) -> Result<Origin, Trouble> {
    let reference = &pass.object.spec.source_ref;
    let kind = match reference.kind {
        ChartSourceKind::HelmRepository => &HELM_REPOSITORY,
        ChartSourceKind::GitRepository => &GIT_REPOSITORY,
        ChartSourceKind::Bucket => &BUCKET,
    };
    let (run, name) = (pass.run, &reference.name);
    let key = Key::new(kind.kind, &run.key.namespace, name);
    run.subscribe(Topic::News(key.clone()));
    let unavailable = |cause: String| {
        let message = format!("failed to get source: {cause}");
        Trouble::fetch(Failure::back_off(reason::SOURCE_UNAVAILABLE, message))
    };
    let object = run
        .cx
        .store
        .get(&key)
        .ok_or_else(|| unavailable(format!("{}.{} \"{name}\" not found", kind.kind, kind.group)))?;
    let repository: Option<HelmRepository> = match reference.kind {
        ChartSourceKind::HelmRepository => {
            let decoded = decode(&object);
            Some(decoded.map_err(|error| unavailable(error.to_string()))?)
        }
        ChartSourceKind::GitRepository | ChartSourceKind::Bucket => None,
    };
    let is_registry = repository
        .as_ref()
        .is_some_and(|repository| repository.spec.type_ == Some(HelmRepositoryType::Oci));
    let artifact = stored(&object, store).await;
    if let Some((_, revision)) = &artifact {
        pass.report.status.observed_source_artifact_revision = Some(revision.clone());
    }
    match (repository, artifact) {
        (Some(repository), _) if is_registry => Ok(Origin::Repository {
            spec: Box::new(repository.spec),
            index: None,
        }),
        (Some(repository), Some((path, _))) => Ok(Origin::Repository {
            spec: Box::new(repository.spec),
            index: Some(path),
        }),
        (None, Some((path, revision))) => Ok(Origin::Files {
            path,
            revision: metadata(pass.object, &revision),
        }),
        (_, None) => {
            let message = format!("no artifact available for {} source '{name}'", kind.kind);
            Err(Trouble::fetch(Failure {
                next: Next::Wait(key.to_string()),
                ..Failure::retry(reason::NO_SOURCE_ARTIFACT, message)
            }))
        }
    }
}

/// Where a source's artifact is in our store, and its revision; none where it is not there, or not as it should be.
pub(super) async fn stored(source: &Value, store: &Store) -> Option<(ArtifactPath, String)> {
    let facts = ArtifactFacts::of(source)?;
    let path = facts.path.parse().ok()?;
    look(store, &path, &facts.digest).await?;
    Some((path, facts.revision))
}

/// What of the source's revision enters the version: where the strategy says so, the first digits of its hash.
fn metadata(chart: &HelmChart, revision: &str) -> Option<String> {
    match chart.spec.reconcile_strategy {
        ReconcileStrategy::ChartVersion => None,
        ReconcileStrategy::Revision => {
            let hash = revision.rsplit([':', '/']).next().unwrap_or(revision);
            Some(hash.chars().take(REVISION_LENGTH).collect())
        }
    }
}
