//! Go regular expressions in selectors: anchored, ASCII classes, and mostly plain names.

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
        Ok(Self::Expression(compile(
            &format!("^(?:{})$", translate(text)),
            text,
        )?))
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
    compile(&translate(text), text)
}

fn compile(regex: &str, written: &str) -> Result<Regex> {
    Regex::new(regex).map_err(|e| explain(&e.to_string(), regex).on_field(written))
}

/// Go's words for an expression that cannot be compiled.
fn explain(cause: &str, regex: &str) -> Error {
    let (words, shown) = match cause {
        "found open group without closing ')'" => ("missing closing )", regex),
        "found closing ')' without matching '('" => ("unexpected )", regex),
        "found unclosed character class" => (
            "missing closing ]",
            regex.find('[').and_then(|at| regex.get(at..)).unwrap_or(regex),
        ),
        cause if cause.contains("must be applied to a sub-expression") => {
            let operator = regex.find(['*', '+', '?', '{']).and_then(|at| regex.get(at..=at));
            (
                "missing argument to repetition operator",
                operator.unwrap_or(regex),
            )
        }
        cause => (cause, regex),
    };
    Error::new(format!("error parsing regexp: {words}: `{shown}`"))
        .help("names in selectors are Go regular expressions; escape special characters with a backslash")
}

fn is_literal(text: &str) -> bool {
    !text.contains(|c: char| "\\.+*?()|[]{}^$".contains(c))
}

/// Go's `\Q…\E` becomes escapes, `\z` and the like are the same.
fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, quoted)) = rest.split_once("\\Q") {
        out.push_str(before);
        let (literal, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
        out.push_str(&regex_lite::escape(literal));
        rest = after;
    }
    out.push_str(rest);
    out
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
