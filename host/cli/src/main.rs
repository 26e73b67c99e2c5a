//! The `sluice` binary: the only room that prints.
fn main() {}
