//! Why a fetch failed: Flux's words first, then the cause and what to do.

use std::time::Duration;

use sluice_api::{Blame, Disposition, Next, Reason, reason};

use crate::{
    Credentials,
    git::{remote, ssh},
    http::Failure,
};

/// A failure to fetch. Variants tell what the caller can do; the text is the message of the condition.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// `spec.url` cannot be used: it must change.
    #[error("failed to parse url '{url}': {problem}")]
    InvalidUrl {
        /// The URL without credentials.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The credentials cannot be used as they are.
    #[error("failed to configure authentication options: {0}")]
    Credentials(String),
    /// `spec.ref` cannot be understood.
    #[error("failed to checkout and determine revision: {text} ({hint})")]
    InvalidReference {
        /// Flux's words.
        text: String,
        /// What to do.
        hint: String,
    },
    /// The remote has no such reference.
    #[error("failed to checkout and determine revision: {text} ({hint})")]
    NotFound {
        /// Flux's words.
        text: String,
        /// What there is instead.
        hint: String,
    },
    /// The remote has no reference at all.
    #[error("git repository is empty (push a commit to '{url}')")]
    Empty {
        /// The URL without credentials.
        url: String,
    },
    /// The server refuses us: something must be granted.
    #[error("failed to checkout and determine revision: {step} '{url}': {text} ({hint})")]
    Refused {
        /// `unable to clone` or `unable to list remote for`.
        step: &'static str,
        /// The URL without credentials.
        url: String,
        /// What the server said.
        text: String,
        /// What to do.
        hint: String,
    },
    /// The server cannot be reached or does not answer in time: try again.
    #[error("failed to checkout and determine revision: {step} '{url}': {text} ({hint})")]
    Unreachable {
        /// `unable to clone` or `unable to list remote for`.
        step: &'static str,
        /// The URL without credentials.
        url: String,
        /// What happened.
        text: String,
        /// What to do.
        hint: String,
        /// How long the server wants to be left alone, where it says so.
        after: Option<Duration>,
    },
    /// What the server sent is damaged, too large or hostile.
    #[error("failed to checkout and determine revision: {step} '{url}': {text} ({hint})")]
    BadContent {
        /// `unable to clone` or `unable to list remote for`.
        step: &'static str,
        /// The URL without credentials.
        url: String,
        /// What is wrong with it.
        text: String,
        /// What to do.
        hint: String,
    },
    /// A submodule cannot be fetched.
    #[error(
        "failed to checkout and determine revision: submodule '{path}': {}",
        tail(error)
    )]
    Submodule {
        /// Where it is.
        path: String,
        /// Why.
        error: Box<Error>,
    },
    /// Our own disk.
    #[error("failed to create temporary working directory: {0}")]
    Disk(String),
    /// A fault of ours.
    #[error("failed to checkout and determine revision: internal error: {0}")]
    Internal(String),
}

/// What follows the words that all begin with.
pub(super) fn tail(error: &Error) -> String {
    let text = error.to_string();
    let rest = text.strip_prefix("failed to checkout and determine revision: ");
    rest.map_or(text.clone(), str::to_owned)
}

impl Disposition for Error {
    fn reason(&self) -> Reason {
        match self {
            Error::InvalidUrl { .. } => reason::URL_INVALID,
            Error::Credentials(_) => reason::AUTHENTICATION_FAILED,
            Error::Empty { .. } => reason::EMPTY_GIT_REPOSITORY,
            Error::Submodule { error, .. } => match error.reason() {
                // the URL is not the user's, and may be another one with the next commit
                reason::URL_INVALID => reason::GIT_OPERATION_FAILED,
                reason => reason,
            },
            Error::Disk(_) => reason::DIRECTORY_CREATION_FAILED,
            Error::InvalidReference { .. }
            | Error::NotFound { .. }
            | Error::Refused { .. }
            | Error::Unreachable { .. }
            | Error::BadContent { .. }
            | Error::Internal(_) => reason::GIT_OPERATION_FAILED,
        }
    }

