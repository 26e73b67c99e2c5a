use crate::kstatus::assess;
use crate::look::{group, int, text};
use crate::{EvaluationFailed, Expression, Health, Status};
use serde_json::Value;
use sluice_api::kustomize::CustomHealthCheck;
use sluice_api::{Blame, Disposition, Next, Reason, Time, reason};

/// How the health of objects is told: the user's expressions first, the rules of kinds where there are none.
#[derive(Debug, Default)]
pub struct Checks {
    custom: Vec<Custom>,
}

#[derive(Debug)]
struct Custom {
    group: String,
    kind: Option<String>,
    in_progress: Option<Expression>,
    failed: Option<Expression>,
    current: Expression,
}

/// `spec.healthCheckExprs` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidChecks {
    /// One expression is no CEL.
    #[error(
        "failed to create custom status evaluator for healthchecks[{index}]: failed to parse the expression {name}: {cause}"
    )]
    Expression {
        /// Which entry, from 0.
        index: usize,
        /// `Current`, `InProgress` or `Failed`.
        name: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// Two entries are for the same objects.
    #[error(
        "duplicate custom health check for {subject}: healthchecks[{first}] and healthchecks[{second}]; keep one of them"
    )]
    Duplicate {
        /// Group and kind.
        subject: String,
        /// The entry before.
        first: usize,
        /// The entry after.
        second: usize,
    },
}

impl Disposition for InvalidChecks {
    fn reason(&self) -> Reason {
        reason::INVALID_CEL_EXPRESSION
    }

    fn next(&self) -> Next {
        Next::Stall
    }

    fn blame(&self) -> Blame {
        Blame::User
    }
}

impl Checks {
    /// Compiles `spec.healthCheckExprs`.
    ///
    /// # Errors
    /// An expression is no CEL, or two entries are for the same group and kind.
    pub fn compile(exprs: &[CustomHealthCheck]) -> Result<Self, InvalidChecks> {
        let mut custom: Vec<Custom> = Vec::with_capacity(exprs.len());
        for (index, expr) in exprs.iter().enumerate() {
            let group = expr
                .api_version
                .split_once('/')
                .map_or("", |(group, _)| group)
                .to_owned();
            if let Some(first) = custom
                .iter()
                .position(|known| known.group == group && known.kind == expr.kind)
            {
                let subject = format!("{}/{}", expr.api_version, expr.kind.as_deref().unwrap_or("*"));
                return Err(InvalidChecks::Duplicate {
                    subject,
                    first,
                    second: index,
                });
            }
            let compile = |name: &'static str, text: &str| {
                Expression::compile(text).map_err(|error| InvalidChecks::Expression {
                    index,
                    name,
                    cause: error.cause,
                })
            };
            let optional = |name: &'static str, text: &Option<String>| {
                text.as_deref().map(|text| compile(name, text)).transpose()
            };
            custom.push(Custom {
                group,
                kind: expr.kind.clone(),
                current: compile("Current", &expr.current)?,
                in_progress: optional("InProgress", &expr.in_progress)?,
                failed: optional("Failed", &expr.failed)?,
            });
        }
        Ok(Self { custom })
    }

    /// The health of an object as it is now.
    pub fn assess(&self, object: &Value, now: Time) -> Health {
        match self.find(object) {
            Some(custom) => custom.assess(object),
            None => assess(object, now),
        }
    }

    /// Whether the user's expressions, not the rules of kinds, tell this object's health.
    pub fn is_custom(&self, object: &Value) -> bool {
        self.find(object).is_some()
    }

    fn find(&self, object: &Value) -> Option<&Custom> {
        let (group, kind) = (group(object), text(object, "/kind"));
        let of_group = || self.custom.iter().filter(|custom| custom.group == group);
        let exact = of_group().find(|custom| custom.kind.as_deref() == Some(kind));
        exact.or_else(|| of_group().find(|custom| custom.kind.is_none()))
    }
}

