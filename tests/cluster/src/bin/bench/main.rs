//! `cargo xtask bench`: the cost table of design/engine.md section 4, measured against a real API server.
//!
//! `bench --sluice FILE [--n COUNT] [--full] [--json FILE] [CASE…]`
//!
//! Each Kustomization applies a ConfigMap, a headless Service and a ServiceAccount: kinds that are ready by themselves, so
//! that no controller manager runs and what is measured is the reconciler. Ratios are taken in one run on one machine.
#![allow(clippy::print_stdout, clippy::print_stderr)] // this is a program for people at a terminal

mod api;
mod audit;
mod cases;
mod git_http;
mod process;
mod report;
mod repository;
mod world;

use anyhow::Context as _;
use serde_json::{Value, json};
use sluice_testkit::cluster::Binaries;
use std::path::PathBuf;

/// A size that shows the ratios in about two minutes.
const QUICK: usize = 300;
/// The size of the cost table.
const FULL: usize = 1000;
/// The smaller size of B8.
const SMALL: usize = 100;

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
    let (mut sluice, mut count, mut json_path, mut wanted) = (None, QUICK, None, Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--sluice" => sluice = args.next().map(PathBuf::from),
            "--n" => count = args.next().context("--n COUNT")?.parse()?,
            "--full" => count = FULL,
            "--json" => json_path = args.next().map(PathBuf::from),
            _ => wanted.push(arg),
        }
    }
    let sluice = sluice.context("--sluice FILE: the binary to measure")?;
    Binaries::build(|message| eprintln!("{message}"))?;
    let mut rows = Vec::new();
    let large = cases::measure(&sluice, count, &wanted).await?;
    rows.extend(large.rows.iter().cloned());
    if wanted.is_empty() || wanted.iter().any(|name| name.eq_ignore_ascii_case("B8")) {
        let small = cases::measure(&sluice, SMALL, &["B8".to_owned()]).await?;
        rows.push(cases::growth((SMALL, &small), (count, &large)));
    }
    println!("{}", report::table(&rows));
    if let Some(path) = json_path {
        let rows: Vec<Value> = rows.iter().map(report::Row::json).collect();
        std::fs::write(
            &path,
            format!("{:#}\n", json!({"kustomizations": count, "rows": rows})),
        )?;
    }
    Ok(())
}
