//! B14: the Kustomize renderer against the real program, each as a process; how it grows with its input; a small render, warm.

use super::process::measure;
use super::sandbox::{Measure, row, write_sample};
use crate::conformance;
use crate::shell::{self, target};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many applications of three objects the growing overlay has: 500 to 8000 objects.
const APPLICATIONS: [usize; 5] = [167, 333, 667, 1333, 2667];
/// The one with 4000 objects.
const LARGE: usize = 1333;

/// Measures and prints the rows.
pub(super) fn run(sluice: &Path, programs: &Measure) -> Result<()> {
    println!("| | id | work | measured | bar |\n|---|---|---|---|---|");
    growth(programs)?;
    small(programs)?;
    println!();
    match (original(), conformance::corpus()) {
        (None, _) => println!(
            "SKIPPED: no kustomize to compare with: go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1, on the PATH"
        ),
        (_, None) => {
            println!("SKIPPED: no corpus of big builds: SLUICE_SHARED names the folder that holds corpus/")
        }
        (Some(original), Some(corpus)) => versus(
            &original,
            sluice,
            &conformance::unpacked(&corpus, "kustomize-big")?,
        )?,
    }
    Ok(())
}

/// An overlay with patches and labels, from 500 to 8000 objects.
fn growth(programs: &Measure) -> Result<()> {
    let mut costs = Vec::new();
    for applications in APPLICATIONS {
        let sample = target().join(format!("bench-overlay-{applications}"));
        write_sample(&sample, applications)?;
        let mut time = programs.inside(&sample, 5)?;
        if applications == LARGE {
            let native;
            (time, native) = programs.both("kustomize", &sample, 9)?;
            let figure = format!("{:.0} ms", time * 1e3);
            row(
                "B14",
                "overlay of 4000 objects, in the sandbox",
                &figure,
                "≤ 1500 ms",
                time <= 1.5,
            );
            let ratio = time / native;
            let figure = format!("{ratio:.2} × (native {:.0} ms)", native * 1e3);
            row(
                "B14",
                "the same against the same code native",
                &figure,
                "≤ 2.0 ×",
                ratio <= 2.0,
            );
        }
        costs.push((applications * 3 + 1, time));
    }
    let each = |(objects, time): &(usize, f64)| time / *objects as f64 * 1e6;
    let figures: Vec<String> = costs
        .iter()
        .map(|cost| format!("{}: {:.0} µs", cost.0, each(cost)))
        .collect();
    let first = costs.first().map_or(0.0, each);
    let last = costs.last().map_or(0.0, each);
    row(
        "B14",
        "cost of one object, by the size of the overlay",
        &figures.join(", "),
        "8000 ≤ 1.3 × 500",
        last <= 1.3 * first,
    );
    Ok(())
}

/// One application under an overlay, warm: from the call to the objects.
fn small(programs: &Measure) -> Result<()> {
    let sample = target().join("bench-overlay-small");
    write_sample(&sample, 1)?;
    let time = programs.inside(&sample, 200)?;
    let figure = format!("p50 {:.2} ms", time * 1e3);
    row("B14", "small overlay, warm", &figure, "≤ 2 ms", time <= 2e-3);
    Ok(())
}

/// The big builds of the corpus, both programs as processes.
fn versus(original: &Path, sluice: &Path, corpus: &Path) -> Result<()> {
    println!("| | big build | kustomize | sluice | wall | peak memory |\n|---|---|---|---|---|---|");
    let cases = shell::find("meta.json", corpus)?;
    ensure!(!cases.is_empty(), "no cases in {}", corpus.display());
    let mut worst = (0.0_f64, 0.0_f64);
    for case in &cases {
        let meta: Value = serde_json::from_slice(&std::fs::read(case.join("meta.json"))?)?;
        let path = meta.get("path").and_then(Value::as_str).unwrap_or(".");
        let directory = case.join("input").join(path).canonicalize()?;
        let options = meta.get("opts").and_then(Value::as_array);
        let options: Vec<&str> = options.into_iter().flatten().filter_map(Value::as_str).collect();
        let theirs = measure(Command::new(original).arg("build").arg(&directory).args(&options))?;
        let ours = measure(
            Command::new(sluice)
                .args(["build", "kustomize"])
                .arg(&directory)
                .arg("--root")
                .arg(case.join("input"))
                .args(&options),
        )?;
        let wall = ours.wall.as_secs_f64() / theirs.wall.as_secs_f64();
        let memory = ours.kibibytes as f64 / theirs.kibibytes.max(1) as f64;
        worst = (worst.0.max(wall), worst.1.max(memory));
        println!(
            "| {} | {} | {theirs} | {ours} | {wall:.2} × | {memory:.2} × |",
            if wall <= 0.25 && memory <= 0.25 {
                "✔"
            } else {
                "✗"
            },
            case.strip_prefix(corpus).unwrap_or(case).display()
        );
    }
    println!("\n| | id | work | measured | bar |\n|---|---|---|---|---|");
    let (wall, memory) = (
        format!("at most {:.2} ×", worst.0),
        format!("at most {:.2} ×", worst.1),
    );
    row(
        "B14",
        "big builds against kustomize, wall",
        &wall,
        "≤ 0.25 ×",
        worst.0 <= 0.25,
    );
    row(
        "B14",
        "big builds against kustomize, peak memory",
        &memory,
        "≤ 0.25 ×",
        worst.1 <= 0.25,
    );
    Ok(())
}

/// The real program, where it is installed.
fn original() -> Option<PathBuf> {
    shell::has("kustomize", "version").then(|| "kustomize".into())
}
