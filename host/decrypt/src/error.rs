use crate::sops::Format;
use sluice_api::{Blame, Disposition, Next, Reason, reason};

/// Why something was not decrypted. Texts begin as Flux's do; none quotes a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no encrypted file of that format.
    #[error("failed to load encrypted {format} data: {cause}")]
    Load {
        /// The format it was taken for.
        format: Format,
        /// What is wrong.
        cause: String,
    },
    /// No key at hand gives the data key.
    #[error("cannot get sops data key: {0}")]
    DataKey(#[source] KeyError),
    /// A value does not decrypt.
    #[error("error decrypting sops tree: {0}")]
    Tree(String),
    /// The MAC is not that of the file.
    #[error(
        "failed to verify sops data integrity: the MAC does not match: {0} was changed after it was encrypted. Encrypt it \
         again with sops, or accept such files with --sops-verify-mac=false"
    )]
    Mac(String),
    /// The output format cannot hold what the file holds.
    #[error("failed to emit encrypted {input} file as decrypted {output}: {cause}")]
    Emit {
        /// The format it has.
        input: Format,
        /// The format it should get.
        output: Format,
        /// What does not fit.
        cause: String,
    },
    /// The file is larger than what is decrypted.
    #[error("cannot decrypt file with size ({size} bytes) exceeding limit ({limit})")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The files are larger together than what is decrypted.
    #[error(
        "cannot decrypt files with more than {limit} bytes together (sealed_bytes_max): divide them among Kustomizations"
    )]
    TooMuch {
        /// The limit in bytes.
        limit: u64,
    },
    /// A kustomization or a file that it names cannot be read.
    #[error("{0}")]
    Source(String),
    /// The same, with what it happened to.
    #[error("{what}: {cause}")]
    At {
        /// A file, or a field of an object.
        what: String,
        /// Why.
        cause: Box<Error>,
    },
}

impl Error {
    /// The same error with what it is about.
    #[must_use]
    pub fn at(self, what: impl Into<String>) -> Self {
        Self::At {
            what: what.into(),
            cause: Box::new(self),
        }
    }
}

impl Disposition for Error {
    fn reason(&self) -> Reason {
        reason::BUILD_FAILED
    }

    fn next(&self) -> Next {
        match self {
            Self::DataKey(error) if error.is_transient => Next::BackOff,
            Self::At { cause, .. } => cause.next(),
            _ => Next::Retry,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::DataKey(error) if error.is_transient => Blame::Upstream,
            Self::At { cause, .. } => cause.blame(),
            _ => Blame::User,
        }
    }
}

/// Why a master key gave no data key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyError {
    /// For people; never with a key.
    pub message: String,
    /// Whether asking again can help.
    pub is_transient: bool,
}

impl KeyError {
    /// Something is wrong for good.
    pub fn lasting(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_transient: false,
        }
    }

    /// A service is busy or not reached.
    pub fn transient(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_transient: true,
        }
    }
}
