//! From a chart and values to a release's manifests: what `helm template` does.

use std::collections::BTreeMap;

use crate::{
    Error, Failure, Map, Str, Value, Warnings,
    chart::{Chart, is_compatible, process_dependencies},
    engine::{File, Scope, Templates},
    functions::{self, Environment},
    manifest::{self, Hook, Manifest, Sorted},
    objects,
    release::{Capabilities, Release},
    template::{MissingKey, Render, Set},
    values::{Data, Source, Table, coalesce, merge_sources, validate},
};

/// What to render, apart from the chart.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The values that are laid over the chart's own.
    pub values: Vec<Source>,
    /// The release.
    pub release: Release,
    /// A template that makes the release's name, instead of the name.
    pub name_template: Option<String>,
    /// The cluster.
    pub capabilities: Capabilities,
    /// Whether the values are not checked against the chart's schema.
    pub skip_schema_validation: bool,
    /// Whether the notes of subcharts are added to those of the chart.
    pub include_subchart_notes: bool,
    /// Whether the files of `crds/` are part of the result.
    pub include_crds: bool,
    /// How much of the result is wanted.
    pub wanted: Wanted,
}

/// How much of a result is wanted; each has what those before it have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// The notes alone. Whether the chart is for this cluster, and whether its manifests are any, is not looked at.
    Notes,
    /// The texts of manifests and hooks.
    Texts,
    /// Manifests and hooks as objects too.
    #[default]
    Objects,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The name of the release.
    pub release_name: String,
    /// What is installed, in the order of installation.
    pub manifests: Vec<Manifest>,
    /// What is run beside it, by kind.
    pub hooks: Vec<Hook>,
    /// The files of `crds/` with their full paths, where they are wanted.
    pub crds: Vec<(String, Str)>,
    /// What users are told; none where the chart has no notes.
    pub notes: Option<String>,
    /// The values that the templates saw.
    pub values: Table,
    /// What the original tells on the side: values that are not used, hooks that nobody knows.
    pub warnings: Vec<String>,
    /// The chart, as it took part: without the subcharts that are switched off.
    pub chart: Chart,
}

/// Renders a chart. `load` is called once the values are read, because mistakes in them are told first.
///
/// # Errors
/// The original's words, the place, and what to do.
pub fn render(
    load: impl FnOnce() -> Result<Chart, Error>,
    request: &Request,
    environment: &Environment,
) -> Result<Rendered, Failure> {
    let mut release = request.release.clone();
    if let Some(template) = &request.name_template {
        release.name = name_from(template, environment)?;
    }
    let values = merge_sources(&request.values)?;
    let mut chart = load()?;
    chart.check_installable()?;
    chart.check_dependencies()?;
    release.check_name()?;
    let mut warnings = Warnings::default();
    process_dependencies(&mut chart, &values, &mut warnings)?;
    let values = coalesce(&chart, &values, &mut warnings)?;
    if !request.skip_schema_validation {
        validate(&chart, &values)?;
    }
    if request.wanted > Wanted::Notes {
        check_kube_version(&chart, &request.capabilities)?;
    }
    let mut files = run(&chart, &values, &release, &request.capabilities, environment)?;
    let notes = take_notes(&mut files, &chart, request.include_subchart_notes);
    let sorted = match request.wanted {
        Wanted::Notes => Sorted::default(),
        wanted => manifest::sort(files, wanted == Wanted::Objects)?,
    };
    for text in sorted.warnings.into_texts() {
        warnings.add(text);
    }
    let mut crds = Vec::new();
    if request.include_crds {
        crds.extend(
            chart
                .crds()
                .into_iter()
                .map(|(path, file)| (path, file.data.clone())),
        );
        // what is wanted is read here, so that a file that cannot be read is told
        for (_, text) in &crds {
            let _ = text.as_bytes();
        }
    }
    chart.unreadable.check()?;
    Ok(Rendered {
        release_name: release.name,
        manifests: sorted.manifests,
        hooks: sorted.hooks,
        crds,
        notes,
        values,
        warnings: warnings.into_texts(),
        chart,
    })
}

fn check_kube_version(chart: &Chart, capabilities: &Capabilities) -> Result<(), Failure> {
    let (wanted, version) = (&chart.metadata.kube_version, &capabilities.kube_version);
    if wanted.is_empty() || is_compatible(wanted, &version.normalized) {
        return Ok(());
    }
    let text = format!(
        "chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {}",
        version.version
    );
    Err(Failure::new(text).with_hint("use a version of the chart that is made for this cluster"))
}

/// A name from `--name-template`: not the engine's business, so without its functions and in `text/template`'s own words.
fn name_from(template: &str, environment: &Environment) -> Result<String, Failure> {
    const PATH: &str = "name-template";
    let functions = functions::of_names();
    let mut set = Set::default();
    set.add(PATH, template, functions)?;
    let name = Render::new(&set, functions, environment, MissingKey::Zero).execute(PATH, &Value::Invalid)?;
    Ok(String::from_utf8_lossy(&name).into_owned())
}

