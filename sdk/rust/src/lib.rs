//! The SDK for Sluice plugins in Rust.
//!
//! A plugin is a struct: its fields are its configuration, and a trait says what it does with it. This is a whole one,
//! test included (its `Cargo.toml` needs `crate-type = ["cdylib", "rlib"]`):
//!
//! ```
//! use sluice_sdk::transformer::*;
//!
//! /// Adds a team label to every object.
//! #[derive(Deserialize, JsonSchema)]
//! struct TeamLabel {
//!     /// The label's value.
//!     team: String,
//! }
//!
//! impl Transformer for TeamLabel {
//!     fn transform(&self, objects: &mut Objects, _: &Context) -> Result<()> {
//!         objects.iter_mut().for_each(|object| object.set_label("team", &self.team));
//!         Ok(())
//!     }
//! }
//!
//! sluice_sdk::export!(transformer: TeamLabel);
//!
//! let out = testing::transform::<TeamLabel>("team: a", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}").unwrap();
//! assert!(out.to_yaml().contains("team: a"));
//! ```
//!
//! Roles: [`transformer`] (objects to objects), [`renderer`] (files to objects) and [`chart_renderer`] (charts to manifests).
//! Each module is a prelude for its role.
//!
//! - Failing: `?` on any error makes a *terminal* failure (the same input will fail again); [`failure::OrFail::transient`] says
//!   that it may work later. Say more with [`Failure`].
//! - Logging: [`info!`], [`warn!`] and the rest go to the host's log.
//! - A panic becomes an ordinary error that quotes its text; it ends this call and nothing else.
//! - Natively (in `cargo test`) the host is replaced by fakes in memory: nothing of a plugin needs WebAssembly to be tested.
//!
//! Guests are built for `wasm32-unknown-unknown` and import no WASI: no clock, no files, no environment. What a plugin
//! answers is a function of what it was asked, so the host may keep the answer.
//!
//! **Invariant:** nothing in here does IO other than through `sluice:host`.

// so that the code that `export!` makes finds the SDK by one name, inside and outside of it
#[cfg(target_arch = "wasm32")]
extern crate self as sluice_sdk;

/// A render is many small allocations, and the allocator that Rust brings for this target is the slower one (ADR 0029).
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(target_arch = "wasm32")]
mod bindings;
pub mod chart_renderer;
pub mod context;
pub mod export;
pub mod failure;
mod finding;
pub mod log;
mod object;
pub mod renderer;
pub mod testing;
pub mod transformer;
mod tree;

pub use context::Context;
pub use failure::{Failure, Report, Result};
pub use finding::{Finding, Severity};
pub use object::{Object, ObjectId, Objects, Origin};
pub use tree::{Entry, EntryType, Tree, TreeError};

pub use schemars;
pub use serde;
pub use serde_json;
pub use sluice_yaml as yaml;

/// The oldest host that guests of this SDK run on.
pub const MIN_HOST: &str = "0.1.0";

/// What `export!` expands to. No part of the API.
#[doc(hidden)]
pub mod __private {
    #[cfg(target_arch = "wasm32")]
    pub use crate::bindings::{chart_renderer, renderer, transformer};
    pub use crate::export::describe;
    #[cfg(target_arch = "wasm32")]
    pub use crate::export::{chart, guest};
    #[cfg(target_arch = "wasm32")]
    pub use wit_bindgen::rt;
}
