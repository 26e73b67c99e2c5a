//! What people read: progress on standard error, with Flux's symbols, and what was asked for on standard output (compat: cli,
//! section 1).

use anyhow::Result;
use std::error::Error;
use std::io::{BufWriter, ErrorKind, Write};
use std::ops::ControlFlow::{Break, Continue};

/// What was asked for. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn print(text: &str) -> Result<()> {
    print_all([text])
}

/// The same in pieces.
pub(crate) fn print_all<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Result<()> {
    match write_all(std::io::stdout().lock(), pieces) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A part of what goes on until it is stopped; whether somebody still reads.
pub(crate) fn print_on(text: &str) -> Result<bool> {
    match write_all(std::io::stdout().lock(), [text]) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Writes pieces one after another; small ones are gathered.
pub(crate) fn write_all<'a>(
    out: impl Write,
    pieces: impl IntoIterator<Item = &'a str>,
) -> std::io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut pieces = pieces.into_iter();
    pieces.try_for_each(|piece| out.write_all(piece.as_bytes()))?;
    out.flush()
}

/// A line of progress. Where nobody reads it, the work goes on.
pub(crate) fn line(text: &str) {
    let _unread = writeln!(std::io::stderr().lock(), "{text}");
}

/// `►` something begins.
pub(crate) fn action(text: &str) {
    line(&format!("► {text}"));
}

/// `✚` something is made up.
pub(crate) fn generate(text: &str) {
    line(&format!("✚ {text}"));
}

/// `◎` something is waited for.
pub(crate) fn waiting(text: &str) {
    line(&format!("◎ {text}"));
}

/// `✔` something is done.
pub(crate) fn success(text: &str) {
    line(&format!("✔ {text}"));
}

/// `⚠️` something is odd.
pub(crate) fn warning(text: &str) {
    line(&format!("⚠️ {text}"));
}

/// `✗` something failed.
pub(crate) fn failure(text: &str) {
    line(&format!("✗ {text}"));
}

/// What to do about a failure.
pub(crate) fn hint(text: &str) {
    line(&format!("hint: {text}"));
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

impl Error for Original {}

/// Several failures, told as Kubernetes' libraries tell them: in brackets, each text once.
#[derive(Debug)]
pub(crate) struct Several(Vec<anyhow::Error>);

impl Several {
    /// Failures as one error: the only one itself, none where nothing failed.
    pub(crate) fn of(mut failures: Vec<anyhow::Error>) -> Option<anyhow::Error> {
        match failures.len() {
            0 | 1 => failures.pop(),
            _ => Some(Self(failures).into()),
        }
    }

    /// The failures.
    pub(crate) fn failures(&self) -> &[anyhow::Error] {
        &self.0
    }
}

impl std::fmt::Display for Several {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut texts: Vec<String> = Vec::new();
        for failure in &self.0 {
            let text = whole(failure.as_ref());
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        match texts.as_slice() {
            [only] => f.write_str(only),
            texts => write!(f, "[{}]", texts.join(", ")),
        }
    }
}

impl Error for Several {}

/// A whole error with what to do about it.
pub(crate) fn error(error: &anyhow::Error) {
    if let Some(original) = error.downcast_ref::<Original>() {
        original.hint.as_deref().into_iter().for_each(hint);
        line(&format!("Error: {original}"));
        return;
    }
    failure(&whole(error.as_ref()));
    if let Some(text) = crate::hint::hint(error) {
        hint(&text);
    }
}

/// An error and its causes, each said once. What the API server says is enough: the client wraps it in its own words, and
/// adds the whole answer in Rust's.
pub(crate) fn whole(error: &(dyn Error + 'static)) -> String {
    sluice_event::cause::said(error, |cause| match cause.downcast_ref() {
        Some(kube::Error::Api(status)) => Break(match status.message.trim_end() {
            // a proxy on the way may have nothing to say
            "" => format!("the API server answered with status {}", status.code),
            message => message.to_owned(),
        }),
        // what they wrap says more
        Some(kube::Error::Service(_) | kube::Error::HyperError(_)) if cause.source().is_some() => {
            Continue(None)
        }
        _ if cause.is::<kube::runtime::watcher::Error>() => Continue(None),
        // the words of a panic may quote a Secret
        _ if cause.is::<tokio::task::JoinError>() => {
            Break("it ended unexpectedly, which is a bug".to_owned())
        }
        _ => Continue(Some(cause.to_string())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn an_error_is_told_once_and_in_the_servers_words() {
        let status = r#"{"kind":"Status","status":"Failure","code":404,"reason":"NotFound","message":"configmaps \"a\" not found"}"#;
        let status = serde_json::from_str(status).unwrap();
        let error: Result<()> = Err(kube::Error::Api(Box::new(status)).into());
        let error = error.context("looking").unwrap_err();
        assert_eq!(whole(error.as_ref()), "looking: configmaps \"a\" not found");
        let silent = kube::Error::Api(Box::new(serde_json::from_str(r#"{"code":503}"#).unwrap()));
        assert_eq!(whole(&silent), "the API server answered with status 503");
        let three = ["no", "neither", "no"].map(anyhow::Error::msg);
        let several = Several::of(three.into()).unwrap();
        assert_eq!(whole(several.as_ref()), "[no, neither]");
        let only = Several::of(vec![anyhow::Error::msg("no")]).unwrap();
        assert_eq!(whole(only.as_ref()), "no");
        assert!(Several::of(Vec::new()).is_none());
        let twice = std::io::Error::other(std::io::Error::other("no such file"));
        assert_eq!(whole(&twice), "no such file");
    }

    #[tokio::test]
    async fn what_a_panic_says_is_not_told() {
        let panics: fn() = || panic!("hunter2");
        let error = tokio::task::spawn_blocking(panics).await.unwrap_err();
        let error = anyhow::Error::new(error).context("serving artifacts broke");
        assert_eq!(
            whole(error.as_ref()),
            "serving artifacts broke: it ended unexpectedly, which is a bug"
        );
    }
}
