//! Go regular expressions in selectors: anchored, ASCII classes, and mostly plain names.

mod syntax;
mod translate;

use regex_lite::Regex;

use crate::{
    Text,
    error::{Error, Result},
};

/// What a selector asks of a name, compiled once.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// Nothing was asked.
    Any,
    /// A name without special characters.
    Literal(Text),
    /// An expression that must match the whole name.
    Expression(Regex),
}

impl Pattern {
    /// `^(?:…)$`; an empty pattern matches everything.
    pub(crate) fn anchored(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::Any);
        }
        if is_literal(text) {
            return Ok(Self::Literal(text.into()));
        }
        Ok(Self::Expression(compile(&format!("^(?:{text})$"), text)?))
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(text) => text == name,
            Self::Expression(regex) => regex.is_match(name),
        }
    }

    /// The one name that can match, where there is only one.
    pub(crate) fn literal(&self) -> Option<&Text> {
        match self {
            Self::Literal(text) => Some(text),
            _ => None,
        }
    }
}

/// An expression without anchors, as lists' `[name=…]` paths use them.
pub(crate) fn unanchored(text: &str) -> Result<Regex> {
    compile(text, text)
}

fn compile(expression: &str, written: &str) -> Result<Regex> {
    checked(expression).map_err(|error| {
        error
            .on_field(written)
            .help("names in selectors are Go regular expressions; escape special characters with a backslash")
    })
}

/// Any expression, refused in Go's words.
pub(crate) fn checked(expression: &str) -> Result<Regex> {
    if let Some(problem) = syntax::problem(expression) {
        return Err(Error::new(format!("error parsing regexp: {problem}")));
    }
    // what Go knows and is not known here: Unicode classes
    Regex::new(&translate::translate(expression))
        .map_err(|error| Error::new(format!("error parsing regexp: {error}: `{expression}`")))
}

fn is_literal(text: &str) -> bool {
    !text.contains(|c: char| "\\.+*?()|[]{}^$".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored() {
        assert!(Pattern::anchored("a|b").unwrap().matches("b"));
        assert!(!Pattern::anchored("a").unwrap().matches("ab"));
        assert!(!Pattern::anchored("a.").unwrap().matches("abc"));
        assert!(Pattern::anchored("").unwrap().matches("anything"));
        assert!(Pattern::anchored("\\Qa.b\\E.*").unwrap().matches("a.bc"));
        assert!(Pattern::anchored("(").is_err());
    }
}
