//! The command line: verbs and flags as `flux` spells them.

use crate::commands::{artifact, build, completion, controller, dev, diff, get, install, reconcile, version};
use crate::connect::Connect;
use crate::demo;
use clap::{ArgAction, Parser, Subcommand};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::OsString;
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
        default_value = DEFAULT_NAMESPACE,
        value_parser = namespace,
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

const DEFAULT_NAMESPACE: &str = "flux-system";

/// A DNS label (RFC 1123); an empty variable of the environment says nothing.
fn namespace(text: &str) -> Result<String, String> {
    let is_inside = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    match text {
        "" => Ok(DEFAULT_NAMESPACE.to_owned()),
        _ if text.len() <= 63
            && text.chars().all(is_inside)
            && !text.starts_with('-')
            && !text.ends_with('-') =>
        {
            Ok(text.to_owned())
        }
        _ => Err(format!("namespace must be a valid DNS label: {text:?}")),
    }
}

/// The name of an object, which becomes one segment of a path.
pub(crate) fn name(text: &str) -> Result<String, String> {
    match text.is_empty() || text.contains(['/', '?', '#', '%']) || text == "." || text == ".." {
        true => Err(format!("{text:?} is no name of an object")),
        false => Ok(text.to_owned()),
    }
}

/// Writes `--watch=true` as `--watch`, and leaves `--watch=false` out, as Go's flags may be written: of flags without a value,
/// and in Go's words for those with true or false.
pub(crate) fn as_in_go(command: &clap::Command, args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut switches = BTreeMap::new();
    collect_switches(command, &mut switches);
    let rewritten = args.filter_map(|arg| {
        let said = arg
            .to_str()
            .and_then(|text| text.strip_prefix("--")?.split_once('='));
        let Some((flag, value)) = said else {
            return Some(arg);
        };
        match (switches.get(flag), go_bool(value)) {
            (Some(Switch::Bare), Some(true)) => Some(format!("--{flag}").into()),
            (Some(Switch::Bare), Some(false)) => None,
            (Some(Switch::Valued), Some(is)) => Some(format!("--{flag}={is}").into()),
            _ => Some(arg),
        }
    });
    rewritten.collect()
}

/// How a flag that is true or false is written for us.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Switch {
    Bare,
    Valued,
    /// In one command like this, in another like that.
    Mixed,
}

fn collect_switches(command: &clap::Command, switches: &mut BTreeMap<String, Switch>) {
    for arg in command.get_arguments() {
        let Some(name) = arg.get_long() else { continue };
        let switch = match arg.get_action() {
            ArgAction::SetTrue => Switch::Bare,
            ArgAction::Set if arg.get_value_parser().type_id() == TypeId::of::<bool>() => Switch::Valued,
            _ => Switch::Mixed,
        };
        let known = switches.entry(name.to_owned()).or_insert(switch);
        if *known != switch {
            *known = Switch::Mixed;
        }
    }
    command
        .get_subcommands()
        .for_each(|command| collect_switches(command, switches));
}

/// `strconv.ParseBool`.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
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
    fn switches_are_written_as_in_go() {
        let read = |text: &str| {
            let args = as_in_go(&Cli::command(), text.split(' ').map(OsString::from));
            args.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
        };
        for (written, read_as) in [
            ("sluice get ks --watch=true -A", "sluice get ks --watch -A"),
            ("sluice get ks --watch=f", "sluice get ks"),
            ("sluice get ks --watch=perhaps", "sluice get ks --watch=perhaps"),
            (
                "sluice controller --enable-leader-election=1",
                "sluice controller --enable-leader-election=true",
            ),
            (
                "sluice build helm c --set=a=true",
                "sluice build helm c --set=a=true",
            ),
        ] {
            assert_eq!(read(written), read_as);
        }
    }

    #[test]
    fn namespaces_are_labels_and_names_are_segments() {
        assert_eq!(namespace(""), Ok("flux-system".to_owned()));
        assert_eq!(namespace("team-a"), Ok("team-a".to_owned()));
        for wrong in ["Bad_NS", "-a", "a-", "../../api", &"a".repeat(64)] {
            assert_eq!(
                namespace(wrong),
                Err(format!("namespace must be a valid DNS label: {wrong:?}"))
            );
        }
        assert!(name("x/../y").is_err() && name("..").is_err() && name("a.b").is_ok());
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
