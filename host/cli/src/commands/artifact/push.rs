//! `sluice push artifact`.

use super::{Registry, archive};
use crate::args::Global;
use crate::tell;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde::Serialize;
use sluice_source::oci::{Push, Suffix, media_type};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct PushArtifact {
    /// Where to: oci://<domain>/<org>/<repository>:<tag>
    url: String,
    /// The directory, a file, or - for what comes on standard input
    #[arg(short = 'f', long, value_name = "PATH")]
    path: PathBuf,
    /// Address of the source, such as a Git URL
    #[arg(long)]
    source: String,
    /// Revision of the source: <branch|tag>@sha1:<commit>
    #[arg(long)]
    revision: String,
    /// What to leave out, in the format of .gitignore, instead of the usual
    #[arg(long, value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// What to leave out besides the usual
    #[arg(long, value_delimiter = ',')]
    add_ignore_paths: Vec<String>,
    /// Annotations of the artifact, key=value
    #[arg(short, long = "annotations", value_name = "KEY=VALUE")]
    annotations: Vec<String>,
    /// Print what was pushed
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    /// Say the year 1970 instead of the time, so that the same files give the same digest
    #[arg(long)]
    reproducible: bool,
    /// Put in what symbolic links lead to
    #[arg(long)]
    resolve_symlinks: bool,
    /// Accepted: errors always say what the registry answered
    #[arg(long)]
    debug: bool,
    #[command(flatten)]
    registry: Registry,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Yaml,
}

/// What was pushed, in the order in which `flux` prints it.
#[derive(Serialize)]
struct Pushed {
    url: String,
    repository: String,
    tag: String,
    digest: String,
}

/// The name in the artifact of what comes on standard input.
const STDIN_NAME: &str = "stdin.yaml";

/// Flux's layers of time: the epoch in RFC 3339.
const EPOCH: &str = "1970-01-01T00:00:00Z";

pub(crate) async fn run(args: PushArtifact, global: &Global) -> Result<()> {
    for (flag, value) in [("source", &args.source), ("revision", &args.revision)] {
        if value.is_empty() {
            bail!("--{flag} is required");
        }
    }
    let asked = args.registry.open(&args.url, global.timeout)?;
    let tag = match &asked.suffix {
        Suffix::Tag(tag) => tag.clone(),
        Suffix::None => "latest".to_owned(),
        Suffix::Digest(_) => bail!("cannot push to a digest: name a tag, {}:<tag>", asked.url),
    };
    let layer = match args.path.as_os_str() == "-" {
        true => archive::of_stream(STDIN_NAME, std::io::stdin())?,
        false => archive::of_path(&args.path, &patterns(&args), args.resolve_symlinks)?,
    };
    let created = match args.reproducible {
        true => EPOCH.to_owned(),
        false => jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let push = Push {
        content: layer.content.into(),
        media_type: media_type::FLUX_CONTENT.to_owned(),
        diff_id: layer.diff_id,
        annotations: annotations(&args, &created)?,
        created,
    };
    if args.output.is_none() {
        tell::action(&format!("pushing artifact to {}:{tag}", asked.repository.name()));
    }
    let digest = asked
        .repository
        .push(&tag, &push)
        .await
        .context("pushing artifact failed")?;
    let name = asked.repository.name();
    let pushed = Pushed {
        url: format!("oci://{name}@{digest}"),
        repository: name.to_string(),
        tag,
        digest: digest.to_string(),
    };
    match args.output {
        None => {
            tell::success(&format!("artifact successfully pushed to {name}@{digest}"));
            Ok(())
        }
        Some(Format::Json) => tell::print(&format!("{}\n", serde_json::to_string_pretty(&pushed)?)),
        Some(Format::Yaml) => {
            // words that need no quotes
            let Pushed {
                url,
                repository,
                tag,
                digest,
            } = pushed;
            tell::print(&format!(
                "url: {url}\nrepository: {repository}\ntag: {tag}\ndigest: {digest}\n"
            ))
        }
    }
}

fn patterns(args: &PushArtifact) -> Vec<String> {
    let mut lines = match args.ignore_paths.is_empty() {
        true => archive::usual(),
        false => args.ignore_paths.clone(),
    };
    lines.extend(args.add_ignore_paths.iter().cloned());
    lines
}

fn annotations(args: &PushArtifact, created: &str) -> Result<BTreeMap<String, String>> {
    let own = [
        ("org.opencontainers.image.created", created),
        ("org.opencontainers.image.source", &args.source),
        ("org.opencontainers.image.revision", &args.revision),
    ];
    let mut annotations: BTreeMap<String, String> =
        own.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    for annotation in &args.annotations {
        let (key, value) = annotation
            .split_once('=')
            .with_context(|| format!("invalid annotation {annotation}, must be in the format key=value"))?;
        annotations.insert(key.to_owned(), value.to_owned());
    }
    Ok(annotations)
}
