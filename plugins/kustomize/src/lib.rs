//! Kustomize 5.8.1 as a pure function: a tree of files in, objects out.
//!
//! Start at [`build()`]. A kustomization is decoded (`kustomization`), its resources are read (`read`, `objects`), generated
//! objects join them (`generate`, `plugin`), transformers change them (`transform`), and at the top names, variables and the
//! order are settled (`hash`, `names`, `vars`, `sort`). Transformers work on one tree; nothing is written and read again between them.
//!
//! **Invariant:** equal trees and options give equal results; nothing but the tree is read, no clock, no environment, no network.
//! **Invariant:** every error says the original's words first, then the place, the object and what to do.
//! **Invariant:** every object knows the file, document and line it comes from.
//! **Invariant:** looking up an object by identity does not scan the others.

mod build;
mod config;
mod error;
mod fields;
mod files;
mod gather;
mod generate;
mod go;
pub mod guest;
mod hash;
mod id;
mod kustomization;
mod metadata;
mod names;
mod nearest;
mod object;
mod objects;
mod output;
mod pattern;
mod plugin;
mod read;
mod requirements;
mod schema;
mod selector;
mod size;
mod sort;
mod transform;
mod vars;

pub use build::{Build, Limits, Options, Rendered, Reorder, build};
pub use error::{Class, Error, Place, Result};
pub use files::{FileKind, Files, LoadRestrictor};
pub use object::Source;
pub use sluice_yaml::{Node, Position, Text};
