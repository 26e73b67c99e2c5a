//! `sluice tag artifact`.

use super::{Reference, Registry};
use crate::args::Global;
use crate::commands::within;
use crate::tell;
use anyhow::{Context, Result, ensure};
use clap::Args;
use sluice_source::oci::Suffix;

#[derive(Args, Debug)]
pub(crate) struct TagArtifact {
    /// Which artifact: oci://<domain>/<org>/<repository>:<tag>
    url: Option<String>,
    /// The tags that it gets
    #[arg(long, value_delimiter = ',')]
    tag: Vec<String>,
    #[command(flatten)]
    registry: Registry,
}

pub(crate) async fn run(mut args: TagArtifact, global: &Global) -> Result<()> {
    let url = args.url.as_deref().context("artifact name is required")?;
    args.tag.retain(|tag| !tag.is_empty());
    ensure!(!args.tag.is_empty(), "--tag is required");
    let reference = Reference::parse(url)?;
    let tagged: &str = match &reference.suffix {
        Suffix::Tag(text) | Suffix::Digest(text) => text,
        Suffix::None => "latest",
    };
    let work = async {
        let asked = args.registry.open(&reference, global.timeout).await?;
        tell::action("tagging artifact");
        for tag in &args.tag {
            let done = asked.repository.tag(tagged, tag).await;
            done.context("tagging artifact failed")?;
            tell::success(&format!("artifact tagged as {}:{tag}", asked.repository.name()));
        }
        anyhow::Ok(())
    };
    within(global.timeout, Box::pin(work)).await
}
