//! Structured merge: who owns which field, and what an apply does to them.
//!
//! A value is walked along its schema ([`sluice_schema::Node`]); ownership is a set of paths ([`FieldSet`]).
//! [`apply()`] and [`update()`] are the two ways to write; both are pure.
//!
//! **Invariant:** this module does no IO; the time of a write comes from the caller.

mod combine;
mod compare;
mod fields_v1;
mod managers;
mod path;
mod remove;
mod set;
mod shape;
mod to_set;
mod update;
mod validate;

#[cfg(test)]
mod tests;

pub(crate) use managers::{Managers, Operation, Writer};
pub(crate) use path::PathElement;
pub(crate) use update::{Conflict, Ignore, apply, update};
pub(crate) use validate::validate;
