//! The conformance corpora run through the built program, as their own scripts compare them.
//!
//! The engines' own tests run the same cases natively; here they go through the sandbox and the command line.

mod helm;

use crate::shell::{self, heading};
use crate::test;
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many of the builds must be the same to the byte.
const SAME_BYTES_MIN: f64 = 0.95;

/// How many of the cases of Helm are run; those of Kustomize are few enough to be run whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// The same part of them every time.
    Sample,
    Whole,
}

/// `cargo xtask test conformance`.
pub(crate) fn run() -> Result<()> {
    compare(Extent::Sample)
}

/// `cargo xtask test conformance --whole`.
pub(crate) fn run_with(flags: &[String]) -> Result<()> {
    match flags {
        [flag] if flag == "--whole" => compare(Extent::Whole),
        _ => bail!("`conformance` knows one flag: --whole"),
    }
}

fn compare(extent: Extent) -> Result<()> {
    heading("conformance: the corpora through the program");
    let Some(corpus) = corpus() else {
        println!(
            "SKIPPED: no corpora: SLUICE_SHARED names the folder that holds corpus/, ../shared without it"
        );
        return Ok(());
    };
    let missing = [("python3", "-V"), ("zstd", "-V"), ("tar", "--version")]
        .into_iter()
        .find(|(program, probe)| !shell::has(program, probe));
    if let Some((program, _)) = missing {
        println!("SKIPPED: the corpora want {program}, which is not here");
        return Ok(());
    }
    let yaml = Command::new("python3").args(["-c", "import yaml"]).output()?;
    if !yaml.status.success() {
        println!("SKIPPED: the corpora want PyYAML, which is not here");
        return Ok(());
    }
    test::build()?;
    let kustomize = Kustomize {
        script: corpus.join("compare-kustomize.py"),
        archive: corpus.join("kustomize-shared.tar.zst"),
    };
    kustomize.compare("by kind, as `kustomize build` prints", 900, &[])?;
    kustomize.compare("as found, as the controller applies", 300, &["--reorder-none"])?;
    helm::compare(&corpus, extent)
}

/// The folder with the corpora, where it is there.
pub(crate) fn corpus() -> Option<PathBuf> {
    let shared =
        std::env::var_os("SLUICE_SHARED").map_or_else(|| shell::root().join("../shared"), PathBuf::from);
    Some(shared.join("corpus")).filter(|corpus| corpus.is_dir())
}

/// What the archive `name` of the corpora holds, without its outermost folder; unpacked once.
pub(crate) fn unpacked(corpus: &Path, name: &str) -> Result<PathBuf> {
    let archive = corpus.join(format!("{name}.tar.zst"));
    let size = std::fs::metadata(&archive)
        .with_context(|| archive.display().to_string())?
        .len();
    let folder = shell::target().join(format!("corpus-{name}-{size}"));
    if !folder.join("done").exists() {
        std::fs::create_dir_all(&folder)?;
        let tar = folder.join("corpus.tar");
        let mut zstd = Command::new("zstd");
        shell::run(zstd.args(["-dqf", "--long=27", "-o"]).arg(&tar).arg(&archive))?;
        let mut unpack = Command::new("tar");
        unpack.args(["--strip-components=1", "-xf"]).arg(&tar);
        shell::run(unpack.arg("-C").arg(&folder))?;
        std::fs::remove_file(&tar)?;
        std::fs::write(folder.join("done"), "")?;
    }
    Ok(folder)
}

struct Kustomize {
    script: PathBuf,
    archive: PathBuf,
}

impl Kustomize {
    /// Every case must pass; how many are the same to the byte is counted among those that build.
    fn compare(&self, what: &str, cases_min: usize, more: &[&str]) -> Result<()> {
        let program = shell::target().join("debug/sluice");
        let report = shell::target().join("conformance-kustomize.json");
        let command = format!("{} build kustomize {{dir}} {{opts}}", program.display());
        let mut script = Command::new("python3");
        script
            .arg(&self.script)
            .args(["--quiet", "--command", &command, "--json"]);
        script.arg(&report).args(more).arg(&self.archive);
        // the script unpacks the archive into a temporary folder
        let output = script.output().context("python3")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "{}: {text}{}",
            self.script.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        let report: Value = serde_json::from_slice(&std::fs::read(&report)?)?;
        let cases = report
            .get("cases")
            .and_then(Value::as_array)
            .context("no cases")?;
        let is = |case: &Value, field: &str| case.get(field) == Some(&Value::Bool(true));
        let named = |case: &Value, field: &str| {
            case.get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let failed: Vec<String> = cases
            .iter()
            .filter(|case| !is(case, "passed"))
            .map(|case| format!("{}: {}", named(case, "id"), named(case, "why")))
            .collect();
        let builds: Vec<&Value> = cases
            .iter()
            .filter(|case| named(case, "expect") != "error")
            .collect();
        let (same, other): (Vec<&Value>, Vec<&Value>) = builds.iter().partition(|case| is(case, "byte"));
        let share = same.len() as f64 / builds.len().max(1) as f64;
        println!(
            "kustomize, {what}: {} of {} cases pass; {} of {} builds are the same to the byte ({:.1} %)",
            cases.len() - failed.len(),
            cases.len(),
            same.len(),
            builds.len(),
            share * 100.0
        );
        other
            .iter()
            .for_each(|case| println!("  other bytes: {}", named(case, "id")));
        ensure!(
            failed.is_empty(),
            "{} cases fail:\n{}",
            failed.len(),
            failed.join("\n")
        );
        ensure!(cases.len() >= cases_min, "only {} cases were found", cases.len());
        ensure!(
            share >= SAME_BYTES_MIN,
            "{:.1} % of the builds are the same to the byte, {:.0} % are wanted",
            share * 100.0,
            SAME_BYTES_MIN * 100.0
        );
        Ok(())
    }
}
