//! What the host offers to guests. One file per interface of `sluice:host`.
//!
//! **Invariant:** no import waits: each answers from memory, or from a tree that does not go to the network.

pub(crate) mod log;
mod lookup;
mod revision;
pub(crate) mod tree;

/// The interfaces of `sluice:host` that every guest gets. Adding one needs a grant or a reason, and a row in the tests.
pub(crate) const OFFERED: [&str; 3] = ["tree", "revision", "log"];

/// The version of every interface of ours.
pub(crate) const CONTRACT_VERSION: &str = "0.1.0";
