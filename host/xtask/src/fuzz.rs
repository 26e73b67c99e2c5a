//! `cargo xtask test fuzz [--seconds N] [--target NAME] [--replay FILE]`: what is read of strangers, under libFuzzer.

use crate::shell::{self, heading};
use anyhow::{Context as _, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

/// The largest input, in bytes: readers of small things have small bugs too.
const INPUT_BYTES_MAX: u32 = 64 << 10;
/// An input that takes so long is a bug, in seconds.
const TIMEOUT_SECONDS: u32 = 10;

pub(crate) fn run(flags: &[&str]) -> Result<()> {
    let (mut seconds, mut wanted, mut replay) = (60_u64, None, None);
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        let value = flags.next().with_context(|| format!("{flag} needs a value"))?;
        match *flag {
            "--seconds" => seconds = value.parse().context("--seconds")?,
            "--target" => wanted = Some(*value),
            "--replay" => replay = Some(*value),
            _ => bail!("no flag `{flag}`; there are --seconds, --target, --replay"),
        }
    }
    if !["c++", "g++", "clang++"]
        .iter()
        .any(|compiler| shell::has(compiler, "--version"))
    {
        println!("SKIPPED: fuzz: no C++ compiler, which libFuzzer needs");
        return Ok(());
    }
    let program = build()?;
    let mut targets = targets(&program)?;
    if let Some(wanted) = wanted {
        ensure!(
            targets.iter().any(|target| target == wanted),
            "no target `{wanted}`; there are {}",
            targets.join(", ")
        );
        targets = vec![wanted.to_owned()];
    }
    if let Some(file) = replay {
        let [target] = targets.as_slice() else {
            bail!("--replay needs --target: which reader is the input for?");
        };
        return shell::run(fuzzer(&program, target)?.arg(shell::root().join(file)));
    }
    // two at a time: each is one thread
    for pair in targets.chunks(2) {
        heading(&format!("fuzz: {}, {seconds} s", pair.join(" and ")));
        let started: Vec<Result<Child>> = pair
            .iter()
            .map(|target| start(&program, target, seconds))
            .collect();
        // each is waited for, whatever became of the other: no process is left behind
        let ended: Vec<Result<ExitStatus>> = started.into_iter().map(|fuzzer| Ok(fuzzer?.wait()?)).collect();
        let mut failed = Vec::new();
        for (target, status) in pair.iter().zip(ended) {
            if status?.success() {
                println!("  {target:<10}{}", summary(target)?);
            } else {
                failed.push(format!(
                    "{target} was given an input that it has no answer to: see {}, and \
                     `cargo xtask test fuzz --target {target} --replay FILE`",
                    log(target).display()
                ));
            }
        }
        ensure!(failed.is_empty(), "{}", failed.join("\n"));
    }
    Ok(())
}

/// What `tests/fuzz` has, by name: the program says so where no target is chosen.
fn targets(program: &Path) -> Result<Vec<String>> {
    let output = Command::new(program).env_remove("SLUICE_FUZZ").output();
    let output = output.with_context(|| format!("cannot start {}", program.display()))?;
    let targets: Vec<String> = String::from_utf8(output.stdout)?
        .lines()
        .map(str::to_owned)
        .collect();
    ensure!(
        output.status.success() && !targets.is_empty(),
        "{} does not say which targets it has",
        program.display()
    );
    Ok(targets)
}

/// The program, whose workspace members report their branches. The rest is as the tests have it.
fn build() -> Result<PathBuf> {
    let target = shell::target();
    let mut cargo = shell::cargo(&["test", "--quiet", "--workspace", "--no-run", "--test", "fuzz"]);
    cargo
        .args(["--features", "sluice-fuzz/libfuzzer", "--message-format", "json"])
        .env("RUSTC_WORKSPACE_WRAPPER", shell::root().join("tests/fuzz/rustc"))
        .env("CARGO_TARGET_DIR", &target)
        .stderr(std::process::Stdio::inherit());
    let output = cargo.output().context("cannot start cargo")?;
    ensure!(output.status.success(), "the fuzzer cannot be built");
    let text = String::from_utf8(output.stdout)?;
    let mut programs = text.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_fuzzer = message.pointer("/target/name")?.as_str()? == "fuzz";
        is_fuzzer
            .then(|| message.get("executable")?.as_str().map(PathBuf::from))
            .flatten()
    });
    programs.next_back().context("cargo built no fuzzer")
}

fn folder() -> PathBuf {
    shell::target().join("fuzz")
}

fn log(target: &str) -> PathBuf {
    folder().join(format!("{target}.log"))
}

fn fuzzer(program: &Path, target: &str) -> Result<Command> {
    let inputs = folder().join(target);
    std::fs::create_dir_all(&inputs)?;
    let mut command = Command::new(program);
    command
        .env("SLUICE_FUZZ", target)
        .env("SLUICE_FUZZ_SEEDS", &inputs)
        .current_dir(folder());
    Ok(command)
}

fn start(program: &Path, target: &str, seconds: u64) -> Result<Child> {
    let mut fuzzer = fuzzer(program, target)?;
    let log = std::fs::File::create(log(target))?;
    fuzzer
        .arg(folder().join(target))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-timeout={TIMEOUT_SECONDS}"))
        .arg(format!("-artifact_prefix={target}-"))
        .arg("-print_final_stats=1")
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

/// How many inputs there were, and how many of them showed something new.
fn summary(target: &str) -> Result<String> {
    let text = String::from_utf8_lossy(&std::fs::read(log(target))?).into_owned();
    let statistic = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
        line.map_or("?", str::trim).to_owned()
    };
    Ok(format!(
        "{} inputs, {} of them new, {} MiB",
        statistic("number_of_executed_units"),
        statistic("new_units_added"),
        statistic("peak_rss_mb")
    ))
}
