//! `sluice list artifacts`.

use super::Registry;
use crate::args::Global;
use crate::{table, tell};
use anyhow::{Context, Result};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use sluice_semver as semver;

#[derive(Args, Debug)]
pub(crate) struct ListArtifacts {
    /// Of which repository: oci://<domain>/<org>/<repository>
    url: String,
    /// Only tags in this range of versions
    #[arg(long, value_name = "RANGE")]
    filter_semver: Option<String>,
    /// Only tags that match this regular expression
    #[arg(long, value_name = "EXPRESSION")]
    filter_regex: Option<String>,
    #[command(flatten)]
    registry: Registry,
}

/// Manifests that are asked for at once.
const CONCURRENT: usize = 8;

pub(crate) async fn run(args: ListArtifacts, global: &Global) -> Result<()> {
    let asked = args.registry.open(&args.url, global.timeout)?;
    let range = args
        .filter_semver
        .as_deref()
        .map(semver::Range::parse)
        .transpose()?;
    let pattern = args
        .filter_regex
        .as_deref()
        .map(sluice_source::oci::compile_filter);
    let pattern = pattern.transpose().map_err(anyhow::Error::msg)?;
    let tags = asked
        .repository
        .tags()
        .await
        .context("listing artifacts failed")?;
    let is_wanted = |tag: &String| {
        let version = || semver::Version::parse_tag(tag).ok();
        range
            .as_ref()
            .is_none_or(|range| version().is_some_and(|version| range.contains(&version)))
            && pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(tag.as_bytes()))
    };
    let mut tags: Vec<String> = tags.into_iter().filter(is_wanted).collect();
    tags.sort_unstable_by(|a, b| b.cmp(a));
    let repository = &asked.repository;
    let rows = futures::stream::iter(tags)
        .map(|tag| async move {
            let (digest, annotations) = repository.describe(&tag).await?;
            let annotation = |key: &str| annotations.get(key).cloned().unwrap_or_default();
            anyhow::Ok(vec![
                format!("{}:{tag}", repository.name()),
                digest.to_string(),
                annotation("org.opencontainers.image.source"),
                annotation("org.opencontainers.image.revision"),
            ])
        })
        .buffered(CONCURRENT);
    let rows: Vec<Vec<String>> = rows.try_collect().await.context("listing artifacts failed")?;
    tell::print(&table::render(
        &["ARTIFACT", "DIGEST", "SOURCE", "REVISION"],
        &rows,
        true,
    ))
}
