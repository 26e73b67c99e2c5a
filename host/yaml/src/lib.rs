//! YAML as Go reads and writes it.
mod alias;
mod base64;
mod convert;
mod emit;
mod error;
mod go_json;
mod limits;
mod node;
mod number_text;
mod order;
mod parse;
mod resolve;
mod scan;
mod text;

pub use convert::{to_json, to_json_strict};
pub use emit::{EmitV3, emit_v2, emit_v2_node, emit_v2_node_into, emit_v3};
pub use error::Error;
pub use go_json::{go_json, go_json_raw};
pub use limits::{Limit, Limits};
pub use node::{CollectionStyle, Comments, Node, Position, ScalarStyle, Text, Value};
pub use number_text::{format_float, format_json_float};
pub use parse::{Document, ParseOptions, parse_document, parse_documents};
pub use resolve::{Resolved, Resolver};
