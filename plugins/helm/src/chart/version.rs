//! Versions and ranges of them, as the original's library reads both.

use sluice_semver::{Range, Version};

/// Whether a text is a version: `1.2.3`, `v1.2`, `1`.
pub(super) fn is_version(text: &str) -> bool {
    Version::parse(text).is_ok()
}

/// Whether a version lies in a range. What cannot be read lies in none.
pub(crate) fn is_compatible(range: &str, version: &str) -> bool {
    match (Version::parse(version), Range::parse(range)) {
        (Ok(version), Ok(range)) => range.contains(&version),
        _ => false,
    }
}
