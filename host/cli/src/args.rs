//! The command line: verbs and flags as `flux` spells them.

use crate::commands::{
    artifact, build, check, completion, controller, create, debug, delete, dev, diff, envsubst, events,
    export, get, install, logs, reconcile, resume, stats, trace, tree, uninstall, version,
};
use crate::connect::Connect;
use crate::subject::{Names, OfKind};
use crate::{demo, tell};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgAction, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

// of a flag that takes one value the last one counts, as in Go: patches of manifests append theirs
/// Keeps Kubernetes equal to what Git says, and shows it.
#[derive(Parser, Debug)]
#[command(
    name = "sluice",
    version,
    args_override_self = true,
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub(crate) struct Line<C: Subcommand> {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: C,
}

/// A command line of any command.
pub(crate) type Cli = Line<Command>;

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
    /// Take the namespace of the kubeconfig's context where --namespace is not given; FLUX_NS_FOLLOWS_KUBE_CONTEXT asks for it too
    #[arg(long, global = true, help_heading = "Cluster")]
    ns_follows_kube_context: bool,
    /// How long to wait for one operation
    #[arg(long, global = true, default_value = "5m", value_parser = duration, value_name = "DURATION", help_heading = "Cluster")]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    accepted: Accepted,
}

/// What `flux` knows and nothing here needs: scripts that say it go on working.
#[derive(clap::Args, Clone, Debug)]
#[allow(dead_code)] // read by the command line alone
struct Accepted {
    /// Errors are always told whole.
    #[arg(long, global = true, hide = true)]
    verbose: bool,
    /// Nothing is cached.
    #[arg(long, global = true, hide = true, value_name = "DIR")]
    cache_dir: Option<PathBuf>,
    /// The API server's priority and fairness says how much may be asked.
    #[arg(long, global = true, hide = true, default_value_t = 50.0, value_name = "QPS")]
    kube_api_qps: f32,
    /// The same.
    #[arg(long, global = true, hide = true, default_value_t = 300, value_name = "COUNT")]
    kube_api_burst: u32,
}

impl Global {
    /// Takes the namespace of the kubeconfig's context, where that is asked for; one that is named by the flag stays.
    fn follow_context(&mut self) {
        let variable = std::env::var_os("FLUX_NS_FOLLOWS_KUBE_CONTEXT");
        if !self.ns_follows_kube_context && variable.is_none_or(|said| said.is_empty()) {
            return;
        }
        let of_context = self.connect.namespace();
        if let Some(Ok(of_context)) = of_context.as_deref().map(namespace) {
            self.namespace = of_context;
        }
    }
}

/// Reads a command line; where there is nothing to run, what is to be told instead.
pub(crate) fn read(args: impl Iterator<Item = OsString>) -> Result<Cli, Box<Unread>> {
    let args: Vec<OsString> = args.collect();
    match args.get(1) {
        Some(first) if first == "build" => read_as::<OnlyBuild>(args),
        _ => read_as::<Command>(args),
    }
}

/// Reads a command line of some commands.
fn read_as<C: Subcommand + Into<Command>>(args: Vec<OsString>) -> Result<Cli, Box<Unread>> {
    let mut command = Line::<C>::command();
    let args = as_in_go(&command, args);
    let unread = |error: clap::Error| {
        // what else is wrong does not matter here
        let lenient = Line::<C>::command()
            .ignore_errors(true)
            .try_get_matches_from(&args);
        Box::new(Unread {
            error,
            is_diff: lenient.is_ok_and(|matches| matches.subcommand_name() == Some("diff")),
        })
    };
    let matches = command.try_get_matches_from_mut(&args).map_err(unread)?;
    let line = Line::<C>::from_arg_matches(&matches).map_err(unread)?;
    let mut cli = Cli {
        global: line.global,
        command: line.command.into(),
    };
    if let Command::Create(create) = &cli.command
        && create.has_own_token()
    {
        cli.global.connect.forget_token();
    }
    if matches.value_source("namespace") != Some(ValueSource::CommandLine) {
        cli.global.follow_context();
        if let Command::Build(build) = &mut cli.command {
            build.forget_namespace();
        }
    }
    Ok(cli)
}

/// Words of `flux` for what is not there yet. Where one is a command here, it is read as that.
const ONLY_IN_FLUX: &[&str] = &[
    "alert",
    "alerts",
    "alert-provider",
    "alert-providers",
    "artifact",
    "artifacts",
    "bootstrap",
    "helmrelease",
    "helmreleases",
    "hr",
    "image",
    "images",
    "migrate",
    "receiver",
    "receivers",
];

