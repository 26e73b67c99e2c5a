//! The page with all commands and flags, made from the command line itself.
//! `UPDATE_EXPECT=1 cargo test -p sluice the_page_of_commands` writes it anew.

use crate::args::Cli;
use clap::{Arg, Command, CommandFactory as _};
use std::any::TypeId;
use std::path::Path;

const HEAD: &str = "\
# Commands and flags

<!-- generated from host/cli by `UPDATE_EXPECT=1 cargo test -p sluice the_page_of_commands` -->

Flags are written as Go reads them: `--flag`, `--flag=false`, `--flag=value` or `--flag value`; the last one counts.
What is accepted and means nothing is there for scripts that were written for `flux`.
`COMPATIBILITY.md` says what differs from it.
";

#[test]
fn the_page_of_commands_is_current() {
    let mut command = Cli::command();
    command.build();
    let globals: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| arg.is_global_set())
        .collect();
    let mut page = format!("{HEAD}\n## Flags of every command\n{}", flags(&globals));
    for below in subcommands(&command) {
        tell(below, "sluice", 2, &mut page);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/commands.md");
    expect_test::expect_file![file].assert_eq(&page);
}

/// A command with its own flags, and the commands below it.
fn tell(command: &Command, above: &str, level: usize, page: &mut String) {
    let name = format!("{above} {}", command.get_name());
    let positionals = command.get_positionals().map(|arg| format!(" {arg}"));
    let usage: String = positionals.collect();
    page.push_str(&format!(
        "\n{} `{name}{usage}`\n\n{}.\n",
        "#".repeat(level),
        plain(command.get_about())
    ));
    let aliases: Vec<String> = command
        .get_visible_aliases()
        .map(|alias| format!("`{alias}`"))
        .collect();
    if !aliases.is_empty() {
        page.push_str(&format!("Also {}.\n", aliases.join(", ")));
    }
    let own = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !["help", "version"].contains(&arg.get_id().as_str()));
    page.push_str(&flags(&own.collect::<Vec<_>>()));
    for below in subcommands(command) {
        tell(below, &name, (level + 1).min(4), page);
    }
}

/// The commands below one, without the `help` that every group has.
fn subcommands(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|below| below.get_name() != "help")
}

/// A table of flags and arguments, and below it the names of those that mean nothing.
fn flags(args: &[&Arg]) -> String {
    let (hidden, shown): (Vec<&Arg>, Vec<&Arg>) = args.iter().copied().partition(|arg| arg.is_hide_set());
    let mut text = String::new();
    if !shown.is_empty() {
        text.push_str("\n| flag | default | what |\n|---|---|---|\n");
        text.extend(shown.into_iter().map(row));
    }
    let hidden: Vec<String> = hidden
        .iter()
        .filter_map(|arg| arg.get_long())
        .map(|name| format!("`--{name}`"))
        .collect();
    if !hidden.is_empty() {
        text.push_str(&format!(
            "\nNot in the help, for scripts only: {}.\n",
            hidden.join(", ")
        ));
    }
    text
}

fn row(arg: &Arg) -> String {
    let short = arg.get_short().filter(|_| arg.get_long().is_some());
    let short = short.map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let mut what = plain(arg.get_help());
    let is_bool = arg.get_value_parser().type_id() == TypeId::of::<bool>();
    let possible: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !is_bool && !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !possible.is_empty() {
        what.push_str(&format!(": {}", possible.join(", ")));
    }
    if let Some(variable) = arg.get_env() {
        what.push_str(&format!(" (`{}`)", variable.to_string_lossy()));
    }
    // a switch is off, and nobody needs to be told
    let takes_values = arg.get_action().takes_values() && !arg.is_hide_default_value_set();
    let defaults: Vec<String> = arg
        .get_default_values()
        .iter()
        .filter(|default| takes_values && !default.is_empty())
        .map(|default| format!("`{}`", cell(&default.to_string_lossy())))
        .collect();
    let written = cell(&arg.to_string());
    format!(
        "| {short}`{written}` | {} | {} |\n",
        defaults.join(", "),
        cell(&what)
    )
}

fn plain(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// Text that leaves the table as it is.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
