//! Runs a development API server until it is interrupted: `cargo run -p sluice-devcluster --example serve -- KUBECONFIG [PORT [bare]]`.
//! `bare` runs no controllers: what a kube-apiserver alone does.
#![allow(clippy::print_stdout)] // a program for people at a terminal

use sluice_devcluster::{Config, DevCluster};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let kubeconfig = args.next().ok_or("say where the kubeconfig is to be written")?;
    let port: u16 = args.next().map_or(Ok(0), |port| port.parse())?;
    let has_controllers = args.next().as_deref() != Some("bare");
    let config = Config {
        listen: ([127, 0, 0, 1], port).into(),
        simulate_workloads: has_controllers,
        collect_garbage: has_controllers,
        ..Config::default()
    };
    let cluster = DevCluster::start(config).await?;
    std::fs::write(&kubeconfig, cluster.kubeconfig())?;
    println!(
        "development API server at {}, kubeconfig in {kubeconfig}",
        cluster.url
    );
    tokio::signal::ctrl_c().await?;
    cluster.shutdown().await;
    Ok(())
}
