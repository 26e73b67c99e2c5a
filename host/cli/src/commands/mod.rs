//! One file a verb.

pub(crate) mod artifact;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod completion;
pub(crate) mod controller;
pub(crate) mod create;
pub(crate) mod debug;
pub(crate) mod delete;
pub(crate) mod dev;
pub(crate) mod diff;
pub(crate) mod envsubst;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod get;
pub(crate) mod install;
pub(crate) mod logs;
pub(crate) mod reconcile;
pub(crate) mod resume;
pub(crate) mod stats;
pub(crate) mod suspend;
pub(crate) mod trace;
pub(crate) mod tree;
pub(crate) mod uninstall;
pub(crate) mod version;

use crate::args::{Cli, Command};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Runs the command that was asked for. Most know two ends; `diff` has a third.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let global = cli.global;
    let timeout = global.timeout;
    let done = match cli.command {
        Command::Diff(diff) => return diff::run(&diff, &global).await,
        Command::Demo(demo) => crate::demo::run(&demo).await,
        Command::Dev(dev) => dev::run(&dev).await,
        Command::Build(build) => within(timeout, build::run(build, &global)).await,
        Command::Get(get) if get.is_watched() => get::run(get, &global).await,
        Command::Get(get) => within(timeout, get::run(get, &global)).await,
        Command::Suspend(suspend) => within(timeout, suspend::run(suspend, &global)).await,
        Command::Resume(resume) => resume::run(resume, &global).await,
        Command::Envsubst(envsubst) => envsubst::run(&envsubst),
        Command::Events(events) if events.is_watched() => events::run(&events, &global).await,
        Command::Events(events) => within(timeout, events::run(&events, &global)).await,
        Command::Create(create) => create::run(*create, &global).await,
        Command::Export(export) => within(timeout, export::run(export, &global)).await,
        Command::Delete(delete) => delete::run(delete, &global).await,
        Command::Reconcile(reconcile) => reconcile::run(reconcile, &global).await,
        Command::Install(install) => Box::pin(install::run(&install, &global)).await,
        Command::Uninstall(uninstall) => Box::pin(uninstall::run(&uninstall, &global)).await,
        Command::Check(check) => return Box::pin(check::run(&check, &global)).await,
        Command::Tree(tree) => Box::pin(tree::run(&tree, &global)).await,
        Command::Trace(trace) => Box::pin(trace::run(&trace, &global)).await,
        Command::Logs(logs) if logs.is_followed() => Box::pin(logs::run(&logs, &global)).await,
        Command::Logs(logs) => within(timeout, Box::pin(logs::run(&logs, &global))).await,
        Command::Debug(debug) => Box::pin(debug::run(&debug, &global)).await,
        Command::Stats(stats) => within(timeout, Box::pin(stats::run(&stats, &global))).await,
        Command::Controller(controller) => controller::run(*controller, &global).await,
        Command::Push(artifact::Push::Artifact(push)) => artifact::push::run(push, &global).await,
        Command::Pull(artifact::Pull::Artifact(pull)) => artifact::pull::run(pull, &global).await,
        Command::List(artifact::List::Artifacts(list)) => artifact::list::run(list, &global).await,
        Command::Tag(artifact::Tag::Artifact(tag)) => artifact::tag::run(tag, &global).await,
        Command::Completion(completion) => completion::run(&completion),
        Command::Version(version) => within(timeout, version::run(&version, &global)).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// `--timeout`, of a command that does not keep it itself.
async fn within<T>(timeout: Duration, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match tokio::time::timeout(timeout, work).await {
        Ok(done) => done,
        Err(_) => anyhow::bail!("context deadline exceeded: not done within {timeout:?}; raise --timeout"),
    }
}

/// The same of what has had some of that time already.
async fn until<T>(deadline: Instant, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    match timeout_at(deadline, work).await {
        Ok(done) => done,
        Err(_) => anyhow::bail!("context deadline exceeded: not done in time; raise --timeout"),
    }
}
