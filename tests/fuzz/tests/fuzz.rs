//! The program that libFuzzer drives: `SLUICE_FUZZ` names the target, whose seeds go to the folder `SLUICE_FUZZ_SEEDS`; the
//! arguments are libFuzzer's. Without `SLUICE_FUZZ` it prints the names of its targets, one a line.
#![no_main]
#![allow(clippy::print_stdout)] // the names are what it is asked for

use libfuzzer_sys::fuzz_target;
use sluice_fuzz::{TARGETS, Target};
use std::sync::LazyLock;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("SLUICE_FUZZ").unwrap_or_default();
    let found = TARGETS.iter().find(|target| target.name == name);
    found.expect("SLUICE_FUZZ names a target")
});

/// Before the first input.
fn prepare() {
    if std::env::var_os("SLUICE_FUZZ").is_none() {
        for target in TARGETS {
            println!("{}", target.name);
        }
        std::process::exit(0);
    }
    write_seeds();
}

fn write_seeds() {
    let Some(folder) = std::env::var_os("SLUICE_FUZZ_SEEDS").map(std::path::PathBuf::from) else {
        return;
    };
    for (number, seed) in (TARGET.seeds)().iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), seed).expect("the seeds can be written");
    }
}

fuzz_target!(init: prepare(), |data: &[u8]| {
    // accepted or refused: both are answers
    let _answer = (TARGET.read)(data);
});
