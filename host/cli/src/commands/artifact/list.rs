//! `sluice list artifacts`.

use super::{Reference, Registry};
use crate::args::Global;
use crate::commands::within;
use crate::{table, tell};
use anyhow::{Context, Result, ensure};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use sluice_semver as semver;
use sluice_source::oci::{Suffix, compile_filter};

#[derive(Args, Debug)]
pub(crate) struct ListArtifacts {
    /// Of which repository: oci://<domain>/<org>/<repository>
    url: Option<String>,
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

/// How tags end under which cosign keeps what it says of an artifact; they are no artifacts themselves.
const OF_COSIGN: [&str; 3] = [".att", ".sbom", ".sig"];

/// The value of a flag; an empty one asks for nothing.
fn given(flag: &Option<String>) -> Option<&str> {
    flag.as_deref().filter(|text| !text.is_empty())
}

pub(crate) async fn run(args: ListArtifacts, global: &Global) -> Result<()> {
    let url = args.url.as_deref();
    let reference = Reference::parse(url.context("artifact repository URL is required")?)?;
    ensure!(
        reference.suffix == Suffix::None,
        "listing tags failed: parsing repo {:?}: leave out what follows the repository's name; --filter-regex picks tags",
        reference.text
    );
    let range = given(&args.filter_semver).map(|text| {
        let range = semver::Range::parse(text);
        range.with_context(|| format!("semver '{text}' parse error"))
    });
    let range = range.transpose()?;
    let pattern = given(&args.filter_regex).map(|text| {
        let pattern = compile_filter(text).map_err(anyhow::Error::msg);
        pattern.with_context(|| format!("regex '{text}' parse error"))
    });
    let pattern = pattern.transpose()?;
    let is_wanted = |tag: &String| {
        let version = || semver::Version::parse_tag(tag).ok();
        !OF_COSIGN.iter().any(|ending| tag.ends_with(ending))
            && range
                .as_ref()
                .is_none_or(|range| version().is_some_and(|version| range.contains(&version)))
            && pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(tag.as_bytes()))
    };
    let work = async {
        let asked = args.registry.open(&reference, global.timeout).await?;
        let tags = asked.repository.tags().await.context("listing tags failed")?;
        let mut tags: Vec<String> = tags.into_iter().filter(is_wanted).collect();
        tags.sort_unstable_by(|a, b| b.cmp(a));
        let (repository, named) = (&asked.repository, &reference.text);
        let rows = futures::stream::iter(tags)
            .map(|tag| async move {
                let described = repository.describe(&tag).await;
                let (digest, annotations) = described.context("fetching manifest failed")?;
                let annotation = |key: &str| annotations.get(key).cloned().unwrap_or_default();
                anyhow::Ok(vec![
                    format!("{named}:{tag}"),
                    digest.to_string(),
                    annotation("org.opencontainers.image.source"),
                    annotation("org.opencontainers.image.revision"),
                ])
            })
            .buffered(CONCURRENT);
        let rows: Vec<Vec<String>> = rows.try_collect().await?;
        anyhow::Ok(rows)
    };
    let rows = within(global.timeout, Box::pin(work)).await?;
    tell::print(&table::render(
        &["ARTIFACT", "DIGEST", "SOURCE", "REVISION"],
        &rows,
        true,
    ))
}
