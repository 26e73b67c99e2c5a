use super::{Artifact, RegistryProvider, Verification, timeout_default};
use crate::duration::{INTERVAL_PATTERN, TIMEOUT_PATTERN};
use crate::kind::custom_resource;
use crate::meta::SOURCE_GROUP;
use crate::{Condition, Duration, LocalObjectReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

custom_resource! {
    /// An OCI artifact, fetched from a registry.
    OciRepository, OciRepositorySpec, OciRepositoryStatus, SOURCE_GROUP, "v1", "OCIRepository", "ocirepositories"
}

/// Which artifact of which registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciRepositorySpec {
    /// Where it is, `oci://host/repository`.
    #[schemars(extend("pattern" = "^oci://.*$"))]
    pub url: String,
    /// Which one; the tag `latest` where absent.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<OciReference>,
    /// Which layer of it; the first where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_selector: Option<LayerSelector>,
    /// Whose registry it is, for credentials.
    #[serde(default)]
    #[schemars(extend("x-default" = "generic"))]
    pub provider: RegistryProvider,
    /// The Secret with credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// Which signatures are asked for.
    #[serde(rename = "verify", default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// The service account with credentials or identity.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub service_account_name: Option<String>,
    /// The Secret with client certificate and authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// The Secret with a proxy's address and credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// How often the registry is looked at.
    #[schemars(extend("pattern" = INTERVAL_PATTERN))]
    pub interval: Duration,
    /// How long an operation may take.
    #[serde(default = "timeout_default")]
    #[schemars(extend("pattern" = TIMEOUT_PATTERN, "x-default" = "60s"))]
    pub timeout: Duration,
    /// Files to leave out, in the format of `.gitignore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,
    /// Whether plain http is spoken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// Switches this source off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// Which artifact. `digest` wins over `semver`, that over `tag`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OciReference {
    /// This digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The newest tag in this range of versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver: Option<String>,
    /// A regular expression that tags must match before `semver` sees them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver_filter: Option<String>,
    /// This tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Which layer, and what is done with it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LayerSelector {
    /// The first layer of this media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What is done with it; `extract` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<LayerOperation>,
}

/// What is done with a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LayerOperation {
    /// It is unpacked.
    #[default]
    Extract,
    /// It is kept as it is.
    Copy,
}

/// What the controller found about an OCIRepository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OciRepositoryStatus {
    /// The generation that was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
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
    /// `spec.ignore` of the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_ignore: Option<String>,
    /// `spec.layerSelector` of the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_layer_selector: Option<LayerSelector>,
    /// The value of the request annotation that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}
