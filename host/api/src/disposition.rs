use crate::Reason;
use std::time::Duration;

/// What every error of a stage says about itself. The table from this to conditions, requeues and log levels lies in
/// the controller; nothing else decides policy.
pub trait Disposition {
    /// The word for condition, event and metric label.
    fn reason(&self) -> Reason;
    /// What happens to the object now.
    fn next(&self) -> Next;
    /// Whose fault it is.
    fn blame(&self) -> Blame;
    /// How long the other side wants to be left alone, where it says so.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// What happens to an object after an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until the spec, an annotation or something watched changes.
    Stall,
    /// Try again after the object's retry interval.
    Retry,
    /// Try again soon, with growing delay and jitter: the fault lies in transport, not in what the user wrote.
    BackOff,
    /// Park until the named thing moves: `GitRepository/flux-system/apps`.
    Wait(String),
    /// As if nothing had happened.
    Ignore,
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// This program or its machine.
    Host,
    /// A plugin.
    Guest,
    /// What the user wrote.
    User,
    /// A remote or the API server.
    Upstream,
}
