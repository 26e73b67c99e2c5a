use crate::duration::INTERVAL_PATTERN;
use crate::{Duration, LocalObjectReference, NamespacedObjectKindReference, SecretKeyReference};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What is rendered from which source, and how it is applied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationSpec {
    /// How often everything is looked at again.
    #[schemars(extend("pattern" = INTERVAL_PATTERN))]
    pub interval: Duration,
    /// How long to wait after a failure; `interval` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = INTERVAL_PATTERN))]
    pub retry_interval: Option<Duration>,
    /// How long health checks may take; at least 30 seconds, `interval` less 30 seconds where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("pattern" = INTERVAL_PATTERN))]
    pub timeout: Option<Duration>,
    /// Directory below the artifact's root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The source.
    pub source_ref: SourceReference,
    /// Whether objects that are no longer rendered are deleted.
    pub prune: bool,
    /// What happens to the objects when this Kustomization is deleted; `MirrorPrune` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
    /// Kustomizations that must be ready before this one is reconciled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<DependencyReference>,
    /// Whether to wait until every applied object is healthy; `healthChecks` is then not looked at.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait: bool,
    /// Objects that must be healthy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<NamespacedObjectKindReference>,
    /// How to tell the health of custom resources, in CEL.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_check_exprs: Vec<CustomHealthCheck>,
    /// Deletes and makes anew what cannot be changed because a field of it is immutable.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-default" = false))]
    pub force: bool,
    /// Switches this Kustomization off. What is running goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Namespace of all rendered objects, in place of what `kustomization.yaml` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "maxLength" = 63))]
    pub target_namespace: Option<String>,
    /// Put before the names of all rendered objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "maxLength" = 200))]
    pub name_prefix: Option<String>,
    /// Put after the names of all rendered objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "maxLength" = 200))]
    pub name_suffix: Option<String>,
    /// Labels and annotations of all rendered objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_metadata: Option<CommonMetadata>,
    /// Patches added after those of `kustomization.yaml`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// Strategic merge patches, as versions before `v1` have them; `patches` does the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches_strategic_merge: Vec<Fields>,
    /// JSON 6902 patches, as versions before `v1` have them; `patches` does the same.
    #[serde(default, rename = "patchesJson6902", skip_serializing_if = "Vec::is_empty")]
    pub patches_json6902: Vec<Json6902Patch>,
    /// Image names, tags and digests to replace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// Relative paths of components to add.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// Whether components whose directory is missing are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_missing_components: bool,
    /// Which origins are written on rendered objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub build_metadata: Vec<BuildMetadata>,
    /// What is done with the rendered objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_build: Option<PostBuild>,
    /// How encrypted Secrets are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decryption: Option<Decryption>,
    /// The cluster to apply to; ours where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube_config: Option<KubeConfigReference>,
    /// The service account to act as.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub service_account_name: Option<String>,
    /// Fields whose changes by others are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreRule>,
}

/// Names a source, in the same namespace unless it says another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceReference {
    /// API version of the source; not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// Kind of the source.
    pub kind: SourceKind,
    /// Name of the source.
    pub name: String,
    /// Namespace of the source; that of the Kustomization where absent.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub namespace: Option<String>,
}

/// The kinds that a Kustomization can take its files from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SourceKind {
    /// An OCI artifact.
    #[serde(rename = "OCIRepository")]
    OciRepository,
    /// A Git repository.
    GitRepository,
    /// An object store.
    Bucket,
    /// An artifact that another controller makes.
    ExternalArtifact,
}

impl SourceKind {
    /// The kind as Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OciRepository => "OCIRepository",
            Self::GitRepository => "GitRepository",
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }
}

/// What happens to applied objects when their Kustomization is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// They are deleted if `prune` is set.
    #[default]
    MirrorPrune,
    /// They are deleted.
    Delete,
    /// They are deleted and waited for.
    WaitForTermination,
    /// They stay.
    Orphan,
}

/// A Kustomization that must be ready first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependencyReference {
    /// Name of the Kustomization.
    pub name: String,
    /// Its namespace; that of the referring one where absent.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub namespace: Option<String>,
    /// CEL over `self` and `dep` that says whether it is ready.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub ready_expr: Option<String>,
}

