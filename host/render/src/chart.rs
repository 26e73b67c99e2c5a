//! Charts: rendered in the sandbox, remembered by what was read.

use crate::error::Error;
use crate::memo::{Key, Memo};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sluice_artifact::Tree;
use sluice_object::ObjectId;
use sluice_wasm::{
    Answer, Chart, ChartRenderer, ChartRequest, Cluster, Context, Inputs, ValuesFile, ValuesSource,
    lookup_digest,
};
use std::fmt::Write;
use std::sync::Arc;

/// The plugin that renders charts, and what it gave before.
pub struct ChartRender {
    renderer: Arc<dyn ChartRenderer>,
    memo: Memo<Remembered>,
}

/// Where a chart is rendered from.
#[derive(Clone)]
pub struct ChartSource<'a> {
    /// The artifact with the chart.
    pub tree: Arc<dyn Tree>,
    /// Its revision.
    pub revision: &'a str,
    /// The cluster, with the identity of the release; none where there is none.
    pub cluster: Option<Arc<dyn Cluster>>,
}

impl ChartSource<'_> {
    /// What the cluster says now, as the sandbox remembers it.
    fn lookup(&self, id: &ObjectId) -> [u8; 32] {
        let answer = match &self.cluster {
            Some(cluster) => cluster.lookup(id),
            None => Ok(None),
        };
        lookup_digest(&answer)
    }
}

/// A result that also depends on what was looked up in the cluster.
#[derive(Debug)]
struct Remembered {
    chart: Arc<Chart>,
    lookups: Vec<(ObjectId, [u8; 32])>,
}

impl ChartRender {
    /// With this plugin.
    pub fn new(renderer: Arc<dyn ChartRenderer>, memo_bytes_max: u64) -> Self {
        Self {
            renderer,
            memo: Memo::new(memo_bytes_max),
        }
    }

    /// Renders, or finds what an earlier render gave for the same chart, request and answers of the cluster. Clock and seed are
    /// part of the request: who wants to be answered from memory passes the same ones again.
    pub fn render(&self, request: &ChartRequest, source: &ChartSource<'_>) -> Result<Arc<Chart>, Error> {
        let key = self.key(request);
        if let Some(found) = self.memo.find(&key, &*source.tree, source.revision)
            && found
                .lookups
                .iter()
                .all(|(id, digest)| source.lookup(id) == *digest)
        {
            return Ok(Arc::clone(&found.chart));
        }
        let inputs = Inputs {
            tree: Arc::clone(&source.tree),
            revision: source.revision.to_owned(),
            cluster: source.cluster.clone(),
        };
        let Answer { value, trace } = self.renderer.render(request, inputs).map_err(Error::Chart)?;
        let chart = Arc::new(value);
        if let Some(closure) = trace.closure {
            let revision = trace.revision_asked.then(|| source.revision.to_owned());
            let bytes = size(&chart);
            let result = Arc::new(Remembered {
                chart: Arc::clone(&chart),
                lookups: trace.lookups,
            });
            self.memo.keep(key, closure, revision, result, bytes);
        }
        Ok(chart)
    }

    fn key(&self, request: &ChartRequest) -> Key {
        let ChartRequest {
            chart,
            values,
            release,
            is_offline,
            skip_schema_validation,
            include_subchart_notes,
            include_crds,
            detail,
            now,
            seed,
            config,
            context,
        } = request;
        let Context {
            subject,
            kube_version,
            api_versions,
            labels,
        } = context;
        let subject = [
            subject.gvk.api_version(),
            subject.gvk.kind.clone(),
            subject.namespace.clone().unwrap_or_default(),
            subject.name.clone(),
        ];
        let release = json!([
            release.name,
            release.name_template,
            release.namespace,
            release.revision,
            release.is_upgrade
        ]);
        let values: Vec<Value> = values.iter().map(source_key).collect();
        let key = json!([
            self.renderer.digest(),
            chart,
            values,
            release,
            [
                *is_offline,
                *skip_schema_validation,
                *include_subchart_notes,
                *include_crds
            ],
            *detail as u8,
            now,
            seed,
            config,
            [
                json!(subject),
                json!(kube_version),
                json!(api_versions),
                json!(labels)
            ],
        ]);
        Sha256::digest(key.to_string()).into()
    }
}

/// Values may hold secrets, so the key holds their digests.
fn source_key(source: &ValuesSource) -> Value {
    let digest = |bytes: &[u8]| json!(<[u8; 32]>::from(Sha256::digest(bytes)));
    let file = |file: &ValuesFile| json!([file.name, digest(&file.content)]);
    match source {
        ValuesSource::File(values) => json!(["file", file(values)]),
        ValuesSource::Set(text) => json!(["set", digest(text.as_bytes())]),
        ValuesSource::SetString(text) => json!(["string", digest(text.as_bytes())]),
        ValuesSource::SetJson(text) => json!(["json", digest(text.as_bytes())]),
        ValuesSource::SetLiteral(text) => json!(["literal", digest(text.as_bytes())]),
        ValuesSource::SetFile(text, files) => {
            let files: Vec<Value> = files.iter().map(file).collect();
            json!(["files", text, files])
        }
    }
}

fn size(chart: &Chart) -> u64 {
    let manifests = chart
        .manifests
        .iter()
        .chain(chart.hooks.iter().map(|hook| &hook.manifest));
    // an object takes about twice its text
    let texts = manifests.map(|manifest| manifest.text.len() * if manifest.object.is_some() { 3 } else { 1 });
    let crds = chart.crds.iter().map(|file| file.text.len());
    (texts.chain(crds).sum::<usize>() + chart.notes.as_ref().map_or(0, String::len)) as u64
}

/// The manifest of a release, as Helm stores and prints it: custom resource definitions first, where they are wanted, then what
/// is installed, each with the comment that names its source. Hooks are not part of it.
pub fn release_manifest(chart: &Chart, include_crds: bool) -> String {
    let crds = chart.crds.iter().filter(|_| include_crds);
    let crds = crds.map(|file| (&file.path, &file.text));
    let manifests = chart
        .manifests
        .iter()
        .map(|manifest| (&manifest.template, &manifest.text));
    let parts: Vec<(&String, &String)> = crds.chain(manifests).collect();
    let around = "---\n# Source: \n\n".len();
    let length = parts
        .iter()
        .map(|(source, content)| source.len() + content.len() + around);
    // megabytes that would be moved each time they outgrow their place
    let mut text = String::with_capacity(length.sum());
    for (source, content) in parts {
        let _ = writeln!(text, "---\n# Source: {source}\n{content}");
    }
    text
}
