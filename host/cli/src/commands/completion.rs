//! `sluice completion SHELL`.

use crate::args::Cli;
use crate::tell;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Args, Debug)]
pub(crate) struct Completion {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
}

pub(crate) fn run(completion: &Completion) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(completion.shell, &mut Cli::command(), "sluice", &mut script);
    tell::print(&String::from_utf8_lossy(&script))
}
