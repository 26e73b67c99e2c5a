//! Label selectors, as text (`app=web,tier in (a, b),!legacy`) and as fields, with Kubernetes' grammar and its errors.

use crate::label;
use serde_json::Value;
use std::collections::BTreeSet;

/// Which labels are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

/// A text that is no selector. It shows what Kubernetes says of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct InvalidSelector {
    /// The requirement that cannot be read, up to where it went wrong.
    pub term: String,
    cause: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, BTreeSet<String>),
    NotIn(String, BTreeSet<String>),
    Exists(String),
    Absent(String),
    Greater(String, i64),
    Less(String, i64),
}

impl LabelSelector {
    /// Reads a selector as text; an empty one selects everything.
    ///
    /// # Errors
    /// `labels.Parse` would not read it either.
    pub fn parse(text: &str) -> Result<Self, InvalidSelector> {
        let mut reader = Reader {
            term: text,
            rest: text,
        };
        let requirements = requirements(&mut reader);
        requirements.map(Self).map_err(|cause| InvalidSelector {
            term: reader.term().to_owned(),
            cause,
        })
    }

    /// The `matchLabels` and `matchExpressions` of a `selector` field. An expression of an unknown operator selects
    /// everything.
    pub fn of_fields(selector: &Value) -> Self {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let labels = selector.get("matchLabels").and_then(Value::as_object);
        let labels = labels
            .into_iter()
            .flatten()
            .map(|(key, value)| Requirement::In(key.clone(), BTreeSet::from([text(Some(value))])));
        let expressions = selector.get("matchExpressions").and_then(Value::as_array);
        let expressions = expressions.into_iter().flatten().filter_map(|expression| {
            let key = text(expression.get("key"));
            let values = expression.get("values").and_then(Value::as_array);
            let values = values.into_iter().flatten().filter_map(Value::as_str);
            let values = values.map(str::to_owned).collect();
            match expression.get("operator").and_then(Value::as_str) {
                Some("In") => Some(Requirement::In(key, values)),
                Some("NotIn") => Some(Requirement::NotIn(key, values)),
                Some("Exists") => Some(Requirement::Exists(key)),
                Some("DoesNotExist") => Some(Requirement::Absent(key)),
                _ => None,
            }
        });
        Self(labels.chain(expressions).collect())
    }

    /// Whether it selects whatever there is.
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it selects these labels: a map, or nothing.
    pub fn matches(&self, labels: Option<&Value>) -> bool {
        self.0.iter().all(|requirement| requirement.holds(labels))
    }
}

