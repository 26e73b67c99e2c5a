//! The build system: `cargo xtask help`.
fn main() {}
