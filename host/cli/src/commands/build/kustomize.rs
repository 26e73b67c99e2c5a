//! `sluice build kustomize`: what `kustomize build` prints.

use crate::local::{Below, Place, tell_findings};
use crate::tell::{print_all, write_all};
use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use sluice_object::{GroupVersionKind, Object, ObjectId};
use sluice_wasm::{Context, Engine, Inputs, RenderRequest, builtin};
use std::path::PathBuf;

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
    /// Refused: charts are not inflated here
    #[arg(long, hide = true)]
    enable_helm: bool,
    /// Refused: a render runs no programs
    #[arg(long, hide = true)]
    enable_alpha_plugins: bool,
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

pub(crate) fn run(kustomize: &Kustomize) -> Result<()> {
    if kustomize.enable_helm {
        bail!(
            "--enable-helm: charts are not inflated here; use a HelmRelease, or commit what `helm template` prints"
        );
    }
    if kustomize.enable_alpha_plugins {
        bail!(
            "--enable-alpha-plugins: a render runs no programs, containers or Starlark; write a transformer plugin instead"
        );
    }
    let documents = render(kustomize)?;
    let documents = documents.iter().map(String::as_str);
    match &kustomize.output {
        Some(file) => {
            let written = std::fs::File::create(file).and_then(|file| write_all(file, documents));
            written.with_context(|| format!("cannot write {}", file.display()))
        }
        None => print_all(documents),
    }
}

/// The documents, each with what parts it from the one before.
fn render(kustomize: &Kustomize) -> Result<Vec<String>> {
    let place = Place::find(&kustomize.directory, kustomize.root.as_deref())?;
    let engine = Engine::get().map_err(anyhow::Error::msg)?;
    let renderer = builtin::load(engine, "kustomize", crate::local::once())?.renderer()?;
    let request = RenderRequest {
        path: place.path,
        config: config(kustomize),
        context: nobody(),
    };
    let inputs = Inputs {
        tree: place.tree,
        revision: String::new(),
        cluster: None,
    };
    let mut documents = Vec::new();
    let mut write = |object: Object| {
        let yaml = sluice_yaml::emit_v2(&object.into_value());
        documents.push(match documents.is_empty() {
            true => yaml,
            false => format!("---\n{yaml}"),
        });
    };
    let answer = renderer.render_each(&request, inputs, &mut write);
    let answer = answer.map_err(|error| Below::root(&place.root, error))?;
    tell_findings(&answer.value);
    Ok(documents)
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct Line {
        #[command(flatten)]
        kustomize: Kustomize,
    }

    #[test]
    fn a_failure_says_where_its_paths_begin() {
        let folder = tempfile::tempdir().expect("a folder");
        let apps = folder.path().join("apps");
        std::fs::create_dir(&apps).expect("a folder");
        let root = folder.path().display().to_string();
        let line = Line::try_parse_from(["kustomize", "--root", &root, &apps.display().to_string()]);
        let error = run(&line.expect("flags").kustomize).expect_err("no kustomization");
        assert!(error.to_string().contains("directory '/apps'"), "{error}");
        let hint = crate::hint::hint(&error).expect("a hint");
        assert!(hint.ends_with(&root), "{hint}");
    }

    #[test]
    fn flags_for_charts_and_programs_are_refused_with_what_to_do_instead() {
        for (flag, instead) in [
            ("--enable-helm", "HelmRelease"),
            ("--enable-alpha-plugins", "transformer plugin"),
        ] {
            let line = Line::try_parse_from(["kustomize", flag]).expect("flags");
            let told = run(&line.kustomize).expect_err("a refusal").to_string();
            assert!(told.starts_with(flag) && told.contains(instead), "{told}");
        }
    }
}
