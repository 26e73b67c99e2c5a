//! `sluice version`.

use crate::args::Global;
use crate::tell;
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

pub(crate) async fn run(version: &Version, global: &Global) -> Result<()> {
    let mut known = Map::new();
    known.insert(
        "sluice".to_owned(),
        json!(concat!("v", env!("CARGO_PKG_VERSION"))),
    );
    if !version.client {
        running(&mut known, global).await?;
    }
    match version.output {
        Output::Json => tell::print(&format!("{}\n", serde_json::to_string_pretty(&known)?)),
        Output::Yaml => {
            let line =
                |(name, tag): (&String, &Value)| format!("{name}: {}\n", tag.as_str().unwrap_or_default());
            tell::print(&known.iter().map(line).collect::<String>())
        }
    }
}

/// The distribution and the images that run, from the labels and tags `flux version` reads (compat: cli, section 5).
async fn running(known: &mut Map<String, Value>, global: &Global) -> Result<()> {
    let client = global.connect.client().await?;
    let deployments: Api<Deployment> = Api::namespaced(client, &global.namespace);
    let found = deployments
        .list(&ListParams::default().labels(&format!("{}=flux", meta::PART_OF)))
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
            known.insert("distribution".to_owned(), json!(format!("flux-{version}")));
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
    #[test]
    fn images_are_split_at_their_tag() {
        assert_eq!(
            super::split_image("registry:5000/x/source-controller:v1.9.4"),
            Some(("source-controller", "v1.9.4"))
        );
        assert_eq!(super::split_image("registry:5000/x/source-controller"), None);
    }
}
