//! `cargo xtask bench`: the cost table of design/engine.md section 4, measured against a real API server.
//!
//! `bench --sluice FILE [--n COUNT[,COUNT…]] [--parked COUNT] [--versus FILE] [--json FILE] [CASE…]`
//!
//! Each Kustomization applies a ConfigMap, a headless Service and a ServiceAccount: kinds that are ready by themselves, so
//! that no controller manager runs and what is measured is the reconciler. Ratios are taken in one run on one machine.
//! Fails where something that is counted (requests, renders, writes) is not as the table says; times only get a mark.
#![allow(clippy::print_stdout, clippy::print_stderr)] // this is a program for people at a terminal

mod api;
mod audit;
mod cases;
mod git_http;
mod process;
mod progress;
mod report;
mod repository;
mod wishes;
mod world;

use anyhow::Context as _;
use cases::{Measured, Wanted};
use report::Row;
use serde_json::{Value, json};
use sluice_testkit::cluster::Binaries;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A size that shows counts and ratios in about two minutes.
const QUICK: usize = 100;
/// How many never become ready in B9.
const PARKED: usize = 500;
/// The interval of the Kustomizations, which B3 waits for: longer than an installation takes.
const INTERVAL: Duration = Duration::from_secs(15);
/// The same for more than [`QUICK`].
const INTERVAL_LONG: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Args {
    sluice: PathBuf,
    versus: Option<PathBuf>,
    sizes: Vec<usize>,
    parked: usize,
    json: Option<PathBuf>,
    wanted: Wanted,
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let ended = program().await;
    world::remove_folders();
    match ended {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("✗ {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn args() -> anyhow::Result<Args> {
    let (mut sluice, mut versus, mut json, mut ids) = (None, None, None, Vec::new());
    let (mut sizes, mut parked) = (vec![QUICK], PARKED);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--sluice" => sluice = Some(PathBuf::from(value()?)),
            "--versus" => versus = Some(PathBuf::from(value()?)),
            "--n" => sizes = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?,
            "--parked" => parked = value()?.parse()?,
            "--json" => json = Some(PathBuf::from(value()?)),
            flag if flag.starts_with('-') => anyhow::bail!("no flag {flag}"),
            _ => ids.push(arg),
        }
    }
    sizes.sort_unstable();
    sizes.dedup();
    Ok(Args {
        sluice: sluice.context("--sluice FILE: the binary to measure")?,
        versus,
        sizes,
        parked,
        json,
        wanted: Wanted::new(ids),
    })
}

async fn program() -> anyhow::Result<()> {
    let args = args()?;
    if Binaries::find().is_none() {
        Binaries::build(|message| eprintln!("{message}"))?;
    }
    let before = match &args.versus {
        Some(other) => {
            let mut rows = Vec::new();
            let measured = run(other, &args, &mut rows).await;
            measured.context("the binary to compare with")?;
            Some(rows)
        }
        None => None,
    };
    let mut rows = Vec::new();
    // what was measured before something broke is shown too
    let measured = run(&args.sluice, &args, &mut rows).await;
    println!("{}", report::table(&rows, before.as_deref()));
    println!("{}", machine());
    if let Some(path) = &args.json {
        let rows: Vec<Value> = rows.iter().map(Row::json).collect();
        std::fs::write(
            path,
            format!("{:#}\n", json!({"machine": machine(), "rows": rows})),
        )?;
    }
    measured?;
    let broken: Vec<String> = rows
        .iter()
        .filter(|row| !row.counts_hold())
        .map(Row::failure)
        .collect();
    anyhow::ensure!(
        broken.is_empty(),
        "what is counted is not as it must be:\n{}",
        broken.join("\n")
    );
    Ok(())
}

/// All rows of one binary.
async fn run(sluice: &Path, args: &Args, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    progress::say(&format!("measuring {}", sluice.display()));
    let mut sizes: Vec<Measured> = Vec::new();
    if args.wanted.needs_install() {
        for count in &args.sizes {
            let interval = if *count > QUICK { INTERVAL_LONG } else { INTERVAL };
            let measured = cases::measure(sluice, *count, interval, &args.wanted, rows).await?;
            sizes.push(measured);
        }
    }
    if let (true, Some(small), Some(large)) = (args.wanted.has("B8"), sizes.first(), sizes.last()) {
        if small.count < large.count {
            rows.push(cases::growth(small, large));
        } else {
            eprintln!("SKIPPED: B8: growth needs two sizes, such as --n 100,1000");
        }
    }
    if args.wanted.needs_queue() {
        cases::measure_queue(sluice, args.parked, &args.wanted, rows).await?;
    }
    if let (true, Some(count)) = (args.wanted.needs_sources(), args.sizes.last()) {
        cases::measure_sources(sluice, *count, &args.wanted, rows).await?;
    }
    Ok(())
}

/// What else the machine did: the one thing that absolute times depend on most.
fn machine() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{processors} processors, load {}", load.join(" "))
}
