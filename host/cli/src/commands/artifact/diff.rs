//! `sluice diff artifact`.

use super::{Ignored, Reference, Registry, archive, check_there, given};
use crate::args::{Global, path};
use crate::commands::within;
use crate::tell;
use anyhow::{Context, Result};
use clap::Args;
use sluice_artifact::unpack::{Limits, unpack};
use sluice_artifact::{LocalLimits, LocalTree, Tree};
use sluice_source::oci::{ContentDigest, Layer, Pulled};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub(crate) struct DiffArtifact {
    /// Which artifact: oci://<domain>/<org>/<repository>:<tag>
    url: Option<String>,
    /// The directory or the file that it is compared with
    #[arg(long, value_parser = path(), value_name = "PATH")]
    path: Option<PathBuf>,
    #[command(flatten)]
    ignored: Ignored,
    #[command(flatten)]
    registry: Registry,
}

/// Whether there is a difference; it is told.
pub(crate) async fn run(args: &DiffArtifact, global: &Global) -> Result<bool> {
    let url = args.url.as_deref().context("artifact URL is required")?;
    let path = given(&args.path)?;
    let reference = Reference::parse(url)?;
    check_there(path)?;
    let work = async {
        let asked = args.registry.open(&reference, global.timeout).await?;
        let local = archive::of_path(path, &args.ignored.patterns(), false);
        let local = local.context("building artifact failed")?;
        let (repository, url) = (&asked.repository, reference.repository());
        let resolved = repository.resolve(&url, &reference.wanted(), None, false).await?;
        let remote = repository.pull(&url, &resolved, &Layer::default()).await?;
        // it is this command's, and goes with it however it ends
        let folder = tempfile::tempdir().context("no temporary folder")?;
        let path = folder.path().to_owned();
        tokio::task::spawn_blocking(move || is_same(&local, remote, &path)).await?
    };
    let is_same = within(global.timeout, Box::pin(work)).await?;
    match is_same {
        true => tell::success("no changes detected"),
        false => tell::failure("the remote artifact contents differs from the local one"),
    }
    Ok(!is_same)
}

/// Whether both have the same files, the remote ones extracted to `folder`. Of the same files two programs make archives that
/// differ.
fn is_same(local: &archive::Layer, remote: Pulled, folder: &Path) -> Result<bool> {
    if remote.digest == ContentDigest::of(&local.content) {
        return Ok(true);
    }
    let extracted = remote.extract_to(folder);
    extracted.context("the remote artifact cannot be extracted")?;
    let remote = LocalTree::open(folder, LocalLimits::default())?;
    let local = unpack(&*local.content, &Limits::default()).context("the local artifact cannot be read")?;
    let files = local.walk("/")?;
    if files != remote.walk("/")? {
        return Ok(false);
    }
    for file in files {
        let path = file.path.as_str();
        let is_executable = is_executable(folder, path)?;
        if local.is_executable(path) != is_executable || local.read(path)? != remote.read(path)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a file of a tree below `folder` may be executed.
fn is_executable(folder: &Path, path: &str) -> Result<bool> {
    let metadata = std::fs::metadata(folder.join(path.trim_start_matches('/')))?;
    Ok(metadata.permissions().mode() & 0o111 != 0)
}
