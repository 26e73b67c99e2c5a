//! `sluice pull artifact`.

use super::{Reference, Registry};
use crate::args::{Global, path};
use crate::commands::within;
use crate::tell;
use anyhow::{Context, Result, ensure};
use clap::Args;
use sluice_source::oci::Layer;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub(crate) struct PullArtifact {
    /// Where from: oci://<domain>/<org>/<repository>:<tag>
    url: Option<String>,
    /// The directory that the files are put into; it must exist
    #[arg(short, long, value_parser = path(), value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    registry: Registry,
}

pub(crate) async fn run(args: PullArtifact, global: &Global) -> Result<()> {
    let url = args.url.as_deref().context("artifact URL is required")?;
    let output = args.output.as_deref().unwrap_or(Path::new(""));
    ensure!(!output.as_os_str().is_empty(), "output path cannot be empty");
    ensure!(
        output.is_dir(),
        "invalid output path \"{}\": it must be a directory",
        output.display()
    );
    let reference = Reference::parse(url)?;
    let work = async {
        let asked = args.registry.open(&reference, global.timeout).await?;
        tell::action(&format!("pulling artifact from {}", reference.text));
        let (repository, url) = (&asked.repository, reference.repository());
        let resolved = repository.resolve(&url, &reference.wanted(), None, false).await?;
        let pulled = repository.pull(&url, &resolved, &Layer::default()).await?;
        let (annotations, output) = (pulled.annotations.clone(), output.to_owned());
        tokio::task::spawn_blocking(move || pulled.extract_to(&output))
            .await?
            .context("the artifact cannot be extracted")?;
        anyhow::Ok((annotations, format!("{}@{}", repository.name(), resolved.digest)))
    };
    let (annotations, digest) = within(global.timeout, Box::pin(work)).await?;
    for (what, key) in [
        ("source", "org.opencontainers.image.source"),
        ("revision", "org.opencontainers.image.revision"),
    ] {
        if let Some(value) = annotations.get(key).filter(|value| !value.is_empty()) {
            tell::success(&format!("{what} {value}"));
        }
    }
    tell::success(&format!("digest {digest}"));
    tell::success(&format!("artifact content extracted to {}", output.display()));
    Ok(())
}
