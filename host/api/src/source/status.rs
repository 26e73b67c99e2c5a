//! What all kinds of sources have in common, for the one frame that reconciles them.

use super::{
    Artifact, Bucket, BucketStatus, GitRepository, GitRepositoryStatus, HelmChart, HelmChartStatus,
    HelmRepository, HelmRepositoryStatus, OciRepository, OciRepositoryStatus,
};
use crate::{Condition, CustomResource};
use kube_core::ObjectMeta;
use serde::{Serialize, de::DeserializeOwned};

/// A kind whose objects are fetched and kept as artifacts.
pub trait Source: CustomResource<Status: SourceStatus> + Send + Sync + 'static {
    /// Name, finalizers, generation.
    fn metadata(&self) -> &ObjectMeta;
    /// What was found before.
    fn status(&self) -> Option<&Self::Status>;
    /// `spec.suspend`.
    fn is_suspended(&self) -> bool;
    /// How often it is looked at.
    fn interval(&self) -> std::time::Duration;
}

/// The fields that the status of every such kind has (compat/source.md 2.7).
pub trait SourceStatus: Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The generation that was last looked at.
    fn observed_generation(&mut self) -> &mut Option<i64>;
    /// The conditions.
    fn conditions(&self) -> &Vec<Condition>;
    /// The conditions, to change them.
    fn conditions_mut(&mut self) -> &mut Vec<Condition>;
    /// The last good artifact.
    fn artifact(&self) -> Option<&Artifact>;
    /// The last good artifact, to change it.
    fn artifact_mut(&mut self) -> &mut Option<Artifact>;
    /// The value of the request annotation that was last acted on.
    fn last_handled_reconcile_at(&mut self) -> &mut Option<String>;
    /// Where the newest artifact is always served; kinds without that field have none.
    fn url(&mut self) -> Option<&mut Option<String>>;
}

macro_rules! source {
    ($kind:ty, $status:ty, |$spec:ident| $interval:expr, |$own:ident| $url:expr) => {
        impl Source for $kind {
            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }
            fn status(&self) -> Option<&Self::Status> {
                self.status.as_ref()
            }
            fn is_suspended(&self) -> bool {
                self.spec.suspend
            }
            fn interval(&self) -> std::time::Duration {
                let $spec = &self.spec;
                $interval
            }
        }

        impl SourceStatus for $status {
            fn observed_generation(&mut self) -> &mut Option<i64> {
                &mut self.observed_generation
            }
            fn conditions(&self) -> &Vec<Condition> {
                &self.conditions
            }
            fn conditions_mut(&mut self) -> &mut Vec<Condition> {
                &mut self.conditions
            }
            fn artifact(&self) -> Option<&Artifact> {
                self.artifact.as_ref()
            }
            fn artifact_mut(&mut self) -> &mut Option<Artifact> {
                &mut self.artifact
            }
            fn last_handled_reconcile_at(&mut self) -> &mut Option<String> {
                &mut self.last_handled_reconcile_at
            }
            fn url(&mut self) -> Option<&mut Option<String>> {
                let $own = self;
                $url
            }
        }
    };
}

/// The interval of a HelmRepository that names none.
const HELM_REPOSITORY_INTERVAL: std::time::Duration = std::time::Duration::from_secs(60);

source!(
    GitRepository,
    GitRepositoryStatus,
    |spec| spec.interval.get(),
    |_own| None
);
source!(
    OciRepository,
    OciRepositoryStatus,
    |spec| spec.interval.get(),
    |own| Some(&mut own.url)
);
source!(Bucket, BucketStatus, |spec| spec.interval.get(), |own| Some(
    &mut own.url
));
source!(
    HelmChart,
    HelmChartStatus,
    |spec| spec.interval.get(),
    |own| Some(&mut own.url)
);
source!(
    HelmRepository,
    HelmRepositoryStatus,
    |spec| spec
        .interval
        .map_or(HELM_REPOSITORY_INTERVAL, |interval| interval.get()),
    |own| Some(&mut own.url)
);
