//! What every reconciler stands on: watches feed a schedule, workers take from it, one writer sets status.
//!
//! ```text
//! watches ──▶ store (custom resources) ─┐
//!        └──▶ live (applied objects) ───┴─wake─▶ schedule ─▶ workers ─▶ Reconciler ─▶ Park
//! ```

mod context;
mod follow;
mod key;
mod kind;
pub(crate) mod lease;
mod ready;
mod references;
mod remote;
pub(crate) mod schedule;
mod seen;
pub(crate) mod serve;
pub(crate) mod shard;
pub(crate) mod sinks;
mod status;
pub(crate) mod store;
pub(crate) mod watch;
pub(crate) mod workers;

pub(crate) use context::object_id;
pub use context::{Context, Reconciler, Run};
pub use follow::Again;
pub use key::Key;
pub use kind::{
    BUCKET, EXTERNAL_ARTIFACT, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, KUSTOMIZATION, Kind,
    OCI_REPOSITORY, SOURCES,
};
pub use lease::{LeaseTimes, LeaseWatcher};
pub use remote::Remote;
pub(crate) use schedule::Topic;
pub use schedule::{Park, Wake, Wakes};
pub(crate) use status::has_finalizer;
pub use store::Store;
