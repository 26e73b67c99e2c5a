//! HelmRepository: credentials → index → store (compat/source.md section 7). The rest is the frame's.
//!
//! One of type `oci` is no more than an address for HelmCharts: nothing is asked, and nothing is said of it.

pub(super) mod request;

use super::source::{Done, Pass, SourceKind, SourceReconciler, SourceSettings, Trouble};
use crate::runtime::{HELM_REPOSITORY, Kind};
use sluice_api::source::{HelmRepositoryStatus, HelmRepositoryType};
use sluice_api::{HelmRepository, reason};
use sluice_artifact::Store;
use sluice_source::HelmFetcher;
use sluice_source::helm::Look;
use std::collections::BTreeMap;

/// What is a chart repository's own in reconciling a source.
pub struct HelmRepositories {
    fetcher: HelmFetcher,
}

/// Reconciles HelmRepositories.
pub type HelmRepositoryReconciler = SourceReconciler<HelmRepositories>;

impl HelmRepositories {
    /// Fetches with `fetcher` into `store`.
    pub fn reconciler(
        fetcher: HelmFetcher,
        store: Store,
        settings: SourceSettings,
    ) -> HelmRepositoryReconciler {
        SourceReconciler::new(Self { fetcher }, store, settings)
    }
}

impl SourceKind for HelmRepositories {
    type Object = HelmRepository;
    const KIND: &'static Kind = &HELM_REPOSITORY;
    const LATEST: Option<&'static str> = Some("index.yaml");

    fn is_static(object: &HelmRepository) -> bool {
        object.spec.type_ == Some(HelmRepositoryType::Oci)
    }

    fn stored(revision: &str) -> String {
        format!("stored artifact: revision '{revision}'")
    }

    async fn attempt(&self, pass: &mut Pass<'_, HelmRepository>) -> Result<Done, Trouble> {
        let request = request::index(pass.run, &pass.object.spec)
            .await
            .map_err(Trouble::fetch)?;
        let repository = self
            .fetcher
            .repository(&request)
            .map_err(|error| Trouble::of(&error))?;
        let stored = pass.stored_revision().map(str::to_owned);
        let look = pass.fetch(repository.fetch(stored.as_deref())).await?;
        let index = match look {
            Look::Unchanged => return Ok(unchanged(pass)),
            Look::Fetched(index) => index,
        };
        let revision = index.revision.clone();
        pass.report.outdated(&format!("new index revision '{revision}'"));
        let hex = revision.rsplit(':').next().unwrap_or_default();
        let file = format!("index-{hex}.yaml");
        let write = move |store: &Store, path: &_| index.store(store, path);
        let written = pass.store(&file, BTreeMap::new(), write).await;
        if let Err(Trouble::Failed { failure, .. }) = &written
            && failure.reason == reason::INDEXATION_FAILED
        {
            // what cannot be read is nothing new
            pass.report.forget_news();
        }
        written?;
        Ok(Done::Stored { told: told(pass) })
    }
}

fn unchanged(pass: &Pass<'_, HelmRepository>) -> Done {
    let revision = pass.stored_revision().unwrap_or_default();
    Done::up_to_date(told(pass), revision)
}

/// compat/source.md 12.2.
fn told(pass: &Pass<'_, HelmRepository>) -> String {
    let status: &HelmRepositoryStatus = &pass.report.status;
    let size = status.artifact.as_ref().and_then(|artifact| artifact.size);
    let size = human_size(size.unwrap_or_default());
    format!(
        "stored fetched index of size {size} from '{}'",
        pass.object.spec.url
    )
}

/// Four digits and a decimal unit: `40.94kB`, as Docker's library writes sizes.
fn human_size(bytes: i64) -> String {
    const UNITS: &[&str] = &["B", "kB", "MB", "GB", "TB"];
    let mut size = bytes as f64;
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"");
    while size >= 1000.0 {
        let Some(next) = units.next() else { break };
        unit = next;
        size /= 1000.0;
    }
    let decimals = match size {
        size if size < 10.0 => 3,
        size if size < 100.0 => 2,
        _ => 1,
    };
    let text = format!("{size:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::human_size;

    #[test]
    fn sizes_have_four_digits() {
        let shown: Vec<String> = [0, 512, 1000, 40_937, 999_999, 1_234_567, 104_857_600]
            .map(human_size)
            .to_vec();
        assert_eq!(
            shown,
            ["0B", "512B", "1kB", "40.94kB", "1000kB", "1.235MB", "104.9MB"]
        );
    }
}
