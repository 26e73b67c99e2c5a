//! The content-addressed artifact store and its read-only trees.
#![forbid(unsafe_code)]

mod tree;

pub use tree::{AnswerDigest, Entry, EntryType, Question, Tree, TreeError};
