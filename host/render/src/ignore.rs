use std::fmt;
use std::sync::Arc;

/// Whether an absolute path is looked past, and it is a directory.
type Excludes = dyn Fn(&str, bool) -> bool + Send + Sync;

/// Files that a build looks past: the `.sourceignore` files and `--ignore-paths` of the command line. The controller has
/// none, its artifacts were filtered when they were made.
#[derive(Clone)]
pub struct Ignore {
    fingerprint: String,
    excludes: Arc<Excludes>,
}

impl Ignore {
    /// By a function of an absolute path in the tree and whether it is a directory. Equal fingerprints, equal answers.
    pub fn new(fingerprint: String, excludes: impl Fn(&str, bool) -> bool + Send + Sync + 'static) -> Self {
        Self {
            fingerprint,
            excludes: Arc::new(excludes),
        }
    }

    /// Whether a path is looked past.
    pub fn is_ignored(&self, path: &str, is_directory: bool) -> bool {
        (self.excludes)(path, is_directory)
    }

    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl fmt::Debug for Ignore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ignore").field(&self.fingerprint).finish()
    }
}
