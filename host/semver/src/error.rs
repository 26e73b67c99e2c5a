//! Why a text is no version or no range, in the words of the original.

/// Longest version, in bytes.
pub(crate) const VERSION_LENGTH_MAX: usize = 256;
/// Longest range, in bytes, and most alternatives of it: limits of the original.
pub(crate) const RANGE_LENGTH_MAX: usize = 512;
pub(crate) const ALTERNATIVES_MAX: usize = 32;

/// Why a text is no version or no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a version.
    #[error("invalid semantic version")]
    InvalidVersion,
    /// A number of a version that does not fit in 64 bits.
    #[error("error parsing version segment: strconv.ParseUint: parsing \"{0}\": value out of range")]
    NumberTooLarge(String),
    /// A number of a prerelease with a leading zero.
    #[error("version segment starts with 0")]
    LeadingZero,
    /// A version longer than anybody needs.
    #[error("version string is too long (max {VERSION_LENGTH_MAX} bytes)")]
    VersionTooLong,
    /// Not a range; the alternative that is wrong.
    #[error("improper constraint: {0:?}")]
    InvalidRange(String),
    /// A range whose version is none.
    #[error("constraint parser error")]
    InvalidBound,
    /// A range longer than anybody needs.
    #[error("constraint string is too long (max {RANGE_LENGTH_MAX} bytes)")]
    RangeTooLong,
    /// A range with more alternatives than anybody needs.
    #[error("too many constraint groups (max {ALTERNATIVES_MAX})")]
    TooManyAlternatives,
}
