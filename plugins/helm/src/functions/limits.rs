//! How much one call may make. Go has no such limits and dies of memory instead.

use crate::Error;

/// The longest text that `repeat` and `indent` make, in bytes: far above any manifest, far below a guest's memory.
pub(super) const TEXT_MAX: usize = 64 << 20;
/// The most numbers that `until`, `untilStep` and `seq` make.
pub(super) const NUMBERS_MAX: usize = 4_000_000;

pub(super) fn too_long(what: &str) -> Error {
    Error::new(format!("{what} (more than {TEXT_MAX} bytes; make it in parts)"))
}

pub(super) fn too_many() -> Error {
    Error::new(format!("more than {NUMBERS_MAX} numbers; narrow the range"))
}
