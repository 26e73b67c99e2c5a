//! Small charts with what comes out of them: each folder of `cases/` holds charts, values and a `transcript`. Its lines that
//! begin with `$ ` are arguments as for `helm template`, with `--notes` in front for the notes; what follows is printed.
//! `UPDATE_EXPECT=1` rewrites what is printed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::{fs, path::Path};

use crate::corpus::template;
use sluice_plugin_helm::Wanted;

fn printed(case: &Path, line: &str) -> String {
    let mut args: Vec<&str> = line.split_whitespace().collect();
    let wants_notes = args.first() == Some(&"--notes");
    let wanted = if wants_notes {
        Wanted::Notes
    } else {
        Wanted::Objects
    };
    args.drain(..usize::from(wants_notes));
    match template::run(case, args[0], args[1], &args[2..], wanted) {
        Ok(printed) if wants_notes => format!("{}\n", printed.notes.unwrap_or_default()),
        Ok(printed) => {
            let warnings = printed.warnings.iter().map(|text| format!("told: {text}\n"));
            warnings.chain([printed.text]).collect()
        }
        Err(failure) => {
            let mut text = format!("Error: {}\n", failure.text().trim_end());
            if let Some(hint) = failure.hint() {
                text.push_str(&format!("hint: {hint}\n"));
            }
            text
        }
    }
}

/// Includes without an end take more stack than tests have.
fn check(case: &Path) {
    let file = case.join("transcript");
    let transcript = fs::read_to_string(&file).unwrap();
    let commands = transcript.lines().filter(|line| line.starts_with("$ "));
    let got: String = commands
        .map(|line| format!("{line}\n{}", printed(case, &line[2..])))
        .collect();
    expect_test::expect_file![file].assert_eq(&got);
}

#[test]
fn every_case_prints_what_its_transcript_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 15, "only {} cases", cases.len());
    let all = move || cases.iter().for_each(|case| check(case));
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    thread.spawn(all).unwrap().join().unwrap();
}
