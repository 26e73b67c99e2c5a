//! What is asked of the cluster while a case is measured, and how long the answer takes.

use crate::api::Api;
use crate::progress::Count;
use crate::repository::{name, objects};
use crate::world::World;
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The collection of all Kustomizations that are measured.
pub(crate) const KUSTOMIZATIONS: &str =
    "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
/// The collection of the one source.
pub(crate) const REPOSITORIES: &str =
    "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories";
/// Nothing that is measured takes longer, at the size that is measured.
const PATIENCE: Duration = Duration::from_secs(900);
/// The annotation that asks for a reconcile.
const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

impl World {
    /// Watches until one object satisfies.
    pub(crate) async fn until(
        &self,
        path: &str,
        patience: Duration,
        mut done: impl FnMut(&Value) -> bool,
    ) -> anyhow::Result<()> {
        tokio::select! {
            watched = self.api.watch(path, &mut done) => watched,
            () = self.controller_ended() => bail!("the controller ended"),
            () = tokio::time::sleep(patience) => bail!("not within {} s", patience.as_secs()),
        }
    }

    /// Creates these Kustomizations and gives the time until all of them satisfy `done`.
    pub(crate) async fn create(
        &self,
        kustomizations: Vec<Value>,
        done: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Duration> {
        let names = kustomizations.iter().map(name_of).collect();
        let started = Instant::now();
        let create = self.create_in(KUSTOMIZATIONS, kustomizations);
        let (created, satisfied) = tokio::join!(create, self.all(names, done));
        created?;
        satisfied?;
        Ok(started.elapsed())
    }

    /// Creates these objects of a collection and waits for nothing.
    pub(crate) async fn create_in(
        &self,
        collection: &'static str,
        objects: Vec<Value>,
    ) -> anyhow::Result<()> {
        let create = move |api: Api, objects: Arc<Vec<Value>>, index: usize| async move {
            let object = objects.get(index).context("invariant: the index is in range")?;
            api.create(collection, object).await.map(|_created| ())
        };
        self.api.each(objects, create).await
    }

    /// Waits until every Kustomization of these names satisfies `done`.
    pub(crate) async fn all(
        &self,
        names: HashSet<String>,
        done: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<()> {
        self.all_in(KUSTOMIZATIONS, names, done).await
    }

    /// Waits until every object of these names in a collection satisfies `done`.
    pub(crate) async fn all_in(
        &self,
        collection: &str,
        names: HashSet<String>,
        done: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<()> {
        let kind = collection.rsplit('/').next().unwrap_or(collection);
        let mut satisfied = HashSet::new();
        let mut last = Value::Null;
        let mut count = Count::new(kind, names.len());
        let result = self
            .until(collection, PATIENCE, |object| {
                let name = name_of(object);
                if !names.contains(&name) {
                    return false;
                }
                if done(object) {
                    satisfied.insert(name);
                } else {
                    satisfied.remove(&name);
                    last = object.pointer("/status/conditions").cloned().unwrap_or_default();
                }
                count.at(satisfied.len());
                satisfied.len() == names.len()
            })
            .await;
        result.with_context(|| {
            format!(
                "{} of {}; another says {last}; {}",
                satisfied.len(),
                names.len(),
                self.last_words()
            )
        })
    }

    /// Asks every Kustomization to reconcile.
    pub(crate) async fn ask(&self, token: &str) -> anyhow::Result<()> {
        self.ask_in(KUSTOMIZATIONS, (0..self.count).map(name), token)
            .await
    }

    /// Asks the objects of these names in a collection to reconcile.
    pub(crate) async fn ask_in(
        &self,
        collection: &str,
        names: impl Iterator<Item = String>,
        token: &str,
    ) -> anyhow::Result<()> {
        let patch = json!({"metadata": {"annotations": {REQUESTED_AT: token}}});
        let patches: Vec<(String, Value)> = names
            .map(|name| (format!("{collection}/{name}"), patch.clone()))
            .collect();
        self.api
            .each(patches, async |api, patches, index| {
                let (path, patch) = patches.get(index).context("invariant: the index is in range")?;
                api.merge(path, patch).await.map(|_changed| ())
            })
            .await
    }

    /// Asks every Kustomization to reconcile; gives the time until all have.
    pub(crate) async fn ask_all(&self, token: &str) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let handled = self.all(names(self.count), |object| {
            handled(object) == Some(token) && is_ready(object)
        });
        let (asked, handled) = tokio::join!(self.ask(token), handled);
        asked?;
        handled?;
        Ok(started.elapsed())
    }

    /// Asks the source to look; gives the time until every named Kustomization is Ready with `revision`.
    pub(crate) async fn land(&self, revision: &str, names: HashSet<String>) -> anyhow::Result<Duration> {
        let started = Instant::now();
        let patch = json!({"metadata": {"annotations": {REQUESTED_AT: revision}}});
        self.api.merge(&format!("{REPOSITORIES}/bench"), &patch).await?;
        self.all(names, |object| {
            object
                .pointer("/status/lastAppliedRevision")
                .and_then(Value::as_str)
                == Some(revision)
                && is_ready(object)
        })
        .await?;
        Ok(started.elapsed())
    }

    /// Edits one ConfigMap by hand; gives the time until the edit is undone.
    pub(crate) async fn drift(&self, index: usize) -> anyhow::Result<Duration> {
        let (path, _) = objects(index, "bench", "")
            .into_iter()
            .next()
            .context("invariant: three objects")?;
        let was = self
            .api
            .get(&path)
            .await?
            .pointer("/data/color")
            .cloned()
            .unwrap_or_default();
        let edited = self
            .api
            .merge(&path, &json!({"data": {"color": "edited by hand"}}))
            .await?;
        let started = Instant::now();
        let version = edited
            .pointer("/metadata/resourceVersion")
            .and_then(Value::as_str)
            .unwrap_or("0")
            .to_owned();
        let one = format!(
            "/api/v1/namespaces/bench/configmaps?fieldSelector=metadata.name%3D{}&resourceVersion={version}",
            name(index)
        );
        self.until(&one, Duration::from_secs(60), |object| {
            object.pointer("/data/color") == Some(&was)
        })
        .await?;
        Ok(started.elapsed())
    }
}

/// The names of the first `count` Kustomizations.
pub(crate) fn names(count: usize) -> HashSet<String> {
    (0..count).map(name).collect()
}

/// The value of the annotation that the last finished reconcile answered.
pub(crate) fn handled(object: &Value) -> Option<&str> {
    object
        .pointer("/status/lastHandledReconcileAt")
        .and_then(Value::as_str)
}

/// Ready, and about the newest generation.
pub(crate) fn is_ready(object: &Value) -> bool {
    let generation = object.pointer("/metadata/generation");
    object.pointer("/status/observedGeneration") == generation && has(object, "Ready", "True")
}

/// Whether a condition has this status.
pub(crate) fn has(object: &Value, condition: &str, status: &str) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|found| {
        let is = |key: &str, value: &str| found.get(key).and_then(Value::as_str) == Some(value);
        is("type", condition) && is("status", status)
    })
}

/// A Kustomization of one directory. `more` is merged into its spec.
pub(crate) fn kustomization(name: &str, interval: Duration, more: &Value) -> Value {
    let mut spec = json!({"interval": format!("{}s", interval.as_secs()), "path": format!("./apps/{name}"), "prune": true,
        "wait": true, "timeout": "5m", "sourceRef": {"kind": "GitRepository", "name": "bench"}});
    if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": name, "namespace": "flux-system"}, "spec": spec})
}

fn name_of(object: &Value) -> String {
    object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
