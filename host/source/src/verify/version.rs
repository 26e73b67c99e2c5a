//! What a signed artifact says of its own version (N29).
//!
//! A signature speaks of a digest, not of the tag that leads there. Whoever may move tags, and may sign nothing, could have a
//! range pick something old whose signature is good, by the tag of a version that never was. So what was signed is asked too.

use sluice_semver::Version;

use super::Error;
use crate::oci::{Repository, Resolved};

/// The annotation in which Helm and builders of images write the version (OCI image-spec, annotations).
const VERSION: &str = "org.opencontainers.image.version";

impl Repository {
    /// Whether what a range picked by its tag is no older version by what was signed. Nothing is asked of what was named, nor
    /// of what says nothing of its version.
    pub async fn check_version(&self, resolved: &mut Resolved) -> Result<(), Error> {
        let Some(tag) = resolved.picked.clone() else {
            return Ok(());
        };
        let annotations = self.annotations(resolved).await?;
        match annotations.get(VERSION) {
            Some(said) => check_version(&tag, said).map_err(Error::NotVerified),
            None => Ok(()),
        }
    }
}

/// Whether what was found as version `wanted` does not say of itself that it is an older one. A prerelease that became the
/// release by a new tag is the same version here; what is no version says nothing.
pub(crate) fn check_version(wanted: &str, said: &str) -> Result<(), String> {
    // no tag holds a plus: Helm writes `_` in its place
    let numbers = |text: &str| {
        let version = Version::parse_tag(&text.replace('_', "+")).ok()?;
        Some((version.major(), version.minor(), version.patch()))
    };
    match (numbers(wanted), numbers(said)) {
        (Some(newer), Some(older)) if older < newer => Err(format!(
            "what tag '{wanted}' leads to was signed as version '{said}', which is older (publish '{wanted}' anew, or remove the tag)"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check_version;

    #[test]
    fn only_an_older_version_is_refused() {
        for (wanted, said, is_refused) in [
            ("2.0.0", "1.9.9", true),
            ("v2.0.0", "1.0.0", true),
            ("6.3.0_build.1", "6.2.0+build.1", true),
            ("2.0.0", "2.0.0", false),
            ("v2.0.0", "2.0.0+build", false),
            ("2.0.0", "2.0.0-rc.1", false),
            ("2.0.0", "3.0.0", false),
            ("2.0.0", "1.0", false),
            ("2.0.0", "", false),
            ("stable", "1.0.0", false),
        ] {
            assert_eq!(
                check_version(wanted, said).is_err(),
                is_refused,
                "{wanted} {said}"
            );
        }
    }
}
