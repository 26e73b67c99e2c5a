//! Requests to a Kubernetes API server, and the answers a real one gave, so that the embedded one can be held to them.
//!
//! A [`Scenario`] (`requests/*.yaml`) is a list of requests in a namespace of its own; [`play()`] sends them and gives the
//! canonical answers; [`compare`] holds them against the committed ones (`answers/*.json`). The program `requests` does
//! this from a terminal, `tests/devcluster.rs` for the embedded server.
//!
//! **Invariant:** an answer contains nothing that differs from run to run: times, uids, resource versions, addresses and
//! made-up names are replaced by what they have in common ([`canonical`]).
#![forbid(unsafe_code)]

mod answers;
pub mod canonical;
mod play;
mod scenario;

pub use answers::{compare, folder, read, write};
pub use play::{Server, play};
pub use scenario::{Await, Expected, Scenario, Step, all};
