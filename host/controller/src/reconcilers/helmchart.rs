//! HelmChart: source → version → signature → archive → store (compat/source.md section 8). The rest is the frame's.
//!
//! ```text
//! HelmRepository (index) ──▶ Place::Index ────┐
//! HelmRepository (oci) ────▶ Place::Registry ─┼─▶ Built ─▶ artifact
//! GitRepository, Bucket ───▶ tree ────────────┘   ▲
//!                               └─ subcharts ─────┘ by the HelmRepositories of the namespace
//! ```

mod dependencies;
mod files;
mod origin;
mod place;
mod remote;

use super::source::{Done, Pass, SourceKind, SourceReconciler, SourceSettings, Trouble};
use crate::error_policy::Failure;
use crate::reconcilers::aside::elsewhere;
use crate::runtime::{HELM_CHART, Kind};
use origin::Origin;
use sluice_api::conditions::{BUILD_FAILED, FETCH_FAILED};
use sluice_api::source::HelmChartStatus;
use sluice_api::{Blame, Disposition, HelmChart, Next, Reason, reason};
use sluice_artifact::{Artifact, ArtifactPath, Store, store};
use sluice_event::Severity;
use sluice_source::credential::cloud::Clouds;
use sluice_source::helm::Catalogs;
use sluice_source::helm::chart::{BuildError, BuildReason, Built, Limits, Recipe, Stored};
use sluice_source::{HelmFetcher, OciFetcher};
use std::collections::BTreeMap;

/// What is a chart's own in reconciling a source.
pub struct HelmCharts {
    services: Services,
}

/// Where charts come from.
#[derive(Clone)]
struct Services {
    repositories: HelmFetcher,
    registries: OciFetcher,
    clouds: Clouds,
    catalogs: Catalogs,
    store: Store,
}

/// Reconciles HelmCharts.
pub type HelmChartReconciler = SourceReconciler<HelmCharts>;

impl HelmCharts {
    /// Fetches from repositories and registries into `store`, which also holds indexes and the files of other sources;
    /// `clouds` know who this controller is to the registries of clouds.
    pub fn reconciler(
        repositories: HelmFetcher,
        registries: OciFetcher,
        clouds: Clouds,
        store: Store,
        settings: SourceSettings,
    ) -> HelmChartReconciler {
        let services = Services {
            repositories,
            registries,
            clouds,
            catalogs: Catalogs::default(),
            store: store.clone(),
        };
        SourceReconciler::new(Self { services }, store, settings)
    }
}

impl Services {
    fn limits(&self) -> Limits {
        let limits = self.repositories.limits();
        Limits {
            chart_size_max: limits.chart_size_max,
            file_size_max: limits.chart_file_size_max,
        }
    }
}

impl SourceKind for HelmCharts {
    type Object = HelmChart;
    const KIND: &'static Kind = &HELM_CHART;
    const LATEST: Option<&'static str> = Some("latest.tar.gz");

    /// Each pass says more than this of its own.
    fn stored(revision: &str) -> String {
        format!("stored artifact: revision '{revision}'")
    }

    async fn attempt(&self, pass: &mut Pass<'_, HelmChart>) -> Result<Done, Trouble> {
        let origin = origin::find(pass, &self.services.store).await?;
        if pass.object.spec.verification.is_none() {
            pass.report.verified(None);
        }
        let built = match origin {
            Origin::Repository { spec, index } => remote::build(pass, &self.services, spec, index).await?,
            Origin::Files { path, revision } => files::build(pass, &self.services, path, revision).await?,
        };
        finish(pass, built).await
    }
}

/// What the user wants of the chart; `revision` of the source enters the version.
fn recipe(pass: &Pass<'_, HelmChart>, revision: Option<String>) -> Recipe {
    let spec = &pass.object.spec;
    let status = &pass.report.status;
    let generation = pass.object.metadata.generation.unwrap_or_default();
    let is_observed = status.observed_generation == Some(generation);
    Recipe {
        values_files: spec.values_files.clone(),
        ignore_missing: spec.ignore_missing_values_files,
        revision,
        generation,
        signed_as: None,
        stored: stored(status).filter(|_| is_observed),
    }
}