    fn next(&self) -> Next {
        match self {
            Error::InvalidUrl { .. } => Next::Stall,
            Error::Submodule { error, .. } => match error.next() {
                Next::Stall => Next::Retry,
                next => next,
            },
            Error::Unreachable { .. } | Error::BadContent { .. } | Error::Disk(_) | Error::Internal(_) => {
                Next::BackOff
            }
            Error::Credentials(_)
            | Error::InvalidReference { .. }
            | Error::NotFound { .. }
            | Error::Empty { .. }
            | Error::Refused { .. } => Next::Retry,
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Error::Submodule { error, .. } => error.blame(),
            Error::Unreachable { .. } | Error::BadContent { .. } => Blame::Upstream,
            Error::Disk(_) | Error::Internal(_) => Blame::Host,
            Error::InvalidUrl { .. }
            | Error::Credentials(_)
            | Error::InvalidReference { .. }
            | Error::NotFound { .. }
            | Error::Empty { .. }
            | Error::Refused { .. } => Blame::User,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Unreachable { after, .. } => *after,
            Error::Submodule { error, .. } => error.retry_after(),
            Error::InvalidUrl { .. }
            | Error::Credentials(_)
            | Error::InvalidReference { .. }
            | Error::NotFound { .. }
            | Error::Empty { .. }
            | Error::Refused { .. }
            | Error::BadContent { .. }
            | Error::Disk(_)
            | Error::Internal(_) => None,
        }
    }
}

/// What a message needs to know of the request.
pub(crate) struct Circumstances<'a> {
    pub(crate) url: &'a str,
    pub(crate) step: &'static str,
    pub(crate) credentials: &'a Credentials,
    pub(crate) timeout: Duration,
}

