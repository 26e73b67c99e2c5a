//! What this process uses.

use std::fmt;
use std::time::Duration;

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) at: Duration,
    /// Resident, in MiB.
    pub(crate) memory: f64,
    pub(crate) tasks: usize,
    pub(crate) descriptors: usize,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>5} s, {:.1} MiB, {} tasks, {} descriptors",
            self.at.as_secs(),
            self.memory,
            self.tasks,
            self.descriptors
        )
    }
}

impl Usage {
    /// Measures now.
    pub(crate) fn now(at: Duration) -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let kib = status.lines().find_map(|line| {
            line.strip_prefix("VmRSS:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<f64>()
                .ok()
        });
        Self {
            at,
            memory: kib.unwrap_or(0.0) / 1024.0,
            tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
            descriptors: std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
        }
    }
}

/// The slope of memory, in MiB an hour, by least squares.
pub(crate) fn slope(samples: &[Usage]) -> f64 {
    let count = samples.len() as f64;
    let hours = |usage: &Usage| usage.at.as_secs_f64() / 3600.0;
    let (mean_x, mean_y) = (
        samples.iter().map(hours).sum::<f64>() / count,
        samples.iter().map(|usage| usage.memory).sum::<f64>() / count,
    );
    let covariance: f64 = samples
        .iter()
        .map(|usage| (hours(usage) - mean_x) * (usage.memory - mean_y))
        .sum();
    let variance: f64 = samples.iter().map(|usage| (hours(usage) - mean_x).powi(2)).sum();
    covariance / variance
}

/// How much more there is in the last quarter than in the first, by their medians.
pub(crate) fn growth(samples: &[Usage], of: impl Fn(&Usage) -> f64) -> f64 {
    let median = |samples: &[Usage]| {
        let mut values: Vec<f64> = samples.iter().map(&of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let quarter = (samples.len() / 4).max(1);
    median(&samples[samples.len() - quarter..]) - median(&samples[..quarter])
}
