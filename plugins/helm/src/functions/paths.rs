//! Paths. Those of the operating system are Linux', whatever a render runs on.

use super::Functions;
use crate::{Str, go::path};

pub(super) fn register(functions: &mut Functions) {
    for name in ["base", "osBase"] {
        functions.add(name, |text: Str| Str::from(path::base(text.as_bytes())));
    }
    for name in ["dir", "osDir"] {
        functions.add(name, |text: Str| Str::from(path::dir(text.as_bytes())));
    }
    for name in ["clean", "osClean"] {
        functions.add(name, |text: Str| Str::from(path::clean(text.as_bytes())));
    }
    for name in ["ext", "osExt"] {
        functions.add(name, |text: Str| Str::from(path::ext(text.as_bytes())));
    }
    for name in ["isAbs", "osIsAbs"] {
        functions.add(name, |text: Str| path::is_abs(text.as_bytes()));
    }
}
