//! Which values of a file are encrypted.

use super::metadata::Rule;
use regex::Regex;

/// A rule that is ready to be asked.
pub(super) enum Compiled {
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Option<Regex>),
    EncryptedRegex(Option<Regex>),
    UnencryptedCommentRegex(Option<Regex>),
    EncryptedCommentRegex(Option<Regex>),
}

impl Compiled {
    /// An expression that does not compile matches nothing, as in SOPS.
    pub(super) fn new(rule: &Rule) -> Self {
        let regex = |text: &str| Regex::new(text).ok();
        match rule {
            Rule::UnencryptedSuffix(suffix) => Self::UnencryptedSuffix(suffix.clone()),
            Rule::EncryptedSuffix(suffix) => Self::EncryptedSuffix(suffix.clone()),
            Rule::UnencryptedRegex(text) => Self::UnencryptedRegex(regex(text)),
            Rule::EncryptedRegex(text) => Self::EncryptedRegex(regex(text)),
            Rule::UnencryptedCommentRegex(text) => Self::UnencryptedCommentRegex(regex(text)),
            Rule::EncryptedCommentRegex(text) => Self::EncryptedCommentRegex(regex(text)),
        }
    }

    /// Whether what stands at `path`, under these comments, is encrypted. `comments`: a set a level, the innermost last.
    pub(super) fn is_encrypted(&self, path: &[String], comments: &[Vec<String>], is_comment: bool) -> bool {
        let any_matches = |regex: &Option<Regex>| {
            regex
                .as_ref()
                .is_some_and(|regex| path.iter().any(|part| regex.is_match(part)))
        };
        match self {
            Self::UnencryptedSuffix(suffix) => !path.iter().any(|part| part.ends_with(suffix)),
            Self::EncryptedSuffix(suffix) => path.iter().any(|part| part.ends_with(suffix)),
            Self::UnencryptedRegex(regex) => !any_matches(regex),
            Self::EncryptedRegex(regex) => any_matches(regex),
            Self::UnencryptedCommentRegex(regex) => !regex
                .as_ref()
                .is_some_and(|regex| comments.iter().flatten().any(|text| regex.is_match(text))),
            Self::EncryptedCommentRegex(regex) => {
                let Some(regex) = regex else { return false };
                // the comment that switches encryption on is itself left as it is
                let own = is_comment.then(|| comments.len().saturating_sub(1));
                comments.iter().enumerate().any(|(level, texts)| {
                    let seen = match own {
                        Some(own) if own == level => texts.len().saturating_sub(1),
                        _ => texts.len(),
                    };
                    texts.iter().take(seen).any(|text| regex.is_match(text))
                })
            }
        }
    }
}
