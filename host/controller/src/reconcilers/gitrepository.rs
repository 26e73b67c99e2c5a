//! GitRepository: storage → credentials → fetch → archive → status (compat/source.md sections 2, 3, 5).

mod credentials;
mod report;
mod supported;

use crate::error_policy::Failure;
use crate::runtime::{GIT_REPOSITORY, Kind, Park, Reconciler, Run};
use futures::FutureExt;
use futures::future::BoxFuture;
use report::{Report, Trouble};
use serde_json::Value;
use sluice_api::{GitRepository, Next, conditions, decode, meta, reason};
use sluice_artifact::{Artifact, ArtifactPath, Store, store};
use sluice_event::events::{
    ArtifactStored, FetchFailed, FetchUnchanged, ObjectMalformed, ReconcileSuspended,
};
use sluice_event::events::{ReconcileFailed, ReconcileFinished};
use sluice_event::{Severity, metrics};
use sluice_source::{Fetched, GitFetcher, GitRequest, Outcome, Reference, archive};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Work shorter than this is not worth a status write of its own.
const PROGRESS_GRACE: Duration = Duration::from_secs(1);

/// What the flags of Flux's source-controller set.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// `--storage-adv-addr`: host and port, or a prefix with a scheme, of the URLs of artifacts.
    pub advertised_address: String,
    /// `--artifact-retention-ttl` and `--artifact-retention-records`.
    pub retention: store::Retention,
}

/// Reconciles GitRepositories.
pub struct GitRepositoryReconciler {
    fetcher: GitFetcher,
    store: Store,
    settings: SourceSettings,
}

/// How a pass ended well.
enum Done {
    /// The remote has what is stored.
    Unchanged,
    /// Something was fetched and is the artifact now.
    Stored { subject: String },
}

impl GitRepositoryReconciler {
    /// Fetches with `fetcher` into `store`.
    pub fn new(fetcher: GitFetcher, store: Store, settings: SourceSettings) -> Self {
        Self {
            fetcher,
            store,
            settings,
        }
    }

    async fn step(&self, run: &Run, object: &Arc<Value>) -> Park {
        let repository: GitRepository = match decode((**object).clone()) {
            Ok(repository) => repository,
            Err(invalid) => return malformed(run, object, &invalid.error).await,
        };
        if repository.metadata.deletion_timestamp.is_some() {
            return self.finalize(run, object, &repository).await;
        }
        let mut object = object.clone();
        if !has_finalizer(&repository) {
            match run
                .cx
                .set_finalizer(&GIT_REPOSITORY, &run.key, &object, meta::FINALIZER, true)
                .await
            {
                Ok(Some(current)) => object = Arc::new(current),
                Ok(None) => return Park::Gone,
                // it changed meanwhile: the watch brings the new state
                Err(error) if error.code() == 409 => return Park::For(Some(Duration::from_millis(200))),
                Err(_) => return Park::Backoff { at_most: None },
            }
        }
        let started = Instant::now();
        let mut report = Report::new(run, object, &repository);
        if repository.spec.suspend {
            ReconcileSuspended.emit();
            report.suspended();
            return close(&mut report, Park::For(None)).await;
        }
        report.progressing();
        match self.attempt(run, &repository, &mut report).await {
            Ok(done) => self.succeeded(run, &repository, report, done, started).await,
            Err(Trouble::Superseded) => Park::For(Some(Duration::ZERO)),
            Err(Trouble::NotWritten(error)) => not_written(&error),
            Err(Trouble::Failed { condition, failure }) => {
                failed(run, report, condition, &failure, started).await
            }
        }
    }

    /// The floor plan.
    async fn attempt(
        &self,
        run: &Run,
        repository: &GitRepository,
        report: &mut Report<'_>,
    ) -> Result<Done, Trouble> {
        self.look_into_storage(run, report);
        supported::check(repository, &run.cx.config)?;
        let request = credentials::request(run, repository).await?;
        let is_same_content = report.is_content_as_observed(repository);
        let stored = report
            .status
            .artifact
            .as_ref()
            .map(|artifact| artifact.revision.clone());
        let last_revision = stored.clone().filter(|_| is_same_content);
        let request = GitRequest {
            last_revision,
            reference: reference(repository),
            ..request
        };
        let fetching = self.fetcher.fetch(request);
        let fetched = match patiently(run, report, fetching)
            .await?
            .map_err(|error| Trouble::fetch(&error))?
        {
            Outcome::Unchanged(_) => return Ok(Done::Unchanged),
            Outcome::Fetched(fetched) => fetched,
        };
        let revision = fetched.revision.to_string();
        if stored.as_deref() != Some(revision.as_str()) {
            report.new_revision(&revision);
        }
        let artifact = self.archive(run, repository, report, fetched.clone()).await?;
        report.stored(repository, &artifact, &self.settings.advertised_address);
        Ok(Done::Stored {
            subject: fetched.subject,
        })
    }

