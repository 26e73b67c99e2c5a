//! `sluice diff kustomization`: what applying local files would change, asked of the API server (compat: cli, section 11).
//!
//! Exit codes as Flux has them: 0 nothing would change, 1 something would, more than 1 it failed.

use crate::args::Global;
use crate::tell::print;
use crate::{assemble, local, tell};
use anyhow::{Context as _, Result, ensure};
use clap::{ArgAction, Args, Subcommand};
use serde_json::Value;
use sluice_api::Kustomization;
use sluice_apply::cluster::{Cluster, Identity};
use sluice_apply::{Preview, PreviewOptions, preview, preview_prune};
use sluice_object::{GroupVersionKind, Manifests, Object, ObjectId};
use sluice_plan::{Action, IgnoreRules, Owner, Policy};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// Nothing would change.
const SAME: u8 = 0;
/// Something would.
const DIFFERENT: u8 = 1;
/// It failed: nobody can say.
pub(crate) const FAILED: u8 = 2;

#[derive(Subcommand, Debug)]
pub(crate) enum Diff {
    /// What a directory would change for a Kustomization
    #[command(visible_alias = "ks")]
    Kustomization(DiffKustomization),
}

#[derive(Args, Debug)]
pub(crate) struct DiffKustomization {
    /// The Kustomization
    #[arg(value_parser = crate::args::name)]
    name: String,
    /// The directory in the place of its spec.path
    #[arg(long, value_name = "DIR")]
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
    let Diff::Kustomization(kustomization) = diff;
    let code = match super::within(global.timeout, kustomization.run(global)).await {
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
    /// Whether anything would change.
    async fn run(&self, global: &Global) -> Result<bool> {
        local::check(&self.path, self.kustomization_file.as_deref())?;
        ensure!(
            !self.ignore_not_found || self.kustomization_file.is_some(),
            "kustomization file is required when assuming new kustomizations: add --kustomization-file"
        );
        let cluster = global.connect.api_server().await?;
        let top = self.kustomization(&cluster, &global.namespace).await?;
        let render = Arc::new(assemble::render()?);
        let colors = Colors::of(std::io::stdout().is_terminal());
        let mut walk = local::Walk::new(top, self.path.clone(), &self.local.local_sources);
        let (mut changes, mut is_top) = (0, true);
        while let Some((ks, directory)) = walk.next() {
            let (namespace, name) = local::name_of(&ks);
            let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
            let owner = Owner {
                name,
                namespace: namespace.unwrap_or_else(|| global.namespace.clone()),
            };
            let directory = self.local.directory(&directory);
            let manifests =
                local::render(&render, &ks, directory, Some(&cluster), self.strict_substitute).await?;
            if self.local.recursive {
                for object in &manifests.objects {
                    let body = Value::Object(object.body().clone());
                    if local::is_kustomization(&body)
                        && let Some(found) = owned_already(&cluster, object.id(), body).await?
                    {
                        follow(&mut walk, found)?;
                    }
                }
            }
            let plan = plan(&ks, &cluster, &owner, manifests).await?;
            let changed = plan.changes();
            if !is_top && changed > 0 {
                print(&format!(
                    "📁 Kustomization/{}/{} changed\n",
                    owner.namespace, owner.name
                ))?;
            }
            plan.tell(&colors)?;
            changes += changed;
            is_top = false;
        }
        match changes {
            0 => tell::success("nothing would change"),
            1 => tell::action("1 object would change"),
            many => tell::action(&format!("{many} objects would change")),
        }
        if changes > 0 {
            tell::warning("identified at least one change, exiting with non-zero exit code");
        }
        Ok(changes > 0)
    }

    async fn kustomization(&self, cluster: &dyn Cluster, namespace: &str) -> Result<Kustomization> {
        let id = ObjectId {
            gvk: GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
            namespace: Some(namespace.to_owned()),
            name: self.name.clone(),
        };
        let what = "failed to get kustomization object";
        let live = live(cluster, &id).await.context(what)?;
        let missing = || {
            anyhow::anyhow!(
                "{what}: kustomizations.kustomize.toolkit.fluxcd.io \"{}\" not found; --kustomization-file with --ignore-not-found compares with nothing",
                self.name
            )
        };
        match &self.kustomization_file {
            None => live.ok_or_else(missing),
            Some(_) if live.is_none() && !self.ignore_not_found => Err(missing()),
            Some(file) => {
                let declared = local::from_file(file, namespace, &self.name).context(what)?;
                Ok(owning(declared, live))
            }
        }
    }
}

/// Notes a Kustomization that another makes, unless what it makes lies in another cluster.
fn follow(walk: &mut local::Walk<'_>, found: Kustomization) -> Result<()> {
    if found.spec.kube_config.is_none() {
        return walk.add(found);
    }
    let (namespace, name) = local::name_of(&found);
    // a part of the answer, as in Flux
    print(&format!(
        "⚠️ Kustomization/{namespace}/{name} skipped: diff not supported for remote clusters\n"
    ))
}

async fn live(cluster: &dyn Cluster, id: &ObjectId) -> Result<Option<Kustomization>> {
    let found = cluster.get(&Identity::AsController, id).await?;
    let decoded = found.map(|object| sluice_api::decode(&object)).transpose();
    decoded.map_err(|error| anyhow::anyhow!("the Kustomization cannot be read: {error}"))
}

/// What is owned is what the cluster says, whatever a file says.
fn owning(declared: Kustomization, live: Option<Kustomization>) -> Kustomization {
    Kustomization {
        status: live.and_then(|live| live.status),
        ..declared
    }
}

/// A Kustomization as its parent makes it, with what it owns in the cluster; none where it is not there yet: it is created as a
/// whole, as in Flux.
async fn owned_already(cluster: &dyn Cluster, id: &ObjectId, body: Value) -> Result<Option<Kustomization>> {
    match live(cluster, id).await? {
        None => Ok(None),
        live => Ok(Some(owning(local::from_value(body)?, live))),
    }
}

/// What would happen.
struct Plan {
    previews: Vec<Preview>,
    /// Objects whose values only the controller can read.
    encrypted: Vec<ObjectId>,
    /// Why the prune would wait.
    held: Option<String>,
}

impl Plan {
    fn changes(&self) -> usize {
        let changes = self.previews.iter().filter(|preview| preview.action.is_change());
        changes.count()
    }

