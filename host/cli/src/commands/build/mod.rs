//! `sluice build`: renders here what the controller renders in the cluster, with the same code in the same sandbox.

mod declared;
mod ignored;
mod kustomization;
mod kustomize;
mod masked;

use crate::args::Global;
use crate::tell;
use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use sluice_artifact::{LocalLimits, LocalTree, Tree};
use sluice_wasm::{Finding, Severity};
use std::path::Path;
use std::sync::Arc;

#[derive(Subcommand, Debug)]
pub(crate) enum Build {
    /// Render a directory with a kustomization, as `kustomize build` does
    Kustomize(kustomize::Kustomize),
    /// Render a directory as a Flux Kustomization says
    #[command(visible_alias = "ks")]
    Kustomization(kustomization::Kustomization),
}

pub(crate) async fn run(build: Build, global: &Global) -> Result<()> {
    match build {
        Build::Kustomize(kustomize) => kustomize::run(&kustomize),
        Build::Kustomization(kustomization) => kustomization::run(kustomization, global).await,
    }
}

/// A directory to build, and the tree around it that the build may see.
struct Place {
    tree: Arc<dyn Tree>,
    /// Absolute in the tree.
    path: String,
}

impl Place {
    /// Bases may lie beside the directory, so the tree is more than the directory itself: `root`, else the enclosing Git
    /// work tree, else the file system.
    fn find(directory: &Path, root: Option<&Path>) -> Result<Self> {
        let directory = directory
            .canonicalize()
            .with_context(|| format!("'{}' is no directory that can be read", directory.display()))?;
        let root = match root {
            Some(root) => root
                .canonicalize()
                .with_context(|| format!("--root {} cannot be read", root.display()))?,
            None => {
                let work_tree = directory.ancestors().find(|folder| folder.join(".git").exists());
                let top = work_tree.or_else(|| directory.ancestors().last());
                top.unwrap_or(&directory).to_owned()
            }
        };
        let Ok(below) = directory.strip_prefix(&root) else {
            bail!(
                "{} lies outside of --root {}",
                directory.display(),
                root.display()
            );
        };
        let path = format!(
            "/{}",
            below.to_str().context("the directory's path is not UTF-8")?
        );
        let tree = LocalTree::open(&root, LocalLimits::default())
            .with_context(|| format!("cannot open {}", root.display()))?;
        Ok(Self {
            tree: Arc::new(tree),
            path,
        })
    }
}

/// A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> Result<()> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn tell_findings(findings: &[Finding]) {
    for finding in findings {
        match finding.severity {
            Severity::Error => tell::failure(&finding.message),
            Severity::Warning | Severity::Info => eprintln!("{}", finding.message),
        }
    }
}
