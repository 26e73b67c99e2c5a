//! The list of happenings, one file a stage. Each type has one `emit()`, which is all its log line and its metrics.

mod apply;
mod fetch;
mod lease;
mod reconcile;
mod render;

pub use apply::{
    ChangeWord, DriftCorrected, FieldFightDamped, ObjectVerified, ObjectsApplied, ObjectsPruned,
};
pub use fetch::{ArtifactStored, FetchFailed, FetchUnchanged};
pub use lease::{LeaseAcquired, LeaseAwaited, LeaseLost};
pub use reconcile::{
    EventDropped, ObjectMalformed, ObjectParked, ReconcileFailed, ReconcileFinished, ReconcileSuspended,
    ReconcileWaiting, StatusWritten, WatchFailed,
};
pub use render::{RenderFailed, RenderRemembered, RenderSucceeded};
