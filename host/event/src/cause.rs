//! Errors in one line. Libraries say little in the outermost of their errors and repeat themselves in those below.

use std::error::Error;

/// An error with everything that caused it: `a: b: c`. What an outer one says already is not said again.
pub fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
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
    }
}
