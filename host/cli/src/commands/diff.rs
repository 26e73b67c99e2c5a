//! `sluice diff kustomization`: what applying local files would change, asked of the API server (compat: cli, section 11).
//! And `sluice diff artifact`.
//!
//! Exit codes as Flux has them: 0 nothing would change, 1 something would, more than 1 it failed.

use super::{artifact, within};
use crate::args::Global;
use crate::local::Followed;
use crate::tell::{Several, print};
use crate::{assemble, local, tell};
use anyhow::{Context as _, Result, ensure};
use clap::{ArgAction, Args, Subcommand};
use serde_json::Value;
use sluice_api::Kustomization;
use sluice_apply::cluster::{Cluster, Identity, RequestError};
use sluice_apply::{ApplyError, Preview, PreviewOptions, preview_each, preview_prune};
use sluice_object::{GroupVersionKind, Manifests, Object, ObjectId};
use sluice_plan::{Action, IgnoreRules, Owner, Policy};
use sluice_render::Render;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Nothing would change.
const SAME: u8 = 0;
/// Something would.
const DIFFERENT: u8 = 1;
/// It failed: nobody can say.
pub(crate) const FAILED: u8 = 2;

/// Objects asked about at once: as many as a controller applies that is not told otherwise (`--concurrent-ssa`).
const CONCURRENCY: usize = 4;

#[derive(Subcommand, Debug)]
pub(crate) enum Diff {
    /// What a directory would change for a Kustomization
    #[command(visible_alias = "ks")]
    Kustomization(DiffKustomization),
    /// Whether a directory differs from an OCI artifact
    Artifact(artifact::diff::DiffArtifact),
}

#[derive(Args, Debug)]
pub(crate) struct DiffKustomization {
    /// The Kustomization
    #[arg(value_parser = crate::args::name)]
    name: Option<String>,
    /// The directory in the place of its spec.path
    #[arg(
        long,
        value_parser = crate::args::path(),
        default_value = "",
        hide_default_value = true,
        value_name = "DIR"
    )]
    path: PathBuf,
    /// Take the Kustomization from this file instead of the cluster
    #[arg(long, value_name = "FILE")]
    kustomization_file: Option<PathBuf>,
    /// With --kustomization-file: it need not be in the cluster yet
    #[arg(long)]
    ignore_not_found: bool,
    /// Whether an undefined variable is an error
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    strict_substitute: bool,
    #[command(flatten)]
    local: local::Flags,
    /// Accepted: there is no progress bar
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    progress_bar: bool,
}

pub(crate) async fn run(diff: &Diff, global: &Global) -> Result<ExitCode> {
    let compared = match diff {
        Diff::Kustomization(kustomization) => kustomization.run(global).await,
        Diff::Artifact(asked) => artifact::diff::run(asked, global).await,
    };
    let code = match compared {
        Ok(true) => DIFFERENT,
        Ok(false) => SAME,
        Err(error) => {
            tell::error(&error);
            FAILED
        }
    };
    Ok(ExitCode::from(code))
}

impl DiffKustomization {
    /// Whether anything would change; it is told.
    async fn run(&self, global: &Global) -> Result<bool> {
        let name = self.name.as_deref().context("kustomization name is required")?;
        local::check(&self.path, self.kustomization_file.as_deref())?;
        ensure!(
            !self.ignore_not_found || self.kustomization_file.is_some(),
            "kustomization file is required when assuming new kustomizations: add --kustomization-file"
        );
        let compared = within(global.timeout, Box::pin(self.compare(name, global))).await?;
        print(&compared.text)?;
        compared.warnings.iter().for_each(|text| tell::warning(text));
        if let Some(error) = Several::of(compared.failures) {
            return Err(error);
        }
        match compared.changes {
            0 => tell::success("nothing would change"),
            1 => tell::action("1 object would change"),
            many => tell::action(&format!("{many} objects would change")),
        }
        if compared.changes > 0 {
            tell::warning("identified at least one change, exiting with non-zero exit code");
        }
        Ok(compared.changes > 0)
    }

    async fn compare(&self, name: &str, global: &Global) -> Result<Compared> {
        let cluster = global.connect.api_server().await?;
        let top = self.kustomization(&cluster, name, &global.namespace).await?;
        let comparison = Comparison {
            asked: self,
            cluster: &cluster,
            namespace: &global.namespace,
            render: Arc::new(assemble::render()?),
            colors: Colors::of(std::io::stdout().is_terminal()),
        };
        Box::pin(comparison.run(top)).await
    }

    async fn kustomization(
        &self,
        cluster: &dyn Cluster,
        name: &str,
        namespace: &str,
    ) -> Result<Kustomization> {
        let id = ObjectId {
            gvk: GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        };
        let what = "failed to get kustomization object";
        let found = cluster.get(&Identity::AsController, &id).await.context(what)?;
        let live = found.as_ref().map(decoded).transpose().context(what)?;
        let missing = || {
            anyhow::anyhow!(
                "{what}: kustomizations.kustomize.toolkit.fluxcd.io \"{name}\" not found; --kustomization-file with --ignore-not-found compares with nothing"
            )
        };
        match &self.kustomization_file {
            None => live.ok_or_else(missing),
            Some(_) if live.is_none() && !self.ignore_not_found => Err(missing()),
            Some(file) => {
                let declared = local::from_file(file, namespace, name).context(what)?;
                Ok(owning(declared, live))
            }
        }
    }
}

