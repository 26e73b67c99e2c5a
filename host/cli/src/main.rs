//! The `sluice` binary: the controller, the development cluster and the command line in one.
//!
//! Progress goes to standard error, data to standard output, as `flux` does.
//! Start at [`args`]; each command is one file in `commands/`.
//!
//! **Invariant:** this is the only room that prints, by [`tell`] and by the demo's view, and the only one that reads flags and
//! the environment.
#![forbid(unsafe_code)]

mod args;
mod assemble;
mod changes;
mod commands;
mod confirm;
mod connect;
mod demo;
mod dev;
mod hint;
mod installed;
mod kinds;
mod local;
mod panics;
#[cfg(test)]
mod reference;
mod subject;
mod table;
mod target;
mod tell;
mod tenancy;

use std::process::ExitCode;

// glibc's allocator keeps what many threads freed; a controller must give it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    panics::install(tell::failure);
    // One TLS provider for every crate: two in one process panic at the first connection.
    let _ = rustls::crypto::ring::default_provider().install_default();
    raise_descriptor_limit();
    let cli = match args::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(unread) => return unread.tell(),
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let is_server = matches!(
        cli.command,
        args::Command::Controller(_) | args::Command::Dev(_) | args::Command::Demo(_)
    );
    // plugins are called on its blocking threads
    runtime.thread_stack_size(sluice_wasm::THREAD_STACK_BYTES);
    if matches!(cli.command, args::Command::Controller(_)) {
        // Its tasks only wait and pass on: waking a second thread for them costs more than it brings. Whatever computes
        // for long runs on the blocking threads (ADR 0026).
        runtime.worker_threads(1);
    }
    let runtime = match runtime.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tell::failure(&format!("cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            tell::error(&error);
            ExitCode::FAILURE
        }
    };
    if !is_server {
        // whoever was told that the time is over does not wait for what went on: a helper that hangs, a file that is unpacked
        runtime.shutdown_background();
    }
    code
}

/// Takes as many file descriptors as this process may have, as Go's runtime does: the usual soft limit of 1024 is there for
/// programs that use `select`. Where that is refused, the limit stays, and whatever meets it says so.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    );
}
