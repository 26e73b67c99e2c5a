//! A place that has charts in versions: an index with files beside it, or a registry.

use super::Services;
use crate::error_policy::Failure;
use crate::reconcilers::aside::{Broken, aside, elsewhere};
use crate::reconcilers::helmrepository::request;
use crate::runtime::Run;
use sluice_api::Disposition;
use sluice_api::source::HelmRepositorySpec;
use sluice_artifact::ArtifactPath;
use sluice_source::helm::chart::normalize_url;
use sluice_source::helm::{
    CatalogError, ChartRepository, ChartVersion, DownloadError, FetchedIndex, Look, is_exact, pick, pick_tag,
};
use sluice_source::http::Failure as HttpFailure;
use sluice_source::oci::{Cause, OciReference, OciRequest, Repository, Resolved};
use std::time::Duration;

/// A place that has charts in versions.
pub(super) enum Place {
    /// An index, and the archives that it names.
    Index {
        repository: Box<ChartRepository>,
        index: Index,
    },
    /// A registry; each chart is a repository of it, below the address of the request.
    Registry { request: OciRequest, url: String },
}

/// Where an index is.
pub(super) enum Index {
    /// In the store, where its HelmRepository put it.
    Stored(ArtifactPath),
    /// It was fetched for one chart.
    Fetched(FetchedIndex),
    /// Nobody has it yet.
    Remote,
}

/// A chart does not come.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) kind: ProblemKind,
    /// How long the server wants to be left alone, where it says so.
    pub(super) after: Option<Duration>,
    pub(super) text: String,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProblemKind {
    /// What is asked for is not there: asking again is of no use.
    Reference,
    /// The server does not know us, or we do not trust it.
    Authentication,
    /// Anything else.
    External,
}

impl Problem {
    fn new(kind: ProblemKind, text: impl std::fmt::Display) -> Self {
        Self {
            kind,
            after: None,
            text: text.to_string(),
        }
    }

    fn reference(text: impl std::fmt::Display) -> Self {
        Self::new(ProblemKind::Reference, text)
    }

    fn external(text: impl std::fmt::Display) -> Self {
        Self::new(ProblemKind::External, text)
    }

    /// A problem that may come of what the server answered.
    fn answered(failure: Option<&HttpFailure>, text: impl std::fmt::Display) -> Self {
        let kind = match failure.is_some_and(is_identity) {
            true => ProblemKind::Authentication,
            false => ProblemKind::External,
        };
        Self {
            after: failure.and_then(HttpFailure::retry_after),
            ..Self::new(kind, text)
        }
    }

    /// The same with words in front.
    pub(super) fn prefixed(self, words: &str) -> Self {
        let text = format!("{words}: {}", self.text);
        Self { text, ..self }
    }
}

impl From<Cause> for Problem {
    fn from(cause: Cause) -> Self {
        let problem = Self::answered(cause.failure(), &cause);
        match cause {
            Cause::Credentials(_) => Self {
                kind: ProblemKind::Authentication,
                ..problem
            },
            _ => problem,
        }
    }
}

/// Whether a failure is one of who we are, or of whom we trust.
fn is_identity(failure: &HttpFailure) -> bool {
    match failure {
        HttpFailure::Unauthenticated => true,
        HttpFailure::Transport(text) => text.contains("certificate") || text.contains("UnknownIssuer"),
        _ => false,
    }
}

impl Place {
    /// The place of a repository's spec.
    pub(super) async fn of(
        run: &Run,
        services: &Services,
        spec: &HelmRepositorySpec,
        index: Index,
    ) -> Result<Self, Failure> {
        if !spec.url.starts_with("oci://") {
            let request = request::index(run, spec).await?;
            let repository = services.repositories.repository(&request);
            let repository = Box::new(repository.map_err(|error| Failure::of(&error))?);
            return Ok(Self::Index { repository, index });
        }
        let url = normalize_url(&spec.url).unwrap_or_else(|_| spec.url.clone());
        // any chart will do: who we are depends on the registry, not on the chart
        let request = request::registry(run, spec, &format!("{url}/chart"), &services.clouds).await?;
        Ok(Self::Registry { request, url })
    }

