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
}

impl RequestError {
    /// HTTP status code, 0 where there was no answer.
    pub fn code(&self) -> u16 {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Transport(_) => 0,
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
            Self::Transport(_) => "",
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
            // a failing admission webhook is a 500 too; asking again at once would only hammer it
            Self::Refused {
                code: 500, message, ..
            } => !message.contains("failed calling webhook"),
            Self::Refused { code, .. } => matches!(code, 429 | 502 | 503 | 504),
            Self::Transport(_) => true,
            Self::NoMatch { .. } => false,
        }
    }
}
