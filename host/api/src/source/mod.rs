//! `source.toolkit.fluxcd.io`: where files come from.

mod artifact;
mod bucket;
mod externalartifact;
mod gitrepository;
mod helmchart;
mod helmrepository;
mod ocirepository;
mod status;
mod verification;

pub use artifact::Artifact;
pub use bucket::{Bucket, BucketProvider, BucketSpec, BucketStatus, BucketSts, StsProvider};
pub use externalartifact::{ExternalArtifact, ExternalArtifactSpec, ExternalArtifactStatus};
pub use gitrepository::{
    GitInclude, GitProvider, GitReference, GitRepository, GitRepositorySpec, GitRepositoryStatus,
    GitVerification, GitVerificationMode,
};
pub use helmchart::{
    ChartSourceKind, ChartSourceReference, ChartVerification, HelmChart, HelmChartSpec, HelmChartStatus,
    ReconcileStrategy,
};
pub use helmrepository::{
    AccessFrom, HelmRepository, HelmRepositorySpec, HelmRepositoryStatus, HelmRepositoryType,
    NamespaceSelector,
};
pub use ocirepository::{
    LayerOperation, LayerSelector, OciReference, OciRepository, OciRepositorySpec, OciRepositoryStatus,
};
pub use status::{Source, SourceStatus};
pub use verification::{OidcIdentity, RegistryProvider, Verification, VerificationProvider};

use crate::Duration;

/// The timeout that the CRDs of sources default to.
fn timeout_default() -> Duration {
    Duration::from_secs(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_a_name_is_none() {
        let account = |name: &str| {
            let spec = serde_json::json!({"interval": "1m", "url": "https://example.com/x", "serviceAccountName": name});
            serde_json::from_value::<GitRepositorySpec>(spec)
                .unwrap()
                .service_account_name
        };
        assert_eq!(account(""), None);
        assert_eq!(account("pull"), Some("pull".to_owned()));
    }
}
