use super::Artifact;
use crate::kind::custom_resource;
use crate::meta::SOURCE_GROUP;
use crate::{Condition, NamespacedObjectKindReference};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

custom_resource! {
    /// An artifact that another controller makes.
    ExternalArtifact, ExternalArtifactSpec, ExternalArtifactStatus, SOURCE_GROUP, "v1", "ExternalArtifact",
    "externalartifacts"
}

/// Who makes the artifact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExternalArtifactSpec {
    /// The object it is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<NamespacedObjectKindReference>,
}

/// What the other controller found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ExternalArtifactStatus {
    /// The artifact.
    #[serde(
        deserialize_with = "crate::absent::none_if_of_before",
        skip_serializing_if = "Option::is_none"
    )]
    pub artifact: Option<Artifact>,
    /// The conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