fn stored(status: &HelmChartStatus) -> Option<Stored> {
    Some(Stored {
        name: status.observed_chart_name.clone()?,
        version: status.artifact.as_ref()?.revision.clone(),
        values_files: status.observed_values_files.clone(),
    })
}

/// Makes the chart the artifact, unless it is.
async fn finish(pass: &mut Pass<'_, HelmChart>, built: Built) -> Result<Done, Trouble> {
    let told = built.summary();
    pass.report.outcome(reason_of(&built), told.clone());
    let Built {
        name,
        version,
        values_files,
        archive,
        resolved_dependencies,
        ..
    } = built;
    let Some(archive) = archive else {
        return Ok(Done::up_to_date(told, &version));
    };
    if resolved_dependencies > 0 {
        let message = format!("resolved {resolved_dependencies} chart dependencies");
        let reason = reason::RESOLVED_DEPENDENCIES;
        pass.report.tell(Severity::Trace, reason.as_str(), &message);
    }
    let status = &pass.report.status;
    let is_same = status.observed_chart_name.as_ref() == Some(&name)
        && pass.stored_revision() == Some(version.as_str());
    if !is_same {
        pass.report.outdated_by(reason::NEW_CHART, &told);
    }
    // the name of a chart in a registry may be a path; the artifact's file lies beside the others
    let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(&name);
    let file = format!("{last}-{version}.tgz");
    let revision = version.clone();
    let write = move |store: &Store, path: &_| write(store, path, &revision, &archive);
    pass.store(&file, BTreeMap::new(), write).await?;
    let status = &mut pass.report.status;
    status.observed_chart_name = Some(name);
    status.observed_values_files = match pass.object.spec.ignore_missing_values_files {
        true => values_files,
        false => Vec::new(),
    };
    Ok(Done::Stored { told })
}

fn reason_of(built: &Built) -> Reason {
    match built.is_packaged {
        true => reason::CHART_PACKAGE_SUCCEEDED,
        false => reason::CHART_PULL_SUCCEEDED,
    }
}

/// The store does not take a chart.
#[derive(Debug, thiserror::Error)]
#[error("unable to copy Helm chart to storage: {0}")]
struct NotStored(store::Error);

impl Disposition for NotStored {
    fn reason(&self) -> Reason {
        reason::ARCHIVE_OPERATION_FAILED
    }

    fn next(&self) -> Next {
        Next::BackOff
    }

    fn blame(&self) -> Blame {
        Blame::Host
    }
}

fn write(store: &Store, path: &ArtifactPath, revision: &str, archive: &[u8]) -> Result<Artifact, NotStored> {
    let mut draft = store.draft();
    let blob = draft.blob(archive).map_err(NotStored)?;
    draft.commit_file(path, revision, blob).map_err(NotStored)
}

/// Which condition says what failed (compat/source.md 8.7).
fn trouble(pass: &mut Pass<'_, HelmChart>, error: &BuildError) -> Trouble {
    let condition = match error.reason {
        BuildReason::Reference | BuildReason::Pull => FETCH_FAILED,
        BuildReason::MetadataPatch
        | BuildReason::ValuesFiles
        | BuildReason::Dependency
        | BuildReason::Package => BUILD_FAILED,
        BuildReason::Verification => {
            pass.report.unverified(&error.to_string());
            BUILD_FAILED
        }
    };
    Trouble::Failed {
        condition,
        failure: Failure::of(error),
    }
}

/// Work on a thread that may block.
async fn blocking<T: Send + 'static>(
    pass: &mut Pass<'_, HelmChart>,
    work: impl FnOnce() -> Result<T, BuildError> + Send + 'static,
) -> Result<T, Trouble> {
    let done = pass.patiently(elsewhere(work)).await?;
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(trouble(pass, &error)),
        Err(broken) => Err(Trouble::Unknown(Failure::retry(
            reason::FAILED,
            format!("building the chart {broken}"),
        ))),
    }
}
