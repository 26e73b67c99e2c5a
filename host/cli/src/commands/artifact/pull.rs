//! `sluice pull artifact`.

use super::{Reference, Registry};
use crate::args::Global;
use crate::tell;
use anyhow::{Context, Result, bail};
use clap::Args;
use sluice_source::oci::{Layer, OciReference, Suffix};
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct PullArtifact {
    /// Where from: oci://<domain>/<org>/<repository>:<tag>
    url: String,
    /// The directory that the files are put into; it must exist
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    #[command(flatten)]
    registry: Registry,
}

pub(crate) async fn run(args: PullArtifact, global: &Global) -> Result<()> {
    if !args.output.is_dir() {
        bail!(
            "invalid output path \"{}\": it must be a directory",
            args.output.display()
        );
    }
    let reference = Reference::parse(&args.url)?;
    let asked = args.registry.open(&reference, global.timeout).await?;
    tell::action(&format!("pulling artifact from {}", reference.text));
    let wanted = match &reference.suffix {
        Suffix::None => OciReference::default(),
        Suffix::Tag(tag) => OciReference {
            tag: Some(tag.clone()),
            ..OciReference::default()
        },
        Suffix::Digest(digest) => OciReference {
            digest: Some(digest.clone()),
            ..OciReference::default()
        },
    };
    let (repository, url) = (&asked.repository, reference.repository());
    let resolved = repository.resolve(&url, &wanted, None, false).await?;
    let pulled = repository.pull(&url, &resolved, &Layer::default()).await?;
    let (annotations, output) = (pulled.annotations.clone(), args.output.clone());
    tokio::task::spawn_blocking(move || pulled.extract_to(&output))
        .await?
        .context("the artifact cannot be extracted")?;
    for (what, key) in [
        ("source", "org.opencontainers.image.source"),
        ("revision", "org.opencontainers.image.revision"),
    ] {
        if let Some(value) = annotations.get(key).filter(|value| !value.is_empty()) {
            tell::success(&format!("{what} {value}"));
        }
    }
    tell::success(&format!("digest {}@{}", repository.name(), resolved.digest));
    tell::success(&format!(
        "artifact content extracted to {}",
        args.output.display()
    ));
    Ok(())
}