/// A command line that says nothing that can be run: help was asked for, or it makes no sense.
#[derive(Debug)]
pub(crate) struct Unread {
    error: clap::Error,
    is_diff: bool,
}

impl Unread {
    /// Whether help is the answer, as to a command without the rest of it.
    fn is_help(&self) -> bool {
        use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
        let kind = self.error.kind();
        matches!(
            kind,
            DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand | DisplayVersion
        )
    }

    /// `flux` ends with 1 whatever is wrong. 1 of `diff` says that something would change.
    fn code(&self) -> u8 {
        match (self.is_help(), self.is_diff) {
            (true, _) => 0,
            (false, true) => diff::FAILED,
            (false, false) => 1,
        }
    }

    /// What to do about a command of `flux` that is not there.
    fn hint(&self) -> Option<&'static str> {
        if self.error.kind() != ErrorKind::InvalidSubcommand {
            return None;
        }
        match self.error.get(ContextKind::InvalidSubcommand) {
            Some(ContextValue::String(name)) if ONLY_IN_FLUX.contains(&name.as_str()) => Some(
                "`flux` has this command, and works with what is installed here; COMPATIBILITY.md says which commands are there",
            ),
            _ => None,
        }
    }

    /// Tells it, and how the process ends.
    pub(crate) fn tell(&self) -> ExitCode {
        let text = self.error.render();
        if self.is_help() {
            let _unread = match std::io::stdout().is_terminal() {
                true => tell::print(&text.ansi().to_string()),
                false => tell::print(&text.to_string()),
            };
        } else {
            let text = text.to_string();
            tell::failure(text.strip_prefix("error: ").unwrap_or(&text).trim_end());
            if let Some(hint) = self.hint() {
                tell::hint(hint);
            }
        }
        ExitCode::from(self.code())
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show the whole thing on this machine: commit, render, apply, health, drift
    Demo(demo::Demo),
    /// Run an API server and the controller in this process, for development
    Dev(dev::DevArgs),
    /// Render what a repository says, or archive it
    #[command(subcommand)]
    Build(build::Build),
    /// Show what applying local files would change in the cluster, or whether an artifact has other files
    #[command(subcommand)]
    Diff(diff::Diff),
    /// Show objects with their state
    #[command(subcommand)]
    Get(get::Get),
    /// Ask for a reconciliation now, and wait for it
    #[command(subcommand)]
    Reconcile(reconcile::Reconcile),
    /// Switch the reconciliation of objects off
    #[command(subcommand)]
    Suspend(OfKind<Names>),
    /// Switch the reconciliation of objects on again, and wait for it
    #[command(subcommand)]
    Resume(OfKind<resume::Resume>),
    /// Replace the variables of the environment in a text
    Envsubst(envsubst::Envsubst),
    /// Show the cluster's events of objects
    Events(events::Events),
    /// Make an object of flags, or change it, or print it
    #[command(subcommand)]
    Create(Box<create::Create>),
    /// Print objects as they would be written into a repository
    #[command(subcommand)]
    Export(export::Export),
    /// Delete an object
    #[command(subcommand)]
    Delete(OfKind<delete::Delete>),
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
    /// Put what a cluster needs into it, or print it
    Install(install::Install),
    /// Take an installation out of a cluster, and leave what it applied
    Uninstall(uninstall::Uninstall),
    /// Check whether a cluster can be installed on, and whether what is installed works
    Check(check::Check),
    /// Show what an object has applied
    #[command(subcommand)]
    Tree(tree::Tree),
    /// Show who made objects, from which source in which revision
    Trace(trace::Trace),
    /// Show what the controllers say of objects
    Logs(logs::Logs),
    /// Show what an object reports and works with
    #[command(subcommand)]
    Debug(debug::Debug),
    /// Show how many objects are reconciled, and how many fail
    Stats(stats::Stats),
    /// Run the controller, in or against a cluster
    Controller(Box<controller::Controller>),
    /// Print a completion script for a shell
    Completion(completion::Completion),
    /// Print the version of the client, and of what runs in the cluster
    Version(version::Version),
}

/// The command that is called for every small render: the tree of all the others would be a tenth of its memory.
#[derive(Subcommand, Debug)]
enum OnlyBuild {
    /// Render what a repository says, or archive it
    #[command(subcommand)]
    Build(build::Build),
}

impl From<OnlyBuild> for Command {
    fn from(OnlyBuild::Build(build): OnlyBuild) -> Self {
        Self::Build(build)
    }
}

/// Where Flux is installed unless told otherwise.
pub(crate) const DEFAULT_NAMESPACE: &str = "flux-system";