    /// What the status promises must be there; old artifacts go.
    fn look_into_storage(&self, run: &Run, report: &mut Report<'_>) {
        let Some(known) = report.status.artifact.clone() else {
            report.phase("building artifact");
            return;
        };
        let path = known.path.parse::<ArtifactPath>().ok();
        let found = path.as_ref().and_then(|path| self.store.artifact(path));
        match (path, found) {
            (Some(path), Some(found)) if found.digest.to_string() == known.digest => {
                report.relocate(path.url(&self.settings.advertised_address));
                match self
                    .store
                    .collect(&path, self.settings.retention, jiff::Timestamp::now())
                {
                    Ok(0) => {}
                    Ok(count) => report.tell_of_garbage(&format!("garbage collected {count} artifacts")),
                    Err(error) => tracing::warn!(%error, "garbage collection failed"),
                }
            }
            (_, found) => {
                if let Some(found) = found {
                    let digests = format!(
                        "computed digest '{}' doesn't match '{}'",
                        found.digest, known.digest
                    );
                    let message = format!("failed to verify integrity of artifact: {digests}");
                    report.tell(
                        Severity::Error,
                        reason::ARTIFACT_VERIFICATION_FAILED.as_str(),
                        &message,
                    );
                }
                tracing::info!(path = known.path, object = %run.key, "artifact disappeared from storage");
                report.disappeared();
            }
        }
    }

    async fn archive(
        &self,
        run: &Run,
        repository: &GitRepository,
        report: &mut Report<'_>,
        fetched: Fetched,
    ) -> Result<Artifact, Trouble> {
        let started = Instant::now();
        let (namespace, name) = (&run.key.namespace, &run.key.name);
        let file = format!("{}.tar.gz", fetched.commit());
        let path = ArtifactPath::new(GIT_REPOSITORY.kind, namespace, name, &file)
            .map_err(|error| Trouble::storage(Failure::stall(reason::INVALID_PATH, error.to_string())))?;
        let (store, ignore) = (self.store.clone(), repository.spec.ignore.clone());
        let work =
            tokio::task::spawn_blocking(move || archive::store(&fetched, ignore.as_deref(), &store, &path));
        let artifact = match patiently(run, report, work).await? {
            Ok(stored) => stored.map_err(|error| Trouble::archive(&error))?,
            Err(error) => {
                let failure = Failure::retry(reason::ARCHIVE_OPERATION_FAILED, error.to_string());
                return Err(Trouble::storage(failure));
            }
        };
        ArtifactStored {
            revision: &artifact.revision,
            digest: &artifact.digest.to_string(),
            duration: started.elapsed(),
        }
        .emit();
        Ok(artifact)
    }

    async fn succeeded(
        &self,
        run: &Run,
        repository: &GitRepository,
        mut report: Report<'_>,
        done: Done,
        started: Instant,
    ) -> Park {
        let is_requested = report.is_requested();
        report.succeeded();
        if let Err(error) = report.close().await {
            return not_written(&error);
        }
        let revision = report.revision().to_owned();
        let message = match done {
            Done::Unchanged => {
                FetchUnchanged { revision: &revision }.emit();
                let message = format!("no changes since last reconciliation: observed revision '{revision}'");
                // Flux says so at each pass; here only where somebody asked
                is_requested.then(|| {
                    report.tell(
                        Severity::Trace,
                        reason::GIT_OPERATION_SUCCEEDED.as_str(),
                        &message,
                    )
                });
                report.tell_of_success(&format!("stored artifact for commit '{revision}'"));
                None
            }
            Done::Stored { subject } => {
                let message = format!("stored artifact for commit '{}'", shorten(&subject));
                if !report.tell_of_success(&message) {
                    let message = format!("artifact up-to-date with remote revision: '{revision}'");
                    report.tell(Severity::Trace, reason::ARTIFACT_UP_TO_DATE.as_str(), &message);
                }
                Some(message)
            }
        };
        ReconcileFinished {
            controller: GIT_REPOSITORY.controller,
            object: (GIT_REPOSITORY.kind, &run.key.namespace, &run.key.name),
            duration: started.elapsed(),
            message: message.as_deref(),
            revision: Some(&revision),
        }
        .emit();
        Park::For(Some(run.spread(repository.spec.interval.get())))
    }

