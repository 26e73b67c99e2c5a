//! YAML as Go reads and writes it.
mod alias;
mod base64;
mod error;
mod limits;
mod node;
mod parse;
mod resolve;
mod scan;
mod text;

pub use error::Error;
pub use limits::{Limit, Limits};
pub use node::{CollectionStyle, Comments, Node, Position, ScalarStyle, Text, Value};
pub use parse::{Document, ParseOptions, parse_document, parse_documents};
pub use resolve::{Resolved, Resolver};
