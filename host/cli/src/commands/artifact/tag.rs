//! `sluice tag artifact`.

use super::Registry;
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
    let asked = args.registry.open(&args.url, global.timeout)?;
    let reference = match &asked.suffix {
        Suffix::Tag(text) | Suffix::Digest(text) => text.clone(),
        Suffix::None => "latest".to_owned(),
    };
    tell::action("tagging artifact");
    for tag in &args.tag {
        asked
            .repository
            .tag(&reference, tag)
            .await
            .with_context(|| format!("tagging artifact as '{tag}' failed"))?;
        tell::success(&format!("artifact tagged as {}:{tag}", asked.repository.name()));
    }
    Ok(())
}
