//! A Kustomization rendered here, from a directory, as the controller renders it from an artifact.

mod declared;
mod flags;
mod ignored;
mod place;
mod walk;

pub(crate) use declared::{check, from_file, from_value, is_kustomization, name_of};
pub(crate) use flags::Flags;
pub(crate) use place::{Below, Place};
pub(crate) use walk::{Followed, Walk};

use walk::{LocalSource, local_source};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sluice_api::Kustomization;
use sluice_api::kustomize::{SubstituteKind, SubstituteStrategy};
use sluice_apply::cluster::{Cluster, Identity};
use sluice_controller::reconcilers::kustomization::render::build_spec;
use sluice_object::{GroupVersionKind, Manifests, ObjectId};
use sluice_render::{Build, PostBuild, Render};
use sluice_wasm::{Context, Finding, Limits, Severity};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A directory of this machine in the place of a `spec.path`.
#[derive(Clone, Copy)]
pub(crate) struct Directory<'a> {
    /// The directory.
    pub(crate) path: &'a Path,
    /// What a build may see; none chooses by the place.
    pub(crate) root: Option<&'a Path>,
    /// Patterns beside the `.sourceignore` files: nobody packed these files before.
    pub(crate) ignore_paths: &'a [String],
}

/// Renders `ks` with `directory` in the place of its `spec.path`. Variables are read from the cluster, where one is given.
pub(crate) async fn render(
    render: &Arc<Render>,
    ks: &Kustomization,
    directory: Directory<'_>,
    cluster: Option<&dyn Cluster>,
    is_strict: bool,
) -> Result<Manifests> {
    let place = Place::find(directory.path, directory.root)?;
    let ignore = ignored::rules(&*place.tree, &place.path, directory.ignore_paths)?;
    let mut spec = build_spec(&ks.spec);
    spec.path = place.path;
    let post_build = match &ks.spec.post_build {
        None => None,
        Some(post_build) => Some(PostBuild {
            vars: variables(ks, cluster).await?,
            strict: is_strict,
            always: post_build.substitute_strategy == Some(SubstituteStrategy::Always),
        }),
    };
    let (namespace, name) = name_of(ks);
    let context = Context {
        subject: ObjectId {
            gvk: GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
            namespace: Some(namespace).filter(|namespace| !namespace.is_empty()),
            name,
        },
        kube_version: String::new(),
        api_versions: Vec::new(),
        labels: Vec::new(),
    };
    let (render, tree) = (Arc::clone(render), place.tree);
    let rendered = tokio::task::spawn_blocking(move || {
        let build = Build {
            spec: &spec,
            ignore: Some(&ignore),
            post_build: post_build.as_ref(),
            context: &context,
            tree,
            revision: "",
        };
        render.build(&build)
    });
    let rendered = rendered.await?;
    let rendered = rendered.map_err(|error| Below::root(&place.root, error))?;
    tell_in_place(&rendered.findings, &place.root);
    Ok(rendered.manifests.clone())
}

/// The limits of a call that is made once: nobody remembers its answer, so what it read is not digested.
pub(crate) fn once() -> Limits {
    Limits {
        closure_entries: 0,
        ..Limits::default()
    }
}

/// Remarks of a render, on standard error.
pub(crate) fn tell_findings(findings: &[Finding]) {
    for finding in findings {
        match finding.severity {
            Severity::Error => crate::tell::failure(&finding.message),
            Severity::Warning | Severity::Info => crate::tell::line(&finding.message),
        }
    }
}

/// The same with the place, below `root`, and the remedy of each.
fn tell_in_place(findings: &[Finding], root: &Path) {
    for finding in findings {
        tell_findings(std::slice::from_ref(finding));
        if let Some(file) = &finding.file {
            let file = root.join(file.trim_start_matches('/'));
            let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
            crate::tell::line(&format!("  at {}{line}", file.display()));
        }
        if let Some(hint) = &finding.hint {
            crate::tell::line(&format!("  hint: {hint}"));
        }
    }
}

/// What is substituted: ConfigMaps and Secrets of the cluster in their order, then what the spec says itself.
pub(crate) async fn variables(
    ks: &Kustomization,
    cluster: Option<&dyn Cluster>,
) -> Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    let Some(post_build) = &ks.spec.post_build else {
        return Ok(variables);
    };
    if let Some(cluster) = cluster {
        for reference in &post_build.substitute_from {
            let (kind, name) = (reference.kind.as_str(), &reference.name);
            let what = || format!("substitute from '{kind}/{name}' error");
            let id = ObjectId {
                gvk: GroupVersionKind::new("v1", kind),
                namespace: ks.metadata.namespace.clone(),
                name: name.clone(),
            };
            let found = cluster.get(&Identity::AsController, &id).await;
            match found.with_context(what)? {
                Some(object) => variables.extend(data(&object, reference.kind).with_context(what)?),
                None if reference.optional => {}
                None => bail!("{}: {}s \"{name}\" not found", what(), kind.to_lowercase()),
            }
        }
    }
    let inline = post_build.substitute.iter();
    variables.extend(inline.map(|(name, value)| (name.clone(), value.clone())));
    // Flux takes every line break out of every value
    variables
        .values_mut()
        .for_each(|value| value.retain(|character| character != '\n'));
    Ok(variables)
}

/// The names and values of a ConfigMap or a Secret.
fn data(object: &Value, kind: SubstituteKind) -> Result<Vec<(String, String)>> {
    let data = object.get("data").and_then(Value::as_object);
    let values = data.into_iter().flatten().map(|(name, value)| {
        let text = value.as_str().unwrap_or_default();
        let value = match kind {
            SubstituteKind::ConfigMap => text.to_owned(),
            SubstituteKind::Secret => {
                let bytes = STANDARD
                    .decode(text)
                    .with_context(|| format!("the value of {name} is not base64"))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        Ok((name.clone(), value))
    });
    values.collect()
}