    fn tell(&self, colors: &Colors) -> Result<()> {
        print(&shown(&self.previews, colors))?;
        for id in &self.encrypted {
            tell::warning(&format!(
                "{id} is encrypted: its values are compared in the cluster only"
            ));
        }
        if let Some(held) = &self.held {
            tell::warning(held);
        }
        Ok(())
    }
}

async fn plan(
    ks: &Kustomization,
    cluster: &dyn Cluster,
    owner: &Owner,
    manifests: Manifests,
) -> Result<Plan> {
    let (encrypted, plain): (Vec<Object>, Vec<Object>) =
        manifests.objects.into_iter().partition(is_encrypted);
    let encrypted: Vec<ObjectId> = encrypted.iter().map(|object| object.id().clone()).collect();
    let policy = Policy {
        common_metadata: ks.spec.common_metadata.clone(),
        ..Policy::default()
    };
    let mut staged = sluice_plan::prepare(&Manifests { objects: plain }, owner, &policy)?;
    sluice_apply::place(cluster, &mut staged).await?;
    let objects: Vec<Object> = staged.into_iter().flat_map(|staged| staged.objects).collect();
    let ignore = IgnoreRules::compile(&ks.spec.ignore)?;
    let options = PreviewOptions {
        is_forced: ks.spec.force,
        ignore: &ignore,
    };
    // the user's own rights count, not the controller's
    let identity = Identity::AsController;
    let mut previews = preview(cluster, &identity, &objects, options).await?;
    let new = sluice_plan::entries(objects.iter().map(|object| object.id()).chain(&encrypted));
    let owned = sluice_apply::place_entries(cluster, ks.inventory(), &new).await;
    let stale = if ks.spec.prune {
        sluice_plan::stale(&new, &owned)
    } else {
        Vec::new()
    };
    let pruned = preview_prune(cluster, &identity, &stale, owner)
        .await
        .map_err(anyhow::Error::msg)?;
    let held = sluice_plan::guard(&stale, owned.len(), "REVISION", None).err();
    previews.extend(pruned);
    Ok(Plan {
        previews,
        encrypted,
        held: held.map(|held| held.to_string()),
    })
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
