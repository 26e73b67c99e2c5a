//! The chart renderer: this library over the tree and the cluster that the host shows.

use std::rc::Rc;

use serde_json::{Map as JsonMap, Value as Json};
use sluice_sdk::chart_renderer::{self as sdk, *};

use crate::{
    Error, Failure as RenderFailure, Rendered, Request, Str, Value, Wanted,
    chart::{self, Tree as ChartTree},
    functions::{Environment, Lookup, Timestamp},
    manifest,
    release::{Capabilities, KubeVersion, Release},
    render, values,
};
use sha2::{Digest, Sha256};

/// Helm has no configuration of its own: everything is part of the request.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Helm {}

impl ChartRenderer for Helm {
    fn render(
        &self,
        tree: &Tree,
        cluster: &Cluster,
        request: ChartRequest,
        context: &Context,
    ) -> Result<sdk::Chart> {
        let detail = request.detail;
        let source = Rc::new(ChartSource {
            tree: tree.clone(),
            path: request.chart.clone(),
        });
        let now = Timestamp {
            seconds: request.now,
            nanoseconds: 0,
        };
        let mut environment = Environment::new(now, Sha256::digest(&request.seed).into());
        environment.cluster = Some(Box::new(*cluster) as Box<dyn Lookup>);
        let request = native(request, context).map_err(|error| failure(&error.into()))?;
        let rendered = render(|| load(&source), &request, &environment).map_err(|error| failure(&error))?;
        if rendered.chart.metadata.deprecated {
            context.report(Finding::new(Severity::Warning, "this chart is deprecated"));
        }
        for text in &rendered.warnings {
            context.report(Finding::new(Severity::Warning, text));
        }
        Ok(answer(rendered, detail))
    }
}

sluice_sdk::export!(chart_renderer: Helm);

fn native(request: ChartRequest, context: &Context) -> std::result::Result<Request, Error> {
    let mut capabilities = Capabilities::default();
    if !context.kube_version.is_empty() {
        capabilities.kube_version = KubeVersion::parse(&context.kube_version)?;
    }
    if !request.is_offline {
        capabilities.api_versions.clear();
    }
    capabilities
        .api_versions
        .extend(context.api_versions.iter().cloned());
    Ok(Request {
        values: request.values.into_iter().map(source).collect(),
        release: Release {
            name: request.release.name,
            namespace: request.release.namespace,
            revision: request.release.revision,
            is_upgrade: request.release.is_upgrade,
        },
        name_template: request.release.name_template,
        capabilities,
        skip_schema_validation: request.skip_schema_validation,
        include_subchart_notes: request.include_subchart_notes,
        include_crds: request.include_crds,
        wanted: match request.detail {
            Detail::Notes => Wanted::Notes,
            Detail::Texts => Wanted::Texts,
            Detail::Objects => Wanted::Objects,
        },
    })
}

fn source(source: ValuesSource) -> values::Source {
    let file = |file: ValuesFile| values::ValuesFile {
        name: file.name,
        content: file.content,
    };
    match source {
        ValuesSource::File(one) => values::Source::File(file(one)),
        ValuesSource::Set(text) => values::Source::Set(text),
        ValuesSource::SetString(text) => values::Source::SetString(text),
        ValuesSource::SetJson(text) => values::Source::SetJson(text),
        ValuesSource::SetLiteral(text) => values::Source::SetLiteral(text),
        ValuesSource::SetFile(text, files) => {
            values::Source::SetFile(text, files.into_iter().map(file).collect())
        }
    }
}

/// A chart in the host's tree.
struct ChartSource {
    tree: Tree,
    path: String,
}

fn load(source: &Rc<ChartSource>) -> std::result::Result<chart::Chart, Error> {
    match source.tree.read(&source.path) {
        Ok(bytes) => chart::load_archive(&bytes),
        Err(TreeError::NotAFile) => {
            let tree: Rc<dyn ChartTree> = source.clone();
            chart::load_tree(&tree)
        }
        Err(error) => Err(source.broken("", &error)),
    }
}

