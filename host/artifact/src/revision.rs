//! Revisions as Flux writes them: `main@sha1:<hex>`, `refs/tags/v1@sha1:<hex>`, `sha1:<hex>`.

use std::{fmt, str::FromStr};

/// What a source had when it was fetched: an optional name and a digest with its algorithm.
///
/// Compared as text, exactly, as Flux does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    name: Option<String>,
    algorithm: String,
    digest: String,
}

impl Revision {
    /// The revision of a Git commit, given as hex, with the name that led to it.
    pub fn git(name: Option<&str>, commit: &str) -> Revision {
        Revision {
            name: name.filter(|name| !name.is_empty()).map(str::to_owned),
            algorithm: "sha1".to_owned(),
            digest: commit.to_owned(),
        }
    }

    /// The part before `@`: a branch, a tag, a reference.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The algorithm of the digest: `sha1`, `sha256` …
    pub fn algorithm(&self) -> &str {
        &self.algorithm
    }

    /// The digest in hex, without the algorithm.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}@")?;
        }
        write!(f, "{}:{}", self.algorithm, self.digest)
    }
}

/// A text that is not a revision.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a revision of the form [<name>@]<algorithm>:<digest>")]
pub struct InvalidRevision(String);

impl FromStr for Revision {
    type Err = InvalidRevision;

    /// The name ends at the last `@`: a branch may hold one, a digest may not.
    fn from_str(text: &str) -> Result<Revision, InvalidRevision> {
        let invalid = || InvalidRevision(text.to_owned());
        let (name, rest) = match text.rsplit_once('@') {
            Some((name, rest)) => (Some(name), rest),
            None => (None, text),
        };
        let (algorithm, digest) = rest.split_once(':').ok_or_else(invalid)?;
        if algorithm.is_empty() || digest.is_empty() || name == Some("") {
            return Err(invalid());
        }
        Ok(Revision {
            name: name.map(str::to_owned),
            algorithm: algorithm.to_owned(),
            digest: digest.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_prints() {
        for text in [
            "main@sha1:aa",
            "feature/a@b@sha1:aa",
            "sha1:aa",
            "refs/heads/main@sha1:aa",
            "6.1.0@sha256:bb",
        ] {
            assert_eq!(
                text.parse::<Revision>().map(|revision| revision.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in ["", "main", "main@", "@sha1:aa", "main@sha1:", ":aa"] {
            assert!(text.parse::<Revision>().is_err(), "{text}");
        }
    }
}
