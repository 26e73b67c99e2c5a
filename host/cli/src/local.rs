//! A Kustomization rendered here, from a directory, as the controller renders it from an artifact.

use crate::assemble;
use crate::commands::build::root;
use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sluice_api::Kustomization;
use sluice_api::kustomize::{SubstituteKind, SubstituteStrategy};
use sluice_apply::cluster::{Cluster, Identity};
use sluice_artifact::{LocalLimits, LocalTree};
use sluice_controller::reconcilers::kustomization::render::build_spec;
use sluice_object::{GroupVersionKind, Manifests, ObjectId};
use sluice_render::{Build, PostBuild};
use sluice_wasm::Context;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Renders `ks` with `directory` in the place of its `spec.path`. Variables are read from the cluster, where one is given.
pub(crate) async fn render(
    ks: &Kustomization,
    directory: &Path,
    cluster: Option<&dyn Cluster>,
    is_strict: bool,
) -> Result<Manifests> {
    let directory = directory
        .canonicalize()
        .with_context(|| format!("'{}' is no directory that can be read", directory.display()))?;
    let root = root(None, &directory)?;
    let below = directory
        .strip_prefix(&root)
        .context("the directory lies outside of its repository")?;
    let mut spec = build_spec(&ks.spec);
    spec.path = below
        .to_str()
        .context("the directory's path is not UTF-8")?
        .to_owned();
    let tree = LocalTree::open(&root, LocalLimits::default())
        .with_context(|| format!("cannot open {}", root.display()))?;
    let post_build = match &ks.spec.post_build {
        None => None,
        Some(post_build) => Some(PostBuild {
            vars: variables(ks, cluster).await?,
            strict: is_strict,
            always: post_build.substitute_strategy == Some(SubstituteStrategy::Always),
        }),
    };
    let name = |text: &Option<String>| text.clone().unwrap_or_default();
    let context = Context {
        subject: ObjectId {
            gvk: GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
            namespace: ks.metadata.namespace.clone(),
            name: name(&ks.metadata.name),
        },
        kube_version: String::new(),
        api_versions: Vec::new(),
        labels: Vec::new(),
    };
    let render = assemble::render()?;
    let rendered = tokio::task::spawn_blocking(move || {
        let build = Build {
            spec: &spec,
            post_build: post_build.as_ref(),
            context: &context,
            tree: Arc::new(tree),
            revision: "",
        };
        render.build_once(&build)
    });
    let rendered = rendered.await??;
    for finding in &rendered.findings {
        crate::tell::warning(&finding.message);
    }
    Ok(rendered.manifests)
}

async fn variables(ks: &Kustomization, cluster: Option<&dyn Cluster>) -> Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    let Some(post_build) = &ks.spec.post_build else {
        return Ok(variables);
    };
    for reference in post_build.substitute_from.iter().filter(|_| cluster.is_some()) {
        let kind = reference.kind.as_str();
        let id = ObjectId {
            gvk: GroupVersionKind::new("v1", kind),
            namespace: ks.metadata.namespace.clone(),
            name: reference.name.clone(),
        };
        let found = match cluster {
            Some(cluster) => cluster.get(&Identity::AsController, &id).await?,
            None => None,
        };
        let Some(object) = found else {
            if reference.optional {
                continue;
            }
            bail!("substitute from '{kind}/{}' error: not found", reference.name);
        };
        let data = object
            .get("data")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        for (name, value) in data {
            let text = value.as_str().unwrap_or_default();
            let value = match reference.kind {
                SubstituteKind::ConfigMap => text.to_owned(),
                SubstituteKind::Secret => {
                    let bytes = STANDARD
                        .decode(text)
                        .with_context(|| format!("the value of {name} is not base64"))?;
                    String::from_utf8_lossy(&bytes).into_owned()
                }
            };
            variables.insert(name.clone(), value);
        }
    }
    let inline = post_build
        .substitute
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    variables.extend(inline);
    // Flux takes every line break out of every value
    variables
        .values_mut()
        .for_each(|value| value.retain(|character| character != '\n'));
    Ok(variables)
}