/// How to tell the health of one kind, in CEL over the object's top-level fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomHealthCheck {
    /// API version of the kind; only its group counts.
    pub api_version: String,
    /// The kind; every kind of the group where absent.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
    /// True when the object is still on its way.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub in_progress: Option<String>,
    /// True when the object has failed.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub failed: Option<String>,
    /// True when the object is as it should be.
    pub current: String,
}

/// Labels and annotations of all objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CommonMetadata {
    /// Labels, in place of those an object has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations, in place of those an object has.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A patch and what it applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Patch {
    /// A strategic merge patch or a JSON 6902 patch, as text.
    pub patch: String,
    /// The objects; for a strategic merge patch the one it names where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
}

/// A JSON 6902 patch as versions before `v1` wrote it, and what it applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Json6902Patch {
    /// The operations.
    pub patch: Vec<Fields>,
    /// The objects.
    pub target: Selector,
}

/// An object of any fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fields(pub Map<String, Value>);

impl JsonSchema for Fields {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Fields".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
    }
}

/// Selects objects. Each given field is a regular expression or a selector that must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Selector {
    /// API group.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub group: Option<String>,
    /// API version.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub version: Option<String>,
    /// Kind.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub kind: Option<String>,
    /// Name.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub name: Option<String>,
    /// Namespace.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub namespace: Option<String>,
    /// Label selector, `app=web,tier!=db`.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub label_selector: Option<String>,
    /// The same over annotations.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub annotation_selector: Option<String>,
}

/// What an image is replaced by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The image's name without tag.
    pub name: String,
    /// Its new name.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub new_name: Option<String>,
    /// Its new tag.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub new_tag: Option<String>,
    /// Its new digest; the tag is then dropped.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub digest: Option<String>,
}

/// What is written on rendered objects about their origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum BuildMetadata {
    /// The file they come from.
    OriginAnnotations,
    /// The transformers that changed them.
    TransformerAnnotations,
}

impl BuildMetadata {
    /// The option as Kustomize writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OriginAnnotations => "originAnnotations",
            Self::TransformerAnnotations => "transformerAnnotations",
        }
    }
}

/// Variables that are put into rendered objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PostBuild {
    /// Names and values; these win over `substituteFrom`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub substitute: BTreeMap<String, String>,
    /// ConfigMaps and Secrets of names and values; later ones win.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub substitute_from: Vec<SubstituteReference>,
    /// When substitution runs; `WithVariables` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substitute_strategy: Option<SubstituteStrategy>,
}

/// A ConfigMap or Secret of names and values, in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubstituteReference {
    /// Its kind.
    pub kind: SubstituteKind,
    /// Its name.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub name: String,
    /// Whether it may be missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-default" = false))]
    pub optional: bool,
}

/// Where variables come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SubstituteKind {
    /// A Secret.
    Secret,
    /// A ConfigMap.
    ConfigMap,
}

impl SubstituteKind {
    /// The kind as Kubernetes writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
        }
    }
}

/// When substitution runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SubstituteStrategy {
    /// When there is at least one variable.
    #[default]
    WithVariables,
    /// Always.
    Always,
}

/// How encrypted values are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decryption {
    /// The format.
    pub provider: DecryptionProvider,
    /// The Secret with the keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The service account whose identity key services are asked with.
    #[serde(
        default,
        deserialize_with = "crate::absent::absent_if_empty",
        skip_serializing_if = "Option::is_none"
    )]
    pub service_account_name: Option<String>,
}

/// Formats of encrypted values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DecryptionProvider {
    /// SOPS.
    #[serde(rename = "sops")]
    Sops,
}

/// Where the kubeconfig of another cluster is. Exactly one is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.configMapRef) || has(self.secretRef)",
        "message": "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"
    },
    {
        "rule": "!has(self.configMapRef) || !has(self.secretRef)",
        "message": "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified"
    }
]))]
pub struct KubeConfigReference {
    /// A Secret that holds a kubeconfig.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyReference>,
    /// A ConfigMap that says how to get credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<LocalObjectReference>,
}

/// Fields whose changes by others are left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IgnoreRule {
    /// JSON pointers of the fields.
    pub paths: Vec<String>,
    /// The objects; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
}
