//! `sluice version`.

use crate::args::Global;
use crate::{installed, tell};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, ListParams};
use serde_json::{Map, Value, json};
use sluice_api::meta;

#[derive(Args, Debug)]
pub(crate) struct Version {
    /// Print the client's version only
    #[arg(long)]
    client: bool,
    /// How to print
    #[arg(short, long, value_enum, default_value = "yaml")]
    output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Output {
    Yaml,
    Json,
}

/// The name of this program's version.
const CLIENT: &str = "sluice";
/// The name of the version of what is installed.
const DISTRIBUTION: &str = "distribution";

pub(crate) async fn run(version: &Version, global: &Global) -> Result<()> {
    let mut known = Map::new();
    known.insert(CLIENT.to_owned(), json!(concat!("v", env!("CARGO_PKG_VERSION"))));
    if !version.client {
        running(&mut known, global).await?;
    }
    match version.output {
        Output::Json => tell::print(&format!("{}\n", serde_json::to_string_pretty(&known)?)),
        Output::Yaml => tell::print(&yaml(&known)),
    }
}

/// As `flux version` orders it: the client, the distribution, then what runs by its name.
fn yaml(known: &Map<String, Value>) -> String {
    let mut versions: Vec<(&String, &Value)> = known.iter().collect();
    versions.sort_by_key(|(name, _)| match name.as_str() {
        CLIENT => 0,
        DISTRIBUTION => 1,
        _ => 2,
    });
    let line = |(name, version): (&String, &Value)| {
        let one = Map::from_iter([(name.clone(), version.clone())]);
        sluice_yaml::emit_v2(&Value::Object(one))
    };
    versions.into_iter().map(line).collect()
}

/// The distribution and the images that run, from the labels and tags `flux version` reads (compat: cli, section 5).
async fn running(known: &mut Map<String, Value>, global: &Global) -> Result<()> {
    let client = global.connect.client().await?;
    let deployments: Api<Deployment> = Api::namespaced(client, &global.namespace);
    let found = deployments
        .list(&ListParams::default().labels(&installed::selector()))
        .await?;
    if found.items.is_empty() {
        bail!("no deployments found in {} namespace", global.namespace);
    }
    for deployment in found {
        if let Some(version) = deployment
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(meta::VERSION))
        {
            known.insert(DISTRIBUTION.to_owned(), json!(format!("flux-{version}")));
        }
        let pod = deployment.spec.template.spec.unwrap_or_default();
        for image in pod.containers.into_iter().filter_map(|container| container.image) {
            let (name, tag) =
                split_image(&image).with_context(|| format!("missing image tag in image {image}"))?;
            known.insert(name.to_owned(), json!(tag));
        }
    }
    Ok(())
}

/// The last part of an image's path, and its tag.
fn split_image(image: &str) -> Option<(&str, &str)> {
    image.rsplit('/').next()?.split_once(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_in_flux_and_stay_texts() {
        let known = json!({"distribution": "flux-v2.9.0", "kustomize-controller": "v1.9.4", "sluice": "v0.1.0",
            "notification-controller": "1.10"});
        let Value::Object(known) = known else {
            panic!("an object")
        };
        assert_eq!(
            yaml(&known),
            "sluice: v0.1.0\ndistribution: flux-v2.9.0\nkustomize-controller: v1.9.4\nnotification-controller: \"1.10\"\n"
        );
    }

    #[test]
    fn images_are_split_at_their_tag() {
        assert_eq!(
            split_image("registry:5000/x/source-controller:v1.9.4"),
            Some(("source-controller", "v1.9.4"))
        );
        assert_eq!(split_image("registry:5000/x/source-controller"), None);
    }
}
