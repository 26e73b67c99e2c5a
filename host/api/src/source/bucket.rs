use super::{Artifact, timeout_default};
use crate::duration::{INTERVAL_PATTERN, TIMEOUT_PATTERN};
use crate::kind::custom_resource;
use crate::meta::SOURCE_GROUP;
use crate::{Condition, Duration, LocalObjectReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

custom_resource! {
    /// The files of a bucket in an object store.
    Bucket, BucketSpec, BucketStatus, SOURCE_GROUP, "v1", "Bucket", "buckets"
}

/// Which bucket of which store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)",
        "message": "STS configuration is only supported for the 'aws' and 'generic' Bucket providers"
    },
    {
        "rule": "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'",
        "message": "'aws' is the only supported STS provider for the 'aws' Bucket provider"
    },
    {
        "rule": "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'",
        "message": "'ldap' is the only supported STS provider for the 'generic' Bucket provider"
    },
    {
        "rule": "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)",
        "message": "spec.sts.secretRef is not required for the 'aws' STS provider"
    },
    {
        "rule": "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)",
        "message": "spec.sts.certSecretRef is not required for the 'aws' STS provider"
    },
    {
        "rule": "self.provider != 'generic' || !has(self.serviceAccountName)",
        "message": "ServiceAccountName is not supported for the 'generic' Bucket provider"
    },
    {
        "rule": "!has(self.secretRef) || !has(self.serviceAccountName)",
        "message": "cannot set both .spec.secretRef and .spec.serviceAccountName"
    }
]))]
pub struct BucketSpec {
    /// Whose store it is.
    #[serde(default)]
    #[schemars(extend("x-default" = "generic"))]
    pub provider: BucketProvider,
    /// Name of the bucket.
    pub bucket_name: String,
    /// Address of the store.
    pub endpoint: String,
    /// How temporary credentials are had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sts: Option<BucketSts>,
    /// Whether plain http is spoken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// Region of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Only files whose path starts with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The Secret with credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The service account whose identity the store is asked with.
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
    /// How often the bucket is looked at.
    #[schemars(extend("pattern" = INTERVAL_PATTERN))]
    pub interval: Duration,
    /// How long an operation may take.
    #[serde(default = "timeout_default")]
    #[schemars(extend("pattern" = TIMEOUT_PATTERN, "x-default" = "60s"))]
    pub timeout: Duration,
    /// Files to leave out, in the format of `.gitignore`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,
    /// Switches this source off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// Whose object store it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BucketProvider {
    /// Any that speaks S3.
    #[default]
    Generic,
    /// Amazon's.
    Aws,
    /// Google's.
    Gcp,
    /// Microsoft's.
    Azure,
}

/// How temporary credentials are had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketSts {
    /// From whom.
    pub provider: StsProvider,
    /// Where.
    #[schemars(extend("pattern" = "^(http|https)://.*$"))]
    pub endpoint: String,
    /// The Secret with credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The Secret with client certificate and authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_secret_ref: Option<LocalObjectReference>,
}

/// Who gives temporary credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StsProvider {
    /// Amazon.
    Aws,
    /// An LDAP server behind the store.
    Ldap,
}

/// What the controller found about a Bucket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct BucketStatus {
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
    /// The value of the request annotation that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}
