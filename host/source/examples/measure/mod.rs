//! What the measuring examples share: the clock, and the memory of this process.

use std::time::Instant;

/// The most that was ever resident, in KiB, as Linux tells it.
pub(crate) fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[allow(clippy::disallowed_methods)] // a measurement is the one place for it
pub(crate) fn now() -> Instant {
    Instant::now()
}
