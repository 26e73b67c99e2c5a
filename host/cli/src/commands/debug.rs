//! `sluice debug`: what a Kustomization reports, and what it substitutes (compat: cli, section 10).

use super::within;
use crate::args::Global;
use crate::subject::required;
use crate::{kinds, local, tell};
use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use sluice_api::Kustomization;

#[derive(Subcommand, Debug)]
pub(crate) enum Debug {
    /// A Kustomization
    #[command(visible_alias = "ks")]
    Kustomization(DebugKustomization),
}

#[derive(Args, Debug)]
pub(crate) struct DebugKustomization {
    /// The Kustomization
    #[arg(value_parser = crate::args::name)]
    name: Option<String>,
    /// Print its status
    #[arg(long)]
    show_status: bool,
    /// Print what is substituted, as NAME=VALUE; values of Secrets are printed as they are
    #[arg(long)]
    show_vars: bool,
    /// Print what it has applied when
    #[arg(long)]
    show_history: bool,
}

/// Where Flux explains what is printed.
const DOCUMENTATION: &str = "https://fluxcd.io/flux/components/kustomize/kustomizations/#";

pub(crate) async fn run(debug: &Debug, global: &Global) -> Result<()> {
    let Debug::Kustomization(asked) = debug;
    let name = asked.name.as_deref().context("accepts 1 arg(s), received 0")?;
    let shown = [asked.show_status, asked.show_vars, asked.show_history];
    ensure!(
        shown.into_iter().filter(|is_shown| *is_shown).count() == 1,
        "exactly one of --show-status, --show-vars, or --show-history must be set"
    );
    let text = within(global.timeout, Box::pin(asked.text(name, global))).await?;
    tell::print(&text)
}

impl DebugKustomization {
    async fn text(&self, name: &str, global: &Global) -> Result<String> {
        let cluster = global.connect.api_server().await?;
        let id = kinds::KUSTOMIZATION.id(&global.namespace, name);
        let found = required(&cluster, kinds::KUSTOMIZATION, &id).await?;
        if self.show_status {
            return Ok(status(&found));
        }
        if self.show_history {
            return Ok(history(&found));
        }
        let ks: Kustomization = sluice_api::decode(&found)
            .map_err(|error| anyhow::anyhow!("the Kustomization cannot be read: {error}"))?;
        ensure!(ks.spec.post_build.is_some(), "no post build substitutions found");
        let variables = local::variables(&ks, Some(&cluster)).await?;
        let lines = variables.iter().map(|(name, value)| format!("{name}={value}\n"));
        Ok(lines.collect())
    }
}

fn status(kustomization: &Value) -> String {
    let status = kustomization.get("status").cloned().unwrap_or_else(|| json!({}));
    let text = sluice_yaml::emit_v2(&status);
    format!("# Status documentation: {DOCUMENTATION}kustomization-status\n{text}")
}

fn history(kustomization: &Value) -> String {
    let history = kustomization.pointer("/status/history").cloned();
    let text = sluice_yaml::emit_v2(&history.unwrap_or_else(|| json!([])));
    format!("# History documentation: {DOCUMENTATION}history\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_history_are_printed_as_in_flux() {
        let new = json!({"status": {"observedGeneration": -1}});
        assert_eq!(
            status(&new),
            "# Status documentation: https://fluxcd.io/flux/components/kustomize/kustomizations/#kustomization-status\nobservedGeneration: -1\n"
        );
        let head =
            "# History documentation: https://fluxcd.io/flux/components/kustomize/kustomizations/#history\n";
        assert_eq!(history(&new), format!("{head}[]\n"));
        let applied = json!({"status": {"history": [{"digest": "sha256:def456", "lastReconciledStatus": "success",
            "lastReconciled": "2024-01-01T10:00:00Z"}]}});
        assert_eq!(
            history(&applied),
            format!(
                "{head}- digest: sha256:def456\n  lastReconciled: \"2024-01-01T10:00:00Z\"\n  lastReconciledStatus: success\n"
            )
        );
    }
}
