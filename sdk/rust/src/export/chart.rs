use super::guest;
use crate::bindings::chart_renderer::exports::sluice::chart::chart_renderer as wit;
use crate::bindings::chart_renderer::sluice::chart::lookup as host;
use crate::bindings::renderer::sluice::types::results as r;
use crate::chart_renderer::{
    Chart, ChartRelease, ChartRenderer, ChartRequest, Cluster, Detail, Hook, Manifest, ValuesFile,
    ValuesSource,
};
use crate::{Failure, ObjectId, Tree};

/// One call of a chart renderer.
pub fn render<T: ChartRenderer>(wire: wit::Request) -> Result<wit::Rendered, r::Failure> {
    crate::log::install_panic_hook();
    let run = || {
        let plugin: T = guest::config(&wire.config)?;
        let context = guest::context(wire.context);
        let request = ChartRequest {
            chart: wire.chart,
            values: wire.values.into_iter().map(source).collect(),
            release: ChartRelease {
                name: wire.release.name,
                name_template: wire.release.name_template,
                namespace: wire.release.namespace,
                revision: wire.release.revision,
                is_upgrade: wire.release.is_upgrade,
            },
            is_offline: wire.is_offline,
            skip_schema_validation: wire.skip_schema_validation,
            include_subchart_notes: wire.include_subchart_notes,
            include_crds: wire.include_crds,
            detail: match wire.detail {
                wit::Detail::Notes => Detail::Notes,
                wit::Detail::Texts => Detail::Texts,
                wit::Detail::Objects => Detail::Objects,
            },
            now: wire.now,
            seed: wire.seed,
        };
        let chart = plugin.render(&Tree::default(), &Cluster::default(), request, &context)?;
        to_wire(chart, context.into_findings())
    };
    run().map_err(guest::failure)
}

/// Asks the host for an object of the cluster.
pub fn lookup(id: &ObjectId) -> Result<Option<Vec<u8>>, String> {
    host::lookup(&guest::id_to_wire(id.clone()))
}

fn source(wire: wit::ValuesSource) -> ValuesSource {
    match wire {
        wit::ValuesSource::File(wire) => ValuesSource::File(file(wire)),
        wit::ValuesSource::Set(text) => ValuesSource::Set(text),
        wit::ValuesSource::SetString(text) => ValuesSource::SetString(text),
        wit::ValuesSource::SetJson(text) => ValuesSource::SetJson(text),
        wit::ValuesSource::SetLiteral(text) => ValuesSource::SetLiteral(text),
        wit::ValuesSource::SetFile(wire) => {
            ValuesSource::SetFile(wire.assignment, wire.files.into_iter().map(file).collect())
        }
    }
}

fn file(wire: wit::ValuesFile) -> ValuesFile {
    ValuesFile {
        name: wire.name,
        content: wire.content,
    }
}

fn to_wire(chart: Chart, findings: Vec<crate::Finding>) -> Result<wit::Rendered, Failure> {
    let hook = |hook: Hook| wit::Hook {
        manifest: manifest(hook.manifest),
        events: hook.events,
        weight: hook.weight,
        delete_policies: hook.delete_policies,
        output_log_policies: hook.output_log_policies,
    };
    let json = |value: Option<serde_json::Value>| match value {
        Some(value) => serde_json::to_vec(&value),
        None => Ok(Vec::new()),
    };
    Ok(wit::Rendered {
        release_name: chart.release_name,
        manifests: chart.manifests.into_iter().map(manifest).collect(),
        hooks: chart.hooks.into_iter().map(hook).collect(),
        crds: chart
            .crds
            .into_iter()
            .map(|(path, text)| wit::CrdFile { path, text })
            .collect(),
        notes: chart.notes,
        values: json(chart.values)?,
        chart: json(chart.metadata)?,
        findings: findings.into_iter().map(guest::finding).collect(),
    })
}

fn manifest(manifest: Manifest) -> wit::Manifest {
    wit::Manifest {
        template: manifest.template,
        text: manifest.text,
        object: manifest.object.map(guest::object_to_wire),
    }
}
