//! What a panic says does not leave the process.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // helpers of tests fail as tests do

use sluice_event::log::{self, Encoding, Verbosity};
use std::process::Command;

#[path = "../src/panics.rs"]
mod hook;

/// Set in the process that panics; its value says whether it has a log.
const PANICS: &str = "SLUICE_TEST_PANICS";

#[test]
fn a_panic_tells_where_and_not_what() {
    if let Some(log) = std::env::var_os(PANICS) {
        if log == "log" {
            log::init(Encoding::Json, Verbosity::Info);
        }
        hook::install(|text| eprintln!("{text}"));
        let worker = std::thread::Builder::new().name("worker".to_owned());
        let panics: fn() = || panic!("hunter2");
        assert!(worker.spawn(panics).unwrap().join().is_err());
        return;
    }
    let told = |log: &str, backtrace: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "panics::a_panic_tells_where_and_not_what",
                "--nocapture",
            ])
            .envs([(PANICS, log), ("RUST_BACKTRACE", backtrace)])
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let plain = told("none", "0");
    let place = "tests/panics.rs:";
    assert!(
        plain.contains("thread \"worker\" panicked at ") && plain.contains(place),
        "{plain}"
    );
    let logged = told("log", "0");
    let line: serde_json::Value = serde_json::from_str(logged.trim_end()).unwrap();
    let text = |key: &str| line.get(key).and_then(serde_json::Value::as_str).unwrap();
    assert_eq!((text("level"), text("thread")), ("error", "worker"));
    assert!(text("place").contains(place), "{line}");
    assert!(!plain.contains("hunter2") && !logged.contains("hunter2"));
    // somebody looks for a bug
    assert!(told("none", "1").contains("hunter2"));
}
