use crate::expression::Expression;
use crate::kstatus::assess;
use crate::look::{group, text};
use crate::{EvaluationFailed, Health, InvalidExpression, Status};
use serde_json::Value;
use sluice_api::kustomize::CustomHealthCheck;
use sluice_api::{Blame, Disposition, Next, Reason, Time, reason};
use std::hash::{DefaultHasher, Hash, Hasher};

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

/// Most entries of one Kustomization: each is for a kind.
const ENTRIES_MAX: usize = 200;
/// Most bytes of its expressions together.
const EXPRESSIONS_SIZE_MAX: usize = 128 << 10;

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
        cause: InvalidExpression,
    },
    /// The one that must be there is empty.
    #[error(
        "failed to create custom status evaluator for healthchecks[{index}]: expression Current not specified"
    )]
    NoCurrent {
        /// Which entry, from 0.
        index: usize,
    },
    /// There are too many, or they are too long together: all of them are read in each pass.
    #[error(
        "failed to create custom status evaluator for healthchecks[{index}]: more than {ENTRIES_MAX} entries (entries_max), or \
         expressions of more than {EXPRESSIONS_SIZE_MAX} bytes together (expressions_size_max): divide the objects among \
         Kustomizations"
    )]
    TooMany {
        /// Which entry, from 0.
        index: usize,
    },
    /// Two entries are for the same objects.
    #[error(
        "duplicate custom health check for GroupKind {subject} at healthchecks[{second}]; healthchecks[{first}] is for the \
         same, keep one of them"
    )]
    Duplicate {
        /// Kind and group, as Kubernetes writes them.
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
    /// An expression is no CEL, two entries are for the same group and kind, or there are too many.
    pub fn compile(exprs: &[CustomHealthCheck]) -> Result<Self, InvalidChecks> {
        let mut custom: Vec<Custom> = Vec::new();
        let mut size = 0;
        for (index, expr) in exprs.iter().enumerate() {
            let optional = [&expr.failed, &expr.in_progress];
            let optional = optional.into_iter().flatten().map(String::len).sum::<usize>();
            size += expr.current.len() + optional;
            if index >= ENTRIES_MAX || size > EXPRESSIONS_SIZE_MAX {
                return Err(InvalidChecks::TooMany { index });
            }
            let group = expr
                .api_version
                .split_once('/')
                .map_or("", |(group, _)| group)
                .to_owned();
            let kind = expr.kind.clone().filter(|kind| !kind.is_empty());
            if let Some(first) = custom
                .iter()
                .position(|known| known.group == group && known.kind == kind)
            {
                let mut subject = kind.unwrap_or_default();
                if !group.is_empty() {
                    subject.push('.');
                    subject.push_str(&group);
                }
                return Err(InvalidChecks::Duplicate {
                    subject,
                    first,
                    second: index,
                });
            }
            let compile = |name: &'static str, text: &str| {
                Expression::compile(text).map_err(|cause| InvalidChecks::Expression { index, name, cause })
            };
            let optional = |name: &'static str, text: &Option<String>| {
                let text = text.as_deref().filter(|text| !text.is_empty());
                text.map(|text| compile(name, text)).transpose()
            };
            if expr.current.is_empty() {
                return Err(InvalidChecks::NoCurrent { index });
            }
            // in Flux's order: the first mistake is the one that is told
            custom.push(Custom {
                group,
                kind,
                current: compile("Current", &expr.current)?,
                failed: optional("Failed", &expr.failed)?,
                in_progress: optional("InProgress", &expr.in_progress)?,
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

    /// What tells one way of judging objects of a kind from another: 0 for the rules of kinds, a digest of the user's
    /// expressions where there are some. What was found by one says nothing about another.
    pub fn rules(&self, group: &str, kind: &str) -> u64 {
        let Some(custom) = self.of(group, kind) else {
            return 0;
        };
        let mut hasher = DefaultHasher::new();
        for expression in [&custom.in_progress, &custom.failed] {
            expression.as_ref().map(Expression::text).hash(&mut hasher);
        }
        custom.current.text().hash(&mut hasher);
        hasher.finish().max(1)
    }

    fn find(&self, object: &Value) -> Option<&Custom> {
        self.of(group(object), text(object, "/kind"))
    }

    fn of(&self, group: &str, kind: &str) -> Option<&Custom> {
        let of_group = || self.custom.iter().filter(|custom| custom.group == group);
        let exact = of_group().find(|custom| custom.kind.as_deref() == Some(kind));
        exact.or_else(|| of_group().find(|custom| custom.kind.is_none()))
    }
}

impl Custom {
    fn assess(&self, object: &Value) -> Health {
        let whole = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
        if let (Some(observed), Some(generation)) =
            (whole("/status/observedGeneration"), whole("/metadata/generation"))
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
                Err(EvaluationFailed::NoAnswer { text, .. }) if is_secret(object) => {
                    let cause = "a Secret has no answer to it, and its values are not shown".to_owned();
                    return Health::unknown(EvaluationFailed::NoAnswer { text, cause }.to_string());
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

    #[test]
    fn other_expressions_are_other_rules() {
        let rules =
            |exprs: &[CustomHealthCheck]| Checks::compile(exprs).unwrap().rules("acme.io", "Database");
        let one = expr("acme.io/v1", "Database", "true");
        assert_eq!(rules(&[]), 0);
        assert_eq!(rules(&[expr("other.io/v1", "Database", "true")]), 0);
        assert_ne!(rules(&[one.clone()]), 0);
        assert_eq!(
            rules(&[one.clone()]),
            rules(&[expr("acme.io/v2", "", "true"), one.clone()])
        );
        assert_ne!(
            rules(&[one.clone()]),
            rules(&[expr("acme.io/v1", "Database", "false")])
        );
        let silent = CustomHealthCheck {
            failed: None,
            ..one.clone()
        };
        assert_ne!(rules(&[one]), rules(&[silent]));
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

    /// Flux asks both for whole numbers, and lets the expressions decide where one is none.
    #[test]
    fn generations_are_compared_where_both_are_whole_numbers() {
        let checks = Checks::compile(&[expr("acme.io/v1", "Database", "status.phase == 'Up'")]).unwrap();
        let health = |metadata: Value, observed: Value| {
            let status = json!({ "phase": "Up", "observedGeneration": observed });
            let object = json!({ "apiVersion": "acme.io/v1", "kind": "Database", "metadata": metadata, "status": status });
            checks.assess(&object, Time::default()).status.as_str()
        };
        assert_eq!(health(json!({ "generation": 2 }), json!(1)), "InProgress");
        assert_eq!(health(json!({ "generation": 2 }), json!("1")), "Current");
        assert_eq!(health(json!({}), json!(1)), "Current");
    }

    #[test]
    fn an_answer_that_is_no_yes_or_no_is_unknown() {
        let check = CustomHealthCheck {
            in_progress: Some(String::new()),
            failed: None,
            ..expr("acme.io/v1", "Database", "status.phase")
        };
        let checks = Checks::compile(&[check]).unwrap();
        let object = json!({ "apiVersion": "acme.io/v1", "kind": "Database", "status": { "phase": "Up" } });
        let health = checks.assess(&object, Time::default());
        assert_eq!(health.status, Status::Unknown);
        expect!["failed to evaluate CEL expression as boolean: 'status.phase'"].assert_eq(&health.message);
    }

    /// N14: they are read in each pass, whether anything changed or not.
    #[test]
    fn entries_and_their_expressions_are_bounded() {
        let entries = |count: usize, current: &str| -> Vec<CustomHealthCheck> {
            let entries = (0..count).map(|number| expr("a/v1", &format!("B{number}"), current));
            entries.collect()
        };
        assert!(Checks::compile(&entries(200, "true")).is_ok());
        let refusal = Checks::compile(&entries(201, "true")).unwrap_err();
        assert_eq!(refusal, InvalidChecks::TooMany { index: 200 });
        assert_eq!(
            refusal.to_string(),
            "failed to create custom status evaluator for healthchecks[200]: more than 200 entries (entries_max), or expressions of more than 131072 bytes together (expressions_size_max): divide the objects among Kustomizations"
        );
        let long = format!("{}true", " ".repeat(15_000));
        assert_eq!(
            Checks::compile(&entries(9, &long)).unwrap_err(),
            InvalidChecks::TooMany { index: 8 }
        );
    }

    #[test]
    fn refusals_name_the_entry() {
        let text = |exprs: &[CustomHealthCheck]| Checks::compile(exprs).unwrap_err().to_string();
        expect![[r#"
            failed to create custom status evaluator for healthchecks[1]: failed to parse the expression Current: failed to parse the CEL expression 'foo.': ERROR: <input>:1:5: Syntax error: no viable alternative at input '.'
             | foo.
             | ....^"#]]
        .assert_eq(&text(&[expr("a/v1", "B", "true"), expr("a/v1", "C", "foo.")]));
        let all_bad = CustomHealthCheck {
            in_progress: Some("(".into()),
            failed: Some("foo.".into()),
            ..expr("a/v1", "B", "true")
        };
        expect![[r#"
            failed to create custom status evaluator for healthchecks[0]: failed to parse the expression Failed: failed to parse the CEL expression 'foo.': ERROR: <input>:1:5: Syntax error: no viable alternative at input '.'
             | foo.
             | ....^"#]]
        .assert_eq(&text(&[all_bad]));
        expect![
            "failed to create custom status evaluator for healthchecks[0]: expression Current not specified"
        ]
        .assert_eq(&text(&[expr("a/v1", "B", "")]));
        expect!["duplicate custom health check for GroupKind B.a at healthchecks[1]; healthchecks[0] is for the same, keep one of them"]
            .assert_eq(&text(&[expr("a/v1", "B", "true"), expr("a/v2", "B", "true")]));
        expect!["duplicate custom health check for GroupKind Pod at healthchecks[1]; healthchecks[0] is for the same, keep one of them"]
            .assert_eq(&text(&[expr("v1", "Pod", "true"), expr("v1", "Pod", "true")]));
        expect!["duplicate custom health check for GroupKind .a at healthchecks[1]; healthchecks[0] is for the same, keep one of them"]
            .assert_eq(&text(&[expr("a/v1", "", "true"), expr("a/v2", "", "true")]));
    }
}
