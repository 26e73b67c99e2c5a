use cel::{Context, Env, Program, Value as CelValue, extensions};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock};

/// Longest expression in bytes. What is longer is a program, and none is known that needs a tenth of it.
pub const EXPRESSION_BYTES_MAX: usize = 16 * 1024;

/// Flux's environment: standard functions, optional values, strings, encoders, sets.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(true);
    env.add_extension(extensions::strings)
        .expect("invariant: the standard library declares no function of this name");
    env.add_extension(extensions::encoders)
        .expect("invariant: the standard library declares no function of this name");
    crate::sets::extension(&mut env).expect("invariant: nobody else declares sets");
    Arc::new(env)
});

/// A compiled CEL expression that says yes or no.
pub struct Expression {
    text: String,
    program: Program,
}

/// An expression that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to parse the CEL expression '{text}': {cause}")]
pub struct InvalidExpression {
    /// The expression.
    pub text: String,
    /// What is wrong with it, with line and column.
    pub cause: String,
}

/// An expression that can be read and has no answer for these objects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to evaluate the CEL expression '{text}': {cause}")]
pub struct EvaluationFailed {
    /// The expression.
    pub text: String,
    /// Why it has no answer.
    pub cause: String,
}

/// Bytes of an expression that cannot nest deeper than any stack allows.
const SHORT_BYTES_MAX: usize = 1024;
/// The stack for longer ones, which the reader walks down part by part: a thousand bytes for each of theirs.
const STACK_BYTES: usize = 32 << 20;

fn read(text: &str) -> Result<Program, String> {
    let program = ENVIRONMENT.compile(text).map_err(|errors| {
        errors
            .to_string()
            .trim_end()
            .chars()
            .take(SHORT_BYTES_MAX)
            .collect::<String>()
    })?;
    if crate::cost::is_deep(program.expression()) {
        let max = crate::cost::LEVELS_MAX;
        return Err(format!("its parts nest deeper than {max} levels"));
    }
    Ok(program)
}

