//! HTTP for every kind of source: one policy.
//!
//! | who decides | what |
//! |---|---|
//! | [`Addresses`] | which machines may be asked at all (no metadata services, no API server, not this machine) |
//! | [`Transport`] | whom we trust, as whom we connect, through which proxy |
//! | [`Http`] | where credentials go, which redirects are followed, how long and how much may be read |

mod addresses;
mod client;
mod failure;
mod send;

pub use addresses::{Addresses, InvalidNetwork};
pub use client::{Certificates, Transport};
pub(crate) use client::{Clients, blocking_client};
pub use failure::Failure;
pub(crate) use send::{Http, Reply, Request, is_same_origin, secret_header, shown};
/// `Connection refused (os error 111)`, `invalid peer certificate: UnknownIssuer`.
pub(crate) use sluice_event::cause::innermost;
