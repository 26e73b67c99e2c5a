//! YAML as Go reads and writes it.
//!
//! ```text
//! text ──parse──▶ Node tree ──to_json──▶ serde_json::Value ──emit_v2──▶ what Kustomize and Helm print
//!                    │  └───────write_json, emit_v2_node─────────────────────────▲ (the same, without the detour)
//!                    │          print_v2: values of another kind────────────────▲
//!                    └──emit_v3──▶ what yaml.v3 prints: styles, tags, anchors as they were
//! ```
//!
//! Start at [`parse_documents()`]; a program that wants typed values starts at [`from_str()`].
//! Two dialects of Go decide what a scalar is and whose messages are given: [`Resolver::V2`] for what goes through
//! `sigs.k8s.io/yaml` (kustomization files, Helm, Flux), [`Resolver::V3`] for the objects that Kustomize reads.
//!
//! **Invariant:** a text that Go's libraries refuse is refused with their message; one they accept has the same value.
//! **Invariant:** equal values print as equal bytes; the order of keys does not depend on the order they were read in.
//! **Invariant:** no text makes this crate panic, and none costs more than [`Limits`] allow; time is linear in the text,
//! but for repeated keys, which are reported pair by pair up to a bound.
//! **Invariant:** no input, no output, no clock, no threads: it runs in a WebAssembly guest as it runs here.
//!
//! Every node knows its line and column. The tests under `tests/` hold the crate to the answers of Go's libraries
//! (`tests/yaml-oracle` at the root of the repository makes them) and to the Kustomize and Helm corpora.
#![forbid(unsafe_code)]

mod error;
mod limits;
mod node;

mod alias;
mod comments;
mod parse;
mod scan;
mod text;

mod base64;
mod convert;
mod decode;
mod resolve;

mod emit;
mod go_json;
mod number_text;
mod order;

pub use convert::{to_json, to_json_strict, write_json};
pub use decode::{Decoded, UnknownField, from_node, from_str};
pub use emit::{EmitV3, PrinterV2, emit_v2, emit_v2_node, emit_v2_node_into, emit_v3, print_v2};
pub use error::Error;
pub use go_json::{go_json, go_json_raw, write_json_text};
pub use limits::{Limit, Limits};
pub use node::{CollectionStyle, Comments, Node, Position, ScalarStyle, Text, Value};
pub use number_text::{format_float, format_json_float, shortest_scientific, whole_number};
pub use order::sort_keys_v3;
pub use parse::{Document, ParseOptions, parse_document, parse_documents};
pub use resolve::{Resolved, Resolver, is_sexagesimal};
pub use text::decode_text;
