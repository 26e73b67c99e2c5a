//! Stories of Kustomizations: what users do, and what becomes of it.
//!
//! Start at any file of [`stories`]. `tests/embedded.rs` tells each to the embedded API server, `tests/real.rs` to the
//! real one.
//!
//! **Invariant:** a story names what it expects; it never waits for a fixed time and asserts none.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

pub mod stories;

/// Calls `$with!` with the names of the stories: first those that any API server can be told, then those that need a
/// fault, an admission or a controller that only the embedded one has, last those with a second server, over real
/// connections: a paused clock would run ahead of them.
#[macro_export]
macro_rules! stories {
    ($with:ident) => {
        $with! {
            [
                install upgrade rollback prune rename dependencies suspend drift immutable definition_and_object
                namespace_and_content deletion_policy variables supersede malformed fight ignore controls history
                handover cli_view events expressions tenant quota
                webhook_mutates webhook_denies deletion cluster_scoped protected
                classes shards retry passing_jobs shared served_versions version_dropped
            ]
            [health root_causes]
            [remote_cluster]
        }
    };
}
