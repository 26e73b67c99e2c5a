//! `sluice tag artifact`.

use super::{Reference, Registry};
use crate::args::Global;
use crate::tell;
use anyhow::{Context, Result};
use clap::Args;
use sluice_source::oci::Suffix;

#[derive(Args, Debug)]
pub(crate) struct TagArtifact {
    /// Which artifact: oci://<domain>/<org>/<repository>:<tag>
    url: String,
    /// The tags that it gets
    #[arg(long, required = true, value_delimiter = ',')]
    tag: Vec<String>,
    #[command(flatten)]
    registry: Registry,
}

pub(crate) async fn run(args: TagArtifact, global: &Global) -> Result<()> {
    let reference = Reference::parse(&args.url)?;
    let tagged: &str = match &reference.suffix {
        Suffix::Tag(text) | Suffix::Digest(text) => text,
        Suffix::None => "latest",
    };
    let asked = args.registry.open(&reference, global.timeout).await?;
    tell::action("tagging artifact");
    for tag in &args.tag {
        asked
            .repository
            .tag(tagged, tag)
            .await
            .context("tagging artifact failed")?;
        tell::success(&format!("artifact tagged as {}:{tag}", asked.repository.name()));
    }
    Ok(())
}
