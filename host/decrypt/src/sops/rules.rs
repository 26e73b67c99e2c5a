//! Which values of a file are encrypted.
//!
//! Each key and each comment is asked about once, where it is met: a file has as many values under one comment, and as many
//! comments before one value, as its author likes.

use super::metadata::Rule;
use regex::Regex;

/// The largest program of one expression, in bytes.
const PROGRAM_SIZE_MAX: usize = 10 << 20;

/// A rule that is ready to be asked.
pub(super) enum Compiled {
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Regex),
    EncryptedRegex(Regex),
    UnencryptedCommentRegex(Regex),
    EncryptedCommentRegex(Regex),
}

impl Compiled {
    /// For SOPS an expression that cannot be read matches nothing: here it is told, instead of values that stay as they are.
    ///
    /// # Errors
    /// The expression, and why it cannot be read.
    pub(super) fn new(rule: &Rule) -> Result<Self, String> {
        Ok(match rule {
            Rule::UnencryptedSuffix(suffix) => Self::UnencryptedSuffix(suffix.clone()),
            Rule::EncryptedSuffix(suffix) => Self::EncryptedSuffix(suffix.clone()),
            Rule::UnencryptedRegex(text) => Self::UnencryptedRegex(regex("unencrypted_regex", text)?),
            Rule::EncryptedRegex(text) => Self::EncryptedRegex(regex("encrypted_regex", text)?),
            Rule::UnencryptedCommentRegex(text) => {
                Self::UnencryptedCommentRegex(regex("unencrypted_comment_regex", text)?)
            }
            Rule::EncryptedCommentRegex(text) => {
                Self::EncryptedCommentRegex(regex("encrypted_comment_regex", text)?)
            }
        })
    }

    /// Whether the rule is about what stands under this key.
    pub(super) fn names_key(&self, key: &str) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => key.ends_with(suffix),
            Self::UnencryptedRegex(regex) | Self::EncryptedRegex(regex) => regex.is_match(key),
            Self::UnencryptedCommentRegex(_) | Self::EncryptedCommentRegex(_) => false,
        }
    }

    /// Whether the rule is about what stands under this comment.
    pub(super) fn names_comment(&self, comment: &str) -> bool {
        match self {
            Self::UnencryptedCommentRegex(regex) | Self::EncryptedCommentRegex(regex) => {
                regex.is_match(comment)
            }
            _ => false,
        }
    }

    /// Whether the comment that switches encryption on or off is under itself: the one that switches it on is left as it is.
    pub(super) fn holds_for_its_comment(&self) -> bool {
        !matches!(self, Self::EncryptedCommentRegex(_))
    }

    /// Whether something is encrypted: `is_named` says whether it stands under a key or a comment that the rule is about.
    pub(super) fn is_encrypted(&self, is_named: bool) -> bool {
        match self {
            Self::UnencryptedSuffix(_) | Self::UnencryptedRegex(_) | Self::UnencryptedCommentRegex(_) => {
                !is_named
            }
            Self::EncryptedSuffix(_) | Self::EncryptedRegex(_) | Self::EncryptedCommentRegex(_) => is_named,
        }
    }
}

fn regex(name: &str, text: &str) -> Result<Regex, String> {
    sluice_regexp::translate(text)
        .and_then(|read| read.compile(PROGRAM_SIZE_MAX))
        .map_err(|why| {
            let text = text.escape_debug();
            format!("{name} '{text}' cannot be read: {why}. Write it otherwise, and encrypt the file again")
        })
}
