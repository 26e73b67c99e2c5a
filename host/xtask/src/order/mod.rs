//! `cargo xtask order`: learns which functions the program and its plugins run, and writes them down in that order.
//!
//! The linker puts the functions of `host/cli/functions.order` side by side, `cargo xtask plugins` those of
//! `plugins/*/functions.order`. The system maps code in windows of 64 KiB: spread over the whole program, little code that
//! runs holds much memory (ADR 0032). A name that is no longer there is passed over, a function that is not named stands
//! behind those that are, so that an old list costs memory and nothing else.

pub(crate) mod guest;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod learn;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod trace;

/// Builds the program as it is shipped, with names, or takes the one that is named, and lets it do the work of `learn`.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) fn run(args: &[String]) -> anyhow::Result<()> {
    learn::run(args)
}

/// Where nothing can be learned.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(crate) fn run(_: &[String]) -> anyhow::Result<()> {
    anyhow::bail!("functions are put in order for x86-64 Linux only: run this there")
}
