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

/// A whole error with what to do about it.
pub(crate) fn error(error: &anyhow::Error) {
    failure(&format!("{error:#}"));
    if let Some(text) = crate::hint::hint(error) {
        hint(text);
    }
}
