//! `sluice dev`: an API server and the controller in one process, for development.

use crate::dev::{Dev, Repository, keep};
use crate::tell;
use anyhow::Result;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub(crate) struct DevArgs {
    /// The repository to keep: a URL, or a directory with a Git repository
    #[arg(long, value_name = "URL|DIR")]
    git: Option<String>,
    /// The branch of it; without it the repository's own
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// The directory of the repository with the kustomization
    #[arg(long, default_value = "./", value_name = "DIR")]
    path: String,
    /// Where the API server listens; a free port where this one is taken
    #[arg(long, default_value = "127.0.0.1:6443", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Keep state here; without it everything is gone afterwards
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The controller's log level: trace, debug, info or error
    #[arg(long, default_value = "info", value_name = "LEVEL")]
    log_level: String,
}

pub(crate) async fn run(args: &DevArgs) -> Result<()> {
    super::controller::start_logs(&args.log_level, super::controller::LogEncoding::Console)?;
    let mut dev = Dev::start(args.listen, args.data_dir.as_deref()).await?;
    if let Some(git) = &args.git {
        let kept = Repository {
            git: git.clone(),
            branch: args.branch.clone(),
            path: args.path.clone(),
        };
        keep(&dev.client(), &kept).await?;
    }
    tell::success(&format!("a development API server answers at {}", dev.url()));
    tell::action(&format!("export KUBECONFIG={}", dev.kubeconfig().display()));
    tell::waiting("ctrl-c stops it");
    tokio::select! {
        error = dev.failed() => return Err(error),
        () = super::controller::asked_to_stop() => {}
    }
    dev.stop().await
}
