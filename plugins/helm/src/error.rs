//! Why something failed.

use std::fmt;

/// Why a function, a template or a conversion failed: a message, and the failure it ends with, if it wraps one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    message: String,
    is_execution: bool,
    source: Option<Error>,
}

impl Error {
    /// A failure in the original's words. Where a function fails, the executor puts `error calling NAME: ` and the place before it.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            message: message.into(),
            is_execution: false,
            source: None,
        }))
    }

    /// A failure because of another one, whose text follows `prefix` (Go's `%w` at the end of a format).
    pub fn wrap(prefix: impl Into<String>, source: Self) -> Self {
        Self(Box::new(Inner {
            message: prefix.into(),
            is_execution: false,
            source: Some(source),
        }))
    }

    /// The same, of the executor (Go's `ExecError`).
    pub(crate) fn execution(message: String, source: Option<Self>) -> Self {
        Self(Box::new(Inner {
            message,
            is_execution: true,
            source,
        }))
    }

    /// Whether a template failed while it ran, here or further inside.
    pub(crate) fn is_execution(&self) -> bool {
        self.chain().any(|error| error.0.is_execution)
    }

    /// This failure and those it wraps, from the outside in.
    pub(crate) fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |error| error.0.source.as_ref())
    }

    /// The text without that of the wrapped failure.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chain().try_for_each(|error| f.write_str(&error.0.message))
    }
}

impl std::error::Error for Error {}
