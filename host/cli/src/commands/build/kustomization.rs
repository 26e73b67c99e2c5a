//! `sluice build kustomization`: what a Flux Kustomization makes of a local directory (compat: cli, section 11).

use super::masked;
use crate::args::{Global, path};
use crate::tell::print;
use crate::{assemble, local};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::{Map, Value, json};
use sluice_api::Kustomization as Declared;
use sluice_api::kustomize::CommonMetadata;
use sluice_api::meta::{OWNER_NAME, OWNER_NAMESPACE};
use sluice_apply::cluster::{Cluster, Identity};
use sluice_object::{GroupVersionKind, ObjectId, flatten};
use sluice_render::Render;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Args, Debug)]
pub(crate) struct Kustomization {
    /// Name of the Kustomization
    name: Option<String>,
    /// Path to the manifests location
    #[arg(long, value_parser = path(), value_name = "DIR")]
    path: Option<PathBuf>,
    /// Path to the Flux Kustomization YAML file; without it the Kustomization is read from the cluster
    #[arg(long, value_name = "FILE")]
    kustomization_file: Option<PathBuf>,
    /// Build without a cluster: variables from ConfigMaps and Secrets are left out
    #[arg(long)]
    dry_run: bool,
    /// Fail where a variable without a default is not among the inputs
    #[arg(long)]
    strict_substitute: bool,
    #[command(flatten)]
    local: local::Flags,
}

pub(crate) async fn run(asked: Kustomization, global: &Global) -> Result<()> {
    let name = asked.name.as_deref().context("kustomization name is required")?;
    let directory = asked.path.as_deref().unwrap_or(Path::new(""));
    local::check(directory, asked.kustomization_file.as_deref())?;
    ensure!(
        !asked.dry_run || asked.kustomization_file.is_some(),
        "dry-run mode requires a kustomization file: add --kustomization-file"
    );
    let cluster = match asked.dry_run {
        true => None,
        false => Some(global.connect.api_server().await?),
    };
    let builder = Builder {
        asked: &asked,
        directory,
        cluster: cluster.as_ref().map(|cluster| cluster as &dyn Cluster),
        render: Arc::new(assemble::render()?),
    };
    let top = builder.top(name, &global.namespace).await?;
    print(&yaml(&builder.build_all(top).await?))
}

/// Documents as Flux prints them: a separator after each.
fn yaml(objects: &[Value]) -> String {
    objects
        .iter()
        .map(|object| sluice_yaml::emit_v2(object) + "---\n")
        .collect()
}

struct Builder<'a> {
    asked: &'a Kustomization,
    directory: &'a Path,
    cluster: Option<&'a dyn Cluster>,
    render: Arc<Render>,
}

impl Builder<'_> {
    /// The Kustomization of the command line: the file wins, but unless it is a dry run the cluster must have it too, as in
    /// Flux.
    async fn top(&self, name: &str, namespace: &str) -> Result<Declared> {
        let what = "failed to get kustomization object";
        let live = self.live(namespace, name).await.context(what)?;
        ensure!(
            self.cluster.is_none() || live.is_some(),
            "{what}: kustomizations.kustomize.toolkit.fluxcd.io \"{name}\" not found; --dry-run with --kustomization-file builds without a cluster"
        );
        match (&self.asked.kustomization_file, live) {
            (Some(file), _) => local::from_file(file, namespace, name).context(what),
            (None, Some(live)) => Ok(live),
            (None, None) => bail!("dry-run mode requires a kustomization file: add --kustomization-file"),
        }
    }

    /// A Kustomization as the cluster has it.
    async fn live(&self, namespace: &str, name: &str) -> Result<Option<Declared>> {
        let Some(cluster) = self.cluster else {
            return Ok(None);
        };
        let id = ObjectId {
            gvk: GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        };
        let found = cluster.get(&Identity::AsController, &id).await?;
        found.map(local::from_value).transpose()
    }

    /// The objects of a Kustomization, and with `--recursive` of those that it makes, breadth first, each once.
    async fn build_all(&self, top: Declared) -> Result<Vec<Value>> {
        let mut walk = local::Walk::new(top, self.directory.to_owned(), &self.asked.local.local_sources);
        let mut all = Vec::new();
        while let Some((declared, directory)) = walk.next() {
            let objects = self.build(&declared, &directory).await?;
            let found = objects.iter().filter(|object| local::is_kustomization(object));
            for object in found.filter(|_| self.asked.local.recursive) {
                walk.add(self.as_in_cluster(object.clone()).await?)?;
            }
            all.extend(objects);
        }
        Ok(all)
    }

    /// A Kustomization that was built: as the cluster has it, else as it was built.
    async fn as_in_cluster(&self, object: Value) -> Result<Declared> {
        let built = local::from_value(object).context("failed to convert to kustomization")?;
        let (namespace, name) = local::name_of(&built);
        let live = self.live(&namespace, &name).await;
        Ok(live
            .context("failed to get kustomization object")?
            .unwrap_or(built))
    }

    async fn build(&self, declared: &Declared, path: &Path) -> Result<Vec<Value>> {
        let (namespace, name) = local::name_of(declared);
        let directory = self.asked.local.directory(path);
        let is_strict = self.asked.strict_substitute;
        let rendered = local::render(&self.render, declared, directory, self.cluster, is_strict).await?;
        let mut objects = Vec::new();
        for object in &rendered.objects {
            let mut body = object.body().clone();
            put(
                &mut body,
                "labels",
                [(OWNER_NAME, &name), (OWNER_NAMESPACE, &namespace)],
            );
            let id = object.id();
            masked::mask(&mut body).with_context(|| format!("Secret {}", id.name))?;
            // a kustomization file is no object of a cluster
            if object.gvk().group != "kustomize.config.k8s.io" {
                objects.extend(flatten(Value::Object(body)));
            }
        }
        if let Some(common) = &declared.spec.common_metadata {
            objects
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(|body| set_common(body, common));
        }
        Ok(objects)
    }
}

fn set_common(body: &mut Map<String, Value>, common: &CommonMetadata) {
    for (place, pairs) in [("labels", &common.labels), ("annotations", &common.annotations)] {
        if !pairs.is_empty() {
            put(
                body,
                place,
                pairs.iter().map(|(key, value)| (key.as_str(), value)),
            );
        }
    }
}

/// Sets labels or annotations.
fn put<'p>(
    body: &mut Map<String, Value>,
    place: &str,
    pairs: impl IntoIterator<Item = (&'p str, &'p String)>,
) {
    let mut map = body;
    for field in ["metadata", place] {
        let inner = map.entry(field).or_insert_with(|| json!({}));
        if !inner.is_object() {
            *inner = json!({});
        }
        let Some(inner) = inner.as_object_mut() else {
            return;
        };
        map = inner;
    }
    map.extend(
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), json!(value))),
    );
}
