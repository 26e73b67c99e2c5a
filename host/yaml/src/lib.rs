//! YAML as Go reads and writes it.
mod base64;
mod error;
mod limits;
mod node;
mod resolve;

pub use error::Error;
pub use limits::{Limit, Limits};
pub use node::{CollectionStyle, Comments, Node, Position, ScalarStyle, Text, Value};
pub use resolve::{Resolved, Resolver};