/// A Kustomization of the cluster.
fn decoded(live: &Value) -> Result<Kustomization> {
    let decoded = sluice_api::decode(live);
    decoded.map_err(|error| anyhow::anyhow!("the Kustomization cannot be read: {error}"))
}

/// What is owned is what the cluster says, whatever a file says.
fn owning(declared: Kustomization, live: Option<Kustomization>) -> Kustomization {
    Kustomization {
        status: live.and_then(|live| live.status),
        ..declared
    }
}

/// What comparing came to.
#[derive(Default)]
struct Compared {
    /// What is printed.
    text: String,
    /// What is told beside it.
    warnings: Vec<String>,
    changes: usize,
    failures: Vec<anyhow::Error>,
}

impl Compared {
    fn add(&mut self, preview: &Preview, colors: &Colors) {
        self.text += &shown(std::slice::from_ref(preview), colors);
        self.changes += usize::from(preview.action.is_change());
    }
}

/// One Kustomization while it is compared.
struct Open {
    ks: Kustomization,
    owner: Owner,
    objects: Vec<Object>,
    /// Objects whose values only the controller can read.
    encrypted: Vec<ObjectId>,
    /// What the API server said of those objects that nobody was told of yet.
    previews: std::vec::IntoIter<Result<Preview, ApplyError>>,
    /// How many of the objects were told of.
    done: usize,
    found: Compared,
}

impl Open {
    /// Tells what a Kustomization came to that this one makes: what would change of it, as in Flux.
    fn take_in(&mut self, child: Self) {
        let Owner { name, namespace } = child.owner;
        let Compared {
            text,
            warnings,
            changes,
            failures,
        } = child.found;
        let found = &mut self.found;
        if changes > 0 {
            found.text += &format!("📁 Kustomization/{namespace}/{name} changed\n");
            found.text += &text;
        }
        found.warnings.extend(warnings);
        found.changes += changes;
        found.failures.extend(failures);
    }
}

/// What is compared, and with what.
struct Comparison<'a> {
    asked: &'a DiffKustomization,
    cluster: &'a dyn Cluster,
    /// Of a Kustomization that names none.
    namespace: &'a str,
    render: Arc<Render>,
    colors: Colors,
}

impl Comparison<'_> {
    /// Compares a Kustomization, and those that it makes where it makes them. What fails does not hide the rest.
    async fn run(&self, top: Kustomization) -> Result<Compared> {
        let mut followed = Followed::new(&top, &self.asked.local.local_sources);
        let mut open = Box::pin(self.open(top, &self.asked.path)).await?;
        let mut above = Vec::new();
        loop {
            if let Some((child, directory)) = self.advance(&mut open, &mut followed)? {
                match Box::pin(self.open(child, &directory)).await {
                    Ok(child) => above.push(std::mem::replace(&mut open, child)),
                    Err(error) => open.found.failures.push(error),
                }
                continue;
            }
            self.finish(&mut open).await;
            let Some(parent) = above.pop() else {
                return Ok(open.found);
            };
            let child = std::mem::replace(&mut open, parent);
            open.take_in(child);
        }
    }

    /// Renders a Kustomization, and asks what would become of its objects.
    async fn open(&self, ks: Kustomization, directory: &Path) -> Result<Open> {
        let (namespace, name) = local::name_of(&ks);
        let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
        let owner = Owner {
            name,
            namespace: namespace.unwrap_or_else(|| self.namespace.to_owned()),
        };
        let directory = self.asked.local.directory(directory);
        let is_strict = self.asked.strict_substitute;
        let manifests = local::render(&self.render, &ks, directory, Some(self.cluster), is_strict).await?;
        let (encrypted, plain): (Vec<Object>, Vec<Object>) =
            manifests.objects.into_iter().partition(is_encrypted);
        let policy = Policy {
            common_metadata: ks.spec.common_metadata.clone(),
            ..Policy::default()
        };
        let mut staged = sluice_plan::prepare(&Manifests { objects: plain }, &owner, &policy)?;
        sluice_apply::place(self.cluster, &mut staged).await?;
        let objects: Vec<Object> = staged.into_iter().flat_map(|staged| staged.objects).collect();
        let ignore = IgnoreRules::compile(&ks.spec.ignore)?;
        let options = PreviewOptions {
            concurrency: CONCURRENCY,
            is_forced: ks.spec.force,
            ignore: &ignore,
        };
        // the user's own rights count, not the controller's
        let previews = preview_each(self.cluster, &Identity::AsController, &objects, options).await;
        Ok(Open {
            objects,
            encrypted: encrypted.iter().map(|object| object.id().clone()).collect(),
            previews: previews.into_iter(),
            done: 0,
            found: Compared::default(),
            ks,
            owner,
        })
    }

    /// Tells of objects until one of them is a Kustomization to go into; with the directory of its files.
    fn advance(
        &self,
        open: &mut Open,
        followed: &mut Followed<'_>,
    ) -> Result<Option<(Kustomization, PathBuf)>> {
        while let (Some(object), Some(preview)) = (open.objects.get(open.done), open.previews.next()) {
            open.done += 1;
            let preview = match preview {
                Ok(preview) => preview,
                // nobody answers: so it would go with all the others
                Err(error) if matches!(error.cause, RequestError::Transport(_)) => return Err(error.into()),
                Err(error) => {
                    open.found.failures.push(error.into());
                    continue;
                }
            };
            open.found.add(&preview, &self.colors);
            if !self.asked.local.recursive {
                continue;
            }
            match follow(object, &preview, followed, &mut open.found.text) {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) => open.found.failures.push(error),
            }
        }
        Ok(None)
    }

    /// Tells what would be deleted, after everything else was compared. Where something of it failed nobody knows, as in Flux.
    async fn finish(&self, open: &mut Open) {
        let found = &mut open.found;
        let encrypted = open.encrypted.iter();
        found.warnings.extend(
            encrypted.map(|id| format!("{id} is encrypted: its values are compared in the cluster only")),
        );
        if !open.ks.spec.prune || !found.failures.is_empty() {
            return;
        }
        let ids = open.objects.iter().map(|object| object.id());
        let new = sluice_plan::entries(ids.chain(&open.encrypted));
        let owned = sluice_apply::place_entries(self.cluster, open.ks.inventory(), &new).await;
        let stale = sluice_plan::stale(&new, &owned);
        match preview_prune(self.cluster, &Identity::AsController, &stale, &open.owner).await {
            Ok(previews) => previews
                .iter()
                .for_each(|preview| found.add(preview, &self.colors)),
            Err(text) => found.failures.push(anyhow::Error::msg(text)),
        }
        // why the prune would wait
        let held = sluice_plan::guard(&stale, owned.len(), "REVISION", None).err();
        found.warnings.extend(held.map(|held| held.to_string()));
    }
}

