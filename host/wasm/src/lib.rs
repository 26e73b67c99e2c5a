//! The sandbox: runs WebAssembly components as plugins, behind one Rust trait per role.
//!
//! ```text
//! bytes ──▶ Plugin::compile ──▶ Plugin ──▶ .renderer() / .transformer() ──▶ dyn Renderer / dyn Transformer
//!           checks, then          │
//!           compiles              └─ one fresh instance a call, within its Limits, its reads recorded
//! ```
//!
//! Start at [`Engine::get`], then [`Plugin::compile`] for somebody's component or [`builtin`] for ours, then a role.
//! Calls are synchronous; asynchronous code makes them through [`Pool::run`].
//!
//! **Built-ins.** `cargo xtask plugins` builds `plugins/`, compiles each component ahead of time and puts the code into
//! `<target>/plugins/`. With the feature `builtin` this crate embeds what lies there; its `build.rs` only looks for the
//! files, and says what to run where they are missing. It does not run cargo: it would wait for its own lock.
//! The feature is off by default because `xtask`, which makes the files, uses this crate to make them.
//!
//! **Invariant:** a guest gets the read-only tree, the revision and a log, and nothing else; WASI is linked hollow.
//! **Invariant:** whatever a guest does, a call returns within its limit on time (and one tick), as an ordinary [`Error`].
//! **Invariant:** no instance is used twice, so no call sees what another left behind.
//! **Invariant:** equal component, tree, request and context give equal answers, on every machine.
//! **Invariant:** what a guest answers is checked before anybody sees it: UTF-8, JSON, objects, identities.

mod binary;
mod bindings;
#[cfg(feature = "builtin")]
pub mod builtin;
mod call;
mod describe;
mod engine;
mod error;
mod hollow;
mod host;
mod imports;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod in_place;
mod limits;
mod plugin;
mod pool;
mod recorder;
mod roles;
mod state;

pub use binary::Metadata;
pub use call::THREAD_STACK_BYTES;
pub use describe::describe;
pub use engine::{Engine, precompile};
pub use error::{Blame, Error, LoadError, Report};
pub use host::log::LogLine;
pub use limits::{Amount, InvalidLimit, Limit, Limits};
pub use plugin::Plugin;
pub use pool::{Pool, QUEUE_LENGTH_DEFAULT};
pub use recorder::Closure;
pub use roles::{
    Answer, Chart, ChartRelease, ChartRenderer, ChartRequest, Cluster, Context, CrdFile, Detail, Finding,
    Hook, Inputs, Manifest, RenderRequest, Rendered, Renderer, Role, Severity, Trace, TransformRequest,
    Transformed, Transformer, ValuesFile, ValuesSource, lookup_digest,
};
pub use state::Usage;
