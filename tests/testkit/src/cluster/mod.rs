//! A real Kubernetes API server for tests: where its programs lie, how they are built, how one is started.
//!
//! Start at [`Cluster::start`] (feature `cluster`); the programs come from [`Binaries`].
//!
//! **Invariant:** a started server never outlives the process that started it, however that process ends.
//! **Invariant:** nothing here reads or writes the user's own kubeconfig.

mod binaries;
#[cfg(feature = "cluster")]
mod server;

pub use binaries::{Binaries, BinariesError, Program, available};
#[cfg(feature = "cluster")]
pub use server::{Cluster, Options, StartError};
