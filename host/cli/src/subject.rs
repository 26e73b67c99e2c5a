//! Which objects of which kind: the part of the command tree that the commands on existing objects have in common.

use crate::args::Global;
use crate::kinds::{self, Kind};
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use kube::api::{Api, DynamicObject, ListParams};
use serde_json::Value;
use sluice_apply::cluster::{Cluster, Identity};
use sluice_object::ObjectId;

/// A kind, and what the command wants to know of its objects.
#[derive(Subcommand, Debug)]
pub(crate) enum OfKind<W: Args> {
    /// A source
    #[command(subcommand)]
    Source(OfSource<W>),
    /// A Kustomization
    #[command(visible_alias = "ks")]
    Kustomization(W),
    /// A HelmRelease
    #[command(visible_alias = "hr")]
    Helmrelease(W),
    /// What updates images
    #[command(subcommand)]
    Image(OfImage<W>),
    /// An Alert
    Alert(W),
    /// A Provider of alerts
    AlertProvider(W),
    /// A Receiver
    Receiver(W),
}

/// The same of sources.
#[derive(Subcommand, Debug)]
pub(crate) enum OfSource<W: Args> {
    /// A GitRepository
    Git(W),
    /// An OCIRepository
    Oci(W),
    /// A Bucket
    Bucket(W),
    /// A HelmRepository
    Helm(W),
    /// A HelmChart
    Chart(W),
}

/// The same of what updates images.
#[derive(Subcommand, Debug)]
pub(crate) enum OfImage<W: Args> {
    /// An ImageRepository
    Repository(W),
    /// An ImagePolicy
    Policy(W),
    /// An ImageUpdateAutomation
    Update(W),
}

impl<W: Args> OfKind<W> {
    /// The kind, and the rest.
    pub(crate) fn split(self) -> (Kind, W) {
        match self {
            Self::Source(source) => source.split(),
            Self::Kustomization(of) => (kinds::KUSTOMIZATION, of),
            Self::Helmrelease(of) => (kinds::HELM_RELEASE, of),
            Self::Image(OfImage::Repository(of)) => (kinds::IMAGE_REPOSITORY, of),
            Self::Image(OfImage::Policy(of)) => (kinds::IMAGE_POLICY, of),
            Self::Image(OfImage::Update(of)) => (kinds::IMAGE_UPDATE_AUTOMATION, of),
            Self::Alert(of) => (kinds::ALERT, of),
            Self::AlertProvider(of) => (kinds::PROVIDER, of),
            Self::Receiver(of) => (kinds::RECEIVER, of),
        }
    }
}

impl<W: Args> OfSource<W> {
    /// The kind, and the rest.
    pub(crate) fn split(self) -> (Kind, W) {
        match self {
            Self::Git(of) => (kinds::GIT_REPOSITORY, of),
            Self::Oci(of) => (kinds::OCI_REPOSITORY, of),
            Self::Bucket(of) => (kinds::BUCKET, of),
            Self::Helm(of) => (kinds::HELM_REPOSITORY, of),
            Self::Chart(of) => (kinds::HELM_CHART, of),
        }
    }
}

/// Objects by name, or all of a namespace.
#[derive(Args, Debug)]
pub(crate) struct Names {
    /// The names of the objects
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// All objects of the namespace, where none is named
    #[arg(long)]
    all: bool,
}

/// Which objects are meant.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// All of the namespace.
    All,
    /// These, each once.
    Named(Vec<String>),
}

impl Names {
    /// How many names there are, said again or not.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// Which objects are meant. Somebody must be.
    pub(crate) fn chosen(self, kind: Kind) -> Result<Chosen> {
        if self.names.is_empty() {
            return match self.all {
                true => Ok(Chosen::All),
                false => bail!("{} name is required", kind.human()),
            };
        }
        let mut named = Vec::new();
        for name in self.names {
            if !named.contains(&name) {
                named.push(name);
            }
        }
        Ok(Chosen::Named(named))
    }
}

/// The objects of a kind, of a namespace or of all.
pub(crate) fn objects(client: &kube::Client, kind: Kind, namespace: Option<&str>) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind.api()),
        None => Api::all_with(client.clone(), &kind.api()),
    }
}

/// The objects of a kind in the namespace that was asked for.
pub(crate) fn api(client: &kube::Client, kind: Kind, global: &Global) -> Api<DynamicObject> {
    objects(client, kind, Some(&global.namespace))
}

/// The object of that name, if it is there, or all; of those the ones that a label selector chooses.
pub(crate) async fn list(
    api: &Api<DynamicObject>,
    name: Option<&str>,
    labels: Option<&str>,
) -> kube::Result<Vec<DynamicObject>> {
    let mut params = ListParams::default();
    if let Some(labels) = labels {
        params = params.labels(labels);
    }
    if let Some(name) = name {
        params = params.fields(&format!("metadata.name={name}"));
    }
    Ok(api.list(&params).await?.items)
}

/// An object that must be there, as a controller would ask for it.
pub(crate) async fn required(cluster: &dyn Cluster, kind: Kind, id: &ObjectId) -> Result<Value> {
    let found = cluster.get(&Identity::AsController, id).await?;
    found.with_context(|| format!("{}.{} \"{}\" not found", kind.plural, kind.group, id.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_once_and_go_before_all() {
        let chosen = |names: &[&str], all: bool| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            let names = Names { names, all };
            names
                .chosen(kinds::GIT_REPOSITORY)
                .map_err(|error| error.to_string())
        };
        let named = |names: &[&str]| {
            Ok(Chosen::Named(
                names.iter().map(|name| (*name).to_owned()).collect(),
            ))
        };
        assert_eq!(chosen(&["b", "a", "b"], false), named(&["b", "a"]));
        assert_eq!(chosen(&["a"], true), named(&["a"]));
        assert_eq!(chosen(&[], true), Ok(Chosen::All));
        assert_eq!(chosen(&[], false), Err("source git name is required".to_owned()));
    }
}
