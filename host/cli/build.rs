//! How what we ship is linked, so that a process holds little memory.
//!
//! A position-independent program has a table of the places where addresses stand, 2 MB of it here, which every process
//! reads when it starts. Written as a bitmap (`DT_RELR`) it is a small part of that.
//! Functions that run stand side by side (`functions.order`, ADR 0032): code is mapped in windows of 64 KiB.

use std::env;
use std::process::Command;

/// The first C library of GNU that reads the bitmap. The program wants one no older than that of the machine it was built
/// on in any case (`deploy/README.md`).
const FIRST: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=functions.order");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|is| is == value);
    let is_own = env::var("HOST").ok() == env::var("TARGET").ok();
    let is_shipped = is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux");
    if is_own && is_shipped && is("CARGO_CFG_TARGET_ENV", "gnu") && glibc().is_some_and(|it| it >= FIRST) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    if is_shipped && is("TARGET", "x86_64-unknown-linux-gnu") {
        if is_linked_by_lld() {
            let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
            // names of an older build are passed over
            println!("cargo::rustc-link-arg-bins=-Wl,--no-warn-symbol-ordering");
            println!("cargo::rustc-link-arg-bins=-Wl,--symbol-ordering-file={folder}/functions.order");
        } else {
            println!(
                "cargo::warning=another linker is asked for than rustc's own: functions are left in no order, and each process holds some 10 MB more"
            );
        }
    }
}

/// Rust links with lld for this target unless it is told otherwise; other linkers do not know the option.
fn is_linked_by_lld() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    env::var_os("RUSTC_LINKER").is_none() && !["linker", "fuse-ld"].iter().any(|word| flags.contains(word))
}

/// Major and minor version of this machine's; none where it cannot be told.
fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = text.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
