//! `dependsOn[].readyExpr`: CEL over `self` and `dep`.

use crate::error_policy::Failure;
use serde_json::Value;
use sluice_api::{Disposition as _, Kustomization, Next, decode};
use sluice_health::ReadyExpression;
use std::borrow::Cow;

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
    let checked = ReadyExpression::compile(dependency, expression)
        .and_then(|ready| ready.check(&as_typed(own), &as_typed(other)));
    match checked {
        Ok(()) => Ok(None),
        Err(error) if error.next() == Next::Stall => Err(Failure::misconfigured(&error)),
        Err(error) => Ok(Some(error.to_string())),
    }
}

/// An object as Flux shows it to expressions: as its type writes it, whoever wrote it before. Flags that are off are absent
/// then, and durations have one form. What cannot be read is shown as it is.
fn as_typed(object: &Value) -> Cow<'_, Value> {
    let typed = decode::<Kustomization>(object).ok();
    match typed.and_then(|typed| serde_json::to_value(typed).ok()) {
        Some(typed) => Cow::Owned(typed),
        None => Cow::Borrowed(object),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_seen_as_their_type_writes_them() {
        let spec = json!({
            "interval": "60s", "prune": false, "suspend": false, "sourceRef": { "kind": "GitRepository", "name": "src" },
        });
        let metadata = json!({ "name": "db", "namespace": "apps", "generation": 2, "labels": { "v": "1" } });
        let conditions = json!([{
            "type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }]);
        let status = json!({ "observedGeneration": 2, "conditions": conditions });
        let object = json!({ "metadata": metadata, "spec": spec, "status": status });
        let reason = |text: &str, object: &Value| evaluate(text, "apps/db", object, object).unwrap();
        for text in [
            "!has(dep.spec.suspend) && has(dep.spec.prune)",
            "self.spec.interval == '1m0s'",
            "dep.metadata.generation == dep.status.observedGeneration",
            "dep.metadata.labels['v'] == self.metadata.labels['v']",
            "dep.status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')",
        ] {
            assert_eq!(reason(text, &object), None, "{text}");
        }
        let unreadable = json!({ "spec": { "interval": "never", "suspend": false } });
        assert_eq!(reason("dep.spec.suspend == false", &unreadable), None);
    }
}
