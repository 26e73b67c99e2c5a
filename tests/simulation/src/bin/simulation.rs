//! `simulation [--seeds N] [--from SEED] [--crashes N]`, or `simulation --replay NAME`: started by `cargo xtask test simulation`.
//! Without arguments it is short: some seeds, some crash points. `--crashes all` dies before and after every request.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for people at a terminal

use anyhow::{Result, bail};
use sluice_simulation::{Summary, crash_everywhere, replay, seeds};
use std::process::ExitCode;
use std::time::Instant;

/// Thousands of API servers are made and dropped: a sixth faster than with the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seeds of a short run.
const SEEDS: u64 = 250;
/// Crash points of a short run.
const CRASHES: usize = 150;
/// Failures that are told in full.
const FAILURES_TOLD: usize = 10;

fn main() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (mut count, mut from, mut crashes) = (SEEDS, 0, CRASHES);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().map(String::as_str).unwrap_or_default();
        match arg.as_str() {
            "--seeds" => count = value().parse()?,
            "--from" => from = value().parse()?,
            "--crashes" => {
                crashes = match value() {
                    "all" => usize::MAX,
                    number => number.parse()?,
                }
            }
            "--replay" => return again(value()),
            other => {
                bail!("unknown argument {other}; --seeds N, --from SEED, --crashes N|all, --replay NAME")
            }
        }
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut is_good = true;
    if crashes > 0 {
        is_good &= tell("a crash before or after a request", || {
            crash_everywhere(crashes, threads)
        })?;
    }
    is_good &= tell("by chance", || seeds(from..from + count, threads))?;
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn tell(what: &str, run: impl FnOnce() -> Result<Summary>) -> Result<bool> {
    let started = Instant::now();
    let summary = run()?;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{what}: {} schedules, {} requests, {} failed, {seconds:.1} s ({:.1} ms each)",
        summary.schedules,
        summary.requests,
        summary.failures.len(),
        seconds * 1000.0 / summary.schedules.max(1) as f64,
    );
    for failure in summary.failures.iter().take(FAILURES_TOLD) {
        println!("✗ {}", failure.name);
        failure
            .violations
            .iter()
            .take(5)
            .for_each(|violation| println!("    {violation}"));
        println!("  again: cargo xtask test simulation --replay '{}'", failure.name);
    }
    Ok(summary.failures.is_empty())
}

fn again(name: &str) -> Result<ExitCode> {
    let (failure, is_same) = replay(&name.parse()?)?;
    failure.trace.iter().for_each(|line| println!("{line}"));
    failure
        .violations
        .iter()
        .for_each(|violation| println!("✗ {violation}"));
    if !is_same {
        println!("✗ the same schedule ran differently the second time: something is left to chance");
    }
    Ok(if is_same && failure.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
