//! The plugins that are part of this program. Which they are, `cargo xtask plugins` writes down.

use crate::{Engine, Limits, LoadError, Plugin};
use std::sync::Arc;

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Its name: that of its folder in `plugins/`.
    pub name: &'static str,
    /// `sha256:…` of the component that the code was made from.
    pub digest: &'static str,
    code: &'static [u8],
}

/// A file that is embedded at the start of a page, so that its code can run where it lies.
#[allow(
    unused_macros,
    reason = "a checkout whose plugins were not built yet has none"
)]
macro_rules! embedded {
    ($file:literal) => {{
        #[repr(C, align(4096))]
        struct Aligned<T: ?Sized>(T);
        static CODE: &Aligned<[u8]> = &Aligned(*include_bytes!($file));
        &CODE.0
    }};
}

/// All of them: `name`, `digest` and `code` of each.
pub const ALL: &[Builtin] = include!(concat!(env!("SLUICE_PLUGINS_DIR"), "/index.rs"));

/// Loads the built-in plugin of this name.
pub fn load(engine: &Arc<Engine>, name: &str, limits: Limits) -> Result<Arc<Plugin>, LoadError> {
    let builtin =
        ALL.iter()
            .find(|builtin| builtin.name == name)
            .ok_or_else(|| LoadError::NotAComponent {
                plugin: name.to_owned(),
                what: format!(
                    "is not built in; there are {}",
                    ALL.iter().map(|b| b.name).collect::<Vec<_>>().join(", ")
                ),
            })?;
    Plugin::precompiled(engine, builtin.name, builtin.digest, builtin.code, limits)
}
