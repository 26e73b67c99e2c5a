//! What an apply is made of, without doing it: what is desired in stages, what differs, what goes. Looking and writing are
//! the apply room's, which asks here object by object.
//!
//! ```text
//! Manifests ─prepare()─▶ stages ──▶ compare(): Created · Configured · Unchanged   controls: what an object says of itself
//! inventory ─stale()───▶ prune      takeover(): whose fields become ours          diff(): the same for people
//!                        audit(): what must never happen
//! ```
//!
//! Start at [`prepare()`] and [`place()`]; then, object by object, [`is_left_alone()`] and [`compare()`]; at the end [`stale()`]
//! and [`guard()`].
//! Which Kustomization waits for which: [`dependencies`].
//!
//! **Invariant:** planning is a pure function: no IO, no clock; equal inputs give equal plans.
//! **Invariant:** a plan never deletes an object that is not in the inventory, nor renames one that is protected.
//! **Invariant:** an object is pruned only where its live labels say that this owner owns it.
//! **Invariant:** data of Secrets never reaches a diff.
#![forbid(unsafe_code)]
// an error names its object and where it comes from; it is rare, and boxing it would only make it harder to read
#![allow(clippy::result_large_err)]

mod owner;

mod compare;
mod controls;
mod drift;
mod fingerprint;
mod ignore;
mod prepare;
mod scope;
mod takeover;

mod audit;
mod change;
mod inventory;

pub mod dependencies;
mod diff;

#[cfg(test)]
mod tests;

pub use audit::{Audited, GuardedPrune, Violation, audit, guard, is_protected, spared};
pub use change::Action;
pub use compare::{Compared, compare, is_immutable};
pub use controls::{is_created_only, is_force_requested, is_left_alone, is_passing, is_prunable};
pub use diff::{diff, masked};
pub use fingerprint::fingerprint_bytes;
pub use ignore::{IgnoreRules, InvalidIgnore};
pub use inventory::{entries, entry, ids, stale, survivors, union};
pub use owner::Owner;
pub use prepare::{Policy, PrepareError, StagedObjects, prepare};
pub use scope::{defined, place, placed_entries};
pub use takeover::{Takeover, migration, takeover};