/// A DNS label (RFC 1123); an empty variable of the environment says nothing.
pub(crate) fn namespace(text: &str) -> Result<String, String> {
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

/// A path that may be left empty: what needs one says so in Flux's words.
pub(crate) fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Writes a command line of Go's flags as ours reads it, each flag by what it is in its command:
///
/// | written | read |
/// |---|---|
/// | `--watch=true`, `-w=1` | `--watch`, `-w` |
/// | `--watch --watch=false` | nothing: the last one counts |
/// | `--wait=f` of a flag with true or false | `--wait=false` |
/// | `--branch -main`, where `-main` is no flag | `--branch=-main` |
/// | `help get` | `get --help` |
///
/// What follows `--` stays as it is.
fn as_in_go(command: &clap::Command, mut args: Vec<OsString>) -> Vec<OsString> {
    if args.get(1).is_some_and(|first| first == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    let mut args = args.into_iter().peekable();
    let mut written: Vec<OsString> = args.next().into_iter().collect();
    let mut commands = vec![command];
    while let Some(arg) = args.next() {
        if arg == "--" {
            written.push(arg);
            written.extend(args.by_ref());
            continue;
        }
        let Some(said) = arg.to_str().and_then(Said::read) else {
            let below = commands.last().copied();
            commands.extend(below.and_then(|command| command.find_subcommand(&arg)));
            written.push(arg);
            continue;
        };
        let Some(known) = said.of(&commands) else {
            written.push(arg);
            continue;
        };
        let is_switch = matches!(known.get_action(), ArgAction::SetTrue);
        let is_bool = known.get_value_parser().type_id() == TypeId::of::<bool>();
        match said.value.map(go_bool) {
            Some(Some(true)) if is_switch => written.push(said.flag.into()),
            Some(Some(false)) if is_switch => {
                let is_same = |earlier: &OsString| {
                    let earlier = earlier.to_str().and_then(Said::read);
                    earlier.is_some_and(|earlier| earlier.is(known) && earlier.value.is_none())
                };
                written.retain(|earlier| !is_same(earlier));
            }
            Some(Some(is)) if is_bool => written.push(format!("{}={is}", said.flag).into()),
            None if known.get_action().takes_values() && !known.is_require_equals_set() => {
                match args.next_if(|next| is_value(next, known, &commands)) {
                    Some(value) if value.as_encoded_bytes().starts_with(b"-") => {
                        let mut joined = OsString::from(said.flag);
                        joined.push("=");
                        joined.push(value);
                        written.push(joined);
                    }
                    value => {
                        written.push(arg);
                        written.extend(value);
                    }
                }
            }
            _ => written.push(arg),
        }
    }
    written
}

/// Whether what follows a flag that wants a value is that value. In Go it always is; a flag that is known here was rather
/// meant as one, and that the value is missing is worth an error.
fn is_value(next: &OsStr, flag: &clap::Arg, commands: &[&clap::Command]) -> bool {
    if flag.is_allow_hyphen_values_set() {
        return true;
    }
    let is_known = |said: Said<'_>| said.of(commands).is_some() || matches!(said.flag, "-h" | "--help");
    next != "--" && !next.to_str().and_then(Said::read).is_some_and(is_known)
}

/// A flag as it is written: `--name`, `-n`, and with `=` its value.
#[derive(Clone, Copy)]
struct Said<'a> {
    flag: &'a str,
    value: Option<&'a str>,
}

impl<'a> Said<'a> {
    /// Of several short flags in one, such as `-Aw`, there is nothing to write in another way.
    fn read(text: &'a str) -> Option<Self> {
        let (flag, value) = match text.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (text, None),
        };
        let is_flag = match flag.strip_prefix("--") {
            Some(name) => !name.is_empty(),
            None => flag
                .strip_prefix('-')
                .is_some_and(|name| name.chars().count() == 1),
        };
        is_flag.then_some(Self { flag, value })
    }

    fn is(self, arg: &clap::Arg) -> bool {
        match self.flag.strip_prefix("--") {
            Some(name) => {
                arg.get_long() == Some(name)
                    || arg
                        .get_all_aliases()
                        .is_some_and(|aliases| aliases.contains(&name))
            }
            None => self.flag.chars().nth(1) == arg.get_short() && arg.get_short().is_some(),
        }
    }

    /// The flag of the innermost command that has it.
    fn of<'c>(self, commands: &[&'c clap::Command]) -> Option<&'c clap::Arg> {
        let mut flags = commands
            .iter()
            .rev()
            .copied()
            .flat_map(clap::Command::get_arguments);
        flags.find(|arg| self.is(arg))
    }
}

