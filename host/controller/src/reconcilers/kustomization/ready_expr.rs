//! `dependsOn[].readyExpr`: CEL over `self` and `dep`.

use crate::error_policy::Failure;
use serde_json::Value;
use sluice_api::{Disposition as _, Next};
use sluice_health::ReadyExpression;

/// Why the dependency (`ns/name`) is not ready, none where it is.
///
/// # Errors
/// The expression cannot be used: nothing changes that but an edit.
pub(super) fn evaluate(
    expression: &str,
    dependency: &str,
    own: &Value,
    other: &Value,
) -> Result<Option<String>, Failure> {
    let checked = ReadyExpression::compile(dependency, expression).and_then(|ready| ready.check(own, other));
    match checked {
        Ok(()) => Ok(None),
        Err(error) if error.next() == Next::Stall => Err(Failure::misconfigured(&error)),
        Err(error) => Ok(Some(error.to_string())),
    }
}