    async fn finalize(&self, run: &Run, object: &Arc<Value>, repository: &GitRepository) -> Park {
        if !has_finalizer(repository) {
            return Park::For(None);
        }
        let report = Report::new(run, object.clone(), repository);
        match self
            .store
            .remove_object(GIT_REPOSITORY.kind, &run.key.namespace, &run.key.name)
        {
            Ok(0) => {}
            Ok(_) => report.tell_of_garbage("garbage collected artifacts for deleted resource"),
            Err(error) => {
                let message = format!("garbage collection for deleted resource failed: {error}");
                report.tell(
                    Severity::Error,
                    reason::GARBAGE_COLLECTION_FAILED.as_str(),
                    &message,
                );
                return Park::Backoff { at_most: None };
            }
        }
        match run
            .cx
            .set_finalizer(&GIT_REPOSITORY, &run.key, object, meta::FINALIZER, false)
            .await
        {
            Ok(_) => Park::For(None),
            Err(error) if error.code() == 409 => Park::For(Some(Duration::from_millis(200))),
            Err(_) => Park::Backoff { at_most: None },
        }
    }
}

impl Reconciler for GitRepositoryReconciler {
    fn kind(&self) -> &'static Kind {
        &GIT_REPOSITORY
    }

    fn reconcile<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Park> {
        async move {
            match &run.object {
                Some(object) => self.step(run, object).await,
                None => {
                    metrics::forget_object(GIT_REPOSITORY.kind, &run.key.namespace, &run.key.name);
                    Park::Gone
                }
            }
        }
        .boxed()
    }
}

/// Waits for work. If it lasts, the status says that it goes on; if a newer wish comes, it is left to itself.
async fn patiently<T>(
    run: &Run,
    report: &mut Report<'_>,
    work: impl Future<Output = T>,
) -> Result<T, Trouble> {
    tokio::pin!(work);
    loop {
        match tokio::time::timeout(PROGRESS_GRACE, &mut work).await {
            Ok(done) => return Ok(done),
            Err(_) if run.is_superseded() => return Err(Trouble::Superseded),
            Err(_) => report.write().await.map(drop).map_err(Trouble::NotWritten)?,
        }
    }
}

/// Turns a failure into conditions, an event and the next attempt.
async fn failed(
    run: &Run,
    mut report: Report<'_>,
    condition: &'static str,
    failure: &Failure,
    started: Instant,
) -> Park {
    report.failed(condition, failure);
    let written = report.close().await;
    report.tell(Severity::Error, failure.reason.as_str(), &failure.message);
    if condition == conditions::FETCH_FAILED {
        FetchFailed {
            reason: failure.reason.as_str(),
            error: &failure.message,
        }
        .emit();
    }
    ReconcileFailed {
        controller: GIT_REPOSITORY.controller,
        object: (GIT_REPOSITORY.kind, &run.key.namespace, &run.key.name),
        duration: started.elapsed(),
        error: &failure.message,
        reason: failure.reason.as_str(),
        next: (failure.next != Next::Stall).then_some(run.cx.config.min_retry_delay),
        revision: None,
    }
    .emit();
    match written {
        Ok(_) if failure.next == Next::Stall => Park::For(None),
        // sources have no retry interval: Flux too backs off from --min-retry-delay to --max-retry-delay
        Ok(_) => Park::Backoff { at_most: None },
        Err(error) => not_written(&error),
    }
}

async fn close(report: &mut Report<'_>, park: Park) -> Park {
    match report.close().await {
        Ok(_) => park,
        Err(error) => not_written(&error),
    }
}

fn not_written(error: &sluice_apply::cluster::RequestError) -> Park {
    tracing::warn!(%error, "status not written, trying again");
    Park::Backoff { at_most: None }
}

/// The object is there but cannot be read as a GitRepository. It alone suffers.
async fn malformed(run: &Run, object: &Arc<Value>, error: &str) -> Park {
    ObjectMalformed { error }.emit();
    let mut report = Report::of_unreadable(run, object.clone());
    let message = format!("the object cannot be read: {error}. Correct the named field");
    report.failed(
        conditions::FETCH_FAILED,
        &Failure::stall(reason::INVALID_SPEC, message.clone()),
    );
    let written = report.close().await;
    if matches!(written, Ok(true)) {
        report.tell(Severity::Error, reason::INVALID_SPEC.as_str(), &message);
    }
    written.map_or_else(|error| not_written(&error), |_| Park::For(None))
}

fn has_finalizer(repository: &GitRepository) -> bool {
    repository
        .metadata
        .finalizers
        .iter()
        .flatten()
        .any(|finalizer| finalizer == meta::FINALIZER)
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