/// `strconv.ParseBool`.
pub(crate) fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A flag with true or false that may be left out altogether.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    go_bool(text).ok_or_else(|| "expected true or false".to_owned())
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

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        let about = Cli::command().get_about().unwrap().to_string();
        assert_eq!(about, "Keeps Kubernetes equal to what Git says, and shows it");
    }

    #[test]
    fn build_alone_is_read_as_among_all_commands() {
        fn check(command: &clap::Command, path: &mut Vec<OsString>) {
            let name = command.get_name().to_owned();
            path.push(name.into());
            for said in ["--help", "--no-such-flag"] {
                let mut args = path.clone();
                args.push(said.into());
                let told =
                    |read: Result<Cli, Box<Unread>>| read.unwrap_err().error.render().ansi().to_string();
                assert_eq!(
                    told(read_as::<OnlyBuild>(args.clone())),
                    told(read_as::<Command>(args))
                );
            }
            for command in command.get_subcommands() {
                check(command, path);
            }
            path.pop();
        }
        let all = Cli::command();
        check(all.find_subcommand("build").unwrap(), &mut vec!["sluice".into()]);
        let line = [
            "sluice",
            "build",
            "helm",
            "web",
            "./chart",
            "-n",
            "apps",
            "--timeout=1m",
        ]
        .map(OsString::from);
        let read = |read: Result<Cli, Box<Unread>>| format!("{:?}", read.unwrap());
        assert_eq!(
            read(read_as::<OnlyBuild>(line.to_vec())),
            read(read_as::<Command>(line.to_vec()))
        );
    }

    /// A flag of a command that has the name of one of all commands is that flag: what is read is one value, of one type.
    #[test]
    fn flags_of_all_commands_are_of_one_type() {
        fn check(command: &clap::Command, all: &[clap::Arg]) {
            for arg in command.get_arguments() {
                let namesake = all.iter().find(|of_all| {
                    of_all.get_id() == arg.get_id()
                        || of_all.get_long() == arg.get_long() && arg.get_long().is_some()
                });
                let Some(of_all) = namesake else { continue };
                let shape = |arg: &clap::Arg| {
                    (
                        arg.get_id().clone(),
                        arg.get_long().map(str::to_owned),
                        arg.get_value_parser().type_id(),
                        format!("{:?}", arg.get_action()),
                    )
                };
                assert_eq!(shape(arg), shape(of_all), "{}", command.get_name());
            }
            for command in command.get_subcommands() {
                check(command, all);
            }
        }
        let command = Cli::command();
        let all: Vec<clap::Arg> = command
            .get_arguments()
            .filter(|arg| arg.is_global_set())
            .cloned()
            .collect();
        assert!(all.len() > 15, "{}", all.len());
        check(&command, &all);
    }

    #[test]
    fn switches_are_written_as_in_go() {
        let read = |text: &str| {
            let args = as_in_go(&Cli::command(), text.split(' ').map(OsString::from).collect());
            args.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
        };
        for (written, read_as) in [
            ("sluice get ks --watch=true -A", "sluice get ks --watch -A"),
            ("sluice get ks --watch=f", "sluice get ks"),
            ("sluice get ks -A=true -w=0", "sluice get ks -A"),
            // the last one counts, however it is written
            ("sluice get ks --watch -w=true --watch=false", "sluice get ks"),
            ("sluice get ks --watch=false --watch", "sluice get ks --watch"),
            ("sluice get ks --watch=perhaps", "sluice get ks --watch=perhaps"),
            (
                "sluice controller --enable-leader-election=1",
                "sluice controller --enable-leader-election=true",
            ),
            // of a name that is a flag with a value elsewhere
            (
                "sluice build ks web --dry-run=true",
                "sluice build ks web --dry-run",
            ),
            (
                "sluice -n build build ks web --dry-run=0",
                "sluice -n build build ks web",
            ),
            (
                "sluice create ks apps --wait=F --prune=T",
                "sluice create ks apps --wait=false --prune",
            ),
            (
                "sluice build helm c --set=a=true --set -b=1",
                "sluice build helm c --set=a=true --set=-b=1",
            ),
            (
                "sluice create source git apps --branch -main --export",
                "sluice create source git apps --branch=-main --export",
            ),
            ("sluice get ks -n -x", "sluice get ks -n=-x"),
            // the value is missing rather
            (
                "sluice create source git apps --branch --export=true",
                "sluice create source git apps --branch --export",
            ),
            ("sluice get ks -n --help", "sluice get ks -n --help"),
            ("sluice get ks -- --watch=true", "sluice get ks -- --watch=true"),
            ("sluice help get ks", "sluice get ks --help"),
        ] {
            assert_eq!(read(written), read_as);
        }
    }

    /// Every flag of every command that is true or false is written in all of Go's ways.
    #[test]
    fn every_switch_of_every_command_is_one_of_go() {
        fn check(command: &clap::Command, line: &str, checked: &mut usize) {
            for arg in command.get_arguments() {
                let is_switch = matches!(arg.get_action(), ArgAction::SetTrue);
                let is_bool = arg.get_value_parser().type_id() == TypeId::of::<bool>();
                let Some(name) = arg.get_long().filter(|_| is_switch || is_bool) else {
                    continue;
                };
                *checked += 1;
                let read = |value: &str| {
                    let line = format!("{line} --{name}={value}");
                    let args = as_in_go(&Cli::command(), line.split(' ').map(OsString::from).collect());
                    args.join(OsStr::new(" ")).into_string().unwrap()
                };
                let (on, off) = match is_switch {
                    true => (format!("{line} --{name}"), line.to_owned()),
                    false => (format!("{line} --{name}=true"), format!("{line} --{name}=false")),
                };
                assert_eq!((read("T"), read("FALSE")), (on, off));
            }
            for below in command.get_subcommands() {
                check(below, &format!("{line} {}", below.get_name()), checked);
            }
        }
        let mut checked = 0;
        check(&Cli::command(), "sluice", &mut checked);
        assert!(checked > 50, "{checked}");
    }

    #[test]
    fn where_a_flag_is_given_twice_the_last_one_counts() {
        let line = "sluice get ks -n one --watch --timeout=1s -n two --watch --timeout=2s";
        let cli = read(line.split(' ').map(OsString::from)).unwrap();
        assert_eq!(cli.global.namespace, "two");
        assert_eq!(cli.global.timeout, Duration::from_secs(2));
    }

    #[test]
    fn what_cannot_be_read_ends_as_with_flux() {
        let code = |text: &str| {
            let unread = read(text.split(' ').map(OsString::from)).unwrap_err();
            (unread.code(), unread.error.to_string())
        };
        for (line, expected) in [
            ("sluice", 0),
            ("sluice get", 0),
            ("sluice get sources", 0),
            ("sluice help", 0),
            ("sluice diff ks --help", 0),
            ("sluice reconcile ks a b", 1),
            ("sluice get ks --nonsense", 1),
            ("sluice get sources git --show-source", 1),
            ("sluice nonsense", 1),
            ("sluice -n Bad_NS get ks", 1),
            // 1 would say that something changes
            ("sluice diff ks apps --path", 2),
            ("sluice -n team diff ks --nonsense", 2),
        ] {
            let (code, told) = code(line);
            assert_eq!(code, expected, "{line}: {told}");
        }
    }

    #[test]
    fn commands_that_only_flux_has_are_known() {
        let hint = |line: &str| read(line.split(' ').map(OsString::from)).unwrap_err().hint();
        for line in [
            "sluice bootstrap github --owner=a",
            "sluice create hr a",
            "sluice migrate -f .",
        ] {
            assert!(
                hint(line).is_some_and(|hint| hint.contains("COMPATIBILITY.md")),
                "{line}"
            );
        }
        assert_eq!(hint("sluice gett ks"), None);
        assert_eq!(hint("sluice get ks --nonsense"), None);
    }

    #[test]
    fn the_namespace_of_the_context_is_taken_where_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        let text =
            "{current-context: a, contexts: [{name: a, context: {cluster: a, user: a, namespace: team}}]}";
        std::fs::write(&file, text).unwrap();
        let kubeconfig = format!("--kubeconfig={}", file.display());
        let read = |flags: &[&str]| {
            let line = ["sluice", "get", "ks", &kubeconfig];
            let line = line.iter().chain(flags).map(OsString::from);
            read(line).unwrap().global.namespace
        };
        assert_eq!(read(&[]), DEFAULT_NAMESPACE);
        assert_eq!(read(&["--ns-follows-kube-context"]), "team");
        assert_eq!(read(&["--ns-follows-kube-context", "-n=mine"]), "mine");
    }

    #[test]
    fn the_token_of_a_webhook_is_nobodys_credential() {
        let read = |text: &str| {
            let cli = read(text.split(' ').map(OsString::from)).unwrap();
            format!("{:?}", cli.global.connect)
        };
        assert!(!read("sluice create secret receiver hook --token=hunter2").contains("hunter2"));
        assert!(read("sluice create secret proxy apps --token=hunter2").contains("hunter2"));
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
