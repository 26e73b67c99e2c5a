use super::wire::{self, Converted};
use super::{Answer, Context, Finding, Inputs, Role};
use crate::bindings::exports::sluice::chart::chart_renderer as wit;
use crate::call::call;
use crate::plugin::{Exports, Plugin};
use crate::{Error, LoadError};
use serde_json::Value;
use sluice_object::Object;
use std::sync::Arc;

/// Renders charts.
pub trait ChartRenderer: Send + Sync {
    /// Renders one chart. Runs for as long as the guest does: call it where blocking is allowed.
    fn render(&self, request: &ChartRequest, inputs: Inputs) -> Result<Answer<Chart>, Error>;
    /// The digest of the component: together with the request, the closure and the lookups it names the answer.
    fn digest(&self) -> &str;
}

/// What to render.
#[derive(Clone, Debug)]
pub struct ChartRequest {
    /// The chart, a path of the artifact: a directory or a `.tgz` archive; `/` is its root.
    pub chart: String,
    /// The values that are laid over the chart's own; later ones win.
    pub values: Vec<ValuesSource>,
    /// The release.
    pub release: ChartRelease,
    /// Whether there is no cluster: see `wit/chart`.
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
    /// The plugin's configuration.
    pub config: Value,
    /// On whose behalf; its version and API versions are `.Capabilities`.
    pub context: Context,
}

/// The release that a chart is rendered for.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesFile {
    /// How messages call it.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Where values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// The name of the release.
    pub release_name: String,
    /// What is installed, in the order of installation.
    pub manifests: Vec<Manifest>,
    /// What is run beside it.
    pub hooks: Vec<Hook>,
    /// The files of `crds/`.
    pub crds: Vec<CrdFile>,
    /// What users are told.
    pub notes: Option<String>,
    /// The values that the templates saw; null where less than objects was wanted.
    pub values: Value,
    /// `Chart.yaml`; null where less than objects was wanted.
    pub metadata: Value,
    /// Warnings and remarks.
    pub findings: Vec<Finding>,
}

/// One document of one template.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The template: `chart/templates/service.yaml`.
    pub template: String,
    /// The text: what a release stores.
    pub text: String,
    /// The object; none for comments, and where less was wanted.
    pub object: Option<Object>,
}

/// A manifest that is applied at a moment in a release's life.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// The manifest.
    pub manifest: Manifest,
    /// When: `pre-install`, `test` …
    pub events: Vec<String>,
    /// Hooks of one event are run by weight.
    pub weight: i64,
    /// When it is deleted.
    pub delete_policies: Vec<String>,
    /// When its logs are shown.
    pub output_log_policies: Vec<String>,
}

/// A file of `crds/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrdFile {
    /// Its path: `chart/crds/widget.yaml`.
    pub path: String,
    /// Its text, which may hold several documents.
    pub text: String,
}

impl Plugin {
    /// This plugin as a chart renderer; refused when it exports none.
    pub fn chart_renderer(self: &Arc<Self>) -> Result<Arc<dyn ChartRenderer>, LoadError> {
        match self.exports() {
            Exports {
                chart_renderer: Some(indices),
                ..
            } => Ok(Arc::new(Guest {
                plugin: Arc::clone(self),
                indices: indices.clone(),
            })),
            _ => Err(self.other_role(Role::ChartRenderer)),
        }
    }
}

struct Guest {
    plugin: Arc<Plugin>,
    indices: wit::GuestIndices,
}

impl ChartRenderer for Guest {
    fn render(&self, request: &ChartRequest, inputs: Inputs) -> Result<Answer<Chart>, Error> {
        let request = request_to_wire(request);
        let answer = call(&self.plugin, inputs, |store, instance| {
            self.indices
                .load(&mut *store, instance)?
                .call_render(store, &request)
        })?;
        wire::answer(self.plugin.name(), answer, chart)
    }

    fn digest(&self) -> &str {
        self.plugin.digest()
    }
}

fn request_to_wire(request: &ChartRequest) -> wit::Request {
    let ChartRelease {
        name,
        name_template,
        namespace,
        revision,
        is_upgrade,
    } = request.release.clone();
    wit::Request {
        chart: format!("/source{}", request.chart.trim_end_matches('/')),
        values: request.values.iter().map(source).collect(),
        release: wit::Release {
            name,
            name_template,
            namespace,
            revision,
            is_upgrade,
        },
        is_offline: request.is_offline,
        skip_schema_validation: request.skip_schema_validation,
        include_subchart_notes: request.include_subchart_notes,
        include_crds: request.include_crds,
        detail: match request.detail {
            Detail::Notes => wit::Detail::Notes,
            Detail::Texts => wit::Detail::Texts,
            Detail::Objects => wit::Detail::Objects,
        },
        now: request.now,
        seed: request.seed.clone(),
        config: wire::config(&request.config),
        context: wire::context(&request.context),
    }
}

fn source(source: &ValuesSource) -> wit::ValuesSource {
    match source {
        ValuesSource::File(file) => wit::ValuesSource::File(values_file(file)),
        ValuesSource::Set(text) => wit::ValuesSource::Set(text.clone()),
        ValuesSource::SetString(text) => wit::ValuesSource::SetString(text.clone()),
        ValuesSource::SetJson(text) => wit::ValuesSource::SetJson(text.clone()),
        ValuesSource::SetLiteral(text) => wit::ValuesSource::SetLiteral(text.clone()),
        ValuesSource::SetFile(assignment, files) => wit::ValuesSource::SetFile(wit::ValuesFromFiles {
            assignment: assignment.clone(),
            files: files.iter().map(values_file).collect(),
        }),
    }
}

fn values_file(file: &ValuesFile) -> wit::ValuesFile {
    wit::ValuesFile {
        name: file.name.clone(),
        content: file.content.clone(),
    }
}

fn chart(wire: wit::Rendered) -> Converted<Chart> {
    let hook = |hook: wit::Hook| -> Converted<Hook> {
        Ok(Hook {
            manifest: manifest(hook.manifest)?,
            events: hook.events,
            weight: hook.weight,
            delete_policies: hook.delete_policies,
            output_log_policies: hook.output_log_policies,
        })
    };
    let crd = |file: wit::CrdFile| CrdFile {
        path: file.path,
        text: file.text,
    };
    Ok(Chart {
        release_name: wire.release_name,
        manifests: wire
            .manifests
            .into_iter()
            .map(manifest)
            .collect::<Converted<_>>()?,
        hooks: wire.hooks.into_iter().map(hook).collect::<Converted<_>>()?,
        crds: wire.crds.into_iter().map(crd).collect(),
        notes: wire.notes,
        values: json("values", &wire.values)?,
        metadata: json("chart", &wire.chart)?,
        findings: wire::findings(wire.findings),
    })
}

fn manifest(wire: wit::Manifest) -> Converted<Manifest> {
    let object = wire
        .object
        .map(|object| wire::objects(vec![object]))
        .transpose()?;
    Ok(Manifest {
        template: wire.template,
        text: wire.text,
        object: object.and_then(|mut objects| objects.pop()),
    })
}

fn json(what: &str, bytes: &[u8]) -> Converted<Value> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|error| format!("{what} is not JSON: {error}"))
}
