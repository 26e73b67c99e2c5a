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
    let Some(before) = resident_mib() else {
        eprintln!("SKIPPED: what guests leave behind: there is no /proc/self/status");
        return;
    };
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
    let after = resident_mib().expect("it was there before");
    assert!(
        after <= before + 96 + 16,
        "{before} MiB before, {after} MiB after: more than the limit and 16 MiB"
    );
}

/// The resident memory of this process in MiB; none where there is no /proc.
fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib >> 10)
}
