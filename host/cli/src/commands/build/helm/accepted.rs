//! Flags of `helm template` that change nothing of what it prints, so that a script need not be changed, and those that are
//! refused with the reason.

use crate::tell::Original;
use clap::{ArgAction, Args};

/// None of them is in the help: nobody who begins here needs one.
#[derive(Args, Debug)]
pub(crate) struct Accepted {
    /// Debugging output: what fails names its template, line and column without it
    #[arg(long, hide = true)]
    debug: bool,
    /// `client` is what is always done
    #[arg(long, hide = true, value_name = "client|server", num_args = 0..=1, require_equals = true,
        default_missing_value = "unset", conflicts_with = "validate")]
    dry_run: Option<String>,
    /// Deprecated in Helm too: the same as `--dry-run=server`
    #[arg(long, hide = true)]
    validate: bool,
    /// The names of machines are not asked for
    #[arg(long, hide = true)]
    enable_dns: bool,
    /// A program of the user's, which is not started
    #[arg(long, hide = true, value_name = "NAME")]
    post_renderer: Option<String>,
    /// What the install command does with custom resource definitions; `--include-crds` prints them all the same
    #[arg(long, hide = true)]
    skip_crds: bool,
    /// Manifests have no colors
    #[arg(long, hide = true, alias = "colour", value_parser = ["never", "auto", "always"])]
    color: Option<String>,
    #[arg(long, hide = true)]
    create_namespace: bool,
    #[arg(long, hide = true)]
    hide_notes: bool,
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    #[arg(long, hide = true)]
    replace: bool,
    #[arg(long, hide = true)]
    take_ownership: bool,
    #[arg(long, hide = true, alias = "force", conflicts_with = "force_conflicts")]
    force_replace: bool,
    #[arg(long, hide = true)]
    force_conflicts: bool,
    #[arg(long, hide = true, alias = "atomic")]
    rollback_on_failure: bool,
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "watcher")]
    wait: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    server_side: Option<String>,
    #[arg(long, hide = true)]
    description: Option<String>,
    #[arg(short = 'l', long, hide = true)]
    labels: Vec<String>,
    /// Which version of a chart to fetch: nothing is fetched here
    #[arg(long, hide = true)]
    version: Option<String>,
    #[arg(long, hide = true)]
    devel: bool,
}

impl Accepted {
    /// Refuses what would change the answer and cannot be done here.
    pub(super) fn check(&self) -> Result<(), Original> {
        let refused = |flag: &str, why: &str| Err(Original::new(format!("{flag} is not done here: {why}")));
        if self.validate {
            return refused("--validate", NO_CLUSTER);
        }
        if self.enable_dns {
            return refused(
                "--enable-dns",
                "a render is a pure function; pass the address as a value",
            );
        }
        if self.post_renderer.is_some() {
            let why =
                "no program is started; pipe the output through it, or through `sluice build kustomize`";
            return refused("--post-renderer", why);
        }
        match self.dry_run.as_deref() {
            None | Some("client" | "unset" | "1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(()),
            Some("server") => refused("--dry-run=server", NO_CLUSTER),
            Some(other) => Err(Original::new(format!(
                "invalid dry-run value ({other:?}). Must be \"server\" or \"client\""
            ))),
        }
    }
}

const NO_CLUSTER: &str = "no cluster is asked; `sluice diff kustomization` compares with one";
