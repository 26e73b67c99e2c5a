//! Bucket: credentials → list → download → store (compat/source.md section 9). The rest is the frame's.

mod request;

use super::source::{Done, Pass, SourceKind, SourceReconciler, SourceSettings, Trouble};
use crate::runtime::{BUCKET, Kind};
use sluice_api::{Bucket, reason};
use sluice_artifact::Store;
use sluice_source::BucketFetcher;
use sluice_source::credential::cloud::Clouds;
use std::collections::BTreeMap;

/// What is an object store's own in reconciling a source.
pub struct Buckets {
    fetcher: BucketFetcher,
    clouds: Clouds,
}

/// Reconciles Buckets.
pub type BucketReconciler = SourceReconciler<Buckets>;

impl Buckets {
    /// Fetches with `fetcher` into `store`; `clouds` know who this controller is to the stores of clouds.
    pub fn reconciler(
        fetcher: BucketFetcher,
        clouds: Clouds,
        store: Store,
        settings: SourceSettings,
    ) -> BucketReconciler {
        SourceReconciler::new(Self { fetcher, clouds }, store, settings)
    }
}

impl SourceKind for Buckets {
    type Object = Bucket;
    const KIND: &'static Kind = &BUCKET;
    const LATEST: Option<&'static str> = Some("latest.tar.gz");

    fn stored(revision: &str) -> String {
        format!("stored artifact: revision '{revision}'")
    }

    async fn attempt(&self, pass: &mut Pass<'_, Bucket>) -> Result<Done, Trouble> {
        let request = request::of(pass, &self.clouds).await?;
        let bucket = self
            .fetcher
            .bucket(&request)
            .map_err(|error| Trouble::of(&error))?;
        let stored = pass.stored_revision().map(str::to_owned);
        let listing = bucket.index();
        let index = pass
            .patiently(listing)
            .await?
            .map_err(|error| Trouble::of(&error))?;
        let revision = index.revision();
        if stored.as_deref() == Some(revision.as_str()) {
            observe(pass);
            return Ok(unchanged(pass, &revision, index.objects()));
        }
        let downloaded = pass
            .patiently(bucket.download(index))
            .await?
            .map_err(|error| Trouble::of(&error))?;
        let revision = downloaded.revision.clone();
        if stored.as_deref() == Some(revision.as_str()) {
            // what is listed and cannot be had is as if it were not there
            observe(pass);
            return Ok(unchanged(pass, &revision, downloaded.objects()));
        }
        pass.report
            .outdated(&format!("new upstream revision '{revision}'"));
        let told = told(pass, downloaded.objects());
        let hex = revision.rsplit(':').next().unwrap_or_default();
        let file = format!("{hex}.tar.gz");
        let write = move |store: &Store, path: &_| downloaded.store(store, path);
        pass.store(&file, BTreeMap::new(), write).await?;
        observe(pass);
        Ok(Done::Stored { told })
    }
}

fn unchanged(pass: &Pass<'_, Bucket>, revision: &str, objects: usize) -> Done {
    let text = format!("artifact up-to-date with remote revision: '{revision}'");
    Done::Unchanged {
        told: told(pass, objects),
        trace: (reason::ARTIFACT_UP_TO_DATE, text),
    }
}

/// compat/source.md 12.2.
fn told(pass: &Pass<'_, Bucket>, objects: usize) -> String {
    let name = &pass.object.spec.bucket_name;
    format!("stored artifact with {objects} fetched files from '{name}' bucket")
}

fn observe(pass: &mut Pass<'_, Bucket>) {
    let ignore = &pass.object.spec.ignore;
    pass.report.status.observed_ignore.clone_from(ignore);
}
