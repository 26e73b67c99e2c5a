//! GitRepository: credentials → fetch → archive (compat/source.md section 5). The rest is the frame's.

mod credentials;
mod supported;

use super::source::{Done, Pass, SourceKind, SourceReconciler, SourceSettings, Trouble};
use crate::runtime::{GIT_REPOSITORY, Kind};
use sluice_api::source::GitRepositoryStatus;
use sluice_api::{GitRepository, reason};
use sluice_artifact::Store;
use sluice_source::{GitFetcher, GitRequest, Outcome, Reference, Sparse, archive};
use std::collections::BTreeMap;

/// What is Git's own in reconciling a source.
pub struct GitRepositories {
    fetcher: GitFetcher,
}

/// Reconciles GitRepositories.
pub type GitRepositoryReconciler = SourceReconciler<GitRepositories>;

impl GitRepositories {
    /// Fetches with `fetcher` into `store`.
    pub fn reconciler(
        fetcher: GitFetcher,
        store: Store,
        settings: SourceSettings,
    ) -> GitRepositoryReconciler {
        SourceReconciler::new(Self { fetcher }, store, settings)
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
        supported::check(repository, &pass.run.cx.config)?;
        let request = credentials::request(pass.run, repository).await?;
        let is_same_content = is_content_as_observed(&pass.report.status, repository);
        let stored = pass.stored_revision().map(str::to_owned);
        let request = GitRequest {
            last_revision: stored.clone().filter(|_| is_same_content),
            reference: reference(repository),
            ..request
        };
        let fetched = match pass
            .patiently(self.fetcher.fetch(request))
            .await?
            .map_err(|error| Trouble::of(&error))?
        {
            Outcome::Unchanged(revision) => return Ok(unchanged(&revision.to_string())),
            Outcome::Fetched(fetched) => fetched,
        };
        let revision = fetched.revision.to_string();
        if stored.as_deref() != Some(revision.as_str()) {
            pass.report
                .outdated(&format!("new upstream revision '{revision}'"));
        }
        let told = format!("stored artifact for commit '{}'", shorten(&fetched.subject));
        let file = format!("{}.tar.gz", fetched.commit());
        let selection = archive::Selection {
            ignore: repository.spec.ignore.clone(),
            sparse: Sparse::of(&repository.spec.sparse_checkout),
        };
        let write = move |store: &Store, path: &_| archive::store(&fetched, &selection, store, path);
        pass.store(&file, BTreeMap::new(), write).await?;
        observe(&mut pass.report.status, repository);
        Ok(Done::Stored { told })
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
        && status.observed_ignore == spec.ignore
        && status.observed_recurse_submodules == spec.recurse_submodules
        && status.observed_include == spec.include
        && status.observed_sparse_checkout == spec.sparse_checkout
}

fn observe(status: &mut GitRepositoryStatus, repository: &GitRepository) {
    let spec = &repository.spec;
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
