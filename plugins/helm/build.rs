//! The stack of the component: what its calls keep in memory.

#![allow(clippy::print_stdout, reason = "cargo reads what is printed")]

fn main() {
    // templates include themselves up to 1000 times, on values up to 1000 levels deep; the default is 1 MiB
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-cdylib=-zstack-size=16777216");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