impl ChartSource {
    fn broken(&self, name: &str, error: &TreeError) -> Error {
        let path = self.path.trim_start_matches("/source").trim_start_matches('/');
        Error::new(format!("path {:?}: {error}", format!("{path}{name}")))
    }
}

impl ChartTree for ChartSource {
    fn walk(&self) -> std::result::Result<Vec<chart::Entry>, Error> {
        let entries = self
            .tree
            .walk(&self.path)
            .map_err(|error| self.broken("", &error))?;
        let entry = |entry: Entry| {
            let name = entry.path.strip_prefix(&self.path)?.strip_prefix('/')?.to_owned();
            Some(chart::Entry {
                name,
                size: entry.size,
            })
        };
        Ok(entries.into_iter().filter_map(entry).collect())
    }

    fn read(&self, names: &[&str]) -> std::result::Result<Vec<Vec<u8>>, Error> {
        let paths: Vec<String> = names.iter().map(|name| format!("{}/{name}", self.path)).collect();
        let contents = self.tree.read_many(&paths).into_iter().zip(names);
        contents
            .map(|(content, name)| content.map_err(|error| self.broken(&format!("/{name}"), &error)))
            .collect()
    }
}

impl Lookup for Cluster {
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> std::result::Result<Value, Error> {
        let id = ObjectId {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace)
                .filter(|namespace| !namespace.is_empty())
                .map(str::to_owned),
            name: name.to_owned(),
        };
        let found = Cluster::lookup(self, &id).map_err(Error::new)?;
        let json = match found {
            Some(body) => serde_json::from_slice(&body).map_err(|error| Error::new(error.to_string()))?,
            None => Json::Object(JsonMap::new()),
        };
        Ok(Value::from(&json))
    }
}

fn answer(rendered: Rendered, detail: Detail) -> sdk::Chart {
    let all = detail == Detail::Objects;
    let values = all.then(|| rendered.values_json());
    let metadata = all.then(|| rendered.chart.metadata.to_json());
    // the files of crds/ are its last owners' now, so they need not be copied
    drop(rendered.chart);
    let object = |object: manifest::Object| Object::written(Object::new(object.head).id(), object.json);
    let manifest = |manifest: manifest::Manifest| Manifest {
        template: manifest.path,
        text: manifest.text,
        object: manifest.object.map(object),
    };
    let hook = |hook: manifest::Hook| Hook {
        manifest: manifest(hook.manifest),
        events: hook.events,
        weight: hook.weight,
        delete_policies: hook.delete_policies,
        output_log_policies: hook.output_log_policies,
    };
    sdk::Chart {
        release_name: rendered.release_name,
        crds: rendered
            .crds
            .into_iter()
            .map(|(path, content)| (path, text(content)))
            .collect(),
        notes: rendered.notes,
        hooks: rendered.hooks.into_iter().map(hook).collect(),
        manifests: rendered.manifests.into_iter().map(manifest).collect(),
        values,
        metadata,
    }
}

/// Bytes that are no UTF-8 become U+FFFD.
fn text(bytes: Str) -> String {
    String::from_utf8(bytes.into_bytes())
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The library's words as they are; place, hint and details also as data.
fn failure(error: &RenderFailure) -> Failure {
    let mut finding = Finding::new(Severity::Error, error.text().trim_end());
    finding.hint = error.hint().map(str::to_owned);
    if let Some(place) = error.place() {
        finding.file = Some(place.file.clone());
        finding.line = Some(place.line).filter(|line| *line > 0);
    }
    let mut failure = Failure::terminal(error.text())
        .with_reason("RenderFailed")
        .with_finding(finding);
    for (path, rule) in error.details() {
        let mut finding = Finding::new(Severity::Error, rule.clone());
        finding.code = Some("schema-violation".to_owned());
        finding.field = Some(path.clone());
        failure = failure.with_finding(finding);
    }
    failure
}
