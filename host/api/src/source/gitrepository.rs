use super::{Artifact, timeout_default};
use crate::duration::{INTERVAL_PATTERN, TIMEOUT_PATTERN};
use crate::kind::custom_resource;
use crate::meta::SOURCE_GROUP;
use crate::{Condition, Duration, LocalObjectReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

custom_resource! {
    /// A Git repository, fetched and kept as an artifact.
    GitRepository, GitRepositorySpec, GitRepositoryStatus, SOURCE_GROUP, "v1", "GitRepository", "gitrepositories"
}

/// Which commit of which repository, and which files of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
    "message": "serviceAccountName can only be set when provider is 'azure' or 'aws'"
}]))]
pub struct GitRepositorySpec {
    /// Where the repository is, over http, https or ssh.
    #[schemars(extend("pattern" = "^(http|https|ssh)://.*$"))]
    pub url: String,
    /// The Secret with credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// Whose server it is, for credentials; `generic` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<GitProvider>,
    /// The service account whose identity the provider is asked with.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub service_account_name: Option<String>,
    /// How often the remote is looked at.
    #[schemars(extend("pattern" = INTERVAL_PATTERN))]
    pub interval: Duration,
    /// How long a Git operation may take.
    #[serde(default = "timeout_default")]
    #[schemars(extend("pattern" = TIMEOUT_PATTERN, "x-default" = "60s"))]
    pub timeout: Duration,
    /// Which commit; the branch `master` where absent.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<GitReference>,
    /// Which signatures are asked for.
    #[serde(rename = "verify", default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<GitVerification>,
    /// The Secret with a proxy's address and credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Files to leave out, in the format of `.gitignore`; in place of the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,
    /// Switches this source off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Whether submodules are fetched too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recurse_submodules: bool,
    /// Other GitRepositories whose artifacts are put into this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<GitInclude>,
    /// Directories to check out, all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sparse_checkout: Vec<String>,
}

impl GitRepositorySpec {
    /// The provider, said or not.
    pub fn provider(&self) -> GitProvider {
        self.provider.unwrap_or_default()
    }
}

/// Whose Git server it is, for credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GitProvider {
    /// Nobody's in particular.
    #[default]
    Generic,
    /// Amazon's.
    Aws,
    /// Microsoft's.
    Azure,
    /// GitHub's, by an app.
    GitHub,
}

/// Which commit. `commit` wins over `name`, that over `tag`, that over `semver`, that over `branch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GitReference {
    /// The head of this branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// This tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The newest tag in this range of versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver: Option<String>,
    /// This reference, `refs/heads/main`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// This commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// Which signatures are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitVerification {
    /// What must be signed.
    #[serde(default)]
    #[schemars(extend("x-default" = "HEAD"))]
    pub mode: GitVerificationMode,
    /// The Secret with the public keys.
    pub secret_ref: LocalObjectReference,
}

/// What must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum GitVerificationMode {
    /// The commit; the older spelling.
    #[serde(rename = "head")]
    LegacyHead,
    /// The commit.
    #[default]
    #[serde(rename = "HEAD")]
    Head,
    /// The tag.
    Tag,
    /// Both.
    #[serde(rename = "TagAndHEAD")]
    TagAndHead,
}

impl GitVerificationMode {
    /// The mode as the status writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LegacyHead => "head",
            Self::Head => "HEAD",
            Self::Tag => "Tag",
            Self::TagAndHead => "TagAndHEAD",
        }
    }
}

/// Another GitRepository whose artifact is put into this one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitInclude {
    /// The GitRepository.
    pub repository: LocalObjectReference,
    /// Which directory of it; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_path: Option<String>,
    /// Where it goes; a directory of its name where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_path: Option<String>,
}

/// What the controller found about a GitRepository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GitRepositoryStatus {
    /// The generation that was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The conditions, in Flux's order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The last good artifact.
    #[serde(
        deserialize_with = "crate::absent::none_if_of_before",
        skip_serializing_if = "Option::is_none"
    )]
    pub artifact: Option<Artifact>,
    /// Artifacts that were put into it.
    #[serde(
        deserialize_with = "crate::absent::none_if_of_before",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub included_artifacts: Vec<Artifact>,
    /// `spec.ignore` of the artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_ignore: Option<String>,
    /// `spec.recurseSubmodules` of the artifact.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub observed_recurse_submodules: bool,
    /// `spec.include` of the artifact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observed_include: Vec<GitInclude>,
    /// `spec.sparseCheckout` of the artifact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observed_sparse_checkout: Vec<String>,
    /// How the signature of the artifact was verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_verification_mode: Option<String>,
    /// The value of the request annotation that was last acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}
