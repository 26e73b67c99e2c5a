//! `soak [--minutes M] [--n COUNT] [--seed SEED]`: many Kustomizations, random commits, drift and faults in real time over
//! real connections, and what the process uses meanwhile. Started by `cargo xtask soak`; fails when a bound is broken.
//!
//! The API server is another process (`soak --server`), so that what is measured is the reconciler.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for people at a terminal
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // what is wrong here ends the run

mod life;
mod server;
mod usage;

use anyhow::{Result, bail, ensure};
use std::time::Duration;
use usage::Usage;

/// The one of `sluice`: what another keeps back is no matter here.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What `cargo xtask soak` asks for.
pub(crate) struct Options {
    minutes: f64,
    count: usize,
    seed: u64,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let mut options = Options {
        minutes: 5.0,
        count: 200,
        seed: 1,
    };
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().map(String::as_str).unwrap_or_default();
        match arg.as_str() {
            "--server" => return server::serve().await,
            "--minutes" => options.minutes = value().parse()?,
            "--n" => options.count = value().parse()?,
            "--seed" => options.seed = value().parse()?,
            other => bail!("unknown argument {other}; --minutes M, --n COUNT, --seed SEED"),
        }
    }
    let server = server::Server::start().await?;
    let samples = life::live(&options, server).await?;
    judge(&samples, &options)
}

/// Samples before this share of the run are warm-up: caches fill.
const WARM_UP: f64 = 0.4;
/// Growth of resident memory that is no leak, in MiB an hour (field/reliability.md I10).
const MEMORY_SLOPE_MAX: f64 = 1.0;
/// In a run too short for a slope, growth after the warm-up that allocators and caches explain, in MiB.
const MEMORY_GROWTH_MAX: f64 = 6.0;
/// Tasks and descriptors come and go; so many more in the end than after the warm-up are too many.
const COUNT_GROWTH_MAX: i64 = 16;

fn judge(samples: &[Usage], options: &Options) -> Result<()> {
    let warm = &samples[(samples.len() as f64 * WARM_UP) as usize..];
    ensure!(warm.len() >= 4, "too few samples: the run was too short");
    let (slope, growth) = (usage::slope(warm), usage::growth(warm, |usage| usage.memory));
    let tasks = usage::growth(warm, |usage| usage.tasks as f64);
    let descriptors = usage::growth(warm, |usage| usage.descriptors as f64);
    let peak = samples.iter().map(|usage| usage.memory).fold(0.0, f64::max);
    println!(
        "soak: {} Kustomizations, {} minutes: peak {peak:.1} MiB, slope {slope:+.2} MiB/h, growth after warm-up {growth:+.1} MiB, \
         tasks {tasks:+.0}, descriptors {descriptors:+.0}",
        options.count, options.minutes,
    );
    ensure!(
        slope <= MEMORY_SLOPE_MAX || growth <= MEMORY_GROWTH_MAX && options.minutes < 60.0,
        "memory grows"
    );
    ensure!(tasks as i64 <= COUNT_GROWTH_MAX, "tasks are left behind");
    ensure!(
        descriptors as i64 <= COUNT_GROWTH_MAX,
        "descriptors are left open"
    );
    Ok(())
}

/// How often is measured.
pub(crate) fn sample_every(options: &Options) -> Duration {
    Duration::from_secs_f64((options.minutes * 60.0 / 60.0).clamp(1.0, 30.0))
}
