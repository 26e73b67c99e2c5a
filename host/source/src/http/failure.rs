//! What went wrong on the way.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// What went wrong on the way, in terms that decide what the user is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// 401.
    Unauthenticated,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 410.
    Gone,
    /// 429, or 403 where it means the same; for how many seconds the server wants to be left alone, where it says so.
    TooMany(u16, Option<u64>),
    /// Another status; for how many seconds the server wants to be left alone, where it says so.
    Status(u16, Option<u64>),
    /// The deadline passed.
    TimedOut,
    /// More bytes than allowed.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Most bytes of it.
        limit: u64,
        /// The name of the limit.
        knob: &'static str,
    },
    /// A redirect that is not followed.
    Redirect(String),
    /// No connection, no TLS, a connection that broke.
    Transport(String),
}

impl Failure {
    /// What an answer that is no success means.
    pub(crate) fn of_answer(status: reqwest::StatusCode, headers: &HeaderMap) -> Failure {
        use reqwest::StatusCode as S;
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
        let after = header(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok());
        // GitHub refuses like this who has the right to read, and asks too often
        let is_spent = after.is_some() || header("x-ratelimit-remaining") == Some("0");
        match status {
            S::UNAUTHORIZED => Failure::Unauthenticated,
            S::FORBIDDEN if is_spent => Failure::TooMany(status.as_u16(), after),
            S::FORBIDDEN => Failure::Forbidden,
            S::NOT_FOUND => Failure::NotFound,
            S::GONE => Failure::Gone,
            S::TOO_MANY_REQUESTS => Failure::TooMany(status.as_u16(), after),
            status => Failure::Status(status.as_u16(), after),
        }
    }

    /// Whether the server or the way to it has a problem that may heal by itself.
    pub fn is_transient(&self) -> bool {
        match self {
            Failure::TooMany(..) | Failure::TimedOut | Failure::Transport(_) => true,
            Failure::Status(status, _) => *status >= 500 || *status == 408,
            Failure::Unauthenticated
            | Failure::Forbidden
            | Failure::NotFound
            | Failure::Gone
            | Failure::TooLarge { .. }
            | Failure::Redirect(_) => false,
        }
    }

    /// How long the server wants to be left alone, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::TooMany(_, after) | Failure::Status(_, after) => after.map(Duration::from_secs),
            Failure::Unauthenticated
            | Failure::Forbidden
            | Failure::NotFound
            | Failure::Gone
            | Failure::TimedOut
            | Failure::TooLarge { .. }
            | Failure::Redirect(_)
            | Failure::Transport(_) => None,
        }
    }

    /// The status that the server answered with, as HTTP names it: `404 Not Found`.
    pub(crate) fn status(&self) -> Option<String> {
        let (code, after) = match self {
            Failure::Unauthenticated => (401, None),
            Failure::Forbidden => (403, None),
            Failure::NotFound => (404, None),
            Failure::Gone => (410, None),
            Failure::TooMany(code, after) | Failure::Status(code, after) => (*code, *after),
            Failure::TimedOut | Failure::TooLarge { .. } | Failure::Redirect(_) | Failure::Transport(_) => {
                return None;
            }
        };
        let status = reqwest::StatusCode::from_u16(code).ok()?;
        let after = after.map_or_else(String::new, said_after);
        Some(format!("{status}{after}"))
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Failure::Unauthenticated => "check the credentials: they are missing, wrong or expired",
            Failure::Forbidden => "give these credentials the right to read",
            Failure::NotFound => "check the name; servers also answer like this to those who may not read",
            Failure::Gone => "check the name: the server says that it was there and is not any more",
            Failure::TooMany(..) => "the server limits the rate of requests: it must be asked less often",
            Failure::Status(..) => "the server has a problem; try again later",
            Failure::TimedOut => {
                "the server did not finish within the timeout; raise spec.timeout if it is slow"
            }
            Failure::TooLarge { .. } => "nothing of it was kept; the last good artifact stays",
            Failure::Redirect(_) => "put the final address into the URL",
            Failure::Transport(text) if text.contains("UnknownIssuer") || text.contains("BadSignature") => {
                "put the authority's certificate under 'ca.crt' into the Secret with certificates"
            }
            Failure::Transport(_) => "check the address, and whether the server is up",
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Unauthenticated => f.write_str("UNAUTHORIZED: authentication required"),
            Failure::Forbidden => f.write_str("DENIED: access forbidden"),
            Failure::NotFound => f.write_str("unexpected status code 404 Not Found"),
            Failure::Gone => f.write_str("unexpected status code 410 Gone"),
            Failure::TooMany(code, after) => {
                let name = match code {
                    429 => " Too Many Requests",
                    _ => "",
                };
                write!(f, "TOOMANYREQUESTS: unexpected status code {code}{name}")?;
                write_after(f, *after)
            }
            Failure::Status(status, after) => {
                write!(f, "unexpected status code {status}")?;
                write_after(f, *after)
            }
            Failure::TimedOut => f.write_str("context deadline exceeded"),
            Failure::TooLarge { what, limit, knob } => {
                write!(f, "{what} exceeds the limit of {limit} bytes ({knob})")
            }
            Failure::Redirect(text) => write!(f, "refused to follow a redirect {text}"),
            Failure::Transport(text) if text.contains("UnknownIssuer") || text.contains("BadSignature") => f
                .write_str(
                    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
                ),
            Failure::Transport(text) => f.write_str(text),
        }
    }
}

fn write_after(f: &mut std::fmt::Formatter<'_>, after: Option<u64>) -> std::fmt::Result {
    f.write_str(&after.map_or_else(String::new, said_after))
}

fn said_after(seconds: u64) -> String {
    format!(", to be asked again after {seconds} s")
}
