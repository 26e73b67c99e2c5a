//! What misbehaving guests leave behind in the host. A file, and so a process, of its own: the memory that is measured is the
//! whole process's, and tests beside this one would be counted with it.

#[allow(dead_code)] // it needs a part of it
mod support;

use expect_test::expect;
use support::{load, outcome, render, tight};

/// N41: after every misdeed the host renders as before and has given the memory back.
#[test]
fn the_host_outlives_them_all_and_gets_its_memory_back() {
    let plugin = load("misbehave", tight());
    assert!(render(&plugin, "nothing").is_ok());
    let before = resident_mib();
    for _ in 0..3 {
        for deed in [
            "allocate",
            "recurse",
            "trap",
            "panic",
            "huge-output",
            "shared-output",
            "host-calls",
            "memory-copy-loop",
        ] {
            assert!(render(&plugin, deed).is_err(), "{deed}");
            expect!["1 objects: nothing"].assert_eq(&outcome(&render(&plugin, "nothing")));
        }
    }
    let after = resident_mib();
    assert!(
        after <= before + 96 + 16,
        "{before} MiB before, {after} MiB after: more than the limit and 16 MiB"
    );
}

/// The resident memory of this process in MiB; 0 where there is no /proc.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or(0)
        >> 10
}
