//! `requests build|record|compare [--kubeconfig FILE | --url URL] [SCENARIO…]`
//!
//! `build` only makes sure that the programs of a real cluster are there.
//! Without a server named, a real one is started (Go or its built programs are needed).
#![allow(clippy::print_stdout, clippy::print_stderr)] // this is a program for people at a terminal

use anyhow::{Context as _, bail};
use serde_json::Value;
use sluice_cluster_tests::{Scenario, Server, all, compare, folder, play, read, write};
use sluice_testkit::cluster::{Binaries, Cluster, Options, Program};
use std::path::Path;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match program().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

async fn program() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let mode = args.next().unwrap_or_default();
    if mode == "build" {
        let binaries = Binaries::build(|message| println!("{message}"))?;
        println!("{}", binaries.folder().display());
        return Ok(());
    }
    if !matches!(mode.as_str(), "record" | "compare") {
        bail!("usage: requests build|record|compare [--kubeconfig FILE | --url URL] [SCENARIO…]");
    }
    let (mut server, mut names) = (None, Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--kubeconfig" => {
                server = Some(of_kubeconfig(Path::new(
                    &args.next().context("--kubeconfig FILE")?,
                ))?)
            }
            "--url" => server = Some(Server::at(&args.next().context("--url URL")?, None)?),
            _ => names.push(arg),
        }
    }
    let mut scenarios = all(&folder("requests"))?;
    scenarios.retain(|scenario| names.is_empty() || names.contains(&scenario.name));
    let mut differing = 0;
    match &server {
        Some(server) => differing += run(&mode, server, &scenarios).await?,
        None => {
            let binaries = Binaries::build(|message| println!("{message}"))?;
            for controllers in [false, true] {
                let some: Vec<Scenario> = scenarios
                    .iter()
                    .filter(|s| s.controllers == controllers)
                    .cloned()
                    .collect();
                if some.is_empty() {
                    continue;
                }
                if controllers && binaries.path(Program::ControllerManager).is_none() {
                    let names: Vec<&str> = some.iter().map(|scenario| scenario.name.as_str()).collect();
                    eprintln!(
                        "SKIPPED: {}: no kube-controller-manager in {}",
                        names.join(", "),
                        binaries.folder().display()
                    );
                    continue;
                }
                let options = Options {
                    controller_manager: controllers,
                    ..Options::default()
                };
                let cluster = Cluster::start(&options).await?;
                let server = Server {
                    url: cluster.url().to_owned(),
                    client: cluster.client().clone(),
                };
                differing += run(&mode, &server, &some).await?;
            }
        }
    }
    if differing > 0 {
        bail!("{differing} answers differ from the recorded ones");
    }
    Ok(())
}

async fn run(mode: &str, server: &Server, scenarios: &[Scenario]) -> anyhow::Result<usize> {
    let mut sum = 0;
    for scenario in scenarios {
        let answers = play(server, scenario)
            .await
            .with_context(|| scenario.name.clone())?;
        if mode == "record" {
            write(&scenario.name, &answers)?;
            println!("{:<20}{:>4} answers recorded", scenario.name, answers.len());
            continue;
        }
        let (differing, text) = compare(&read(&scenario.name)?, &answers);
        println!(
            "{:<20}{:>4} of {} differ",
            scenario.name,
            differing,
            answers.len()
        );
        print!("{text}");
        sum += differing;
    }
    Ok(sum)
}

/// The current context's server, with its token.
fn of_kubeconfig(path: &Path) -> anyhow::Result<Server> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let config: Value = serde_saphyr::from_str(&text)?;
    let named = |list: &str, name: &str| {
        let items = config.get(list).and_then(Value::as_array).into_iter().flatten();
        items
            .into_iter()
            .find(|item| item.get("name").and_then(Value::as_str) == Some(name))
            .cloned()
            .unwrap_or_default()
    };
    let context = config
        .get("current-context")
        .and_then(Value::as_str)
        .context("no current-context")?;
    let context = named("contexts", context);
    let text =
        |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let cluster = named(
        "clusters",
        &text(&context, "/context/cluster").context("the context names no cluster")?,
    );
    let user = named("users", &text(&context, "/context/user").unwrap_or_default());
    let url = text(&cluster, "/cluster/server").context("the cluster names no server")?;
    Server::at(&url, text(&user, "/user/token").as_deref())
}
