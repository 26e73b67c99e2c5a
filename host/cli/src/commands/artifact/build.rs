//! `sluice build artifact`.

use super::{Content, given, of_stdin};
use crate::args::path;
use crate::tell;
use anyhow::{Context, Result};
use clap::Args;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub(crate) struct BuildArtifact {
    /// The directory, a file, or - for what comes on standard input
    #[arg(short, long, value_parser = path(), value_name = "PATH")]
    path: Option<PathBuf>,
    /// The file that is written
    #[arg(short, long, default_value = "artifact.tgz", value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    content: Content,
}

pub(crate) fn run(args: &BuildArtifact) -> Result<()> {
    let path = given(&args.path)?;
    let read = of_stdin(path)?;
    tell::action(&format!("building artifact from {}", path.display()));
    let what = "building artifact failed, error";
    let layer = match read {
        Some(layer) => layer,
        None => args.content.of_path(path, what)?,
    };
    write(&args.output, &layer.content).context(what)?;
    tell::success(&format!("artifact created at {}", args.output.display()));
    Ok(())
}

/// Writes a file at once or not at all.
fn write(file: &Path, content: &[u8]) -> Result<()> {
    let unwritable = || format!("cannot write '{}'", file.display());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let draft = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
    let mut draft = draft.with_context(unwritable)?;
    draft.write_all(content).with_context(unwritable)?;
    // as Flux leaves it: for its owner, and for others of the group to read
    let permissions = Permissions::from_mode(0o640);
    draft
        .as_file()
        .set_permissions(permissions)
        .with_context(unwritable)?;
    let written = draft.persist(file).map_err(|error| error.error);
    written.map(|_| ()).with_context(unwritable)
}
