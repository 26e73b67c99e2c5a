//! What can go wrong, in the words Go's libraries use where they have any.

use crate::{Limit, Position};

/// Why a text could not be read, or a tree not be converted.
///
/// The message is the one that Go's library prints (`yaml: line 3: …`); [`Error::position`] is exact where Go's line is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not YAML.
    #[error("{message}")]
    Syntax {
        /// Go's text, whole.
        message: String,
        /// Where the problem is.
        position: Position,
    },
    /// The text is YAML, but the tree has no value: duplicate keys, a cycle, a tag that does not fit.
    #[error("{message}")]
    Decode {
        /// Go's text, whole.
        message: String,
        /// The node in question.
        position: Position,
    },
    /// The value has no JSON form: infinity, a key that is not a string.
    #[error("{message}")]
    Json {
        /// Go's text, whole.
        message: String,
        /// The node in question.
        position: Position,
    },
    /// A bound was reached.
    #[error("yaml: line {}: the {limit} limit of {max} is exceeded (raise Limits::{limit})", position.line)]
    Limit {
        /// Which bound.
        limit: Limit,
        /// Its value.
        max: usize,
        /// Where it was reached.
        position: Position,
    },
    /// The value does not fit the wanted type: see [`crate::from_str`].
    #[error("{message}")]
    Type {
        /// What does not fit, with the line.
        message: String,
        /// The field in question.
        position: Position,
    },
}

impl Error {
    /// Where it happened; line 0 where that is unknown.
    pub fn position(&self) -> Position {
        match self {
            Self::Syntax { position, .. }
            | Self::Decode { position, .. }
            | Self::Json { position, .. }
            | Self::Limit { position, .. }
            | Self::Type { position, .. } => *position,
        }
    }
}
