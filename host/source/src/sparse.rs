//! `spec.sparseCheckout`: which files of a commit are looked at at all (compat/source.md 5.5).

use sha2::{Digest as _, Sha256};

/// A selection of files by the beginning of their paths, as texts: `charts` takes `charts/a` and `charts2/b` too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sparse {
    prefixes: Vec<String>,
}

impl Sparse {
    /// What `spec.sparseCheckout` says; nothing said takes everything.
    pub fn of(paths: &[String]) -> Sparse {
        let prefixes = paths.iter().map(|path| path.strip_prefix("./").unwrap_or(path));
        Sparse {
            prefixes: prefixes.map(str::to_owned).collect(),
        }
    }

    /// The listed paths.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.prefixes.iter().map(String::as_str)
    }

    /// Whether the file at `path`, `a/b`, is taken.
    pub fn takes(&self, path: &str) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| path.starts_with(prefix))
    }

    /// Whether a file below the directory at `path` may be taken.
    pub fn reaches(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        let mut prefixes = self.prefixes.iter();
        self.prefixes.is_empty()
            || prefixes.any(|prefix| inside.starts_with(prefix) || prefix.starts_with(&inside))
    }

    /// Equal for equal selections.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for prefix in &self.prefixes {
            hash.update((prefix.len() as u64).to_le_bytes());
            hash.update(prefix);
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_the_beginning_of_a_text() {
        let row = |paths: &[&str], path: &str| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            let sparse = Sparse::of(&paths);
            (sparse.takes(path), sparse.reaches(path))
        };
        for (paths, path, expected) in [
            (&[][..], "a", (true, true)),
            (&["charts"], "charts/x", (true, true)),
            (&["charts"], "charts2", (true, true)),
            (&["charts/"], "charts2", (false, false)),
            (&["./charts/deep"], "charts", (false, true)),
            (&["./charts/deep"], "charts/other", (false, false)),
            (&["charts/deep"], "chart", (false, false)),
            (&["a", "b/c"], "b/c/d", (true, true)),
            (&["a"], "README.md", (false, false)),
        ] {
            assert_eq!(row(paths, path), expected, "{paths:?} {path}");
        }
    }
}
