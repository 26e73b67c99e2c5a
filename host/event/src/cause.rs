//! Errors in one line. Libraries say little in the outermost of their errors and repeat themselves in those below.

use std::error::Error;
use std::ops::ControlFlow::{self, Break, Continue};

/// An error with everything that caused it: `a: b: c`. What an outer one says already is not said again.
pub fn whole(error: &(dyn Error + 'static)) -> String {
    said(error, |error| Continue(Some(error.to_string())))
}

/// The same in the words of `say`: what it says of one error, if anything; breaking, that what lies below says no more.
pub fn said(
    error: &(dyn Error + 'static),
    say: impl Fn(&(dyn Error + 'static)) -> ControlFlow<String, Option<String>>,
) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(cause) = next {
        let (said, below) = match say(cause) {
            Break(all) => (Some(all), None),
            Continue(said) => (said, cause.source()),
        };
        if let Some(said) = said.filter(|said| !text.contains(said.as_str())) {
            let between = if text.is_empty() { "" } else { ": " };
            text = format!("{text}{between}{said}");
        }
        next = below;
    }
    text
}

/// The first cause alone: what the outer ones add is told by whoever asks.
pub fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn everything_is_said_once() {
        let first = Layer("connection refused", None);
        let repeated = Layer("connection refused", Some(Box::new(first)));
        let error = Layer("request failed", Some(Box::new(repeated)));
        assert_eq!(whole(&error), "request failed: connection refused");
        assert_eq!(innermost(&error), "connection refused");
        assert_eq!(whole(&Layer("alone", None)), "alone");
        let say = |error: &(dyn Error + 'static)| match error.to_string().as_str() {
            "wrapper" => Continue(None),
            "enough" => Break("the server's words".to_owned()),
            text => Continue(Some(text.to_owned())),
        };
        let below = Layer("enough", Some(Box::new(Layer("details", None))));
        let wrapped = Layer("wrapper", Some(Box::new(below)));
        let error = Layer("looking", Some(Box::new(wrapped)));
        assert_eq!(said(&error, say), "looking: the server's words");
    }
}
