//! Progress lines on standard error, with Flux's symbols (compat: cli, section 1).

/// `►` something begins.
pub(crate) fn action(text: &str) {
    eprintln!("► {text}");
}

/// `◎` something is waited for.
pub(crate) fn waiting(text: &str) {
    eprintln!("◎ {text}");
}

/// `✔` something is done.
pub(crate) fn success(text: &str) {
    eprintln!("✔ {text}");
}

/// `⚠️` something is odd.
pub(crate) fn warning(text: &str) {
    eprintln!("⚠️ {text}");
}

/// `✗` something failed.
pub(crate) fn failure(text: &str) {
    eprintln!("✗ {text}");
}

/// What to do about a failure.
pub(crate) fn hint(text: &str) {
    eprintln!("hint: {text}");
}

/// A failure of a command that stands in for another program, in that program's words. It is told as there: `Error: …`, last
/// and whole, so that what looks for it finds it; what to do comes before.
#[derive(Debug)]
pub(crate) struct Original {
    text: String,
    hint: Option<String>,
}

impl Original {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            hint: None,
        }
    }

    /// With what to do about it.
    pub(crate) fn with_hint(mut self, text: impl Into<String>) -> Self {
        self.hint = Some(text.into());
        self
    }
}

impl std::fmt::Display for Original {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Original {}

/// A whole error with what to do about it.
pub(crate) fn error(error: &anyhow::Error) {
    if let Some(original) = error.downcast_ref::<Original>() {
        original.hint.as_deref().into_iter().for_each(hint);
        eprintln!("Error: {original}");
        return;
    }
    failure(&format!("{error:#}"));
    if let Some(text) = crate::hint::hint(error) {
        hint(text);
    }
}
