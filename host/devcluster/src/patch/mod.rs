//! Patches that are no apply: JSON patch, merge patch, strategic merge patch.

mod strategic;

use crate::status::{Result, Status};
use json_patch::{AddOperation, PatchOperation};
use serde_json::Value;
use sluice_schema::Node;

/// How the body of a PATCH is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchKind {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl PatchKind {
    /// Reads the media type; none for one that no patch has.
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/apply-patch+yaml" | "application/apply-patch+json" => Some(Self::Apply),
            _ => None,
        }
    }
}

/// A JSON patch may not have more operations than this.
const JSON_PATCH_OPERATIONS_MAX: usize = 10_000;

/// `object` with `patch` applied.
pub(crate) fn patched(kind: PatchKind, node: &Node, object: &Value, patch: Value) -> Result<Value> {
    let mut out = object.clone();
    match kind {
        PatchKind::Json => {
            let operations: json_patch::Patch =
                serde_json::from_value(patch).map_err(|_| Status::bad_patch())?;
            if operations.0.len() > JSON_PATCH_OPERATIONS_MAX {
                return Err(Status::new(
                    413,
                    "RequestEntityTooLarge",
                    format!(
                        "The allowed maximum operations in a JSON patch is {JSON_PATCH_OPERATIONS_MAX}, got {}",
                        operations.0.len()
                    ),
                ));
            }
            for operation in operations.0 {
                let one = lenient(&out, operation);
                json_patch::patch(&mut out, &[one]).map_err(|_| Status::bad_patch())?;
            }
        }
        PatchKind::Merge => {
            if !patch.is_object() {
                let got = if patch.is_array() { "array" } else { "value" };
                return Err(Status::bad_request(format!(
                    "error decoding patch: json: cannot unmarshal {got} into Go value of type map[string]interface {{}}"
                )));
            }
            json_patch::merge(&mut out, &patch);
        }
        PatchKind::Strategic | PatchKind::Apply => out = strategic::merge(node, out, patch)?,
    }
    Ok(out)
}

/// `%v` of a map in Go.
pub(crate) fn go_map(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> = map
                .iter()
                .map(|(name, value)| format!("{name}:{}", go_map(value)))
                .collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(go_map).collect::<Vec<_>>().join(" ")),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

/// The server's library lets `replace` set a field that is not there yet.
fn lenient(object: &Value, operation: PatchOperation) -> PatchOperation {
    match operation {
        PatchOperation::Replace(replace) if object.pointer(replace.path.as_str()).is_none() => {
            PatchOperation::Add(AddOperation {
                path: replace.path,
                value: replace.value,
            })
        }
        other => other,
    }
}