    /// The version of a chart that a wish means.
    pub(super) async fn version(
        &mut self,
        services: &Services,
        chart: &str,
        wish: &str,
    ) -> Result<ChartVersion, Problem> {
        match self {
            Self::Index { repository, index } => {
                let versions = index.versions(services, repository, chart).await?;
                picked(chart, versions, wish).await
            }
            Self::Registry { url, .. } => {
                let at = below(url, chart);
                let version = match is_exact(wish) {
                    true => wish.to_owned(),
                    false => {
                        let tags = self.repository(services, chart)?.tags().await;
                        let tags = tags.map_err(|cause| {
                            Problem::from(cause)
                                .prefixed(&format!("could not fetch tags for \"{at}\""))
                                .prefixed(&format!("could not get tags for \"{chart}\""))
                        })?;
                        picked_tag((chart, &at), tags, wish).await?
                    }
                };
                Ok(ChartVersion {
                    name: chart.to_owned(),
                    urls: vec![format!("{at}:{version}")],
                    version,
                    ..ChartVersion::default()
                })
            }
        }
    }

    /// The archive of a version.
    pub(super) async fn bring(
        &self,
        services: &Services,
        version: &ChartVersion,
    ) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Index { repository, .. } => repository.download(version).await.map_err(|error| {
                let failure = match &error {
                    DownloadError::Fetch { failure, .. } => Some(failure),
                    _ => None,
                };
                Problem::answered(failure, &error)
            }),
            Self::Registry { .. } => {
                let (repository, resolved) = self.resolve(services, version).await?;
                self.pull(services, version, &repository, &resolved).await
            }
        }
    }

    /// What of a registry a version is: its digest, which signatures speak of.
    pub(super) async fn resolve(
        &self,
        services: &Services,
        version: &ChartVersion,
    ) -> Result<(Repository, Resolved), Problem> {
        let repository = self.repository(services, &version.name)?;
        let at = version.urls.first().cloned().unwrap_or_default();
        let wanted = OciReference {
            // a tag holds no plus
            tag: Some(version.version.replace('+', "_")),
            ..OciReference::default()
        };
        let resolved = repository.resolve(&at, &wanted, None, false).await;
        let resolved = resolved.map_err(|error| {
            let problem = match error {
                sluice_source::oci::Error::Digest(cause) => Problem::from(cause),
                error => Problem::external(error),
            };
            problem.prefixed(&format!("failed to get '{at}'"))
        })?;
        Ok((repository, resolved))
    }

    /// The archive of what was resolved.
    pub(super) async fn pull(
        &self,
        services: &Services,
        version: &ChartVersion,
        repository: &Repository,
        resolved: &Resolved,
    ) -> Result<Vec<u8>, Problem> {
        let limit = services.limits().chart_size_max;
        let pulled = repository.pull_chart(resolved, limit).await;
        let at = version.urls.first().map_or("", String::as_str);
        pulled.map_err(|cause| Problem::from(cause).prefixed(&format!("failed to get '{at}'")))
    }

    fn repository(&self, services: &Services, chart: &str) -> Result<Repository, Problem> {
        let Self::Registry { request, url } = self else {
            return Err(Problem::reference("the repository is no registry"));
        };
        let request = OciRequest {
            url: below(url, chart),
            ..request.clone()
        };
        services
            .registries
            .repository(&request)
            .map_err(Problem::external)
    }
}

/// Among so many versions one is picked at once. A list may have hundreds of thousands, which are all read for a range.
const PICKED_AT_ONCE_MAX: usize = 1000;

/// The version of an index that is meant.
async fn picked(chart: &str, versions: Vec<ChartVersion>, wish: &str) -> Result<ChartVersion, Problem> {
    let (chart, wish) = (chart.to_owned(), wish.to_owned());
    let is_long = versions.len() > PICKED_AT_ONCE_MAX;
    let picked = aside(is_long, move || pick(&chart, &versions, &wish).cloned()).await;
    picked.map_err(unpicked)?.map_err(Problem::reference)
}