/// The rendered files by path.
fn run(
    chart: &Chart,
    values: &Table,
    release: &Release,
    capabilities: &Capabilities,
    environment: &Environment,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut collected = Collected {
        release: release.to_value(),
        capabilities: capabilities.to_value(),
        files: BTreeMap::new(),
        scopes: Vec::new(),
        charts: BTreeMap::new(),
    };
    collected.chart(chart, chart.name(), &values.to_map(), true);
    let Collected {
        files,
        scopes,
        charts,
        ..
    } = collected;
    let files = files.into_iter().map(|(path, source)| File { path, source });
    let templates =
        Templates::read(files.collect()).map_err(|error| Failure::explained(&error.to_string()))?;
    let scope = |path: &str| charts.get(path).and_then(|chart| scopes.get(*chart));
    let rendered = templates
        .render(environment, MissingKey::Zero, scope)
        .map_err(|error| Failure::explained(&error.to_string()))?;
    if cfg!(target_arch = "wasm32") {
        // an instance ends with its call, and to take its trees apart is a tenth of its time
        std::mem::forget(templates);
    }
    Ok(rendered
        .into_iter()
        .map(|(path, text)| (path, text.into_bytes()))
        .collect())
}

/// The templates of a chart and its subcharts with what they get.
struct Collected {
    release: Value,
    capabilities: Value,
    /// The templates by their paths: of several with one path the last counts.
    files: BTreeMap<String, Str>,
    /// What the templates of each chart get.
    scopes: Vec<Scope>,
    /// Which of `scopes` a template gets.
    charts: BTreeMap<String, usize>,
}

impl Collected {
    /// Answers what the chart's templates get: its parent has it among its `.Subcharts`.
    fn chart(&mut self, chart: &Chart, path: &str, values: &Map, is_root: bool) -> Map {
        let contents = chart
            .files
            .iter()
            .map(|file| (file.name.as_ref(), file.data.clone()));
        let subcharts = Map::new();
        let data = Map::new();
        data.set("Chart", chart.metadata.to_map(is_root));
        data.set("Files", objects::files(contents));
        data.set("Release", self.release.clone());
        data.set("Capabilities", self.capabilities.clone());
        data.set("Values", objects::values(values));
        data.set("Subcharts", subcharts.clone());
        for subchart in &chart.dependencies {
            let inner = values_of(values, subchart.name());
            let path = chart.path_of(subchart, path);
            let inner = self.chart(subchart, &path, &inner, false);
            subcharts.set(subchart.name(), inner);
        }
        let is_partial = |name: &str| name.rsplit('/').next().is_some_and(|name| name.starts_with('_'));
        let templates = chart
            .templates
            .iter()
            .filter(|file| !chart.is_library() || is_partial(&file.name));
        for template in templates {
            let file = format!("{path}/{}", template.name);
            self.charts.insert(file.clone(), self.scopes.len());
            self.files.insert(file, template.data.clone());
        }
        let scope = Scope {
            data: data.clone(),
            base_path: format!("{path}/templates"),
        };
        self.scopes.push(scope);
        data
    }
}

/// What the templates of a subchart see: the original takes a dot in its name for a step into a table.
fn values_of(values: &Map, subchart: &str) -> Map {
    let step = |table: Map, part: &str| match table.get(part) {
        Some(Value::Map(inner)) => Some(inner),
        _ => None,
    };
    let mut parts = subchart.split('.');
    parts.try_fold(values.clone(), step).unwrap_or_default()
}

/// Every file whose name ends so is no manifest.
const NOTES: &str = "NOTES.txt";

fn take_notes(files: &mut BTreeMap<String, Vec<u8>>, chart: &Chart, with_subcharts: bool) -> Option<String> {
    let mine = format!("{}/templates/{NOTES}", chart.name());
    let paths: Vec<String> = files
        .keys()
        .filter(|path| path.ends_with(NOTES))
        .cloned()
        .collect();
    let mut notes: Option<String> = None;
    for path in paths {
        let text = files.remove(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        if with_subcharts || path == mine {
            match &mut notes {
                Some(notes) if !notes.is_empty() => {
                    notes.push('\n');
                    notes.push_str(&text);
                }
                _ => notes = Some(text),
            }
        }
    }
    notes
}

impl Release {
    fn to_value(&self) -> Value {
        let map = Map::new();
        map.set("Name", self.name.as_str());
        map.set("Namespace", self.namespace.as_str());
        map.set("IsUpgrade", self.is_upgrade);
        map.set("IsInstall", !self.is_upgrade);
        map.set("Revision", Value::int(i64::from(self.revision)));
        map.set("Service", "Helm");
        Value::Map(map)
    }
}

impl Rendered {
    /// The values that the templates saw, as JSON: integers are `int64`, all else `float64`.
    pub fn values_json(&self) -> serde_json::Value {
        Data::Table(self.values.clone()).to_typed_json()
    }
}