impl Circumstances<'_> {
    pub(crate) fn explain(&self, error: remote::Error) -> Error {
        match error {
            remote::Error::Http(failure) => self.http(failure),
            remote::Error::Ssh(error) => self.ssh(error),
            remote::Error::Said(said) => self.said(&said),
            remote::Error::BadPack(text) => self.bad_content(text),
            remote::Error::Disk(text) => Error::Disk(text),
            remote::Error::Server(text) => self.server(text),
        }
    }

    pub(crate) fn bad_content(&self, text: String) -> Error {
        let hint = "nothing of it was kept; the last good artifact stays".to_owned();
        Error::BadContent {
            step: self.step,
            url: self.url.to_owned(),
            text,
            hint,
        }
    }

    fn refused(&self, text: &str, hint: &str) -> Error {
        let (text, hint) = (text.to_owned(), hint.to_owned());
        Error::Refused {
            step: self.step,
            url: self.url.to_owned(),
            text,
            hint,
        }
    }

    fn unreachable(&self, text: String, hint: String) -> Error {
        Error::Unreachable {
            step: self.step,
            url: self.url.to_owned(),
            text,
            hint,
            after: None,
        }
    }

    fn server(&self, text: String) -> Error {
        if text.contains("smart' protocol") {
            return self.refused(
                "the server does not speak Git's smart HTTP protocol",
                "check spec.url: it must be what `git clone` takes, not the address of a web page",
            );
        }
        // What a server says before it hangs up, as gix quotes it.
        match text.split_once("\"ERR ") {
            Some((_, said)) => self.bad_content(format!(
                "the server refused: {}",
                said.trim_end_matches('"').trim()
            )),
            None => self.bad_content(text),
        }
    }

    fn ssh(&self, error: ssh::Error) -> Error {
        let again = "the server is asked again with growing delay".to_owned();
        match error {
            ssh::Error::Identity(text) => Error::Credentials(text),
            ssh::Error::Stranger(stranger) => {
                let (text, hint) = stranger.explain();
                self.refused(&format!("ssh: handshake failed: {text}"), &hint)
            }
            ssh::Error::Unauthenticated { user, key } => self.refused(
                "ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain",
                &format!("the server does not let user '{user}' in with key {key}: add that key there as one that may read"),
            ),
            ssh::Error::NoCommonAlgorithm(text) => self.refused(
                &format!("ssh: handshake failed: {text}"),
                "see --ssh-kex-algos and --ssh-hostkey-algos, and which types of keys known_hosts has of this server",
            ),
            ssh::Error::Refused(text) => self.refused(&text, "this user must be allowed to run git-upload-pack"),
            ssh::Error::TimedOut => self.http(Failure::TimedOut),
            ssh::Error::Transport(text) => self.unreachable(text, again),
        }
    }

    /// What the server said to its user before it hung up.
    fn said(&self, said: &str) -> Error {
        let is_absent = [
            "not found",
            "does not appear to be a git repository",
            "does not exist",
        ];
        match is_absent.iter().any(|part| said.to_ascii_lowercase().contains(part)) {
            true => self.refused(
                &format!("repository not found: {said}"),
                "check spec.url, and whether this key may read the repository: servers hide private ones like this",
            ),
            false => self.bad_content(format!("the server refused: {said}")),
        }
    }

    fn http(&self, failure: Failure) -> Error {
        let asked = failure.retry_after();
        let mut error = self.of_failure(failure);
        if let Error::Unreachable { text, after, .. } = &mut error
            && let Some(asked) = asked
        {
            *after = Some(asked);
            *text += &format!(", to be asked again after {} s", asked.as_secs());
        }
        error
    }

    fn of_failure(&self, failure: Failure) -> Error {
        match failure {
            Failure::Unauthenticated if *self.credentials == Credentials::None => self.refused(
                "authentication required: the server answered 401 Unauthorized",
                "name a Secret with username and password, or bearerToken, in spec.secretRef",
            ),
            Failure::Unauthenticated => self.refused(
                "authentication required: the server answered 401 Unauthorized to these credentials",
                "check the Secret of spec.secretRef: the password or token is wrong or has expired",
            ),
            Failure::Forbidden => self.refused(
                "authorization failed: the server answered 403 Forbidden",
                "give these credentials the right to read the repository",
            ),
            Failure::NotFound => self.refused(
                "repository not found: the server answered 404 Not Found",
                "check spec.url, and spec.secretRef: servers hide private repositories like this",
            ),
            Failure::Gone => self.refused(
                "repository not found: the server answered 410 Gone",
                "check spec.url: the repository was there, and was moved or removed",
            ),
            Failure::Redirect(text) => self.refused(
                &format!("refused to follow a redirect {text}"),
                "put the final address into spec.url",
            ),
            Failure::Status(status, _) => self.unreachable(
                format!(
                    "unexpected client error: unexpected requesting \"{}/info/refs?service=git-upload-pack\" status code: {status}",
                    self.url.trim_end_matches('/')
                ),
                "the server has a problem; it is asked again with growing delay".to_owned(),
            ),
            Failure::TooMany(code, _) => {
                self.unreachable(Failure::TooMany(code, None).to_string(), failure.hint().to_owned())
            }
            Failure::TimedOut => self.unreachable(
                "context deadline exceeded".to_owned(),
                format!("the server did not finish within spec.timeout, {} s", self.timeout.as_secs()),
            ),
            Failure::TooLarge { what, limit, knob } => {
                self.bad_content(format!("{what} exceeds the limit of {limit} bytes ({knob})"))
            }
            Failure::Transport(text) => self.transport(&text),
        }
    }

    fn transport(&self, text: &str) -> Error {
        // An authority of the same name with another key gives a bad signature.
        if text.contains("UnknownIssuer") || text.contains("BadSignature") {
            let text =
                "tls: failed to verify certificate: x509: certificate signed by unknown authority".to_owned();
            let hint =
                "put the authority's certificate under 'ca.crt' into the Secret of spec.secretRef".to_owned();
            return self.unreachable(text, hint);
        }
        if text.contains("invalid peer certificate") || text.contains("NotValidForName") {
            let hint = "the server's certificate is not one for this host and time".to_owned();
            return self.unreachable(format!("tls: failed to verify certificate: {text}"), hint);
        }
        self.unreachable(
            text.to_owned(),
            "the server is asked again with growing delay".to_owned(),
        )
    }
}
