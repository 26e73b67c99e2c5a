//! Brings objects to their desired state by server-side apply, with as few requests as it takes, and deletes what is no
//! longer wanted.
//!
//! ```text
//! stage of objects ─look─▶ ─dry-run what changes─▶ ─write in order─▶ Applied (created, configured, unchanged, skipped)
//!                    ▲ Live: fingerprints from watches and answers; what is known costs no request
//! ```
//!
//! Start at [`place()`], [`Applier::apply_stage`] and [`prune()`]; [`cluster`] is the seam to the API server.
//!
//! **Invariant:** what the controller does to users' objects, it does here.
//! **Invariant:** every request names the [`cluster::Identity`] it is made in.
//! **Invariant:** an object whose desired digest and live fingerprint are those last verified costs no request.
//! **Invariant:** nothing is deleted without its UID as a precondition, and nothing that is protected.
#![forbid(unsafe_code)]

pub mod cluster;
mod error;
mod judge;
pub mod live;
mod preview;
mod prune;
mod scope;
mod served;
mod stage;

pub use error::{ApplyError, Step};
pub use judge::{fingerprint, ownership, seen_in};
pub use preview::{Preview, PreviewOptions, preview_each, preview_prune};
pub use prune::{Pruned, Pruning, prune};
pub use scope::{place, place_entries};
pub use served::{find, served};
pub use stage::{Applied, Applier, Options};
