//! `sluice reconcile`: asks for a reconciliation and waits for it (compat: cli, section 7).

use crate::args::Global;
use crate::changes::{Change, changes};
use crate::kinds::{self, Kind, condition, is_suspended, text};
use crate::tell;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use futures::TryStreamExt;
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::runtime::watcher;
use serde_json::{Value, json};
use sluice_api::meta::REQUESTED_AT;
use std::pin::pin;

#[derive(Subcommand, Debug)]
pub(crate) enum Reconcile {
    /// A source
    #[command(subcommand)]
    Source(Source),
    /// A Kustomization
    #[command(visible_alias = "ks")]
    Kustomization(WithSource),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Source {
    /// A GitRepository
    Git(Name),
    /// An OCIRepository
    Oci(Name),
    /// A Bucket
    Bucket(Name),
    /// A HelmRepository
    Helm(Name),
    /// A HelmChart
    Chart(WithSource),
}

#[derive(Args, Debug)]
pub(crate) struct Name {
    /// The name of the object
    #[arg(value_parser = crate::args::name)]
    name: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct WithSource {
    /// The name of the object
    #[arg(value_parser = crate::args::name)]
    name: Option<String>,
    /// Its source first
    #[arg(long)]
    with_source: bool,
}

pub(crate) async fn run(reconcile: Reconcile, global: &Global) -> Result<()> {
    let (kind, name) = match &reconcile {
        Reconcile::Source(Source::Git(it)) => (kinds::GIT_REPOSITORY, &it.name),
        Reconcile::Source(Source::Oci(it)) => (kinds::OCI_REPOSITORY, &it.name),
        Reconcile::Source(Source::Bucket(it)) => (kinds::BUCKET, &it.name),
        Reconcile::Source(Source::Helm(it)) => (kinds::HELM_REPOSITORY, &it.name),
        Reconcile::Source(Source::Chart(it)) => (kinds::HELM_CHART, &it.name),
        Reconcile::Kustomization(it) => (kinds::KUSTOMIZATION, &it.name),
    };
    let with_source = match &reconcile {
        Reconcile::Source(Source::Chart(it)) | Reconcile::Kustomization(it) => it.with_source,
        Reconcile::Source(_) => false,
    };
    let Some(name) = name.clone() else {
        bail!("{} name is required", kind.kind);
    };
    let target = Target {
        client: global.connect.client().await?,
        kind,
        namespace: global.namespace.clone(),
        name,
    };
    let work = async {
        let before = target.get().await?;
        if with_source {
            // as in Flux: nothing is asked of its source then
            if is_suspended(&before) {
                bail!("resource is suspended");
            }
            target.source(&before)?.reconcile(None).await?;
        }
        target.reconcile(Some(before)).await
    };
    match tokio::time::timeout(global.timeout, work).await {
        Ok(done) => done,
        Err(_) => bail!("context deadline exceeded: {}", target.why_late().await),
    }
}

/// The source that an object of this kind names: its kind, its namespace where that is told, its name.
fn source_of(of: Kind, object: &DynamicObject) -> Result<(Kind, Option<&str>, &str)> {
    let named = |field: &str| text(object, &format!("/spec/sourceRef/{field}"));
    let kind = named("kind").context("the object names no source")?;
    let known = match of.kind == kinds::HELM_CHART.kind {
        true => [kinds::HELM_REPOSITORY, kinds::GIT_REPOSITORY, kinds::BUCKET],
        false => [kinds::OCI_REPOSITORY, kinds::GIT_REPOSITORY, kinds::BUCKET],
    };
    let Some(kind) = known.into_iter().find(|known| known.kind == kind) else {
        bail!("cannot reconcile source of kind {kind}");
    };
    let name = named("name").context("the object names no source")?;
    Ok((kind, named("namespace"), name))
}

/// How long one more look may take after the time is over.
const LAST_LOOK: std::time::Duration = std::time::Duration::from_secs(5);

/// One object to reconcile.
struct Target {
    client: kube::Client,
    kind: Kind,
    namespace: String,
    name: String,
}

impl Target {
    fn api(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &self.kind.api())
    }

    /// The source of this object.
    fn source(&self, object: &DynamicObject) -> Result<Self> {
        let (kind, namespace, name) = source_of(self.kind, object)?;
        Ok(Self {
            client: self.client.clone(),
            kind,
            namespace: namespace.unwrap_or(&self.namespace).to_owned(),
            name: name.to_owned(),
        })
    }

    async fn get(&self) -> Result<DynamicObject> {
        let got = self.api().get(&self.name).await;
        got.map_err(|error| self.kind.explain(error))
    }

    /// What is known of an object that was not done in time.
    async fn why_late(&self) -> String {
        let unanswered = "the controller did not answer in time; see its logs, or raise --timeout".to_owned();
        let Ok(Ok(object)) = tokio::time::timeout(LAST_LOOK, self.get()).await else {
            return unanswered;
        };
        let asked = object.annotations().get(REQUESTED_AT);
        match condition(&object, "Ready") {
            Some((status, message))
                if status != "True" && asked.is_some_and(|asked| *asked == handled(&object)) =>
            {
                format!("{} is not ready: {message}", self.kind.kind)
            }
            _ => unanswered,
        }
    }

