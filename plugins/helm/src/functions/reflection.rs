//! What a value is.

use super::Functions;
use crate::{Str, Value};

pub(super) fn register(functions: &mut Functions) {
    functions.add("typeOf", |value: Value| value.type_name().into_owned());
    functions.add("kindOf", |value: Value| kind(&value));
    functions.add("kindIs", |kind_name: Str, value: Value| kind_name == kind(&value));
    functions.add("typeIs", |name: Str, value: Value| name == *value.type_name());
    functions.add("typeIsLike", |name: Str, value: Value| {
        let found = value.type_name();
        name == *found || found.strip_prefix('*').is_some_and(|found| name == *found)
    });
}

/// A nil has no kind at all.
fn kind(value: &Value) -> &'static str {
    if value.is_nil() {
        "invalid"
    } else {
        value.kind().name()
    }
}