impl Requirement {
    fn holds(&self, labels: Option<&Value>) -> bool {
        let value = |key: &str| labels.and_then(|labels| labels.get(key)?.as_str());
        let number = |key: &str| value(key).and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::In(key, values) => value(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => value(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
            Self::Greater(key, than) => number(key).is_some_and(|number| number > *than),
            Self::Less(key, than) => number(key).is_some_and(|number| number < *than),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    End,
    Symbol(&'t str),
    Word(&'t str),
}

impl<'t> Token<'t> {
    fn text(self) -> &'t str {
        match self {
            Self::End => "",
            Self::Symbol(text) | Self::Word(text) => text,
        }
    }
}

struct Reader<'t> {
    /// From where the requirement begins.
    term: &'t str,
    rest: &'t str,
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
const SYMBOLS: [char; 7] = ['=', '!', '(', ')', ',', '>', '<'];

impl<'t> Reader<'t> {
    /// What is next, and what comes after it.
    fn look(&self) -> (Token<'t>, &'t str) {
        let text = self.rest.trim_start_matches(SPACES);
        if text.is_empty() {
            return (Token::End, text);
        }
        let (token, rest) = if text.starts_with("==") || text.starts_with("!=") {
            text.split_at(2)
        } else if text.starts_with(SYMBOLS) {
            text.split_at(1)
        } else {
            let is_end = |letter: char| SPACES.contains(&letter) || SYMBOLS.contains(&letter);
            let (word, rest) = text.split_at(text.find(is_end).unwrap_or(text.len()));
            return (Token::Word(word), rest);
        };
        (Token::Symbol(token), rest)
    }

    fn peek(&self) -> Token<'t> {
        self.look().0
    }

    fn next(&mut self) -> Token<'t> {
        let (token, rest) = self.look();
        self.rest = rest;
        token
    }

    /// What was read of the requirement.
    fn term(&self) -> &'t str {
        self.term.strip_suffix(self.rest).unwrap_or(self.term).trim()
    }
}

fn requirements(reader: &mut Reader<'_>) -> Result<Vec<Requirement>, String> {
    let mut requirements = Vec::new();
    let mut expected = "!, identifier, or 'end of string'";
    loop {
        reader.term = reader.rest;
        match reader.peek() {
            Token::Word(_) | Token::Symbol("!") => {}
            Token::End if requirements.is_empty() => return Ok(requirements),
            _ => return unexpected(reader.next(), expected),
        }
        let requirement =
            requirement(reader).map_err(|cause| format!("unable to parse requirement: {cause}"))?;
        requirements.push(requirement);
        match reader.next() {
            Token::End => return Ok(requirements),
            Token::Symbol(",") => expected = "identifier after ','",
            other => return unexpected(other, "',' or 'end of string'"),
        }
    }
}

fn requirement(reader: &mut Reader<'_>) -> Result<Requirement, String> {
    let is_absent = reader.peek() == Token::Symbol("!");
    if is_absent {
        reader.next();
    }
    let key = match reader.next() {
        Token::Word(key) => key,
        other => return unexpected(other, "identifier"),
    };
    let problems = label::key_problems(key);
    if !problems.is_empty() {
        // Kubernetes names the field here, and has none
        return Err(format!("<nil>: Invalid value: {key:?}: {}", problems.join("; ")));
    }
    if is_absent {
        return Ok(Requirement::Absent(key.to_owned()));
    }
    if matches!(reader.peek(), Token::End | Token::Symbol(",")) {
        return Ok(Requirement::Exists(key.to_owned()));
    }
    let operator = reader.next();
    let values = match operator {
        Token::Word("in" | "notin") => set(reader)?,
        Token::Symbol("=" | "==" | "!=" | ">" | "<") => BTreeSet::from([value(reader)?]),
        other => return unexpected(other, "in, notin, =, ==, !=, gt, lt"),
    };
    compared(key, operator.text(), values)
}

/// The requirement, where its values are such as labels have.
fn compared(key: &str, operator: &str, values: BTreeSet<String>) -> Result<Requirement, String> {
    let (mut problems, mut number) = (Vec::new(), 0_i64);
    if matches!(operator, ">" | "<") {
        for (index, value) in values.iter().enumerate() {
            match value.parse::<i64>() {
                Ok(than) => number = than,
                Err(_) => problems.push(format!(
                    "values[{index}]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer"
                )),
            }
        }
    }
    for (index, value) in values.iter().enumerate() {
        let found = label::value_problems(value);
        if !found.is_empty() {
            let found = found.join("; ");
            problems.push(format!(
                "values[{index}][{key}]: Invalid value: {value:?}: {found}"
            ));
        }
    }
    match problems.as_slice() {
        [] => {}
        [problem] => return Err(problem.clone()),
        problems => return Err(format!("[{}]", problems.join(", "))),
    }
    let key = key.to_owned();
    Ok(match operator {
        ">" => Requirement::Greater(key, number),
        "<" => Requirement::Less(key, number),
        "!=" | "notin" => Requirement::NotIn(key, values),
        _ => Requirement::In(key, values),
    })
}

/// `(a, b)`, where each of them may be empty.
fn set(reader: &mut Reader<'_>) -> Result<BTreeSet<String>, String> {
    let open = reader.next();
    if open != Token::Symbol("(") {
        return Err(format!("found '{}' expected: '('", open.text()));
    }
    let mut values = BTreeSet::new();
    loop {
        let word = match reader.peek() {
            Token::Word(word) => {
                reader.next();
                word
            }
            _ => "",
        };
        let expected = match (word, values.is_empty()) {
            ("", true) => "',', ')' or identifier",
            ("", false) => "',', or identifier",
            _ => "',' or ')'",
        };
        values.insert(word.to_owned());
        match reader.next() {
            Token::Symbol(",") => {}
            Token::Symbol(")") => return Ok(values),
            other => return unexpected(other, expected),
        }
    }
}

fn value(reader: &mut Reader<'_>) -> Result<String, String> {
    match reader.peek() {
        Token::End | Token::Symbol(",") => Ok(String::new()),
        Token::Word(word) => {
            reader.next();
            Ok(word.to_owned())
        }
        Token::Symbol(_) => unexpected(reader.next(), "identifier"),
    }
}

fn unexpected<T>(found: Token<'_>, expected: &str) -> Result<T, String> {
    Err(format!("found '{}', expected: {expected}", found.text()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selects_as_kubernetes_does() {
        let labels = json!({ "app": "web", "tier": "a", "size": "12", "in": "notin", "none": "" });
        for (text, expected) in [
            ("", true),
            (" \t\r\n", true),
            ("app=web", true),
            ("app == web , tier != b", true),
            ("app in (db, web), tier notin (b)", true),
            ("app,!legacy", true),
            ("! legacy", true),
            ("!app", false),
            ("app!=web", false),
            ("missing notin (a)", true),
            ("missing!=a", true),
            ("missing=a", false),
            ("missing=", false),
            ("none=", true),
            ("none= ,app", true),
            ("none in ()", true),
            ("none in (a,,b)", true),
            ("none in (a,)", true),
            ("app notin ()", true),
            ("in=notin", true),
            ("in in (in, notin)", true),
            ("size>11,size<13", true),
            ("size>12", false),
            ("app>1", false),
            ("app<1", false),
            ("missing<1", false),
        ] {
            let selector = LabelSelector::parse(text).unwrap();
            assert_eq!(selector.matches(Some(&labels)), expected, "{text}");
        }
        assert!(LabelSelector::parse("!app").unwrap().matches(None));
        assert!(LabelSelector::parse(" ").unwrap().is_everything());
        assert!(!LabelSelector::parse("app").unwrap().is_everything());
    }

    #[test]
    fn refuses_in_the_words_of_kubernetes() {
        const REQUIREMENT: &str = "unable to parse requirement: ";
        for (text, term, cause) in [
            (
                "x=1, a b c, d",
                "a b",
                "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
            ),
            (
                "a!b",
                "a!",
                "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt",
            ),
            (
                "a in b",
                "a in b",
                "unable to parse requirement: found 'b' expected: '('",
            ),
            (
                "a in (b",
                "a in (b",
                "unable to parse requirement: found '', expected: ',' or ')'",
            ),
            (
                "a in (b c)",
                "a in (b c",
                "unable to parse requirement: found 'c', expected: ',' or ')'",
            ),
            (
                "a in (=",
                "a in (=",
                "unable to parse requirement: found '=', expected: ',', ')' or identifier",
            ),
            (
                "a in (b,",
                "a in (b,",
                "unable to parse requirement: found '', expected: ',', or identifier",
            ),
            (
                "!",
                "!",
                "unable to parse requirement: found '', expected: identifier",
            ),
            (
                "a==b==c",
                "a==b==",
                "found '==', expected: ',' or 'end of string'",
            ),
            ("!a=b", "!a=", "found '=', expected: ',' or 'end of string'"),
            ("a,,b", ",", "found ',', expected: identifier after ','"),
            ("a,", "", "found '', expected: identifier after ','"),
            (
                "=b",
                "=",
                "found '=', expected: !, identifier, or 'end of string'",
            ),
            (
                "a=>",
                "a=>",
                "unable to parse requirement: found '>', expected: identifier",
            ),
            (
                "a>b",
                "a>b",
                "unable to parse requirement: values[0]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value must be an integer",
            ),
        ] {
            let error = LabelSelector::parse(text).unwrap_err();
            assert_eq!(
                (error.term.as_str(), error.to_string().as_str()),
                (term, cause),
                "{text}"
            );
        }
        for (text, begin) in [
            (
                "a||b",
                "<nil>: Invalid value: \"a||b\": name part must consist of ",
            ),
            (
                "a in (c, b~)",
                "values[0][a]: Invalid value: \"b~\": a valid label must be ",
            ),
            ("a<-1~", "[values[0]: Invalid value: \"-1~\": for 'Gt', 'Lt' "),
        ] {
            let error = LabelSelector::parse(text).unwrap_err().to_string();
            let cause = error.strip_prefix(REQUIREMENT).unwrap();
            assert!(cause.starts_with(begin), "{text}: {error}");
        }
    }

    #[test]
    fn fields_say_the_same_as_text() {
        let fields = json!({
            "matchLabels": { "app": "web" },
            "matchExpressions": [
                { "key": "tier", "operator": "In", "values": ["b", "a"] },
                { "key": "env", "operator": "NotIn", "values": ["dev"] },
                { "key": "team", "operator": "Exists" },
                { "key": "old", "operator": "DoesNotExist" },
            ],
        });
        let text = LabelSelector::parse("app=web,tier in (a,b),env notin (dev),team,!old").unwrap();
        assert_eq!(LabelSelector::of_fields(&fields), text);
        assert!(LabelSelector::of_fields(&Value::Null).is_everything());
    }
}
