//! Flags of `flux install` that change nothing of what is printed, checked as there so that a script need not be changed, and
//! those that are refused with the reason.

use super::FLUX_VERSION;
use anyhow::{Result, bail, ensure};
use clap::Args;
use std::path::PathBuf;

/// None of them is in the help: nobody who begins here needs one.
#[derive(Args, Debug)]
pub(super) struct Accepted {
    /// For the Secret of `--image-pull-secret`, which Flux does not print either
    #[arg(long, hide = true, value_name = "USER:PASSWORD")]
    registry_creds: Option<String>,
    /// There is one version
    #[arg(short = 'v', long, hide = true, value_name = "VERSION")]
    version: Option<String>,
    /// What is printed is part of this program
    #[arg(long, hide = true, value_name = "DIR")]
    manifests: Option<PathBuf>,
}

impl Accepted {
    /// Refuses what Flux refuses, and what would change the answer and cannot be done here.
    pub(super) fn check(&self, image_pull_secret: Option<&str>) -> Result<()> {
        if let Some(creds) = self.registry_creds() {
            ensure!(
                image_pull_secret.is_some(),
                "--registry-creds requires --image-pull-secret to be set"
            );
            ensure!(
                creds.split(':').count() == 2,
                "invalid --registry-creds format, expected 'user:password'"
            );
        }
        ensure!(
            self.manifests.is_none(),
            "--manifests is not done here: what is printed is part of this program; change it with a kustomization"
        );
        match self.version.as_deref().unwrap_or_default() {
            "" | "latest" | FLUX_VERSION => Ok(()),
            version if !version.starts_with('v') => {
                bail!("targeted version '{version}' must be prefixed with 'v'")
            }
            version => bail!(
                "targeted version '{version}' does not exist: this program does the work of {FLUX_VERSION}; leave --version out"
            ),
        }
    }

    /// What the Secret holds, which is not printed.
    pub(super) fn registry_creds(&self) -> Option<&str> {
        self.registry_creds.as_deref().filter(|creds| !creds.is_empty())
    }
}
