//! The Helm corpus through `sluice build helm`: charts, notes, values, and template snippets as charts of their own.
//!
//! The whole takes nine minutes of processor time, so a sample is run unless all is asked for: every fourth case in the order
//! of the corpus, and the values whole.

use super::Extent;
use crate::shell;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// How many charts must print the same bytes, of those whose bytes do not depend on clock and chance.
const SAME_BYTES_MIN: f64 = 0.98;

/// A sample has one case of so many.
const SAMPLE: usize = 4;

/// How long a case may take. The longest make a dozen RSA keys, which is 13 seconds of processor time, on a machine that does
/// other things beside.
const SECONDS_MAX: u32 = 300;

/// In this case the script itself is wrong: it looks for the place of the snippet's own file, where Helm names that of the
/// template around it.
const WRONG: &str = "s06093";

/// A part of the corpus, and how the script is told to run it.
struct Mode {
    name: &'static str,
    /// The file that lists its cases.
    index: &'static str,
    /// A field that its cases have.
    field: &'static str,
    /// What the command gets beside chart, release and options.
    command: &'static str,
    script: &'static [&'static str],
    /// How many cases there are at least; the script leaves those out that cannot be run.
    cases_min: usize,
    /// Whether it takes seconds, so that even a sample has all of it.
    is_short: bool,
}

const MODES: &[Mode] = &[
    Mode {
        name: "charts",
        index: "index.jsonl",
        field: "chart",
        command: "",
        script: &[],
        cases_min: 1725,
        is_short: false,
    },
    Mode {
        name: "notes",
        index: "index.jsonl",
        field: "notes",
        command: " --notes-only",
        script: &["--notes"],
        cases_min: 459,
        is_short: false,
    },
    Mode {
        name: "values",
        index: "values.jsonl",
        field: "id",
        command: "",
        script: &["--values"],
        cases_min: 362,
        is_short: true,
    },
    Mode {
        name: "snippets",
        index: "snippets.jsonl",
        field: "id",
        command: "",
        script: &["--snippets", "--chart-mode"],
        cases_min: 5600,
        is_short: false,
    },
];

/// Every case of every mode must pass.
pub(super) fn compare(corpus: &Path, extent: Extent) -> Result<()> {
    let script = Script {
        path: corpus.join("compare-helm.py"),
        unpacked: super::unpacked(corpus, "helm-shared")?,
        extent,
    };
    if extent == Extent::Sample {
        println!(
            "helm: a sample, every {SAMPLE}th case, and the values whole; all: cargo xtask test conformance --whole"
        );
    }
    for mode in MODES {
        let report = script.run(mode)?;
        if mode.name == "charts" {
            report.check_bytes()?;
        }
    }
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
    extent: Extent,
}

impl Script {
    fn run(&self, mode: &Mode) -> Result<Report> {
        let program = shell::target().join("debug/sluice");
        let command = format!(
            "{} build helm {{chart}} --name {{release}} {{opts}} --limit time={SECONDS_MAX}s{}",
            program.display(),
            mode.command
        );
        let started = Instant::now();
        let mut script = Command::new("python3");
        script.arg(&self.path).arg(&self.unpacked);
        script.args(["--cmd", &command, "--filter", &self.filter(mode)?]);
        script.args(["--timeout", &SECONDS_MAX.to_string()]);
        let output = script.args(mode.script).output().context("python3")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let summary = text.lines().last().unwrap_or_default();
        println!(
            "helm, {}: {summary} in {:.0} s",
            mode.name,
            started.elapsed().as_secs_f64()
        );
        ensure!(
            output.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let report = Report::read(&text, summary).context("the script gives no summary")?;
        let cases_min = match self.samples(mode) {
            // a few that the script leaves out may be among them
            true => mode.cases_min / SAMPLE * 9 / 10,
            false => mode.cases_min,
        };
        ensure!(
            report.passed >= cases_min,
            "only {} cases were found",
            report.passed
        );
        Ok(report)
    }

    fn samples(&self, mode: &Mode) -> bool {
        self.extent == Extent::Sample && !mode.is_short
    }

    /// The expression that the identifiers of the cases match that are run.
    fn filter(&self, mode: &Mode) -> Result<String> {
        if !self.samples(mode) {
            return Ok(format!("^(?!{WRONG}$)"));
        }
        let index = std::fs::read_to_string(self.unpacked.join(mode.index))?;
        let mut identifiers = Vec::new();
        for line in index.lines() {
            let case: Value = serde_json::from_str(line)?;
            let text = |field: &str| case.get(field).and_then(Value::as_str);
            if let (Some(identifier), Some(_)) = (text("id"), text(mode.field)) {
                identifiers.push(identifier.to_owned());
            }
        }
        let sample = identifiers.iter().step_by(SAMPLE);
        let sample: Vec<String> = sample
            .filter(|identifier| *identifier != WRONG)
            .map(|identifier| escaped(identifier))
            .collect();
        Ok(format!("^(?:{})$", sample.join("|")))
    }
}

/// A text as an expression that matches it alone.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

impl Report {
    /// Of the charts.
    fn check_bytes(&self) -> Result<()> {
        let fixed = self.passed - self.masked;
        let share = self.same as f64 / fixed.max(1) as f64;
        println!(
            "  {} of {fixed} print the same bytes ({:.1} %); {} hold what clock and chance make",
            self.same,
            share * 100.0,
            self.masked
        );
        ensure!(
            share >= SAME_BYTES_MIN,
            "{:.1} % of the charts print the same bytes, {:.0} % are wanted",
            share * 100.0,
            SAME_BYTES_MIN * 100.0
        );
        Ok(())
    }

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

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn an_identifier_matches_itself_alone() {
        assert_eq!(escaped("bitnami.redis/ci-0+x"), r"bitnami\.redis\/ci\-0\+x");
    }
}