/// On a stack of its own: a few thousand signs in a row are as many levels, more than this one may hold (N14).
fn read_with_room(text: &str) -> Result<Program, String> {
    std::thread::scope(|scope| {
        let reader = std::thread::Builder::new().stack_size(STACK_BYTES);
        let reader = reader.spawn_scoped(scope, || read(text));
        let reader = reader.map_err(|error| format!("no thread to read it: {error}"))?;
        reader.join().map_err(|_| "its reader failed".to_owned())?
    })
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// It is no CEL, or is longer than [`EXPRESSION_BYTES_MAX`].
    pub fn compile(text: &str) -> Result<Self, InvalidExpression> {
        let invalid = |cause: String| InvalidExpression {
            text: text.chars().take(512).collect(),
            cause,
        };
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(invalid(format!("it is longer than {EXPRESSION_BYTES_MAX} bytes")));
        }
        let program = match text.len() <= SHORT_BYTES_MAX {
            true => read(text),
            false => read_with_room(text),
        };
        let program = program.map_err(invalid)?;
        Ok(Self {
            text: text.to_owned(),
            program,
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The type of the answer as far as it can be told without objects: `bool`, `string`, …, else `dyn`.
    pub fn answer_type(&self) -> &'static str {
        crate::answer::type_of(self.program.expression())
    }

    /// Names of variables the expression reads that are not among `known`.
    pub fn unknown_variables(&self, known: &[&str]) -> Vec<String> {
        let mut free = BTreeSet::new();
        crate::free::collect(self.program.expression(), &mut Vec::new(), &mut free);
        free.into_iter()
            .filter(|name| !known.contains(name))
            .map(str::to_owned)
            .collect()
    }

    /// Whether it holds for these variables. Numbers reach the expression as doubles, as in Flux.
    ///
    /// # Errors
    /// A field is missing, types do not fit, or the answer is neither true nor false.
    pub fn holds<'v>(
        &self,
        variables: impl IntoIterator<Item = (&'v str, &'v Value)>,
    ) -> Result<bool, EvaluationFailed> {
        let failed = |cause: String| EvaluationFailed {
            text: self.text.clone(),
            cause,
        };
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        // texts are walked only where they are made into lists
        let is_text_split = self.program.references().has_function("split");
        let (mut size, mut weight) = (1, 0.0);
        for (name, value) in variables {
            size = size.max(largest(value, is_text_split));
            weight = crate::cost::weight(value).max(weight);
            context.add_variable_from_value(name, to_cel(value));
        }
        crate::cost::check(self.program.expression(), size, weight).map_err(failed)?;
        match self.program.execute(&context) {
            Ok(CelValue::Bool(holds)) => Ok(holds),
            Ok(other) => Err(failed(format!(
                "the answer is of type {}, not bool",
                other.type_of()
            ))),
            Err(error) => Err(failed(cut(&error.to_string()))),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

/// Errors of the CEL crate may print whole objects, Secrets among them.
fn cut(error: &str) -> String {
    const CHARS_MAX: usize = 200;
    let mut text: String = error.chars().take(CHARS_MAX).collect();
    if text.len() < error.len() {
        text.push_str("...");
    }
    text
}

/// Items of the largest list or map, or characters of the largest text where those count.
fn largest(value: &Value, do_texts_count: bool) -> usize {
    let inner = |value: &Value| largest(value, do_texts_count);
    match value {
        Value::String(text) if do_texts_count => text.len(),
        Value::Array(items) => items.iter().map(inner).fold(items.len(), usize::max),
        Value::Object(map) => map.values().map(inner).fold(map.len(), usize::max),
        _ => 1,
    }
}

fn to_cel(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(bool) => CelValue::Bool(*bool),
        Value::Number(number) => CelValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => CelValue::String(Arc::new(text.clone())),
        Value::Array(items) => CelValue::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(map) => CelValue::from(
            map.iter()
                .map(|(key, value)| (key.clone(), to_cel(value)))
                .collect::<HashMap<String, CelValue>>(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(text: &str, expected: Result<bool, &str>) {
        let object = json!({
            "metadata": { "name": "db-1", "generation": 3, "labels": { "tier": "db" } },
            "spec": { "replicas": 2, "hosts": ["a", "b"] },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }], "phase": "Running" }
        });
        let variables = object
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value));
        let got = Expression::compile(text).unwrap().holds(variables);
        match (got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{text}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text}: {error}"),
            (got, _) => panic!("{text}: {got:?}"),
        }
    }

    #[test]
    fn answers_as_flux_environment_does() {
        check("status.phase == 'Running'", Ok(true));
        check(
            "status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True')",
            Ok(true),
        );
        check(
            "status.conditions.exists(c, c.type == 'Ready' && c.status == 'False')",
            Ok(false),
        );
        check("has(status.missing) && status.missing", Ok(false));
        check(
            "spec.replicas == 2 && spec.replicas + 1.0 == metadata.generation",
            Ok(true),
        );
        check("metadata.generation > 2", Ok(true));
        check(
            "metadata.name.split('-')[0] == 'db' && metadata.name.upperAscii() == 'DB-1'",
            Ok(true),
        );
        check(
            "sets.contains(spec.hosts, ['a']) && sets.intersects(['b', 'c'], spec.hosts)",
            Ok(true),
        );
        check("sets.equivalent(spec.hosts, ['b', 'a', 'a'])", Ok(true));
        check("sets.contains(spec.hosts, ['c'])", Ok(false));
        check("base64.encode(b'hi') == 'aGk='", Ok(true));
        check("status.?missing.orValue('x') == 'x'", Ok(true));
        check("metadata.labels[?'none'].orValue('') == ''", Ok(true));
    }

    #[test]
    fn what_has_no_answer_is_an_error() {
        check(
            "status.missing == 'x'",
            Err("failed to evaluate the CEL expression 'status.missing == 'x'': "),
        );
        check("status.phase", Err("the answer is of type string, not bool"));
        check("nothing.there", Err("nothing"));
    }

    #[test]
    fn loops_in_loops_over_large_objects_are_refused() {
        let many = json!((0..3_000).collect::<Vec<_>>());
        let holds = |text: &str| Expression::compile(text).unwrap().holds([("x", &many)]);
        assert_eq!(holds("x.all(a, a >= 0.0) && x.exists(a, a == 2999.0)"), Ok(true));
        assert_eq!(
            holds("x.filter(a, a > 5.0).map(a, a * 2.0).exists(a, a == 12.0)"),
            Ok(true)
        );
        for text in [
            "x.all(a, x.all(b, x.all(c, a + b + c >= 0.0)))",
            "x.map(a, x).map(a, a.map(b, x)).size() == 0",
        ] {
            let error = holds(text).unwrap_err().to_string();
            assert!(error.contains("nest fewer loops"), "{error}");
        }
        let few = json!((0..40).collect::<Vec<_>>());
        let text = "x.all(a, x.exists(b, x.exists(c, a == b && b == c)))";
        assert_eq!(Expression::compile(text).unwrap().holds([("x", &few)]), Ok(true));
    }

    /// N14.
    #[test]
    fn no_pattern_in_an_expression_takes_for_ever() {
        let long = json!("a".repeat(30_000));
        let holds = |text: &str| Expression::compile(text).unwrap().holds([("x", &long)]);
        for pattern in ["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "^(.*)*$"] {
            assert_eq!(holds(&format!("x.matches('{pattern}')")), Ok(true), "{pattern}");
            let other = pattern.replace('$', "b$");
            assert_eq!(holds(&format!("x.matches('{other}')")), Ok(false), "{other}");
        }
        let large = "x.matches('((((a{1000}){1000}){1000}){1000})')";
        assert!(
            holds(large)
                .unwrap_err()
                .to_string()
                .contains("failed to evaluate")
        );
    }

    /// N14: what a tenant writes must not take the memory or the time of all.
    #[test]
    fn texts_that_grow_by_themselves_are_refused() {
        let object = json!({ "text": "a".repeat(30_000), "list": [1, 2, 3] });
        let holds = |text: &str| Expression::compile(text).unwrap().holds([("x", &object)]);
        let doubled = |step: &str, times: usize| format!("[x.text]{}.size() == 1", step.repeat(times));
        for text in [
            "x.text.replace('a', x.text).size() > 0".to_owned(),
            "x.text.replace('', x.text).replace('', x.text) == ''".to_owned(),
            doubled(".map(a, a + a)", 40),
            doubled(".map(a, [a, a])", 40),
            doubled(".map(a, {'x': a, 'y': a})", 40),
            doubled(".map(a, [a, a].join(a))", 20),
            doubled(".map(a, '%s%s'.format([a, a]))", 20),
            "x.text.split('').map(a, x.text).join(x.text) == ''".to_owned(),
            "x.text.split('').all(a, x.text.matches('^(a|b)*$'))".to_owned(),
            "x.text.split('').all(a, x.text.indexOf(x.text + 'b') < 0)".to_owned(),
            format!(
                "{}x.list{}",
                "x.list.all(a, ".repeat(12),
                ".size() > 0)".to_owned() + &")".repeat(11)
            ),
        ] {
            let error = holds(&text).unwrap_err().to_string();
            assert!(error.contains("it may "), "{text:.60}: {error}");
        }
        // every branch is looked at once
        let long = format!("{}false", "x.list == [] ? true : ".repeat(60));
        assert_eq!(holds(&long), Ok(false));
        for text in [
            "x.text.replace('b', 'c') == x.text && (x.text + x.text).size() == 60000.0",
            "x.text.split('').size() == 30000",
            "x.list.filter(a, a > 1.0).map(a, string(a) + x.text).join(',').size() > 60000",
        ] {
            assert_eq!(holds(text), Ok(true), "{text}");
        }
    }

    #[test]
    fn long_chains_have_an_answer() {
        let object = json!({ "a": 1 });
        for text in [
            format!("{}true", "true?true:".repeat(1_600)),
            format!("1{} > 0", "+1".repeat(8_000)),
            format!("x{} == 1", ".a".repeat(8_000)),
            format!("x{} == 1", "[0]".repeat(5_000)),
            format!("true{}", "==true".repeat(2_500)),
            format!("'a'{} == 'a'", ".trim()".repeat(2_000)),
        ] {
            let refusal = Expression::compile(&text).map(|expression| expression.holds([("x", &object)]));
            let cause = refusal.unwrap_err().cause;
            assert!(
                cause.contains("deeper than 250 levels") || cause.contains("Recursion"),
                "{text:.20}: {cause:.300}"
            );
        }
    }

    #[test]
    fn what_is_no_cel_is_refused() {
        for text in ["status.", "", "a b", "(((", "'open"] {
            assert!(Expression::compile(text).is_err(), "{text}");
        }
        assert!(Expression::compile(&"(".repeat(5_000)).is_err());
        assert!(Expression::compile(&format!("{}1{} == 1", "[".repeat(5_000), "]".repeat(5_000))).is_err());
        assert!(
            Expression::compile(&"!".repeat(20_000))
                .unwrap_err()
                .cause
                .contains("16384")
        );
    }
}
