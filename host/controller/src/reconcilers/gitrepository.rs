//! GitRepository: credentials → includes → fetch → verify → archive (compat/source.md section 5). The rest is the frame's.

mod credentials;
mod include;
mod provider;
mod verify;

use provider::Providers;

use super::source::{Done, Pass, SourceKind, SourceReconciler, SourceSettings, Trouble};
use crate::runtime::{GIT_REPOSITORY, Kind};
use sluice_api::source::GitRepositoryStatus;
use sluice_api::{Artifact, GitRepository, meta, reason};
use sluice_artifact::Store;
use sluice_event::Severity;
use sluice_source::credential::cloud::Clouds;
use sluice_source::{GitFetcher, GitRequest, Mirror, Outcome, Reference, Sparse, archive};
use std::collections::BTreeMap;

/// What is Git's own in reconciling a source.
pub struct GitRepositories {
    fetcher: GitFetcher,
    clouds: Clouds,
}

/// Reconciles GitRepositories.
pub type GitRepositoryReconciler = SourceReconciler<GitRepositories>;

impl GitRepositories {
    /// Fetches with `fetcher` into `store`; `clouds` know who this controller is to the Git servers of clouds.
    pub fn reconciler(
        fetcher: GitFetcher,
        clouds: Clouds,
        store: Store,
        settings: SourceSettings,
    ) -> GitRepositoryReconciler {
        SourceReconciler::new(Self { fetcher, clouds }, store, settings)
    }
}

impl SourceKind for GitRepositories {
    type Object = GitRepository;
    const KIND: &'static Kind = &GIT_REPOSITORY;
    const LATEST: Option<&'static str> = None;

    fn stored(revision: &str) -> String {
        format!("stored artifact for revision '{revision}'")
    }

    async fn attempt(&self, pass: &mut Pass<'_, GitRepository>) -> Result<Done, Trouble> {
        let repository = pass.object;
        verify::forget_unasked(pass);
        provider::check(pass.run, repository)?;
        let providers = Providers {
            clouds: &self.clouds,
            addresses: self.fetcher.addresses(),
        };
        let request = credentials::request(pass, &providers).await?;
        let included = include::artifacts(pass.run, repository)?;
        let is_same_include = include::is_same(&pass.report.status.included_artifacts, &included);
        if !is_same_include {
            pass.report
                .building("included artifacts differ from last observed includes");
        }
        pass.report.forget_news();
        let is_same_content = is_same_include && is_content_as_observed(&pass.report.status, repository);
        let stored = pass.stored_revision().map(str::to_owned);
        let reference = reference(repository);
        let is_compared = is_same_content && !verify::is_repeated(repository, &reference);
        let request = GitRequest {
            last_revision: stored.clone().filter(|_| is_compared),
            reference,
            // Flux's library checks out either a part or submodules
            recurse_submodules: repository.spec.recurse_submodules
                && repository.spec.sparse_checkout.is_empty(),
            ..request
        };
        let mirrors = mirrors(repository);
        let served = pass.fetch(self.fetcher.fetch_anywhere(request, &mirrors)).await?;
        if let Some(mirror) = &served.mirror {
            tell_of_mirror(pass, mirror);
        }
        let fetched = match served.outcome {
            Outcome::Unchanged(revision) => return Ok(unchanged(&revision.to_string())),
            Outcome::Fetched(fetched) => fetched,
        };
        verify::verify(pass, &fetched).await?;
        let revision = fetched.revision.to_string();
        let told = format!("stored artifact for commit '{}'", shorten(&fetched.subject));
        let is_same_revision = stored.as_deref() == Some(revision.as_str());
        if is_same_revision && is_same_content {
            // brought for its signature alone
            return Ok(Done::up_to_date(told, &revision));
        }
        if !is_same_revision {
            pass.report
                .outdated(&format!("new upstream revision '{revision}'"));
        }
        let file = format!("{}.tar.gz", fetched.commit());
        let selection = archive::Selection {
            ignore: repository.spec.ignore.clone(),
            ignore_time_max: Some(repository.spec.timeout.get()),
            sparse: Sparse::of(&repository.spec.sparse_checkout),
            includes: include::open(pass, &included).await?,
        };
        let write = move |store: &Store, path: &_| archive::store(&fetched, &selection, store, path);
        pass.store(&file, BTreeMap::new(), write).await?;
        observe(&mut pass.report.status, repository, included);
        Ok(Done::Stored { told })
    }
}

/// The URLs of the annotation, in their order.
fn mirrors(repository: &GitRepository) -> Vec<String> {
    let annotations = repository.metadata.annotations.as_ref();
    let listed = annotations.and_then(|annotations| annotations.get(meta::MIRRORS));
    let urls = listed.into_iter().flat_map(|listed| listed.split(','));
    let urls = urls.map(str::trim).filter(|url| !url.is_empty());
    urls.map(str::to_owned).collect()
}

/// The condition says each time who served; users are told once.
fn tell_of_mirror(pass: &mut Pass<'_, GitRepository>, mirror: &Mirror) {
    let Mirror { url, cause } = mirror;
    if pass.report.remark(&format!(", from mirror '{url}'")) {
        let message = format!("the remote cannot be reached, mirror '{url}' serves in its place: {cause}");
        let reason = reason::GIT_OPERATION_FAILED;
        pass.report.tell(Severity::Info, reason.as_str(), &message);
    }
}

fn unchanged(revision: &str) -> Done {
    let text = format!("no changes since last reconciliation: observed revision '{revision}'");
    Done::Unchanged {
        told: format!("stored artifact for commit '{revision}'"),
        trace: (reason::GIT_OPERATION_SUCCEEDED, text),
    }
}

/// Whether the artifact was made with what the spec says of its content: absent and empty differ, as in Flux.
fn is_content_as_observed(status: &GitRepositoryStatus, repository: &GitRepository) -> bool {
    let spec = &repository.spec;
    status.artifact.is_some()
        && !verify::is_due(status, repository)
        && status.observed_ignore == spec.ignore
        && status.observed_recurse_submodules == spec.recurse_submodules
        && status.observed_include == spec.include
        && status.observed_sparse_checkout == spec.sparse_checkout
}

fn observe(status: &mut GitRepositoryStatus, repository: &GitRepository, included: Vec<Artifact>) {
    let spec = &repository.spec;
    status.included_artifacts = included;
    status.observed_ignore.clone_from(&spec.ignore);
    status.observed_recurse_submodules = spec.recurse_submodules;
    status.observed_include.clone_from(&spec.include);
    status.observed_sparse_checkout.clone_from(&spec.sparse_checkout);
}

fn reference(repository: &GitRepository) -> Reference {
    let reference = repository.spec.reference.clone().unwrap_or_default();
    Reference {
        branch: reference.branch,
        tag: reference.tag,
        semver: reference.semver,
        name: reference.name,
        commit: reference.commit,
    }
}

/// Most characters of a commit's subject in an event, as in Flux.
const SUBJECT_CHARACTERS_MAX: usize = 50;

fn shorten(subject: &str) -> String {
    match subject.char_indices().nth(SUBJECT_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}...", subject.get(..end).unwrap_or_default()),
        None => subject.to_owned(),
    }
}
