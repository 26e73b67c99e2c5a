//! An embedded Kubernetes API server **for development and tests**: not for clusters that anybody depends on.
//!
//! Enough of Kubernetes in one process that `kubectl` and client libraries work against it: discovery, objects in memory,
//! watches, server-side apply, custom resources, garbage collection, and workloads that become ready. Start at
//! [`DevCluster::start`].
//!
//! ```text
//! http ──▶ write ──▶ merge (who owns which field) ──▶ store ──▶ watch
//!            │                                          │
//!          kinds (built-in tables, CRDs)            simulate (controllers)
//! ```
//!
//! **Invariant:** every write goes through one store with one counter; a watch sees each change exactly once, in order.
//! **Invariant:** nothing is served outside loopback unless the configuration says so, and nothing without the bearer token.
//! **Invariant:** answers are those of the recorded kube-apiserver; where they cannot be, the request is refused, not guessed.
#![forbid(unsafe_code)]

mod access;
mod audit;
mod cluster;
mod faults;
mod http;
mod kinds;
mod merge;
mod meta;
mod patch;
mod request;
mod selector;
mod server;
mod simulate;
mod status;
mod store;
mod table;
mod write;
mod yaml;

pub use access::Authorization;
pub use audit::Request;
pub use faults::{Admission, Effect, Fault, Faults, Verdict};
pub use server::{Config, DevCluster, StartError};
pub use table::human_duration;