/// The tag of a registry that is meant, of a chart that is `at` a place.
async fn picked_tag((chart, at): (&str, &str), tags: Vec<String>, wish: &str) -> Result<String, Problem> {
    let (chart, at, wish) = (chart.to_owned(), at.to_owned(), wish.to_owned());
    let is_long = tags.len() > PICKED_AT_ONCE_MAX;
    let picked = aside(is_long, move || pick_tag((&chart, &at), &tags, &wish)).await;
    picked.map_err(unpicked)?.map_err(Problem::external)
}

fn not_read(broken: Broken) -> Problem {
    Problem::external(format!("reading the index {broken}"))
}

fn unpicked(broken: Broken) -> Problem {
    Problem::external(format!("picking a version {broken}"))
}

/// The address of a chart in a registry. A name may end as a path of a folder does.
fn below(url: &str, chart: &str) -> String {
    let chart = chart.strip_suffix("/.").unwrap_or(chart);
    format!("{url}/{}", chart.trim_end_matches('/'))
}

impl Index {
    /// The versions of a chart; of an index that nobody has the others are not kept.
    async fn versions(
        &mut self,
        services: &Services,
        repository: &ChartRepository,
        chart: &str,
    ) -> Result<Vec<ChartVersion>, Problem> {
        let chart = chart.to_owned();
        if let Self::Stored(path) = self {
            let (services, path) = (services.clone(), path.clone());
            let read = move || services.catalogs.versions(&services.store, &path, &chart);
            let read = elsewhere(read).await.map_err(not_read)?;
            return read.map_err(|error| match error {
                CatalogError::NoChart => Problem::reference(error),
                CatalogError::Store(_) | CatalogError::Unreadable(_) => Problem::external(error),
            });
        }
        let mut index = match std::mem::replace(self, Self::Remote) {
            Self::Fetched(index) => index,
            Self::Stored(_) | Self::Remote => match repository.fetch(None).await {
                Ok(Look::Fetched(index)) => index,
                Ok(Look::Unchanged) => return Err(Problem::external("the index does not come")),
                Err(error) => {
                    return Err(Problem {
                        after: error.retry_after(),
                        ..Problem::external(error)
                    });
                }
            },
        };
        let read = move || {
            let versions = index.versions(&chart);
            (index, versions)
        };
        let (index, versions) = elsewhere(read).await.map_err(not_read)?;
        *self = Self::Fetched(index);
        let versions = versions.map_err(Problem::external)?;
        versions.ok_or_else(|| Problem::reference(CatalogError::NoChart))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn of_many_versions_one_is_picked_where_nobody_waits() {
        let tags =
            |count: usize| -> Vec<String> { (0..count).map(|number| format!("1.{number}.0")).collect() };
        let versions = |count: usize| -> Vec<ChartVersion> {
            let version = |version| ChartVersion {
                version,
                ..ChartVersion::default()
            };
            tags(count).into_iter().map(version).collect()
        };
        let few = picked("shop", versions(3), "1.x").now_or_never();
        assert_eq!(few.unwrap().unwrap().version, "1.2.0");
        let few = picked_tag(("shop", "oci://example.com/shop"), tags(3), "1.x").now_or_never();
        assert_eq!(few.unwrap().unwrap(), "1.2.0");

        let (count, newest) = (PICKED_AT_ONCE_MAX + 1, format!("1.{PICKED_AT_ONCE_MAX}.0"));
        let mut many = std::pin::pin!(picked("shop", versions(count), "1.x"));
        assert!(
            many.as_mut().now_or_never().is_none(),
            "a thread of its own does it"
        );
        assert_eq!(many.await.unwrap().version, newest);
        let many = picked_tag(("shop", "oci://example.com/shop"), tags(count), "1.x");
        let mut many = std::pin::pin!(many);
        assert!(
            many.as_mut().now_or_never().is_none(),
            "a thread of its own does it"
        );
        assert_eq!(many.await.unwrap(), newest);
    }
}
