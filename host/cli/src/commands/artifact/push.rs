//! `sluice push artifact`.

use super::{Content, Reference, Registry, given, of_stdin};
use crate::args::{Global, path};
use crate::commands::within;
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
    url: Option<String>,
    /// The directory, a file, or - for what comes on standard input
    #[arg(short = 'f', long, value_parser = path(), value_name = "PATH")]
    path: Option<PathBuf>,
    /// Address of the source, such as a Git URL
    #[arg(long, default_value = "", hide_default_value = true)]
    source: String,
    /// Revision of the source: <branch|tag>@sha1:<commit>
    #[arg(long, default_value = "", hide_default_value = true)]
    revision: String,
    #[command(flatten)]
    content: Content,
    /// Annotations of the artifact, key=value
    #[arg(short, long = "annotations", value_name = "KEY=VALUE")]
    annotations: Vec<String>,
    /// Print what was pushed
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    /// Say the year 1970 instead of the time, so that the same files give the same digest
    #[arg(long)]
    reproducible: bool,
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

/// The annotation that says when the artifact was made.
const CREATED: &str = "org.opencontainers.image.created";

/// Flux's layers of time: the epoch in RFC 3339.
const EPOCH: &str = "1970-01-01T00:00:00Z";

pub(crate) async fn run(args: PushArtifact, global: &Global) -> Result<()> {
    let url = args.url.as_deref().context("artifact URL is required")?;
    for (flag, value) in [("source", &args.source), ("revision", &args.revision)] {
        if value.is_empty() {
            bail!("--{flag} is required");
        }
    }
    let path = given(&args.path)?;
    let reference = Reference::parse(url)?;
    let tag = match &reference.suffix {
        Suffix::Tag(tag) => tag.clone(),
        Suffix::None => "latest".to_owned(),
        Suffix::Digest(_) => bail!(
            "cannot push to a digest: name a tag, {}:<tag>",
            reference.repository()
        ),
    };
    // whoever writes it takes their time, as in Flux
    let read = of_stdin(path)?;
    let annotations = annotations(&args)?;
    let work = async {
        let asked = args.registry.open(&reference, global.timeout).await?;
        if args.output.is_none() {
            tell::action(&format!("pushing artifact to {}", reference.text));
        }
        let what = "pushing artifact failed: error creating layer";
        let layer = match read {
            Some(layer) => layer,
            None => args.content.of_path(path, what)?,
        };
        let push = Push {
            content: layer.content.into(),
            media_type: media_type::FLUX_CONTENT.to_owned(),
            diff_id: layer.diff_id,
            created: annotations.get(CREATED).cloned().unwrap_or_default(),
            annotations,
        };
        let pushed = asked.repository.push(&tag, &push).await;
        pushed.context("pushing artifact failed")
    };
    let digest = within(global.timeout, Box::pin(work)).await?;
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
