//! Reading fields of objects that may have any shape.

use serde_json::Value;

/// A whole number; `default` where absent or of another type.
pub(crate) fn int(object: &Value, pointer: &str, default: i64) -> i64 {
    object.pointer(pointer).and_then(Value::as_i64).unwrap_or(default)
}

/// A text; empty where absent or of another type.
pub(crate) fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The items of a list; none where absent or of another type.
pub(crate) fn items<'v>(object: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> + Clone {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
}

/// One condition of the status.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Condition<'v> {
    pub(crate) status: &'v str,
    pub(crate) reason: &'v str,
    pub(crate) message: &'v str,
}

impl Condition<'_> {
    pub(crate) fn is_true(&self) -> bool {
        self.status == "True"
    }
}

/// The condition of that type.
pub(crate) fn condition<'v>(object: &'v Value, type_: &str) -> Option<Condition<'v>> {
    let found = items(object, "/status/conditions").find(|condition| text(condition, "/type") == type_)?;
    Some(Condition {
        status: text(found, "/status"),
        reason: text(found, "/reason"),
        message: text(found, "/message"),
    })
}

/// `Kind/namespace/name`, or `Kind/name`.
pub(crate) fn subject(object: &Value) -> String {
    let (kind, namespace, name) = (
        text(object, "/kind"),
        text(object, "/metadata/namespace"),
        text(object, "/metadata/name"),
    );
    if namespace.is_empty() {
        format!("{kind}/{name}")
    } else {
        format!("{kind}/{namespace}/{name}")
    }
}

/// The API group, empty for the core group.
pub(crate) fn group(object: &Value) -> &str {
    text(object, "/apiVersion")
        .split_once('/')
        .map_or("", |(group, _)| group)
}
