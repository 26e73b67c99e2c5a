//! Artifacts: immutable fetch results, kept by content and read as trees.
//!
//! ```text
//! source ──Draft──▶ Store (segments of blobs and directories, one record an artifact)
//!                     ├─▶ StoreTree ──▶ render
//!                     └─▶ tar.gz    ──▶ HTTP, for Flux's own controllers
//! ```
//!
//! Start at [`Store`]; everything that reads files reads a [`Tree`].
//!
//! **Invariant:** an artifact is visible only when all its bytes are on disk.
//! **Invariant:** what is read back has the digest it was stored under, or is an error.
//! **Invariant:** equal trees give byte-equal archives, and equal answers equal digests on every kind of tree.
//! **Invariant:** no path leads out of a tree; an artifact holds regular files and directories only.
#![forbid(unsafe_code)]

mod digest;
mod revision;

pub mod answer;
mod tree;

mod local;
mod memory;
mod overlay;

pub mod archive;
pub mod serve;
pub mod store;
pub mod unpack;

pub use digest::Digest;
pub use local::{LocalLimits, LocalTree};
pub use memory::MemoryTree;
pub use overlay::Overlay;
pub use revision::Revision;
pub use store::{Artifact, ArtifactPath, Store, StoreTree};
pub use tree::{AnswerDigest, Entry, EntryType, Question, Tree, TreeError, check_path, join_path};
