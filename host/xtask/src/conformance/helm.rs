//! The Helm corpus through `sluice build helm`: charts, notes, values, and template snippets as charts of their own.

use crate::shell;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// How many charts must print the same bytes, of those whose bytes do not depend on clock and chance.
const SAME_BYTES_MIN: f64 = 0.98;

/// All cases but one, in which the script itself is wrong: it looks for the place of the snippet's own file, where Helm names
/// that of the template around it.
const SNIPPETS: &str = "^(?!s06093$)";

/// Every case of every mode must pass.
pub(super) fn compare(corpus: &Path) -> Result<()> {
    let command = "build helm {chart} --name {release} {opts}";
    let script = Script {
        path: corpus.join("compare-helm.py"),
        unpacked: super::unpacked(corpus, "helm-shared")?,
    };
    let charts = script.run("charts", command, 1725, &[])?;
    let fixed = charts.passed - charts.masked;
    let share = charts.same as f64 / fixed.max(1) as f64;
    println!(
        "  {} of {fixed} print the same bytes ({:.1} %); {} hold what clock and chance make",
        charts.same,
        share * 100.0,
        charts.masked
    );
    ensure!(
        share >= SAME_BYTES_MIN,
        "{:.1} % of the charts print the same bytes, {:.0} % are wanted",
        share * 100.0,
        SAME_BYTES_MIN * 100.0
    );
    script.run("notes", &format!("{command} --notes-only"), 459, &["--notes"])?;
    script.run("values", command, 362, &["--values"])?;
    let snippets = ["--snippets", "--chart-mode", "--filter", SNIPPETS];
    script.run("snippets", command, 4500, &snippets)?;
    Ok(())
}

/// What the script counted.
struct Report {
    passed: usize,
    same: usize,
    masked: usize,
}

struct Script {
    path: PathBuf,
    unpacked: PathBuf,
}

impl Script {
    fn run(&self, mode: &str, command: &str, cases_min: usize, more: &[&str]) -> Result<Report> {
        let program = shell::target().join("debug/sluice");
        let command = format!("{} {command}", program.display());
        let started = Instant::now();
        let mut script = Command::new("python3");
        script
            .arg(&self.path)
            .arg(&self.unpacked)
            .args(["--cmd", &command])
            .args(more);
        let output = script.output().context("python3")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let summary = text.lines().last().unwrap_or_default();
        println!(
            "helm, {mode}: {summary} in {:.0} s",
            started.elapsed().as_secs_f64()
        );
        ensure!(
            output.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report = Report::read(&text, summary).context("the script gives no summary")?;
        ensure!(
            report.passed >= cases_min,
            "only {} cases were found",
            report.passed
        );
        Ok(report)
    }
}

impl Report {
    fn read(text: &str, summary: &str) -> Option<Self> {
        let number = |before: &str| {
            let (_, rest) = text.rsplit_once(before)?;
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        };
        Some(Self {
            passed: summary.split(' ').next()?.parse().ok()?,
            same: number("(byte-identical ")?,
            masked: number("'masked': ").unwrap_or(0),
        })
    }
}
