//! How a plugin fails.

use crate::Finding;
use std::fmt;

/// What every plugin function answers.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Why a call failed, and whether trying again can help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The same input will fail again; somebody must change something.
    Terminal(Report),
    /// It may work later; the host tries again with a growing delay.
    Transient(Report),
}

/// What the host shows of a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// CamelCase; becomes the reason of the Ready condition.
    pub reason: String,
    /// What failed, where, and why.
    pub message: String,
    /// Details, if there are more than one.
    pub findings: Vec<Finding>,
}

/// The reason of failures that name none.
pub const DEFAULT_REASON: &str = "PluginFailed";

impl Failure {
    /// A failure that the same input will meet again.
    pub fn terminal(message: impl Into<String>) -> Self {
        Self::Terminal(Report {
            reason: DEFAULT_REASON.to_owned(),
            message: message.into(),
            findings: Vec::new(),
        })
    }

    /// A failure that may pass.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::Transient(Report {
            reason: DEFAULT_REASON.to_owned(),
            message: message.into(),
            findings: Vec::new(),
        })
    }

    /// The same failure with a reason of its own: `BuildFailed`.
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.report_mut().reason = reason.into();
        self
    }

    /// The same failure with one more detail.
    pub fn with_finding(mut self, finding: Finding) -> Self {
        self.report_mut().findings.push(finding);
        self
    }

    /// What the host shows of it.
    pub fn report(&self) -> &Report {
        match self {
            Self::Terminal(report) | Self::Transient(report) => report,
        }
    }

    fn report_mut(&mut self) -> &mut Report {
        match self {
            Self::Terminal(report) | Self::Transient(report) => report,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report().message)
    }
}

/// `?` makes any error a terminal failure, its causes included.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::terminal(chain(&error))
    }
}

/// `fetch().transient()?`: the opposite of what `?` says by itself.
pub trait OrFail<T> {
    /// Makes an error a failure that may pass.
    fn transient(self) -> Result<T>;
}

impl<T, E: std::error::Error> OrFail<T> for std::result::Result<T, E> {
    fn transient(self) -> Result<T> {
        self.map_err(|error| Failure::transient(chain(&error)))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_becomes_a_failure_with_its_causes() {
        fn parse(text: &str) -> Result<u8> {
            Ok(text.parse::<u8>()?)
        }
        assert_eq!(
            parse("x"),
            Err(Failure::terminal("invalid digit found in string"))
        );
        assert_eq!(
            "x".parse::<u8>().transient(),
            Err(Failure::transient("invalid digit found in string"))
        );
    }
}
