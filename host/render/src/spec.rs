use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a Kustomization's spec says about building (`compat/kustomize.md` 2). An absent option means an absent field:
/// an empty text that is there counts as set.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BuildSpec {
    /// `spec.path`, as the user spells it: `./apps/web`.
    pub path: String,
    /// Replaces `namespace`.
    pub target_namespace: Option<String>,
    /// Replaces `namePrefix`.
    pub name_prefix: Option<String>,
    /// Replaces `nameSuffix`.
    pub name_suffix: Option<String>,
    /// Appended to `patches`.
    pub patches: Vec<Patch>,
    /// Older API versions: appended to `patchesStrategicMerge`.
    pub patches_strategic_merge: Vec<Value>,
    /// Older API versions: appended to `patchesJson6902`.
    pub patches_json6902: Vec<Json6902Patch>,
    /// Merged into `images` by name.
    pub images: Vec<Image>,
    /// Appended to `components`.
    pub components: Vec<String>,
    /// Leaves out components whose directory is missing.
    pub ignore_missing_components: bool,
    /// Replaces `buildMetadata`.
    pub build_metadata: Option<Vec<String>>,
}

/// One of `spec.patches`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Patch {
    /// A strategic merge or JSON 6902 patch as YAML.
    pub patch: String,
    /// The selector, as in the spec; none selects by the patch's own name.
    pub target: Option<Value>,
}

/// One of `spec.patchesJson6902`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Json6902Patch {
    /// The operations.
    pub patch: Value,
    /// The selector, as in the spec.
    pub target: Value,
}

/// One of `spec.images`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Image {
    /// The image to change.
    pub name: String,
    /// Its new name, if not empty.
    pub new_name: String,
    /// Its new tag, if not empty.
    pub new_tag: String,
    /// Its new digest, if not empty.
    pub digest: String,
}

/// `spec.postBuild`, with the values of its ConfigMaps and Secrets already read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PostBuild {
    /// The variables: `substituteFrom` in order, then `substitute`.
    pub vars: BTreeMap<String, String>,
    /// Whether an undefined variable is an error (the gate `StrictPostBuildSubstitutions`).
    pub strict: bool,
    /// `substituteStrategy: Always`.
    pub always: bool,
}
