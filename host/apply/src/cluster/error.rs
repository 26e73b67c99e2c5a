use std::time::Duration;

/// Why a request to the API server brought no answer, or a refusal.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RequestError {
    /// The API server said no. The text is its own.
    #[error("{message}")]
    Refused {
        /// HTTP status code.
        code: u16,
        /// `metav1.StatusReason`, `Invalid`, `Conflict` …; empty where the server gave none.
        reason: String,
        /// The server's message.
        message: String,
        /// Reasons of the causes, `FieldManagerConflict` …
        causes: Vec<String>,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// No answer: connection, TLS, time-out, a body that is no JSON.
    #[error("{0}")]
    Transport(String),
    /// The API server serves no such kind (yet).
    #[error("no matches for kind \"{kind}\" in version \"{api_version}\"")]
    NoMatch {
        /// The kind.
        kind: String,
        /// `group/version`.
        api_version: String,
    },
    /// A name that is no part of a path: the API server is not asked.
    #[error("invalid {what} {name:?}: {why}; correct it where the object is named")]
    InvalidName {
        /// `name` or `namespace`.
        what: &'static str,
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is nobody in whose name it could be asked: the API server is not asked.
    #[error("{0}")]
    NoUser(String),
}

/// Texts of answers with code 500 that stay true until somebody mends something: asking again at once would only hammer a
/// failing webhook, or an etcd that is full or takes no object of this size (field/reliability.md R11).
const LASTING: &[&str] = &[
    "failed calling webhook",
    DATABASE_FULL,
    REQUEST_TOO_LARGE,
    MESSAGE_TOO_LARGE,
];
/// etcd's text when its quota is used up.
pub(crate) const DATABASE_FULL: &str = "database space exceeded";
/// etcd's text for a write above `--max-request-bytes`.
pub(crate) const REQUEST_TOO_LARGE: &str = "request is too large";
/// The text of the API server's own etcd client for the same.
pub(crate) const MESSAGE_TOO_LARGE: &str = "trying to send message larger than max";

impl RequestError {
    /// HTTP status code, 0 where there was no answer.
    pub fn code(&self) -> u16 {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Transport(_) => 0,
            Self::InvalidName { .. } | Self::NoUser(_) => 400,
            Self::NoMatch { .. } => 404,
        }
    }

    /// The API status reason as Flux prints it.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused { reason, causes, .. } => {
                if causes.iter().any(|cause| cause == "FieldManagerConflict") {
                    "FieldManagerConflict"
                } else {
                    reason
                }
            }
            Self::Transport(_) | Self::NoUser(_) => "",
            Self::InvalidName { .. } => "Invalid",
            Self::NoMatch { .. } => "NotFound",
        }
    }

    /// Whether the object (or its namespace, or its kind) is not there.
    pub fn is_not_found(&self) -> bool {
        self.code() == 404
    }

    /// Whether trying again without any change can help: the server was busy, broken or not reached.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused {
                code: 500, message, ..
            } => !LASTING.iter().any(|lasting| message.contains(lasting)),
            Self::Refused { code, .. } => matches!(code, 429 | 502 | 503 | 504),
            Self::Transport(_) => true,
            Self::NoMatch { .. } | Self::InvalidName { .. } | Self::NoUser(_) => false,
        }
    }
}
