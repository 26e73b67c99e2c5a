//! `sluice export`: objects as they would be written into a repository (compat: cli, section 8).

use crate::args::Global;
use crate::kinds::{self, Kind, text};
use crate::subject::{self, OfSource};
use crate::tell;
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, DynamicObject};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sluice_api::{
    Bucket, CustomResource, ExternalArtifact, GitRepository, HelmChart, HelmRepository, Kustomization,
    OciRepository, decode,
};

#[derive(Subcommand, Debug)]
pub(crate) enum Export {
    /// Sources
    #[command(subcommand)]
    Source(Source),
    /// Kustomizations
    #[command(visible_alias = "ks")]
    Kustomization(Which),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Source {
    #[command(flatten)]
    Fetched(OfSource<WithCredentials>),
    /// An ExternalArtifact
    External(WithCredentials),
}

#[derive(Args, Debug)]
pub(crate) struct Which {
    /// The name of one object
    #[arg(value_parser = crate::args::name)]
    name: Option<String>,
    /// All objects of the namespace
    #[arg(long)]
    all: bool,
}

#[derive(Args, Debug)]
pub(crate) struct WithCredentials {
    #[command(flatten)]
    which: Which,
    /// The Secret with the credentials too, readable by everybody who has the output
    #[arg(long)]
    with_credentials: bool,
}

pub(crate) async fn run(export: Export, global: &Global) -> Result<()> {
    let (kind, of) = match export {
        Export::Source(Source::Fetched(source)) => source.split(),
        Export::Source(Source::External(of)) => (kinds::EXTERNAL_ARTIFACT, of),
        Export::Kustomization(which) => {
            let of = WithCredentials {
                which,
                with_credentials: false,
            };
            (kinds::KUSTOMIZATION, of)
        }
    };
    if of.which.name.is_none() && !of.which.all {
        bail!("name is required");
    }
    let client = global.connect.client().await?;
    let objects = of.which.objects(kind, &client, global).await?;
    for object in &objects {
        print(&exported(kind, object))?;
        if !of.with_credentials {
            continue;
        }
        if let Some(name) = text(object, "/spec/secretRef/name") {
            print(&credentials(&client, &global.namespace, name).await?)?;
        }
    }
    Ok(())
}

impl Which {
    async fn objects(self, kind: Kind, client: &kube::Client, global: &Global) -> Result<Vec<DynamicObject>> {
        let api = subject::api(client, kind, global);
        let found = match self.name {
            Some(name) if !self.all => api.get(&name).await.map(|object| vec![object]),
            _ => subject::list(&api, None, None).await,
        };
        let found = found.map_err(|error| kind.explain(error))?;
        if found.is_empty() {
            bail!("no objects found in {} namespace", global.namespace);
        }
        Ok(found)
    }
}

/// A document of its own.
pub(super) fn print(document: &Value) -> Result<()> {
    tell::print(&as_text(document))
}

/// The same as text.
pub(super) fn as_text(document: &Value) -> String {
    format!("---\n{}", sluice_yaml::emit_v2(document))
}

/// What of an object somebody wrote.
fn exported(kind: Kind, object: &DynamicObject) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), object.name_any().into());
    if let Some(namespace) = object.namespace() {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    for (field, said) in [("labels", object.labels()), ("annotations", object.annotations())] {
        if !said.is_empty() {
            metadata.insert(field.to_owned(), json!(said));
        }
    }
    let spec = object.data.get("spec").cloned().unwrap_or_default();
    json!({
        "apiVersion": format!("{}/{}", kind.group, kind.version),
        "kind": kind.kind,
        "metadata": metadata,
        "spec": as_typed(kind, &spec).unwrap_or(spec),
    })
}

/// A spec as its type writes it, whoever wrote it before: flags that are off are absent, and durations have one form. None
/// of what cannot be read.
fn as_typed(kind: Kind, spec: &Value) -> Option<Value> {
    match kind.kind {
        "GitRepository" => written::<GitRepository>(spec),
        "OCIRepository" => written::<OciRepository>(spec),
        "Bucket" => written::<Bucket>(spec),
        "HelmRepository" => written::<HelmRepository>(spec),
        "HelmChart" => written::<HelmChart>(spec),
        "ExternalArtifact" => written::<ExternalArtifact>(spec),
        "Kustomization" => written::<Kustomization>(spec),
        _ => None,
    }
}

fn written<K: CustomResource + Serialize>(spec: &Value) -> Option<Value> {
    let typed: K = decode(&json!({ "spec": spec })).ok()?;
    serde_json::to_value(typed).ok()?.get("spec").cloned()
}

/// A Secret, as it would be written.
async fn credentials(client: &kube::Client, namespace: &str, name: &str) -> Result<Value> {
    let secrets: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), namespace, &ApiResource::erase::<Secret>(&()));
    let secret = secrets
        .get(name)
        .await
        .with_context(|| format!("failed to retrieve secret {name}, error"))?;
    let mut exported = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
    });
    for field in ["data", "type"] {
        if let Some(said) = secret.data.get(field) {
            sluice_object::merge(&mut exported, json!({ field: said }));
        }
    }
    Ok(exported)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn what_somebody_wrote_is_exported_as_its_type_writes_it() {
        let exported = |kind: Kind, spec: Value| {
            let object = json!({
                "metadata": {"name": "apps", "namespace": "team", "uid": "1", "labels": {"team": "a"}, "annotations": {},
                    "managedFields": []},
                "spec": spec, "status": {"observedGeneration": 1},
            });
            sluice_yaml::emit_v2(&exported(kind, &serde_json::from_value(object).unwrap()))
        };
        let spec = json!({"interval": "5m", "path": "./apps", "prune": false, "suspend": false, "timeout": "90s",
            "sourceRef": {"kind": "GitRepository", "name": "apps", "namespace": ""}});
        expect![[r#"
            apiVersion: kustomize.toolkit.fluxcd.io/v1
            kind: Kustomization
            metadata:
              labels:
                team: a
              name: apps
              namespace: team
            spec:
              interval: 5m0s
              path: ./apps
              prune: false
              sourceRef:
                kind: GitRepository
                name: apps
              timeout: 1m30s
        "#]]
        .assert_eq(&exported(kinds::KUSTOMIZATION, spec));

        // what no type reads stays as it is
        let unreadable = exported(kinds::BUCKET, json!({"interval": "never"}));
        assert!(unreadable.ends_with("spec:\n  interval: never\n"), "{unreadable}");
    }
}
