//! `sluice build`: renders here what the controller renders in the cluster, with the same code in the same sandbox.

use crate::tell;
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use sluice_artifact::{LocalLimits, LocalTree};
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_wasm::{Context, Engine, Inputs, Limits, RenderRequest, Severity, builtin};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Subcommand, Debug)]
pub(crate) enum Build {
    /// Render a directory with a kustomization, as `kustomize build` does
    Kustomize(Kustomize),
}

#[derive(Args, Debug)]
pub(crate) struct Kustomize {
    /// The directory with the kustomization
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// What the render may see; without it the enclosing Git work tree, else the file system
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// The order of the objects where the kustomization does not say
    #[arg(long, value_enum)]
    reorder: Option<Reorder>,
    /// Which files a kustomization may read
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly")]
    load_restrictor: LoadRestrictor,
    /// Label every object with app.kubernetes.io/managed-by
    #[arg(long)]
    enable_managedby_label: bool,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reorder {
    /// By kind, as `kustomize build` has always done
    Legacy,
    /// As they were found, as Flux does
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LoadRestrictor {
    /// Files below the kustomization's directory; other kustomizations anywhere
    #[value(name = "LoadRestrictionsRootOnly", alias = "rootOnly")]
    RootOnly,
    /// Any file below the root
    #[value(name = "LoadRestrictionsNone", alias = "none")]
    None,
}

pub(crate) fn run(build: &Build) -> Result<()> {
    match build {
        Build::Kustomize(kustomize) => {
            let yaml = render(kustomize)?;
            match &kustomize.output {
                Some(file) => {
                    std::fs::write(file, yaml).with_context(|| format!("cannot write {}", file.display()))
                }
                None => print(&yaml),
            }
        }
    }
}

/// A reader that has seen enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<()> {
    use std::io::{ErrorKind, Write};
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn render(kustomize: &Kustomize) -> Result<String> {
    let directory = kustomize.directory.canonicalize().with_context(|| {
        format!(
            "'{}' is no directory that can be read",
            kustomize.directory.display()
        )
    })?;
    let root = root(kustomize.root.as_deref(), &directory)?;
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
    let engine = Engine::get().map_err(anyhow::Error::msg)?;
    let renderer = builtin::load(engine, "kustomize", Limits::default())?.renderer()?;
    let request = RenderRequest {
        path,
        config: config(kustomize),
        context: nobody(),
    };
    let answer = renderer.render(
        &request,
        Inputs {
            tree: Arc::new(tree),
            revision: String::new(),
        },
    )?;
    for finding in answer.value.findings {
        match finding.severity {
            Severity::Error => tell::failure(&finding.message),
            Severity::Warning | Severity::Info => eprintln!("{}", finding.message),
        }
    }
    let documents: Vec<_> = answer
        .value
        .objects
        .into_iter()
        .map(|object| sluice_yaml::emit_v2(&object.into_value()))
        .collect();
    Ok(documents.join("---\n"))
}

fn config(kustomize: &Kustomize) -> Value {
    let reorder = match kustomize.reorder {
        None => "unspecified",
        Some(Reorder::Legacy) => "legacy",
        Some(Reorder::None) => "none",
    };
    let restrictor = match kustomize.load_restrictor {
        LoadRestrictor::RootOnly => "rootOnly",
        LoadRestrictor::None => "none",
    };
    json!({"reorder": reorder, "loadRestrictor": restrictor, "addManagedByLabel": kustomize.enable_managedby_label})
}

/// What the render may see: bases may lie beside the directory, so it is more than the directory itself.
pub(crate) fn root(given: Option<&Path>, directory: &Path) -> Result<PathBuf> {
    if let Some(root) = given {
        return root
            .canonicalize()
            .with_context(|| format!("--root {} cannot be read", root.display()));
    }
    let work_tree = directory.ancestors().find(|folder| folder.join(".git").exists());
    let top = work_tree.or_else(|| directory.ancestors().last());
    Ok(top.unwrap_or(directory).to_owned())
}

/// Offline nobody is asked for: the context names no cluster.
fn nobody() -> Context {
    let gvk = GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
    Context {
        subject: ObjectId {
            gvk,
            namespace: None,
            name: "build".to_owned(),
        },
        kube_version: String::new(),
        api_versions: vec![],
        labels: vec![],
    }
}
