//! Every happening is one type; `emit()` turns it into a log line and metrics, and [`Sinks`] carry what users must see
//! to Kubernetes Events and to the notification-controller.
//!
//! ```text
//! happening ──emit()──▶ tracing (Flux's log keys) + metrics (gotk_…, sluice_…)
//! ObjectEvent ──Sinks::record()──▶ core/v1 Event · POST to --events-addr
//! ```
//!
//! Start at [`events`] for the list of happenings, at [`ObjectEvent`] for what users are told, at [`log::init`] for the log.
//!
//! **Invariant:** only this room touches metrics and formats log lines.
//! **Invariant:** a sink never makes a reconcile wait or fail: it hands over to a bounded queue.
//! **Invariant:** what is [`Redacted`] cannot be printed.
#![forbid(unsafe_code)]

pub mod cause;
pub mod events;
pub mod log;
pub mod metrics;
mod object_event;
mod redacted;

pub use object_event::{
    EVENT_MESSAGE_BYTES_MAX, EVENT_METADATA_PREFIX, ObjectEvent, Severity, Sink, Sinks, Subject,
};
pub use redacted::Redacted;

#[cfg(test)]
mod reference;
