//! `sluice build`: renders here what the controller renders in the cluster, with the same code in the same sandbox. An artifact
//! is archived as it is.

mod helm;
mod kustomization;
mod kustomize;
mod masked;

use super::artifact::build as artifact;
use crate::args::Global;
use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand, Debug)]
pub(crate) enum Build {
    /// Render a directory with a kustomization, as `kustomize build` does
    Kustomize(kustomize::Kustomize),
    /// Render a directory as a Flux Kustomization says
    #[command(visible_alias = "ks")]
    Kustomization(kustomization::Kustomization),
    /// Render a chart, as `helm template` does
    Helm(Box<helm::Helm>),
    /// Archive a directory, as `push artifact` does
    Artifact(artifact::BuildArtifact),
}

impl Build {
    /// Takes back a namespace that the command line does not name: the environment names that of Flux's objects, which is none
    /// of a release.
    pub(crate) fn forget_namespace(&mut self) {
        if let Self::Helm(helm) = self {
            helm.forget_namespace();
        }
    }
}

pub(crate) async fn run(build: Build, global: &Global) -> Result<()> {
    match build {
        Build::Kustomize(kustomize) => kustomize::run(&kustomize),
        Build::Kustomization(kustomization) => kustomization::run(kustomization, global).await,
        Build::Helm(helm) => helm::run(&helm),
        Build::Artifact(build) => artifact::run(&build),
    }
}
