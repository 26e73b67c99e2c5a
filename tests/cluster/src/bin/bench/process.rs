//! What a process used, from `/proc`.

use anyhow::Context as _;
use std::time::Duration;

/// Linux counts processor time in hundredths of a second for every program, whatever the kernel's own tick is.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of a process so far.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Fields 14 and 15, counted from behind the name, which may contain anything.
    let mut fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11);
    let mut ticks = || {
        fields
            .next()
            .and_then(|field| field.parse::<u32>().ok())
            .context("stat has no times")
    };
    Ok(TICK * (ticks()? + ticks()?))
}

/// Resident memory now and at its highest, in KiB.
pub(crate) fn memory(pid: u32) -> anyhow::Result<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Ok((
        field("VmRSS:").context("no VmRSS")?,
        field("VmHWM:").context("no VmHWM")?,
    ))
}
