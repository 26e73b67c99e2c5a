//! `sluice push artifact`.

use super::{Reference, Registry, archive};
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

/// What was pushed, in the order in which `flux` prints it as JSON.
#[derive(Serialize)]
struct Pushed {
    url: String,
    repository: String,
    tag: String,
    digest: String,
}

/// The name in the artifact of what comes on standard input.
const STDIN_NAME: &str = "stdin.yaml";

/// The annotation that says when the artifact was made.
const CREATED: &str = "org.opencontainers.image.created";

/// Flux's layers of time: the epoch in RFC 3339.
const EPOCH: &str = "1970-01-01T00:00:00Z";

pub(crate) async fn run(args: PushArtifact, global: &Global) -> Result<()> {
    for (flag, value) in [("source", &args.source), ("revision", &args.revision)] {
        if value.is_empty() {
            bail!("--{flag} is required");
        }
    }
    let reference = Reference::parse(&args.url)?;
    let tag = match &reference.suffix {
        Suffix::Tag(tag) => tag.clone(),
        Suffix::None => "latest".to_owned(),
        Suffix::Digest(_) => bail!(
            "cannot push to a digest: name a tag, {}:<tag>",
            reference.repository()
        ),
    };
    let is_stream = args.path.as_os_str() == "-";
    if !is_stream {
        std::fs::metadata(&args.path).with_context(|| {
            format!(
                "invalid path '{}', must point to an existing directory or file",
                args.path.display()
            )
        })?;
    }
    let annotations = annotations(&args)?;
    let asked = args.registry.open(&reference, global.timeout).await?;
    if args.output.is_none() {
        tell::action(&format!("pushing artifact to {}", reference.text));
    }
    let layer = match is_stream {
        true => archive::of_stream(STDIN_NAME, std::io::stdin()),
        false => archive::of_path(&args.path, &patterns(&args), args.resolve_symlinks),
    };
    let layer = layer.context("pushing artifact failed: error creating layer")?;
    let push = Push {
        content: layer.content.into(),
        media_type: media_type::FLUX_CONTENT.to_owned(),
        diff_id: layer.diff_id,
        created: annotations.get(CREATED).cloned().unwrap_or_default(),
        annotations,
    };
    let digest = asked
        .repository
        .push(&tag, &push)
        .await
        .context("pushing artifact failed")?;
    let name = &reference.name;
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
        Some(Format::Yaml) => tell::print(&sluice_yaml::emit_v2(&serde_json::to_value(&pushed)?)),
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

/// The annotations of the manifest. Those that the user gives go before those that are known.
fn annotations(args: &PushArtifact) -> Result<BTreeMap<String, String>> {
    let now = match args.reproducible {
        true => EPOCH.to_owned(),
        false => jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let own = [
        (CREATED, now.as_str()),
        ("org.opencontainers.image.source", &args.source),
        ("org.opencontainers.image.revision", &args.revision),
    ];
    let mut annotations: BTreeMap<String, String> =
        own.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    for annotation in &args.annotations {
        let mut parts = annotation.split('=');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(key), Some(value), None) => annotations.insert(key.to_owned(), value.to_owned()),
            _ => bail!("invalid annotation {annotation}, must be in the format key=value"),
        };
    }
    let created = annotations.entry(CREATED.to_owned()).or_default();
    if created.is_empty() {
        *created = now;
    }
    // the artifact's config says it too, where only a time can stand
    let time: Result<jiff::Timestamp, _> = created.parse();
    time.with_context(|| format!("pushing artifact failed: invalid created timestamp {created:?}"))?;
    Ok(annotations)
}
