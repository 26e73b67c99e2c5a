//! `sluice build helm`: what `helm template` prints.

mod accepted;
mod files;
mod flags;
mod links;
mod list;
mod show_only;
mod values;

pub(crate) use flags::Helm;

use crate::local::{Place, tell_findings};
use crate::tell::Original;
use crate::tell::print;
use anyhow::{Context as _, Result, bail};
use serde_json::json;
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_render::release_manifest;
use sluice_wasm::{
    Chart, ChartRelease, ChartRequest, Context, Detail, Engine, Error, Hook, Inputs, Limits, builtin,
};
use std::fmt::Write as _;
use std::path::Path;
use values::Unreadable;

pub(crate) fn run(helm: &Helm) -> Result<()> {
    helm.accepted.check()?;
    let name_template = helm.name_template.clone().filter(|template| !template.is_empty());
    let (name, chart) = match helm.name_and_chart.as_slice() {
        names if helm.generate_name && (names.len() > 1 || helm.name.is_some()) => {
            bail!(Original::new(
                "cannot set --generate-name and also specify a name"
            ))
        }
        names if name_template.is_some() && (names.len() > 1 || helm.name.is_some()) => {
            bail!(Original::new(
                "cannot set --name-template and also specify a name"
            ))
        }
        [name, chart] if helm.name.is_none() => (name.as_str(), chart),
        [_, _] => bail!(Original::new(
            "the release's name is given twice: leave out the one before the chart, or --name and --name-template"
        )),
        [chart] => (helm.name.as_deref().unwrap_or("release-name"), chart),
        _ => bail!(Original::new("one chart is wanted")),
    };
    let chart = existing(chart)?;
    let (values, unreadable) = helm.values.read()?;
    let request = ChartRequest {
        chart: String::new(),
        values,
        release: ChartRelease {
            name: name.to_owned(),
            name_template,
            namespace: match helm.namespace.as_str() {
                "" => flags::NAMESPACE.to_owned(),
                namespace => namespace.to_owned(),
            },
            revision: 1,
            is_upgrade: helm.is_upgrade,
        },
        is_offline: true,
        skip_schema_validation: helm.skip_schema_validation,
        include_subchart_notes: helm.render_subchart_notes,
        include_crds: helm.include_crds,
        detail: if helm.notes_only {
            Detail::Notes
        } else {
            Detail::Texts
        },
        now: jiff::Timestamp::now().as_second(),
        seed: seed()?,
        config: json!({}),
        context: nobody(helm)?,
    };
    let chart = render(chart, request, &unreadable, helm.limits()?)?;
    tell_findings(&chart.findings);
    let text = if helm.notes_only {
        chart.notes.unwrap_or_default()
    } else if let Some(folder) = &helm.output_dir {
        files::write(helm, &chart, folder)?
    } else {
        shown(helm, chart)?
    };
    match &helm.output {
        Some(file) => std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display())),
        None => print(&text),
    }
}

/// A chart that is not there is told before all that is wrong with the values.
fn existing(chart: &str) -> Result<&Path> {
    let path = Path::new(chart);
    if !path.exists() {
        bail!(Original::new(format!("path {chart:?} not found")).with_hint(
            "charts of repositories and registries are not fetched here: pull it first, or name a directory or a .tgz archive"
        ));
    }
    Ok(path)
}

fn render(chart: &Path, mut request: ChartRequest, unreadable: &Unreadable, limits: Limits) -> Result<Chart> {
    let place = Place::find(chart, None)?;
    links::check(chart, &place)?;
    request.chart = place.path;
    let engine = Engine::get().map_err(anyhow::Error::msg)?;
    let renderer = builtin::load(engine, "helm", limits)?.chart_renderer()?;
    let inputs = Inputs {
        tree: place.tree,
        revision: String::new(),
        cluster: None,
    };
    match renderer.render(&request, inputs) {
        Ok(answer) => Ok(answer.value),
        Err(Error::Failed { report, .. }) => {
            let hint = report.findings.into_iter().find_map(|finding| finding.hint);
            let text = unreadable.meant(report.message);
            Err(match hint {
                Some(hint) => Original::new(text).with_hint(hint),
                None => Original::new(text),
            }
            .into())
        }
        Err(Error::LimitReached { limit, allowed, .. }) => {
            let knob = limit.knob();
            let text = format!("the chart needs more than the {allowed} that the limit on {knob} allows");
            let hint = format!("allow more with --limit {knob}=AMOUNT, or look for a loop without an end");
            Err(Original::new(text).with_hint(hint).into())
        }
        Err(error) => Err(Original::new(error.to_string()).into()),
    }
}

/// Manifests, then hooks; `--show-only` picks from that.
fn shown(helm: &Helm, mut chart: Chart) -> Result<String> {
    let mut text = release_manifest(&chart, helm.include_crds);
    // a chart may be megabytes: what is in the text already need not be in memory twice
    chart.manifests.clear();
    text.truncate(text.trim_end().len());
    text.push('\n');
    for hook in hooks(helm, &chart) {
        let (template, content) = (&hook.manifest.template, &hook.manifest.text);
        let _ = writeln!(text, "---\n# Source: {template}\n{content}");
    }
    if helm.show_only.is_empty() {
        return Ok(text);
    }
    show_only::pick(&text, &helm.show_only)
        .map_err(|pattern| Original::new(format!("could not find template {pattern} in chart")).into())
}

/// The hooks that are wanted.
fn hooks<'a>(helm: &Helm, chart: &'a Chart) -> impl Iterator<Item = &'a Hook> {
    let (none, no_tests) = (helm.no_hooks, helm.skip_tests);
    let is_test = |hook: &&Hook| hook.events.iter().any(|event| event == "test");
    chart
        .hooks
        .iter()
        .filter(move |hook| !(none || no_tests && is_test(hook)))
}

/// Two runs make two passwords, as the original's do.
fn seed() -> Result<Vec<u8>> {
    let mut seed = vec![0; 32];
    let random = rustls::crypto::ring::default_provider().secure_random;
    match random.fill(&mut seed) {
        Ok(()) => Ok(seed),
        Err(_) => bail!("the system gives no random numbers"),
    }
}

/// Offline nobody is asked for: the context names no cluster but the one that the flags describe.
fn nobody(helm: &Helm) -> Result<Context> {
    let gvk = GroupVersionKind::new("helm.toolkit.fluxcd.io/v2", "HelmRelease");
    Ok(Context {
        subject: ObjectId {
            gvk,
            namespace: None,
            name: "build".to_owned(),
        },
        kube_version: helm.kube_version.clone().unwrap_or_default(),
        api_versions: helm.api_versions()?,
        labels: vec![],
    })
}
