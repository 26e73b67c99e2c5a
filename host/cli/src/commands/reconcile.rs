//! `sluice reconcile`: asks for a reconciliation and waits for it (compat: cli, section 7).

use crate::args::Global;
use crate::kinds::{self, Kind, condition, is_suspended, text};
use crate::target::{Target, done};
use crate::tell;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use kube::ResourceExt as _;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::json;
use sluice_api::meta::REQUESTED_AT;

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
            reconcile_object(&source(&target, &before)?, None).await?;
        }
        reconcile_object(&target, Some(before)).await
    };
    match tokio::time::timeout(global.timeout, work).await {
        Ok(done) => done,
        Err(_) => bail!("context deadline exceeded: {}", target.why_late(is_handled).await),
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

/// The source of an object.
fn source(of: &Target, object: &DynamicObject) -> Result<Target> {
    let (kind, namespace, name) = source_of(of.kind, object)?;
    Ok(Target {
        client: of.client.clone(),
        kind,
        namespace: namespace.unwrap_or(&of.namespace).to_owned(),
        name: name.to_owned(),
    })
}

/// Annotates, then waits until the controller says it has handled that.
async fn reconcile_object(target: &Target, before: Option<DynamicObject>) -> Result<()> {
    let Target {
        kind,
        namespace,
        name,
        ..
    } = target;
    let before = match before {
        Some(before) => before,
        None => target.get().await?,
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
    target
        .api()
        .patch(name, &PatchParams::default(), &Patch::Merge(patch))
        .await?;
    tell::success(&format!("{} annotated", kind.kind));
    tell::waiting(&format!("waiting for {} reconciliation", kind.kind));
    let handled_before = handled(&before);
    let after = target.wait(|object| handled(object) != handled_before).await?;
    tell::success(&outcome(*kind, &after)?);
    Ok(())
}

/// Whether the object says that what was asked last is done.
fn is_handled(object: &DynamicObject) -> bool {
    let asked = object.annotations().get(REQUESTED_AT);
    asked.is_some_and(|asked| *asked == handled(object))
}

fn handled(object: &DynamicObject) -> String {
    text(object, "/status/lastHandledReconcileAt")
        .unwrap_or_default()
        .to_owned()
}

/// How it ended, in Flux's words.
fn outcome(kind: Kind, object: &DynamicObject) -> Result<String> {
    if let Some(("True", message)) = condition(object, "Stalled") {
        bail!("{message}");
    }
    match condition(object, "Ready") {
        None => bail!("status can't be determined"),
        Some(("True", _)) => Ok(done(kind, object)),
        Some((_, message)) => bail!("{} reconciliation failed: '{message}'", kind.kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

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
