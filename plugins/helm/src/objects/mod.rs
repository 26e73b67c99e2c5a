//! The objects that Helm puts before templates, as Go types with fields and methods.

mod capabilities;
mod files;
mod values;

pub use capabilities::{Capabilities, HelmVersion, KubeVersion, VERSION_SET};
pub use files::files;
pub use values::{VALUES, values};