    /// Annotates, then waits until the controller says it has handled that.
    async fn reconcile(&self, before: Option<DynamicObject>) -> Result<()> {
        let Self {
            kind,
            namespace,
            name,
            ..
        } = self;
        let before = match before {
            Some(before) => before,
            None => self.get().await?,
        };
        if kinds::is_static(*kind, &before) {
            tell::success("reconciliation not supported by the object");
            return Ok(());
        }
        if is_suspended(&before) {
            bail!("resource is suspended");
        }
        tell::action(&format!(
            "annotating {} {name} in {namespace} namespace",
            kind.kind
        ));
        let now = jiff::Timestamp::now().to_string();
        let patch = json!({"metadata": {"annotations": {REQUESTED_AT: now}}});
        self.api()
            .patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        tell::success(&format!("{} annotated", kind.kind));
        tell::waiting(&format!("waiting for {} reconciliation", kind.kind));
        let handled_before = handled(&before);
        let after = self.wait(|object| handled(object) != handled_before).await?;
        tell::success(&outcome(*kind, &after)?);
        Ok(())
    }

    /// Watches until `wanted` holds and the object has settled.
    async fn wait(&self, wanted: impl Fn(&DynamicObject) -> bool) -> Result<DynamicObject> {
        let config = watcher::Config::default().fields(&format!("metadata.name={}", self.name));
        let mut changes = pin!(changes(self.api(), config));
        while let Some(Change { object, is_gone }) = changes.try_next().await? {
            if is_gone || object.metadata.deletion_timestamp.is_some() {
                bail!(
                    "{} {}/{} is being deleted",
                    self.kind.kind,
                    self.namespace,
                    self.name
                );
            }
            if wanted(&object) && settled(&object) {
                return Ok(object);
            }
        }
        bail!("the watch ended: is the API server going away?")
    }
}

fn handled(object: &DynamicObject) -> String {
    text(object, "/status/lastHandledReconcileAt")
        .unwrap_or_default()
        .to_owned()
}

/// kstatus for custom resources: Current or Failed (compat: cli, section 7).
///
/// `flux` goes on waiting on Ready=False without Stalled, since a retry may mend it; so do we.
fn settled(object: &DynamicObject) -> bool {
    let observed = object
        .data
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64);
    if observed.is_some() && observed != object.metadata.generation {
        return false;
    }
    let is = |of: &str| condition(object, of).is_some_and(|(status, _)| status == "True");
    if is("Reconciling") {
        return false;
    }
    is("Stalled") || condition(object, "Ready").is_none_or(|(status, _)| status == "True")
}

/// How it ended, in Flux's words.
fn outcome(kind: Kind, object: &DynamicObject) -> Result<String> {
    if let Some(("True", message)) = condition(object, "Stalled") {
        bail!("{message}");
    }
    match condition(object, "Ready") {
        None => bail!("status can't be determined"),
        Some(("True", _)) => Ok(done(object)),
        Some((_, message)) => bail!("{} reconciliation failed: '{message}'", kind.kind),
    }
}

fn done(object: &DynamicObject) -> String {
    match text(object, "/status/artifact/revision") {
        Some(revision) => format!("fetched revision {revision}"),
        None => format!(
            "applied revision {}",
            text(object, "/status/lastAppliedRevision").unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_settled() {
        let rows = [
            (json!({}), true),
            (json!({"observedGeneration": 1}), false),
            (
                json!({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]}),
                true,
            ),
            (
                json!({"conditions": [{"type": "Ready", "status": "False"}]}),
                false,
            ),
            (
                json!({"conditions": [{"type": "Ready", "status": "False"}, {"type": "Stalled", "status": "True"}]}),
                true,
            ),
            (
                json!({"conditions": [{"type": "Ready", "status": "True"}, {"type": "Reconciling", "status": "True"}]}),
                false,
            ),
        ];
        for (status, expected) in rows {
            let object = json!({"metadata": {"generation": 2}, "status": status});
            assert_eq!(
                settled(&serde_json::from_value(object.clone()).unwrap()),
                expected,
                "{object}"
            );
        }
    }

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_end_is_told_as_flux_tells_it() {
        let ready = json!({"type": "Ready", "status": "True", "message": "fine"});
        let failed = json!({"type": "Ready", "status": "False", "message": "no such path"});
        let stalled = json!({"type": "Stalled", "status": "True", "message": "no such path"});
        for (conditions, expected) in [
            (json!([ready]), "applied revision main@sha1:0123"),
            (json!([stalled, failed]), "no such path"),
            (
                json!([failed]),
                "Kustomization reconciliation failed: 'no such path'",
            ),
            (json!([]), "status can't be determined"),
        ] {
            let status = json!({"lastAppliedRevision": "main@sha1:0123", "conditions": conditions});
            let object = object(json!({"metadata": {}, "status": status}));
            let told = outcome(kinds::KUSTOMIZATION, &object).unwrap_or_else(|error| error.to_string());
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn sources_are_those_that_flux_reconciles() {
        let source = |of: Kind, kind: &str| {
            let reference = json!({"kind": kind, "name": "apps", "namespace": "team"});
            let object = object(json!({"metadata": {}, "spec": {"sourceRef": reference}}));
            match source_of(of, &object) {
                Ok((kind, namespace, name)) => {
                    format!("{} {}/{name}", kind.kind, namespace.unwrap_or_default())
                }
                Err(error) => error.to_string(),
            }
        };
        let (chart, kustomization) = (kinds::HELM_CHART, kinds::KUSTOMIZATION);
        for (of, kind, expected) in [
            (kustomization, "OCIRepository", "OCIRepository team/apps"),
            (kustomization, "Bucket", "Bucket team/apps"),
            (
                kustomization,
                "ExternalArtifact",
                "cannot reconcile source of kind ExternalArtifact",
            ),
            (chart, "HelmRepository", "HelmRepository team/apps"),
            (chart, "GitRepository", "GitRepository team/apps"),
            (
                chart,
                "OCIRepository",
                "cannot reconcile source of kind OCIRepository",
            ),
        ] {
            assert_eq!(source(of, kind), expected);
        }
    }
}
