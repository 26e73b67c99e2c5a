//! Versions and constraints, as `Masterminds/semver` 3.5 reads, orders and checks them: what `semver`, `semverCompare`, dependencies
//! and `kubeVersion` go by.

mod constraint;
mod version;

pub use constraint::Constraints;
pub use version::Version;
