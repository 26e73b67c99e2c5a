//! One version.

use std::{cmp::Ordering, fmt};

use crate::{
    Error,
    error::VERSION_LENGTH_MAX,
    scan::{Numbers, Scanner},
};

/// A version, read loosely: `v1`, `1.2` and leading zeros are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) patch: u64,
    pub(crate) prerelease: String,
    metadata: String,
    original: String,
}

impl Version {
    /// Reads a version loosely.
    ///
    /// # Errors
    /// Where the text is no version, or longer than 256 bytes.
    pub fn parse(text: &str) -> Result<Version, Error> {
        if text.len() > VERSION_LENGTH_MAX {
            return Err(Error::VersionTooLong);
        }
        let mut scanner = Scanner::new(text);
        let parts = scanner.parts(Numbers::Digits).ok_or(Error::InvalidVersion)?;
        if !scanner.is_at_end() {
            return Err(Error::InvalidVersion);
        }
        let version = Version {
            major: number(parts.major)?,
            minor: number(parts.minor)?,
            patch: number(parts.patch)?,
            prerelease: parts.prerelease.to_owned(),
            metadata: parts.metadata.to_owned(),
            original: text.to_owned(),
        };
        let has_leading_zero = |part: &str| {
            part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if version.prerelease.split('.').any(has_leading_zero) {
            return Err(Error::LeadingZero);
        }
        Ok(version)
    }

    /// Reads a tag as Flux does: loosely, but with all three parts.
    ///
    /// # Errors
    /// As [`Version::parse`], and where a part is missing.
    pub fn parse_tag(text: &str) -> Result<Version, Error> {
        if text.splitn(3, '.').count() < 3 {
            return Err(Error::InvalidVersion);
        }
        Version::parse(text)
    }

    /// The text that was read, `v` and all.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.major
    }

    /// The second number, 0 where it is not written.
    pub fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number, 0 where it is not written.
    pub fn patch(&self) -> u64 {
        self.patch
    }

    /// What follows `-`.
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// Whether it is a prerelease.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// What follows `+`; it counts in no comparison.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The order of precedence; versions that differ in metadata only are equal in it.
    pub fn precedence(&self, other: &Version) -> Ordering {
        let numbers = |version: &Version| (version.major, version.minor, version.patch);
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| compare_prereleases(&self.prerelease, &other.prerelease))
    }

    /// The next version that differs in the patch number; of a prerelease its release.
    ///
    /// `None` where the number has no successor.
    #[must_use]
    pub fn next_patch(&self) -> Option<Version> {
        let step = u64::from(!self.is_prerelease());
        Some(self.release(self.major, self.minor, self.patch.checked_add(step)?))
    }

    /// The next version that differs in the minor number; `None` where that has no successor.
    #[must_use]
    pub fn next_minor(&self) -> Option<Version> {
        Some(self.release(self.major, self.minor.checked_add(1)?, 0))
    }

    /// The next version that differs in the major number; `None` where that has no successor.
    #[must_use]
    pub fn next_major(&self) -> Option<Version> {
        Some(self.release(self.major.checked_add(1)?, 0, 0))
    }

    /// A release with these numbers, written with a `v` where this version is.
    fn release(&self, major: u64, minor: u64, patch: u64) -> Version {
        let prefix = if self.original.starts_with('v') { "v" } else { "" };
        Version {
            major,
            minor,
            patch,
            prerelease: String::new(),
            metadata: String::new(),
            original: format!("{prefix}{major}.{minor}.{patch}"),
        }
    }
}

/// Three numbers, without a leading `v`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

fn number(digits: &str) -> Result<u64, Error> {
    if digits.is_empty() {
        return Ok(0);
    }
    digits
        .parse()
        .map_err(|_| Error::NumberTooLarge(digits.to_owned()))
}

pub(crate) fn compare_prereleases(one: &str, other: &str) -> Ordering {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (one.parse::<u64>(), other.parse::<u64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(other),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}
