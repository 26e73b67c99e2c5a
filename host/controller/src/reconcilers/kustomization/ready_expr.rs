//! `dependsOn[].readyExpr`: CEL over `self` and `dep`.

use crate::error_policy::Failure;
use crate::reconcilers::aside::aside;
use serde_json::Value;
use sluice_api::kustomize::DependencyReference;
use sluice_api::{Disposition as _, Kustomization, Next, decode, reason};
use sluice_health::ReadyExpression;
use std::borrow::Cow;
use std::sync::Arc;

/// Most dependencies of one Kustomization that have an expression: each is read in each pass.
const EXPRESSIONS_MAX: usize = 200;
/// Most bytes of these expressions together.
const EXPRESSIONS_SIZE_MAX: usize = 128 << 10;

/// Refuses more expressions than one Kustomization may have.
///
/// # Errors
/// There are too many, or they are too long together: nothing changes that but an edit.
pub(super) fn bounded(dependencies: &[DependencyReference]) -> Result<(), Failure> {
    let expressions = dependencies
        .iter()
        .filter_map(|dependency| dependency.ready_expr.as_deref());
    let (count, size) = expressions.fold((0, 0), |(count, size), text| (count + 1, size + text.len()));
    if count <= EXPRESSIONS_MAX && size <= EXPRESSIONS_SIZE_MAX {
        return Ok(());
    }
    let message = format!(
        "Reconciliation failed terminally due to configuration error: spec.dependsOn has more than {EXPRESSIONS_MAX} entries \
         with a readyExpr (expressions_max), or expressions of more than {EXPRESSIONS_SIZE_MAX} bytes together \
         (expressions_size_max)"
    );
    Err(Failure::stall(reason::INVALID_CEL_EXPRESSION, message))
}

/// Why the dependency (`ns/name`) is not ready, none where it is. An expression may take some seconds to have an answer, and
/// the objects it sees may be large: nobody else waits for it.
///
/// # Errors
/// The expression cannot be used: nothing changes that but an edit.
pub(super) async fn evaluate(
    expression: &str,
    dependency: &str,
    own: Option<Arc<Value>>,
    other: Arc<Value>,
) -> Result<Option<String>, Failure> {
    let (expression, dependency) = (expression.to_owned(), dependency.to_owned());
    let judge = move || {
        let own = own.as_deref().unwrap_or(&Value::Null);
        judge(&expression, &dependency, own, &other)
    };
    let judged = aside(true, judge).await;
    judged.unwrap_or_else(|broken| {
        let message = format!("readyExpr {broken}");
        Err(Failure::back_off(reason::DEPENDENCY_NOT_READY, message))
    })
}

fn judge(expression: &str, dependency: &str, own: &Value, other: &Value) -> Result<Option<String>, Failure> {
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
    use futures::FutureExt as _;
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
        let reason = |text: &str, object: &Value| judge(text, "apps/db", object, object).unwrap();
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

    #[tokio::test]
    async fn an_expression_has_its_answer_where_nobody_waits() {
        let object = Arc::new(json!({ "metadata": { "name": "db" } }));
        let text = "self.metadata.name == dep.metadata.name";
        let mut evaluated = std::pin::pin!(evaluate(text, "apps/db", Some(object.clone()), object));
        assert!(
            evaluated.as_mut().now_or_never().is_none(),
            "a thread of its own does it"
        );
        assert_eq!(evaluated.await.unwrap(), None);
    }

    /// N14: they are read in each pass, whether anything changed or not.
    #[test]
    fn expressions_are_bounded() {
        let dependencies = |count: usize, text: Option<&str>| -> Vec<DependencyReference> {
            let dependency = |number: usize| DependencyReference {
                name: number.to_string(),
                namespace: None,
                ready_expr: text.map(str::to_owned),
            };
            (0..count).map(dependency).collect()
        };
        assert!(bounded(&dependencies(200, Some("true"))).is_ok());
        assert!(bounded(&dependencies(1000, None)).is_ok());
        let refusal = bounded(&dependencies(201, Some("true"))).unwrap_err();
        assert_eq!(
            (refusal.reason, refusal.next),
            (reason::INVALID_CEL_EXPRESSION, Next::Stall)
        );
        assert!(
            refusal.message.contains("(expressions_max)"),
            "{}",
            refusal.message
        );
        let long = format!("{}true", " ".repeat(15_000));
        assert!(bounded(&dependencies(8, Some(&long))).is_ok());
        assert!(bounded(&dependencies(9, Some(&long))).is_err());
    }
}
