//! Go's `text/template`: text to trees, and trees with a value to text.
//!
//! ```text
//! source ──lexer──▶ tokens ──parser──▶ trees (ast), by name in a Set ──execute──▶ text
//! ```
//!
//! Messages and their positions are part of the language: users search for them, and Helm takes them apart.
//!
//! **Invariant:** no source makes the lexer or parser panic or loop; nesting is bounded by [`parser::DEPTH_MAX`].
//! **Invariant:** a tree knows the source it was read from; parsing happens once, and trees are shared between renders.

pub mod ast;
mod execute;
mod lexer;
mod literal;
mod parser;
mod set;

pub(crate) use execute::without_no_value;
pub use execute::{CALL_DEPTH_MAX, INCLUDE_MAX, MissingKey, Render};
pub use parser::{DEPTH_MAX, parse};
pub use set::{Set, Tree};
