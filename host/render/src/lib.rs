//! Turns an artifact into manifests: generate, render, transform.
//!
//! ```text
//! artifact's tree ─▶ generate ─▶ overlay ─▶ renderer (kustomize) ─▶ transformer (substitute) ─▶ Rendered
//!   + BuildSpec      (kustomization.yaml)     in the sandbox          in the sandbox
//! ```
//!
//! Start at [`Render::build`]. Nothing is written to disk: the kustomization file that Flux writes into the tree is
//! laid over it.
//!
//! Every path that was looked at, by us or by a plugin, is remembered with the digest of what was found: the closure.
//! A later build whose closure still holds costs those comparisons and nothing else ([`Memo`]).
//!
//! **Invariant:** equal trees (as far as they were read), specs, contexts and plugins give equal results.
//! **Invariant:** a failure is never remembered.
//! **Invariant:** the base tree is never changed, and nothing outside of it is read.
#![forbid(unsafe_code)]

mod build;
mod chart;
mod error;
mod generate;
mod ignore;
mod memo;
mod recording;
mod spec;

pub use build::{Build, Render, Rendered};
pub use chart::{ChartRender, ChartSource, release_manifest};
pub use error::Error;
pub use generate::{Generated, generate};
pub use ignore::Ignore;
pub use memo::Memo;
pub use spec::{BuildSpec, Image, Json6902Patch, Patch, PostBuild};
