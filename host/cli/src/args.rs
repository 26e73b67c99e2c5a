//! The command line: verbs and flags as `flux` spells them.

use crate::commands::{artifact, build, completion, controller, dev, diff, get, install, reconcile, version};
use crate::connect::Connect;
use crate::demo;
use clap::{Parser, Subcommand};
use std::time::Duration;

/// Keeps Kubernetes equal to what Git says, and shows it.
#[derive(Parser, Debug)]
#[command(
    name = "sluice",
    version,
    about,
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) connect: Connect,
    /// The namespace of the objects
    #[arg(
        short,
        long,
        global = true,
        env = "FLUX_SYSTEM_NAMESPACE",
        default_value = "flux-system",
        value_name = "NAME",
        help_heading = "Cluster"
    )]
    pub(crate) namespace: String,
    /// How long to wait for one operation
    #[arg(long, global = true, default_value = "5m", value_parser = duration, value_name = "DURATION", help_heading = "Cluster")]
    pub(crate) timeout: Duration,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show the whole thing on this machine: commit, render, apply, health, drift
    Demo(demo::Demo),
    /// Run an API server and the controller in this process, for development
    Dev(dev::DevArgs),
    /// Render what a repository says
    #[command(subcommand)]
    Build(build::Build),
    /// Show what applying local files would change in the cluster
    #[command(subcommand)]
    Diff(diff::Diff),
    /// Show objects with their state
    #[command(subcommand)]
    Get(get::Get),
    /// Ask for a reconciliation now, and wait for it
    #[command(subcommand)]
    Reconcile(reconcile::Reconcile),
    /// Put something into a registry
    #[command(subcommand)]
    Push(artifact::Push),
    /// Bring something from a registry
    #[command(subcommand)]
    Pull(artifact::Pull),
    /// Show what a registry has
    #[command(subcommand)]
    List(artifact::List),
    /// Name something in a registry
    #[command(subcommand)]
    Tag(artifact::Tag),
    /// Print what a cluster needs
    Install(install::Install),
    /// Run the controller, in or against a cluster
    Controller(Box<controller::Controller>),
    /// Print a completion script for a shell
    Completion(completion::Completion),
    /// Print the version of the client, and of what runs in the cluster
    Version(version::Version),
}

/// A Go duration: `1h30m`, `500ms`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let read: Result<sluice_api::Duration, _> = text.parse();
    read.map(|duration| duration.get())
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_go_does() {
        assert_eq!(duration("1h30m"), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert!(duration("5").is_err());
        assert!(duration("").is_err());
        assert!(duration("9e99h").is_err());
    }
}
