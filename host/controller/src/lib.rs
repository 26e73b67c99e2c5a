//! The corridor: one reconciler a kind, and the runtime they stand on.
//!
//! ```text
//! watches ─▶ schedule ─▶ worker ─▶ reconcilers/<kind>.rs: source → render → apply → prune → health → status ─▶ Park
//! ```
//!
//! Start at [`run_with`]; how errors become conditions is [`error_policy`].
//!
//! **Invariant:** waiting holds nothing: what waits is parked and woken by an event, a timer, or both.
//! **Invariant:** a wake-up is never lost, and the newest wish always wins.
//! **Invariant:** only this room sets conditions, and it writes a status only where it differs.
//! **Invariant:** whatever was made in the cluster is in the inventory before it is made.
#![forbid(unsafe_code)]

mod artifacts;
mod config;
pub mod error_policy;
pub mod reconcilers;
mod run;
pub mod runtime;

pub use artifacts::{ArtifactFacts, Artifacts, OpenError};
pub use config::{ControllerConfig, gates};
pub use run::{MakeReconcilers, RunError, run_on, run_with};
