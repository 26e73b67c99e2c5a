//! B16: fetching from Git beside `git`, and a large index of charts.

use super::profile;
use super::sandbox::{output, read, row};
use crate::shell;
use anyhow::{Context as _, Result};

/// Builds what measures, lets it measure, and prints the rows.
pub(super) fn run(is_debug: bool) -> Result<()> {
    let clone = example("clone", is_debug)?;
    let index = example("index", is_debug)?;
    println!("| | id | work | measured | bar |\n|---|---|---|---|---|");
    git(&clone).with_context(|| format!("cannot read {clone}"))?;
    charts(&index).with_context(|| format!("cannot read {index}"))
}

/// What an example of the room of sources says.
fn example(name: &str, is_debug: bool) -> Result<String> {
    let mut run = shell::cargo(&["run", "--quiet", "--package", "sluice-source", "--example", name]);
    output(run.args(["--profile", profile(is_debug)]))
}

fn git(text: &str) -> Option<()> {
    let theirs = read(text, "git", "git:")?;
    let ours = read(text, "sluice", "sluice:")?;
    let ratio = ours / theirs;
    let figure = format!("{ratio:.2} × ({:.0} ms, git {:.0} ms)", ours * 1e3, theirs * 1e3);
    let work = format!(
        "shallow clone, {}",
        text.lines().next()?.strip_prefix("repository: ")?
    );
    row("B16", &work, &figure, "≤ 1.2 × git clone", ratio <= 1.2);
    let (refetch, look) = (read(text, "one", "commit:")?, read(text, "nothing", "new:")?);
    let figure = format!(
        "{:.0} ms ({:.0} ms less {:.0} ms)",
        (refetch - look) * 1e3,
        refetch * 1e3,
        look * 1e3
    );
    row(
        "B16",
        "one more commit, less a look",
        &figure,
        "≤ 50 ms",
        refetch - look <= 0.05,
    );
    let grown = kibibytes(text, "memory above idle:")?;
    row(
        "B16",
        "memory of the clone above idle",
        &mebibytes(grown),
        "≤ 64 MiB",
        grown <= 64 << 10,
    );
    Some(())
}

fn charts(text: &str) -> Option<()> {
    let size = text.lines().next()?.strip_prefix("index: ")?;
    let time = read(text, "50", "found:")?;
    row(
        "B16",
        &format!("50 charts of an index of {size}"),
        &format!("{time:.1} s"),
        "≤ 10 s",
        time <= 10.0,
    );
    let peak = kibibytes(text, "memory:")?;
    row(
        "B16",
        "memory of that, whole process",
        &mebibytes(peak),
        "≤ 256 MiB",
        peak <= 256 << 10,
    );
    Some(())
}

fn kibibytes(text: &str, line: &str) -> Option<u64> {
    let found = text.lines().find_map(|found| found.strip_prefix(line))?;
    found.split_whitespace().next()?.parse().ok()
}

fn mebibytes(kibibytes: u64) -> String {
    format!("{} MiB", kibibytes >> 10)
}
