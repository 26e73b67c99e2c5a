use super::{Artifact, OidcIdentity, Verification, VerificationProvider};
use crate::duration::INTERVAL_PATTERN;
use crate::kind::custom_resource;
use crate::meta::SOURCE_GROUP;
use crate::{Condition, Duration, LocalObjectReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

custom_resource! {
    /// One version of one Helm chart, packaged.
    HelmChart, HelmChartSpec, HelmChartStatus, SOURCE_GROUP, "v1", "HelmChart", "helmcharts"
}

/// Which chart of which source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.verify) || self.sourceRef.kind == 'HelmRepository'",
    "message": "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'"
}]))]
pub struct HelmChartSpec {
    /// Its name in a repository, or its directory in another source.
    pub chart: String,
    /// A range of versions; only for charts of a repository.
    #[serde(default = "any_version")]
    #[schemars(extend("x-default" = "*"))]
    pub version: String,
    /// The source.
    pub source_ref: ChartSourceReference,
    /// How often the source is looked at.
    #[schemars(extend("pattern" = INTERVAL_PATTERN))]
    pub interval: Duration,
    /// What makes a new artifact.
    #[serde(default)]
    #[schemars(extend("x-default" = "ChartVersion"))]
    pub reconcile_strategy: ReconcileStrategy,
    /// Values files of the chart that are merged into its own, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_files: Vec<String>,
    /// Whether missing values files are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_missing_values_files: bool,
    /// Switches this chart off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Which signatures are asked for.
    #[serde(rename = "verify", default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<ChartVerification>,
}

fn any_version() -> String {
    "*".to_owned()
}

/// Which signatures of a chart are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartVerification {
    /// Who signs.
    #[schemars(extend("x-default" = "cosign"))]
    pub provider: VerificationProvider,
    /// The Secret with the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// Identities of signers without keys.
    #[serde(default, rename = "matchOIDCIdentity", skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentity>,
}

impl From<ChartVerification> for Verification {
    fn from(chart: ChartVerification) -> Self {
        let ChartVerification {
            provider,
            secret_ref,
            match_oidc_identity,
        } = chart;
        Self {
            provider,
            secret_ref,
            trusted_root_secret_ref: None,
            match_oidc_identity,
        }
    }
}

/// Names the source of a chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartSourceReference {
    /// API version of the source; not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind of the source.
    pub kind: ChartSourceKind,
    /// Name of the source.
    pub name: String,
}

/// The kinds that charts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ChartSourceKind {
    /// A chart repository.
    HelmRepository,
    /// A Git repository.
    GitRepository,
    /// An object store.
    Bucket,
}

/// What makes a new chart artifact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReconcileStrategy {
    /// A new version of the chart.
    #[default]
    ChartVersion,
    /// A new revision of the source.
    Revision,
}

/// What the controller found about a HelmChart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmChartStatus {
    /// The generation that was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The revision of the source that the artifact is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_source_artifact_revision: Option<String>,
    /// The name of the chart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_chart_name: Option<String>,
    /// The values files that were merged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observed_values_files: Vec<String>,
    /// The conditions, in Flux's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Where the newest artifact is served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The last good artifact.
    #[serde(
        deserialize_with = "crate::absent::none_if_of_before",
        skip_serializing_if = "Option::is_none"
    )]
    pub artifact: Option<Artifact>,
    /// The value of the request annotation that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}
