//! What a program costs from its start to its end: time and peak memory.

use anyhow::{Result, ensure};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A program is measured until it has taken so long altogether, at most [`RUNS`] times.
const LONG: Duration = Duration::from_secs(10);
/// How often a program is run.
const RUNS: usize = 7;
/// How often `/proc` is asked for the memory of a process.
const PAUSE: Duration = Duration::from_millis(1);

/// What a process took.
pub(super) struct Cost {
    pub(super) wall: Duration,
    /// The most it held, in KiB.
    pub(super) kibibytes: u64,
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.0} ms, {} MiB",
            self.wall.as_secs_f64() * 1e3,
            self.kibibytes >> 10
        )
    }
}

/// The fastest of several runs, and the most memory.
pub(super) fn measure(command: &mut Command) -> Result<Cost> {
    let mut best = run_once(command)?;
    let mut total = best.wall;
    for _ in 1..RUNS {
        if total > LONG {
            break;
        }
        let next = run_once(command)?;
        total += next.wall;
        best.kibibytes = best.kibibytes.max(next.kibibytes);
        best.wall = best.wall.min(next.wall);
    }
    Ok(best)
}

fn run_once(command: &mut Command) -> Result<Cost> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut kibibytes = 0;
    let ended = loop {
        // the high water mark is gone with the process: it is read as late as possible
        if let Some(peak) = std::fs::read_to_string(&status)
            .ok()
            .as_deref()
            .and_then(high_water)
        {
            kibibytes = peak;
        }
        match child.try_wait()? {
            Some(ended) => break ended,
            // nothing else runs here
            #[allow(clippy::disallowed_methods)]
            None => std::thread::sleep(PAUSE),
        }
    };
    let wall = started.elapsed();
    ensure!(ended.success(), "{command:?} ended with {ended}");
    Ok(Cost { wall, kibibytes })
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
