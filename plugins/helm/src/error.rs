//! Why a function failed.

use std::fmt;

/// Why a function or a conversion failed. The executor puts `error calling NAME: ` and the place before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Kind>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Message(String),
}

impl Error {
    /// A failure in the original's words.
    pub fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Kind::Message(message.into())))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Message(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}
