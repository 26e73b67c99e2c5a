//! `sluice completion SHELL`.

use crate::args::Cli;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

#[derive(Args, Debug)]
pub(crate) struct Completion {
    /// bash, zsh, fish, elvish or powershell
    shell: Shell,
}

pub(crate) fn run(completion: &Completion) -> anyhow::Result<()> {
    clap_complete::generate(
        completion.shell,
        &mut Cli::command(),
        "sluice",
        &mut std::io::stdout(),
    );
    Ok(())
}