impl Custom {
    fn assess(&self, object: &Value) -> Health {
        let generation = int(object, "/metadata/generation", 0);
        if let Some(observed) = object
            .pointer("/status/observedGeneration")
            .and_then(Value::as_i64)
            && observed != generation
        {
            return Health::in_progress(format!(
                "generation is {generation}, but latest observed generation is {observed}"
            ));
        }
        let rows = [
            (self.in_progress.as_ref(), Status::InProgress),
            (self.failed.as_ref(), Status::Failed),
            (Some(&self.current), Status::Current),
        ];
        let fields = || {
            object
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.as_str(), value))
        };
        for (expression, status) in rows {
            let Some(expression) = expression else { continue };
            match expression.holds(fields()) {
                Ok(true) => {
                    return Health::new(status, format!("CEL expression {status:?} evaluated to true"));
                }
                Ok(false) => {}
                // it may quote the value that it stumbled over
                Err(error) if is_secret(object) => {
                    let cause = "a Secret has no answer to it, and its values are not shown".to_owned();
                    return Health::unknown(EvaluationFailed { cause, ..error }.to_string());
                }
                Err(error) => return Health::unknown(error.to_string()),
            }
        }
        Health::in_progress("")
    }
}

fn is_secret(object: &Value) -> bool {
    let field = |name: &str| object.get(name).and_then(Value::as_str);
    field("apiVersion") == Some("v1") && field("kind") == Some("Secret")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn expr(api_version: &str, kind: &str, current: &str) -> CustomHealthCheck {
        CustomHealthCheck {
            api_version: api_version.into(),
            kind: (!kind.is_empty()).then(|| kind.to_owned()),
            current: current.into(),
            in_progress: Some("status.phase == 'Starting'".into()),
            failed: Some("status.phase == 'Broken'".into()),
        }
    }

    fn check(checks: &Checks, status: Value, expected: &str) {
        let object = json!({ "apiVersion": "acme.io/v9", "kind": "Database", "metadata": { "generation": 1 }, "status": status });
        assert_eq!(
            checks.assess(&object, Time::default()).status.as_str(),
            expected,
            "{object}"
        );
    }

    #[test]
    fn expressions_come_in_order() {
        let checks = Checks::compile(&[expr("acme.io/v1", "Database", "status.phase == 'Up'")]).unwrap();
        check(&checks, json!({ "phase": "Up" }), "Current");
        check(&checks, json!({ "phase": "Starting" }), "InProgress");
        check(&checks, json!({ "phase": "Broken" }), "Failed");
        check(&checks, json!({ "phase": "Other" }), "InProgress");
        check(
            &checks,
            json!({ "phase": "Up", "observedGeneration": 0 }),
            "InProgress",
        );
        check(&checks, json!({}), "Unknown");
    }

    #[test]
    fn the_exact_kind_wins_over_the_group() {
        let checks = Checks::compile(&[
            expr("acme.io/v1", "", "true"),
            expr("acme.io/v1", "Database", "false"),
        ])
        .unwrap();
        check(&checks, json!({ "phase": "x" }), "InProgress");
        let other = json!({ "apiVersion": "acme.io/v1", "kind": "Cache", "status": { "phase": "x" } });
        assert!(checks.assess(&other, Time::default()).is_current());
        assert!(!checks.is_custom(&json!({ "apiVersion": "v1", "kind": "Pod" })));
    }

    /// N8: a failed expression quotes what it stumbled over.
    #[test]
    fn values_of_secrets_are_not_quoted() {
        let check = CustomHealthCheck {
            in_progress: None,
            failed: None,
            ..expr("v1", "Secret", "int(data.password) > 0")
        };
        let checks = Checks::compile(&[check]).unwrap();
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "data": { "password": "Y2FuYXJ5" } });
        let health = checks.assess(&secret, Time::default());
        expect!["failed to evaluate the CEL expression 'int(data.password) > 0': a Secret has no answer to it, and its values are not shown"]
            .assert_eq(&health.message);
    }

    #[test]
    fn refusals_name_the_entry() {
        let text = |exprs: &[CustomHealthCheck]| Checks::compile(exprs).unwrap_err().to_string();
        let bad = text(&[expr("a/v1", "B", "true"), expr("a/v1", "C", "foo.")]);
        assert!(bad.starts_with("failed to create custom status evaluator for healthchecks[1]: failed to parse the expression Current: "), "{bad}");
        expect![
            "duplicate custom health check for a/v2/B: healthchecks[0] and healthchecks[1]; keep one of them"
        ]
        .assert_eq(&text(&[expr("a/v1", "B", "true"), expr("a/v2", "B", "true")]));
    }
}
