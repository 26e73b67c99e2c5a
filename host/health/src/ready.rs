use crate::expression::Expression;
use serde_json::Value;
use sluice_api::{Blame, Disposition, Next, Reason, reason};

/// A compiled `dependsOn[].readyExpr`.
#[derive(Debug)]
pub struct ReadyExpression {
    dependency: String,
    expression: Expression,
}

/// Why a dependency does not count as ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The expression cannot be used. Nothing changes that but an edit. Flux tells that twice.
    #[error("terminal error: failed to evaluate dependency {dependency}: {cause}")]
    Invalid {
        /// Name of the dependency, without its namespace as in Flux.
        dependency: String,
        /// What is wrong.
        cause: String,
    },
    /// The expression has no answer for the objects as they are.
    #[error("{0}")]
    NoAnswer(#[from] crate::EvaluationFailed),
    /// The answer is no.
    #[error("dependency '{0}' is not ready according to readyExpr eval")]
    No(String),
}

impl Disposition for NotReady {
    fn reason(&self) -> Reason {
        match self {
            Self::Invalid { .. } => reason::INVALID_CEL_EXPRESSION,
            Self::NoAnswer(_) | Self::No(_) => reason::DEPENDENCY_NOT_READY,
        }
    }

    fn next(&self) -> Next {
        match self {
            Self::Invalid { .. } => Next::Stall,
            Self::NoAnswer(_) => Next::Retry,
            Self::No(dependency) => Next::Wait(format!("Kustomization/{dependency}")),
        }
    }

    fn blame(&self) -> Blame {
        Blame::User
    }
}

impl ReadyExpression {
    /// Compiles the expression of a dependency. `dependency`: `ns/name`.
    ///
    /// # Errors
    /// It is no CEL, reads variables other than `self` and `dep`, or its answer need not be true or false.
    pub fn compile(dependency: &str, text: &str) -> Result<Self, NotReady> {
        let invalid = |cause: String| NotReady::Invalid {
            dependency: dependency.rsplit('/').next().unwrap_or(dependency).to_owned(),
            cause,
        };
        let expression = Expression::compile(text).map_err(|error| invalid(error.to_string()))?;
        let only = expression.reads_only(&["self", "dep"]);
        only.map_err(|error| invalid(format!("{error}\nit can read self and dep")))?;
        let answer = expression.answer_type();
        if answer != "bool" {
            return Err(invalid(format!(
                "CEL expression output type mismatch: expected bool, got {answer}; compare, as in '{text} == …'"
            )));
        }
        Ok(Self {
            dependency: dependency.to_owned(),
            expression,
        })
    }

    /// Whether the dependency is ready. `own`: the Kustomization that depends; `dep`: the one it depends on.
    ///
    /// # Errors
    /// It is not, or the expression has no answer.
    pub fn check(&self, own: &Value, dep: &Value) -> Result<(), NotReady> {
        match self.expression.holds([("self", own), ("dep", dep)])? {
            true => Ok(()),
            false => Err(NotReady::No(self.dependency.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn compares_self_and_dependency() {
        let (own, dep) = (
            json!({ "metadata": { "labels": { "v": "2" } } }),
            json!({ "metadata": { "labels": { "v": "2" } } }),
        );
        let check =
            |text: &str| ReadyExpression::compile("ns/db", text).and_then(|ready| ready.check(&own, &dep));
        assert_eq!(
            check("self.metadata.labels['v'] == dep.metadata.labels['v']"),
            Ok(())
        );
        assert_eq!(
            check("[1, 2].all(x, x > 0) && dep.metadata.labels.exists(k, k == 'v')"),
            Ok(())
        );
        let no = check("dep.metadata.labels.v == '3'").unwrap_err();
        assert_eq!(
            no.to_string(),
            "dependency 'ns/db' is not ready according to readyExpr eval"
        );
        let no_answer = check("dep.status.x == 1").unwrap_err();
        assert!(
            no_answer
                .to_string()
                .starts_with("failed to evaluate the CEL expression 'dep.status.x == 1': ")
        );
        assert_eq!(no_answer.next(), Next::Retry);
        let invalid = check("other.x == 1").unwrap_err();
        assert_eq!(invalid.next(), Next::Stall);
        expect![[r#"
            terminal error: failed to evaluate dependency db: failed to parse the CEL expression 'other.x == 1': ERROR: <input>:1:1: undeclared reference to 'other' (in container '')
             | other.x == 1
             | ^
            it can read self and dep"#]]
        .assert_eq(&invalid.to_string());
        let all = check("dep.x == 1 &&\n  other.x == dep.list.filter(c, c.a == third).sized()").unwrap_err();
        expect![[r#"
            terminal error: failed to evaluate dependency db: failed to parse the CEL expression 'dep.x == 1 &&
              other.x == dep.list.filter(c, c.a == third).sized()': ERROR: <input>:2:3: undeclared reference to 'other' (in container '')
             |   other.x == dep.list.filter(c, c.a == third).sized()
             | ..^
            ERROR: <input>:2:40: undeclared reference to 'third' (in container '')
             |   other.x == dep.list.filter(c, c.a == third).sized()
             | .......................................^
            ERROR: <input>:2:52: undeclared reference to 'sized' (in container '')
             |   other.x == dep.list.filter(c, c.a == third).sized()
             | ...................................................^
            it can read self and dep"#]]
        .assert_eq(&all.to_string());
        let typed = check("dep.labels").unwrap_err();
        expect![[r#"terminal error: failed to evaluate dependency db: CEL expression output type mismatch: expected bool, got dyn; compare, as in 'dep.labels == …'"#]]
            .assert_eq(&typed.to_string());
        let number = check("dep.metadata.labels.size() + 1.0 == 2.0").unwrap_err();
        expect!["failed to evaluate the CEL expression 'dep.metadata.labels.size() + 1.0 == 2.0': no such overload"]
            .assert_eq(&number.to_string());
    }
}
