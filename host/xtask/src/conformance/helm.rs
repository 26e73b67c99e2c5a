//! The Helm corpus through `sluice build helm`: charts, notes, values, and template snippets as charts of their own.

use crate::shell;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many charts must print the same bytes, of those whose bytes do not depend on clock and chance.
const SAME_BYTES_MIN: f64 = 0.98;

/// Every case of every mode must pass.
pub(super) fn compare(corpus: &Path) -> Result<()> {
    let command = "build helm {chart} --name {release} {opts}";
    let folder = shell::target().join("conformance-helm");
    let script = Script(corpus.join("compare-helm.py"));
    let workdir = ["--workdir", &folder.display().to_string()];
    let charts = script.run(&corpus.join("helm-shared.tar.zst"), command, 1725, &workdir)?;
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
    // the first run has unpacked it
    let unpacked = folder.join("helm-shared");
    script.run(&unpacked, &format!("{command} --notes-only"), 459, &["--notes"])?;
    script.run(&unpacked, command, 362, &["--values"])?;
    script.run(&unpacked, command, 4500, &["--snippets", "--chart-mode"])?;
    Ok(())
}

/// What the script counted.
struct Report {
    passed: usize,
    same: usize,
    masked: usize,
}

struct Script(PathBuf);

impl Script {
    fn run(&self, corpus: &Path, command: &str, cases_min: usize, more: &[&str]) -> Result<Report> {
        let program = shell::target().join("debug/sluice");
        let command = format!("{} {command}", program.display());
        let mut script = Command::new("python3");
        script
            .arg(&self.0)
            .arg(corpus)
            .args(["--cmd", &command])
            .args(more);
        let output = script.output().context("python3")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let summary = text.lines().last().unwrap_or_default();
        let what = more.first().filter(|mode| **mode != "--workdir");
        println!(
            "helm, {}: {summary}",
            what.map_or("charts", |mode| mode.trim_start_matches('-'))
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
