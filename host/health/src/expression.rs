use crate::cost::Sizes;
use crate::issue::Issues;
use cel::{Context, Env, IdedExpr, Program, Value as CelValue, extensions};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

/// Longest expression in bytes. What is longer is a program, and none is known that needs a tenth of it.
const EXPRESSION_BYTES_MAX: usize = 16 * 1024;

/// Flux's environment: standard functions, optional values, strings, encoders, sets.
static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib().with_optional_support(true);
    env.add_extension(extensions::strings)
        .expect("invariant: the standard library declares no function of this name");
    env.add_extension(extensions::encoders)
        .expect("invariant: the standard library declares no function of this name");
    crate::sets::extension(&mut env).expect("invariant: nobody else declares sets");
    crate::dialect::extension(&mut env).expect("invariant: nobody else declares these names");
    Arc::new(env)
});

/// A compiled CEL expression that says yes or no.
pub(crate) struct Expression {
    text: String,
    /// As it is written.
    program: Program,
    /// What is evaluated: the same with the calls of `dialect`.
    adapted: IdedExpr,
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

/// An expression that can be read and has no answer for these objects. Flux's texts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationFailed {
    /// Something that it reads or does is not possible.
    #[error("failed to evaluate the CEL expression '{text}': {cause}")]
    NoAnswer {
        /// The expression.
        text: String,
        /// Why it has no answer.
        cause: String,
    },
    /// It answers something else than yes or no.
    #[error("failed to evaluate CEL expression as boolean: '{0}'")]
    NotBoolean(String),
}

/// Bytes of an expression that cannot nest deeper than any stack allows.
const SHORT_BYTES_MAX: usize = 1024;
/// The stack for longer ones, which the reader walks down part by part: a thousand bytes for each of theirs.
const STACK_BYTES: usize = 32 << 20;

fn read(text: &str) -> Result<(Program, IdedExpr), String> {
    let program = ENVIRONMENT
        .compile(text)
        .map_err(|errors| Issues::of(&errors).told(text))?;
    let max = crate::cost::LEVELS_MAX;
    let deep = || Err(format!("its parts nest deeper than {max} levels"));
    if crate::cost::is_deep(program.expression()) {
        return deep();
    }
    let mut adapted = program.expression().clone();
    crate::dialect::adapt(&mut adapted);
    if crate::cost::is_deep(&adapted) {
        return deep();
    }
    let context = Context::with_env(Arc::clone(&ENVIRONMENT));
    let refused = crate::dialect::refused(&adapted, text, program.source_info(), &context);
    match refused.is_empty() {
        true => Ok((program, adapted)),
        false => Err(refused.told(text)),
    }
}

