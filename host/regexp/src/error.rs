//! Why a text is no regular expression, in Go's words.

/// What Go says of a count, also of one whose numbers are the wrong way round.
pub(crate) const COUNT: &str = "invalid repeat count";

/// Why a text is no regular expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {code}: `{expression}`")]
pub struct Error {
    code: &'static str,
    /// The part that is wrong.
    expression: String,
}

impl Error {
    pub(crate) fn new(code: &'static str, expression: &str) -> Self {
        Self {
            code,
            expression: expression.to_owned(),
        }
    }

    /// What Go does not say: how it may be written.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        (self.code == COUNT).then_some("a part may come at most 1000 times, the smaller number stands first")
    }
}