/// The Kustomization that an object is, with what it owns in the cluster, and the directory of its files. None where it is not
/// there yet: it is created as a whole, as in Flux.
fn follow(
    object: &Object,
    preview: &Preview,
    followed: &mut Followed<'_>,
    text: &mut String,
) -> Result<Option<(Kustomization, PathBuf)>> {
    let body = Value::Object(object.body().clone());
    let Some(live) = preview.live.as_ref().filter(|_| local::is_kustomization(&body)) else {
        return Ok(None);
    };
    let child = owning(local::from_value(body)?, Some(decoded(live)?));
    if child.spec.kube_config.is_some() {
        // a part of the answer, as in Flux
        let (namespace, name) = local::name_of(&child);
        *text +=
            &format!("⚠️ Kustomization/{namespace}/{name} skipped: diff not supported for remote clusters\n");
        return Ok(None);
    }
    let directory = followed.find(&child)?;
    Ok(directory.map(|directory| (child, directory)))
}

/// Whether values of an object are encrypted with SOPS.
fn is_encrypted(object: &Object) -> bool {
    use base64::Engine as _;
    if object
        .body()
        .get("sops")
        .is_some_and(|sops| sops.get("mac").is_some())
    {
        return true;
    }
    let data = object
        .body()
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    object.gvk().kind == "Secret"
        && data.filter_map(|(_, value)| value.as_str()).any(|value| {
            let decoded = base64::engine::general_purpose::STANDARD
                .decode(value)
                .unwrap_or_default();
            String::from_utf8_lossy(&decoded).contains("ENC[AES256_GCM,")
        })
}

/// Colours for a terminal; a file or a pipe gets none.
struct Colors {
    is_on: bool,
}

impl Colors {
    fn of(is_terminal: bool) -> Self {
        Self {
            is_on: is_terminal && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.is_on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// One line an object, and for those that drifted what differs.
fn shown(previews: &[Preview], colors: &Colors) -> String {
    let mut out = String::new();
    for preview in previews {
        let (word, code) = match preview.action {
            Action::Created => ("created", "32"),
            Action::Configured => ("drifted", "33"),
            Action::Deleted => ("deleted", "31"),
            Action::Skipped => ("skipped", "2"),
            Action::Unchanged => continue,
        };
        let line = colors.paint(code, &format!("► {} {word}", preview.id));
        out.push_str(&line);
        out.push('\n');
        if preview.action == Action::Configured {
            let body = sluice_plan::diff(
                &preview.id.to_string(),
                preview.live.as_ref(),
                preview.desired.as_ref(),
            );
            // the line above says which object it is
            for line in body
                .lines()
                .filter(|line| !line.starts_with("--- ") && !line.starts_with("+++ "))
            {
                let code = match line.chars().next() {
                    Some('+') => "32",
                    Some('-') => "31",
                    Some('@') => "36",
                    _ => "0",
                };
                let line = if code == "0" {
                    line.to_owned()
                } else {
                    colors.paint(code, line)
                };
                out.push_str(&format!("  {line}\n"));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
