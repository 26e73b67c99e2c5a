//! The role that renders charts. This module is its prelude.

pub use crate::failure::OrFail;
pub use crate::{
    Context, Entry, EntryType, Failure, Finding, Object, ObjectId, Origin, Report, Result, Severity, Tree,
    TreeError,
};
pub use schemars::JsonSchema;
pub use serde::Deserialize;
use serde_json::Value;

/// Renders charts, as Helm does.
///
/// The implementing type is the configuration. Equal trees, requests and answers to lookups must give equal answers: what a
/// template calls now or random comes from [`ChartRequest::now`] and [`ChartRequest::seed`].
pub trait ChartRenderer: serde::de::DeserializeOwned + schemars::JsonSchema {
    /// Renders one chart of `tree`.
    fn render(
        &self,
        tree: &Tree,
        cluster: &Cluster,
        request: ChartRequest,
        context: &Context,
    ) -> Result<Chart>;
}

/// What to render.
#[derive(Clone, Debug, Default)]
pub struct ChartRequest {
    /// The chart, absolute in the tree: a directory or a `.tgz` archive.
    pub chart: String,
    /// The values that are laid over the chart's own; later ones win.
    pub values: Vec<ValuesSource>,
    /// The release.
    pub release: ChartRelease,
    /// Whether there is no cluster: API versions then come on top of those that Helm knows by itself.
    pub is_offline: bool,
    /// Whether the values are not checked against the chart's schema.
    pub skip_schema_validation: bool,
    /// Whether the notes of subcharts are added to those of the chart.
    pub include_subchart_notes: bool,
    /// Whether the files of `crds/` are part of the result.
    pub include_crds: bool,
    /// How much of the result is wanted.
    pub detail: Detail,
    /// What `now` answers, in seconds since 1970.
    pub now: i64,
    /// What all randomness comes from.
    pub seed: Vec<u8>,
}

/// The release that a chart is rendered for.
#[derive(Clone, Debug, Default)]
pub struct ChartRelease {
    /// Its name.
    pub name: String,
    /// A template that makes the name, instead of it.
    pub name_template: Option<String>,
    /// The namespace that it goes to.
    pub namespace: String,
    /// 1 for the first installation.
    pub revision: u32,
    /// Whether it is there already.
    pub is_upgrade: bool,
}

/// A values file, or a file that a value is read from.
#[derive(Clone, Debug)]
pub struct ValuesFile {
    /// How messages call it.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Where values come from.
#[derive(Clone, Debug)]
pub enum ValuesSource {
    /// A values file.
    File(ValuesFile),
    /// `--set`
    Set(String),
    /// `--set-string`
    SetString(String),
    /// `--set-json`
    SetJson(String),
    /// `--set-literal`
    SetLiteral(String),
    /// `--set-file`, with the contents of the files that it may name.
    SetFile(String, Vec<ValuesFile>),
}

/// How much of a result is wanted; each has what those before it have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// The notes alone. Whether the chart is for this cluster, and whether its manifests are any, is then not looked at.
    Notes,
    /// The texts of manifests and hooks.
    Texts,
    /// Manifests and hooks as objects, the values and the metadata.
    #[default]
    Objects,
}

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// The name of the release.
    pub release_name: String,
    /// What is installed, in the order of installation.
    pub manifests: Vec<Manifest>,
    /// What is run beside it.
    pub hooks: Vec<Hook>,
    /// The files of `crds/`, with their texts.
    pub crds: Vec<(String, String)>,
    /// What users are told.
    pub notes: Option<String>,
    /// The values that the templates saw; none where less than objects is wanted.
    pub values: Option<Value>,
    /// `Chart.yaml`; none where less than objects is wanted.
    pub metadata: Option<Value>,
}

/// One document of one template.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The template: `chart/templates/service.yaml`.
    pub template: String,
    /// The text: what a release stores.
    pub text: String,
    /// The object; none for comments, and where less is wanted.
    pub object: Option<Object>,
}

/// A manifest that is applied at a moment in a release's life.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The manifest.
    pub manifest: Manifest,
    /// When.
    pub events: Vec<String>,
    /// Hooks of one event are run by weight.
    pub weight: i64,
    /// When it is deleted.
    pub delete_policies: Vec<String>,
    /// When its logs are shown.
    pub output_log_policies: Vec<String>,
}

/// The objects of the cluster, read with the identity of the release. Natively there is none, and every lookup finds nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cluster(());

impl Cluster {
    /// The object as JSON, or with an empty name the list of the kind; none where there is no such object.
    ///
    /// # Errors
    /// In words: the cluster did not answer, or refused.
    pub fn lookup(&self, id: &ObjectId) -> std::result::Result<Option<Vec<u8>>, String> {
        #[cfg(target_arch = "wasm32")]
        {
            crate::export::chart::lookup(id)
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = id;
            Ok(None)
        }
    }
}