/// On a stack of its own: a few thousand signs in a row are as many levels, more than this one may hold (N14).
fn read_with_room(text: &str) -> Result<(Program, IdedExpr), String> {
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
    pub(crate) fn compile(text: &str) -> Result<Self, InvalidExpression> {
        let invalid = |cause: String| InvalidExpression {
            text: text.chars().take(EXPRESSION_BYTES_MAX).collect(),
            cause,
        };
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(invalid(format!("it is longer than {EXPRESSION_BYTES_MAX} bytes")));
        }
        let program = match text.len() <= SHORT_BYTES_MAX {
            true => read(text),
            false => read_with_room(text),
        };
        let (program, adapted) = program.map_err(invalid)?;
        Ok(Self {
            text: text.to_owned(),
            program,
            adapted,
        })
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The type of the answer as far as it can be told without objects: `bool`, `string`, …, else `dyn`.
    pub(crate) fn answer_type(&self) -> String {
        crate::answer::type_of(self.program.expression()).into_owned()
    }

    /// Refuses an expression that reads variables other than `known`, or calls functions that Flux does not have.
    ///
    /// # Errors
    /// Which it reads or calls, and where.
    pub(crate) fn reads_only(&self, known: &[&str]) -> Result<(), InvalidExpression> {
        let mut issues = Issues::default();
        for (name, id) in crate::free::unknown(self.program.expression(), known) {
            let offset = self.program.source_info().offset_for(id).unwrap_or_default().0;
            issues.add(
                &self.text,
                offset,
                format!("undeclared reference to '{name}' (in container '')"),
            );
        }
        if issues.is_empty() {
            return Ok(());
        }
        Err(InvalidExpression {
            text: self.text.clone(),
            cause: issues.told(&self.text),
        })
    }

    /// Whether it holds for these variables. Whole numbers reach the expression as ints, others as doubles, as in Flux.
    ///
    /// # Errors
    /// A field is missing, types do not fit, or the answer is neither true nor false.
    pub(crate) fn holds<'v>(
        &self,
        variables: impl IntoIterator<Item = (&'v str, &'v Value)>,
    ) -> Result<bool, EvaluationFailed> {
        let failed = |cause: String| EvaluationFailed::NoAnswer {
            text: self.text.clone(),
            cause,
        };
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        // texts are walked only where they are made into lists
        let is_text_split = self.program.references().has_function("split");
        let mut sizes = Sizes {
            size: 1,
            weight: 0.0,
            text: 0.0,
        };
        for (name, value) in variables {
            sizes.size = sizes.size.max(largest(value, is_text_split));
            sizes.weight = crate::cost::weight(value).max(sizes.weight);
            sizes.text = crate::cost::longest(value).max(sizes.text);
            context.add_variable_from_value(name, to_cel(value));
        }
        crate::cost::check(self.program.expression(), sizes).map_err(failed)?;
        match CelValue::resolve(&self.adapted, &context) {
            Ok(CelValue::Bool(holds)) => Ok(holds),
            Ok(_) => Err(EvaluationFailed::NotBoolean(self.text.clone())),
            Err(error) => Err(failed(crate::words::of(&self.adapted, &context, error))),
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
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
        Value::Number(number) => match number.as_i64() {
            Some(whole) => CelValue::Int(whole),
            None => CelValue::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
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
            "metadata": { "name": "db-1", "generation": 3, "labels": { "tier": "db" }, "uid": 9_007_199_254_740_993_i64 },
            "spec": { "replicas": 2, "share": 0.5, "hosts": ["a", "b"] },
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
            (Err(EvaluationFailed::NoAnswer { cause, .. }), Err(expected)) => {
                assert_eq!(cause, expected, "{text}")
            }
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
            "spec.replicas == 2 && spec.replicas + 1 == metadata.generation",
            Ok(true),
        );
        // whole numbers are ints: they have a remainder, index lists, and compare with doubles
        for text in [
            "spec.replicas % 2 == 0 && spec.replicas / 2 == 1",
            "type(spec.replicas) == int && type(spec.share) == double",
            "spec.replicas == 2.0 && spec.replicas >= 1.5 && spec.share < 1",
            "spec.hosts[spec.replicas - 1] == 'b'",
            "2.0 in [spec.replicas] && [spec.replicas] == [2.0]",
            "spec.share * 2.0 == 1.0",
            "metadata.uid == 9007199254740993 && metadata.uid != 9007199254740992",
        ] {
            check(text, Ok(true));
        }
        check("metadata.generation > 2", Ok(true));
        check(
            "spec.hosts.first().value() == 'a' && spec.hosts.last() == optional.of('b')",
            Ok(true),
        );
        check("[].first().hasValue()", Ok(false));
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

    /// Every text is what Flux's environment of cel-go 0.26 says to the same expression and objects.
    #[test]
    fn what_has_no_answer_is_told_in_the_words_of_flux() {
        for (text, cause) in [
            ("status.missing == 'x'", "no such key: missing"),
            ("status.missing.deeper == 'x'", "no such key: missing"),
            ("status.phase.deeper == 'x'", "no such key: deeper"),
            ("metadata.labels['none'] == 'x'", "no such key: none"),
            ("{'a': 1}['b'] == 1", "no such key: b"),
            (
                "status.conditions.exists(c, c.missing == 'x')",
                "no such key: missing",
            ),
            (
                "status.missing == 1 || status.phase == 'x'",
                "no such key: missing",
            ),
            (
                "status.phase == 'x' || status.missing == 1",
                "no such key: missing",
            ),
            (
                "status.missing == 1 && status.phase == 'Running'",
                "no such key: missing",
            ),
            ("has(status.missing.deeper)", "no such key: missing"),
            ("nothing", "no such attribute(s): nothing"),
            ("nothing.there == 1", "no such attribute(s): nothing.there"),
            ("has(nothing.there)", "no such attribute(s): nothing.there"),
            ("nothing['x'].y == 1", "no such attribute(s): nothing.x.y"),
            (
                "nothing.list[0].type == 'x'",
                "no such attribute(s): nothing.list",
            ),
            ("nothing.?a.orValue(1) == 1", "no such attribute(s): nothing.a"),
            (
                "spec.replicas == 2 && nothing.a == 'x'",
                "no such attribute(s): nothing.a",
            ),
            (
                "[1].all(x, x == nothing.a.b)",
                "no such attribute(s): nothing.a.b",
            ),
            ("nothing.a.startsWith('x')", "no such attribute(s): nothing.a"),
            ("spec.replicas + 1.0 == 3.0", "no such overload"),
            ("'a' + 1 == 'a1'", "no such overload"),
            ("status.phase.unheard() == 'a'", "no such overload"),
            ("unheard(status.phase) == 'a'", "no such overload"),
            ("status.phase.startsWith(1)", "no such overload"),
            ("status.phase && true", "no such overload"),
            ("!status.phase", "no such overload"),
            ("status.phase ? true : false", "no such overload"),
            ("status.phase > 0", "no such overload"),
            ("'x' in status.phase", "no such overload"),
            ("-status.phase == 1", "no such overload"),
            ("spec.hosts[3] == 'a'", "index out of bounds: 3"),
            (
                "spec.hosts['x'] == 'a'",
                "unsupported index type 'string' in list",
            ),
            ("1/0 == 1", "division by zero"),
            ("1%0 == 1", "modulus by zero"),
            (
                "int(status.phase) > 0",
                "type conversion error from 'string' to 'int'",
            ),
            (
                "timestamp(status.phase) > timestamp('2020-01-01T00:00:00Z')",
                "type conversion error from 'string' to 'google.protobuf.Timestamp'",
            ),
            (
                "duration(status.phase) > duration('1m')",
                "type conversion error from 'string' to 'google.protobuf.Duration'",
            ),
            ("uint(-spec.replicas) == 1u", "unsigned integer overflow"),
            ("status.phase.substring(9) == ''", "index out of range: 9"),
            ("status.?missing.value() == 1", "optional.none() dereference"),
            // where both sides fail, the left one is told
            ("status.a == 1 || status.b == 2", "no such key: a"),
            (
                "(status.a == 1 && status.phase == 'Running') || status.c == 3",
                "no such key: a",
            ),
            (
                "spec.replicas == 1 ? nothing.a : nothing.b",
                "no such attribute(s): nothing.b",
            ),
            (
                "status.phase.all(x, x == 1)",
                "got 'types.String', expected iterable type",
            ),
            (
                "spec.replicas.split(',').size() == 1",
                "no such overload: split(int, string)",
            ),
            ("spec.replicas.size() == 1", "no such overload: size"),
            // from left to right, wherever it is
            (
                "status.a.endsWith(string(status.b)) || status.c == 1",
                "no such key: a",
            ),
            ("!(status.a == 1 && status.b == 1)", "no such key: a"),
            (
                "size([spec.hosts[7]] + [status.a]) == 1",
                "index out of bounds: 7",
            ),
            ("(status.phase && status.missing) == true", "no such overload"),
            ("spec.hosts.sort() == []", "no such overload: sort"),
            ("max(1, 2) == 2", "no such overload: max"),
            (".nothing.x == 1", "no such attribute(s): nothing.x"),
            (
                "base64.decode(status.phase + '#') == b''",
                "illegal base64 data at input byte 7",
            ),
            ("status.phase[0] == 'R'", "no such key: 0"),
            ("spec.replicas['x'] == 1", "no such key: x"),
            ("spec.hosts.exists(h, h.name == 'a')", "no such key: name"),
            // one of them is it, which is not known
            ("spec.hosts.exists(h, h.name == h.type)", "no such overload"),
            ("null > 1", "no such overload: _>_"),
            ("[] <= 1", "no such overload: _<=_"),
            ("null + 1 == 1", "no such overload: _+_"),
            ("{} / 2 == 1", "no such overload: _/_"),
            ("spec.share % 2.0 == 0.5", "no such overload: _%_"),
            ("status.phase - 'R' == 'x'", "no such overload"),
            ("[1] + 'a' == []", "no such overload"),
            ("0u - 1u > 0u", "unsigned integer overflow"),
            ("spec.hosts.a == 1", "unsupported index type 'string' in list"),
        ] {
            check(text, Err(cause));
        }
        for text in ["status.phase", "1", "'yes'"] {
            let error = Expression::compile(text)
                .unwrap()
                .holds([("status", &json!({ "phase": "x" }))]);
            assert_eq!(
                error.unwrap_err().to_string(),
                format!("failed to evaluate CEL expression as boolean: '{text}'")
            );
        }
    }

    #[test]
    fn loops_in_loops_over_large_objects_are_refused() {
        let many = json!((0..3_000).collect::<Vec<_>>());
        let holds = |text: &str| Expression::compile(text).unwrap().holds([("x", &many)]);
        assert_eq!(holds("x.all(a, a >= 0.0) && x.exists(a, a == 2999.0)"), Ok(true));
        assert_eq!(
            holds("x.filter(a, a > 5.0).map(a, a * 2).exists(a, a == 12.0)"),
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
        let nested = "x.matches('((((a{1000}){1000}){1000}){1000})')";
        assert!(Expression::compile(nested).is_err());
        let large = holds(r"x.matches(r'\pL{1000}')").unwrap_err().to_string();
        assert!(large.contains("expression too large"), "{large}");
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
        // what is written in a common object is read
        let texts = json!({ "list": vec!["v1.2.3-rc.1+build"; 300], "text": "v1.2.3-rc.1+build", "note": "a".repeat(900) });
        for text in [
            "x.text.replace('v', '').replace('-rc', '').replace('.1', '').split('.').map(n, int(n)).size() == 3",
            "x.text.replace('a', 'bb').replace('b', 'cc').replace('', '-').indexOf(x.text.trim().lowerAscii()) < 0",
        ] {
            let got = Expression::compile(text).unwrap().holds([("x", &texts)]);
            assert!(!format!("{got:?}").contains("it may"), "{text}: {got:?}");
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

    /// Every text is what Flux's environment of cel-go 0.26 says to the same expression.
    #[test]
    fn what_is_no_cel_is_refused_in_the_words_of_flux() {
        const START: &str = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
        for (text, issues) in [
            ("foo.", "1:5: Syntax error: no viable alternative at input '.'\n | foo.\n | ....^".to_owned()),
            ("a b", "1:3: Syntax error: extraneous input 'b' expecting <EOF>\n | a b\n | ..^".to_owned()),
            ("a &&\n b c", "2:4: Syntax error: extraneous input 'c' expecting <EOF>\n |  b c\n | ...^".to_owned()),
            ("a ==\t1 2", "1:8: Syntax error: extraneous input '2' expecting <EOF>\n | a == 1 2\n | .......^".to_owned()),
            ("'ä' == 1 2", "1:10: Syntax error: extraneous input '2' expecting <EOF>\n | 'ä' == 1 2\n | .．.......^".to_owned()),
            ("a == 1 &&", format!("1:10: Syntax error: mismatched input '<EOF>' expecting {START}\n | a == 1 &&\n | .........^")),
            ("(((", format!("1:4: Syntax error: mismatched input '<EOF>' expecting {START}\n | (((\n | ...^")),
            ("a == 'x' ? true", "1:16: Syntax error: mismatched input '<EOF>' expecting ':'\n | a == 'x' ? true\n | ...............^".to_owned()),
            ("[1,2", "1:5: Syntax error: mismatched input '<EOF>' expecting {']', ','}\n | [1,2\n | ....^".to_owned()),
            ("import == 1", "1:1: reserved identifier: import\n | import == 1\n | ^".to_owned()),
            ("has(a)", "1:5: invalid argument to has() macro\n | has(a)\n | ....^".to_owned()),
            ("a.all(1, true)", "1:7: argument must be a simple name\n | a.all(1, true)\n | ......^".to_owned()),
        ] {
            let error = Expression::compile(text).unwrap_err().to_string();
            assert_eq!(error, format!("failed to parse the CEL expression '{text}': ERROR: <input>:{issues}"));
        }
    }

    /// Each answer is what Flux's environment of cel-go 0.26 gives.
    #[test]
    fn answers_where_the_crate_has_others_are_those_of_flux() {
        for text in [
            // what is no map has no fields
            "!has(status.phase.x) && !has(spec.replicas.x) && has(metadata.labels.tier)",
            "!has(spec.share.x) && !has(metadata.labels.x)",
            // what cannot be a key is in no map
            "!(null in metadata.labels) && !([1] in metadata.labels) && 'tier' in metadata.labels",
            // what is no optional value is there; the other one is only looked at where it is needed
            "status.phase.orValue('x') == 'Running' && status.phase.or(optional.of('x')) == 'Running'",
            "status.?phase.orValue(status.missing) == 'Running'",
            "status.?phase.or(status.missing).value() == 'Running'",
            "status.?a.or(status.?b).or(status.?phase).orValue('x') == 'Running'",
            "status.?a.orValue(status.?b.orValue(status.phase)) == 'Running'",
            "optional.unwrap([optional.of(1), optional.none()]) == [1] && [optional.of(1)].unwrapOpt() == [1]",
            // functions are called either way
            "contains(status.phase, 'unn') && startsWith(status.phase, 'R') && matches(status.phase, '^R')",
            "'5'.int() == 5 && spec.replicas.string() == '2'",
            "string(1e6) == '1e+06' && string(123456.0) == '123456' && string(0.00001) == '1e-05'",
            "string(spec.share) == '0.5' && string(1.0 / 0.0) == '+Inf' && string(spec.replicas) == '2'",
            "bool('T') && !bool('F') && bool('True')",
            "duration('1µs') == duration('1us') && duration('1μs') < duration('1ms')",
            // without a zone in UTC, wherever it was written
            "timestamp('2020-01-01T00:00:00.000000001-04:00').getHours() == 4 && timestamp(0).getHours('+02:00') == 2",
            "timestamp('2020-01-01T00:00:00,5Z') == timestamp('2020-01-01T00:00:00.5Z')",
            // behind the end of a text there is nothing
            "status.phase.indexOf('n', 99) == -1 && status.phase.lastIndexOf('n', 99) == -1",
            "status.phase.indexOf('n', 4) == 5 && status.phase.lastIndexOf('n', 4) == 3",
            "''.indexOf('a', 0) == -1 && 'abc'.indexOf('', 2) == 2",
            // the last entry counts
            "{'a': 1, 'a': 2}['a'] == 2",
            // regular expressions of Go
            r"'['.matches('[[]') && '&'.matches('[a&&b]') && 'a{,2}'.matches('^a{,2}$')",
            r"!'ä'.matches(r'\w') && !'٣'.matches(r'\d') && 'a.b'.matches(r'^\Qa.b\E$') && 'Ä'.matches(r'^\p{Lu}$')",
            r"'AB'.matches(r'^\101[\102]$') && 'aa'.matches(r'^a{2}$')",
        ] {
            check(text, Ok(true));
        }
        check(
            "status.phase.indexOf('n', -1) == 0",
            Err("index out of range: -1"),
        );
        check(
            "has(spec.hosts.x)",
            Err("unsupported index type 'string' in list"),
        );
        check("has(status.missing.x)", Err("no such key: missing"));
        check("'a' in spec.replicas", Err("no such overload"));
        check(
            "int(string(spec.hosts))  == 1",
            Err("no such overload: string(list)"),
        );
        check(
            "timestamp(status.phase + 't') == timestamp(0)",
            Err("type conversion error from 'string' to 'google.protobuf.Timestamp'"),
        );
        check(
            "status.phase.matches(status.phase + '[')",
            Err("error parsing regexp: missing closing ]: `[`"),
        );
    }

    /// As cel-go does, which makes what it can of an expression before it sees an object.
    #[test]
    fn what_no_object_can_mend_is_refused_when_it_is_read() {
        for (text, issue) in [
            (
                "true || duration('1d') > duration('1h')",
                "1:17: type conversion error from 'string' to 'google.protobuf.Duration'; write it as '1h30m' or '10s'",
            ),
            (
                "timestamp('2020-01-01') == x",
                "1:10: type conversion error from 'string' to 'google.protobuf.Timestamp'; write it as '2006-01-02T15:04:05Z'",
            ),
            (
                "timestamp('2020-01-01t00:00:00z') == x",
                "1:10: type conversion error from 'string' to 'google.protobuf.Timestamp'; write it as '2006-01-02T15:04:05Z'",
            ),
            (
                "[1].all(x, int('x') == 1)",
                "1:15: type conversion error from 'string' to 'int'",
            ),
            (
                "int(dyn('x')) == 1",
                "1:4: type conversion error from 'string' to 'int'",
            ),
            (
                "uint('+1') == 1u",
                "1:5: type conversion error from 'string' to 'uint'",
            ),
            ("bool(null)", "1:5: no such overload: bool(null_type)"),
            (
                "x.matches('[')",
                "1:10: error parsing regexp: missing closing ]: `[`",
            ),
            (
                "x.matches('a**')",
                "1:10: error parsing regexp: invalid nested repetition operator: `**`",
            ),
            (
                "x.matches('a{1001}')",
                "1:10: error parsing regexp: invalid repeat count: `{1001}`; a part may come at most 1000 times, the smaller number stands first",
            ),
            ("now() > timestamp(x)", "1:4: no such overload: now()"),
            ("Foo{a: 1} == x", "1:4: unknown type: Foo"),
            (
                "google.protobuf.Duration{seconds: 1} == x",
                "1:25: messages cannot be made: write the value itself, or call timestamp or duration",
            ),
        ] {
            let cause = Expression::compile(text).unwrap_err().cause;
            let first = cause.lines().next().unwrap_or_default();
            assert_eq!(first, format!("ERROR: <input>:{issue}"), "{text}");
        }
        // what an object may mend is not
        for text in [
            "duration(x) > duration('1h')",
            "int('1' + x) == 1",
            "x.now() == 1",
            "x.matches(x + '[')",
        ] {
            assert!(Expression::compile(text).is_ok(), "{text}");
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
