//! Bucket: credentials → list → download → store (compat/source.md section 9). The rest is the frame's.

mod request;

use super::source::{Done, Pass, SourceKind, SourceReconciler, SourceSettings, Trouble};
use crate::runtime::{BUCKET, Kind};
use sluice_api::Bucket;
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
        let index = pass.fetch(bucket.index()).await?;
        let revision = index.revision();
        if stored.as_deref() == Some(revision.as_str()) {
            observe(pass);
            return Ok(Done::up_to_date(told(pass, index.objects()), &revision));
        }
        let downloaded = pass.fetch(bucket.download(index)).await?;
        let revision = downloaded.revision.clone();
        if stored.as_deref() == Some(revision.as_str()) {
            // what is listed and cannot be had is as if it were not there
            observe(pass);
            return Ok(Done::up_to_date(told(pass, downloaded.objects()), &revision));
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

/// compat/source.md 12.2.
fn told(pass: &Pass<'_, Bucket>, objects: usize) -> String {
    let name = &pass.object.spec.bucket_name;
    format!("stored artifact with {objects} fetched files from '{name}' bucket")
}

fn observe(pass: &mut Pass<'_, Bucket>) {
    let ignore = &pass.object.spec.ignore;
    pass.report.status.observed_ignore.clone_from(ignore);
}
