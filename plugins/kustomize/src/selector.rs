//! Which objects a patch or a replacement acts on.

use crate::{
    Text,
    error::{Error, Result},
    id::{Gvk, Id},
    object::Object,
    pattern::Pattern,
    schema::Schema,
};

/// A selector as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SelectorArgs {
    pub(crate) group: Text,
    pub(crate) version: Text,
    pub(crate) kind: Text,
    pub(crate) name: Text,
    pub(crate) namespace: Text,
    pub(crate) annotations: Text,
    pub(crate) labels: Text,
}

impl SelectorArgs {
    /// The identity part; messages print it.
    pub(crate) fn id(&self) -> Id {
        let gvk = Gvk {
            group: self.group.clone(),
            version: self.version.clone(),
            kind: self.kind.clone(),
        };
        Id {
            gvk,
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            cluster_scoped: false,
        }
    }

    /// Whether no part of the identity is given.
    pub(crate) fn has_no_id(&self) -> bool {
        [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ]
        .iter()
        .all(|t| t.is_empty())
    }
}

/// A selector, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    annotations: Requirements,
    labels: Requirements,
}

impl Selector {
    pub(crate) fn new(args: &SelectorArgs) -> Result<Self> {
        Ok(Self {
            group: Pattern::anchored(&args.group)?,
            version: Pattern::anchored(&args.version)?,
            kind: Pattern::anchored(&args.kind)?,
            name: Pattern::anchored(&args.name)?,
            namespace: Pattern::anchored(&args.namespace)?,
            annotations: Requirements::parse(&args.annotations),
            labels: Requirements::parse(&args.labels),
        })
    }

    pub(crate) fn literal_name(&self) -> Option<&Text> {
        self.name.literal()
    }

    /// Whether a patch with this target acts on `object`: by its first or its present name and namespace.
    pub(crate) fn picks(&self, object: &Object, schema: &Schema) -> Result<bool> {
        let gvk = object.gvk();
        if !self.matches_gvk(&gvk) {
            return Ok(false);
        }
        let now = object.id(schema);
        let first = object.previous_ids().into_iter().next();
        let either = |test: &dyn Fn(&Id) -> bool| first.as_ref().is_some_and(test) || test(&now);
        if !either(&|id| self.namespace.matches(&id.effective_namespace()))
            || !either(&|id| self.name.matches(&id.name))
        {
            return Ok(false);
        }
        self.matches_metadata(object)
    }

    pub(crate) fn matches_gvk(&self, gvk: &Gvk) -> bool {
        self.group.matches(&gvk.group) && self.version.matches(&gvk.version) && self.kind.matches(&gvk.kind)
    }

    /// Whether one identity fits, the namespace as written.
    pub(crate) fn matches_id(&self, id: &Id) -> bool {
        self.matches_gvk(&id.gvk) && self.name.matches(&id.name) && self.namespace.matches(&id.namespace)
    }

    pub(crate) fn matches_metadata(&self, object: &Object) -> Result<bool> {
        Ok(self.labels.match_all(|| object.labels())?
            && self.annotations.match_all(|| object.annotations())?)
    }
}

/// A Kubernetes label selector; a malformed one fails when it is asked.
#[derive(Clone, Debug)]
struct Requirements(Result<Vec<Requirement>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: Text,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<Text>),
    NotIn(Vec<Text>),
    Greater(i64),
    Less(i64),
}

impl Requirements {
    fn parse(text: &str) -> Self {
        let mut parser = Parser {
            rest: text,
            whole: text,
        };
        Self(parser.requirements())
    }

    fn match_all(&self, map: impl FnOnce() -> Vec<(Text, Text)>) -> Result<bool> {
        let requirements = self.0.as_ref().map_err(Error::clone)?;
        if requirements.is_empty() {
            return Ok(true);
        }
        let map = map();
        Ok(requirements
            .iter()
            .all(|r| r.matches(map.iter().find(|(k, _)| *k == r.key).map(|(_, v)| v.as_str()))))
    }
}

impl Requirement {
    fn matches(&self, value: Option<&str>) -> bool {
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Missing => value.is_none(),
            Test::In(values) => value.is_some_and(|v| values.iter().any(|x| x == v)),
            Test::NotIn(values) => value.is_none_or(|v| values.iter().all(|x| x != v)),
            Test::Greater(than) => value
                .and_then(|v| v.parse::<i64>().ok())
                .is_some_and(|v| v > *than),
            Test::Less(than) => value
                .and_then(|v| v.parse::<i64>().ok())
                .is_some_and(|v| v < *than),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    whole: &'a str,
}

impl<'a> Parser<'a> {
    fn requirements(&mut self) -> Result<Vec<Requirement>> {
        let mut all = Vec::new();
        self.skip_space();
        while !self.rest.is_empty() {
            all.push(self.requirement()?);
            self.skip_space();
            if self.rest.is_empty() {
                break;
            }
            if !self.eat(",") {
                return Err(self.unexpected("',' or 'end of string'"));
            }
            self.skip_space();
            if self.rest.is_empty() {
                return Err(self.unexpected("identifier after ','"));
            }
        }
        Ok(all)
    }

    fn requirement(&mut self) -> Result<Requirement> {
        if self.eat("!") {
            self.skip_space();
            let key = self.word("identifier")?;
            return Ok(Requirement {
                key,
                test: Test::Missing,
            });
        }
        let key = self.word("!, identifier, or 'end of string'")?;
        if !is_qualified_name(&key) {
            return Err(Error::new(format!(
                "unable to parse requirement: <nil>: Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            )));
        }
        self.skip_space();
        let test = if self.rest.is_empty() || self.rest.starts_with(',') {
            Test::Exists
        } else if self.eat("==") || self.eat("=") {
            Test::In(vec![self.value()?])
        } else if self.eat("!=") {
            Test::NotIn(vec![self.value()?])
        } else if self.eat(">") {
            Test::Greater(self.number()?)
        } else if self.eat("<") {
            Test::Less(self.number()?)
        } else {
            let operator = self.word("'=', '!=', '==', 'in', notin'")?;
            match operator.as_str() {
                "in" => Test::In(self.values()?),
                "notin" => Test::NotIn(self.values()?),
                other => {
                    return Err(Error::new(format!(
                        "unable to parse requirement: found '{other}', expected: '=', '!=', '==', 'in', notin'"
                    )));
                }
            }
        };
        Ok(Requirement { key, test })
    }

    fn values(&mut self) -> Result<Vec<Text>> {
        self.skip_space();
        if !self.eat("(") {
            return Err(self.unexpected("'('"));
        }
        let mut values = Vec::new();
        loop {
            self.skip_space();
            values.push(self.take_word());
            self.skip_space();
            if self.eat(")") {
                return Ok(values);
            }
            if !self.eat(",") {
                return Err(self.unexpected("',', or ')'"));
            }
        }
    }

    fn value(&mut self) -> Result<Text> {
        self.skip_space();
        let value = self.take_word();
        Ok(value)
    }

    fn number(&mut self) -> Result<i64> {
        let text = self.value()?;
        text.parse().map_err(|_| Error::new(format!("unable to parse requirement: values[0]: Invalid value: \"{text}\": for 'Gt', 'Lt' operators, the value must be an integer")))
    }

    fn word(&mut self, expected: &str) -> Result<Text> {
        self.skip_space();
        let word = self.take_word();
        if word.is_empty() {
            Err(self.unexpected(expected))
        } else {
            Ok(word)
        }
    }

    fn take_word(&mut self) -> Text {
        let end = self
            .rest
            .find(|c: char| c.is_ascii_whitespace() || "=!(),><".contains(c))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.into()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn eat(&mut self, token: &str) -> bool {
        self.rest
            .strip_prefix(token)
            .map(|rest| self.rest = rest)
            .is_some()
    }

    fn unexpected(&self, expected: &str) -> Error {
        let found: String = self.rest.chars().take(1).collect();
        Error::new(format!(
            "unable to parse requirement: found '{found}', expected: {expected}"
        ))
        .help(format!(
            "the selector is {:?}; write key=value, key in (a, b), !key",
            self.whole
        ))
    }
}

fn is_qualified_name(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    let alphanumeric = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    alphanumeric(name.chars().next())
        && alphanumeric(name.chars().last())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && name.len() <= 63
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements() {
        let map = || {
            vec![
                (Text::from("app"), Text::from("web")),
                (Text::from("n"), Text::from("3")),
            ]
        };
        let rows = [
            ("", true),
            ("app=web", true),
            ("app==web, n", true),
            ("app!=web", false),
            ("app in (db, web)", true),
            ("app notin (db)", true),
            ("!missing", true),
            ("n>2,n<4", true),
            ("missing=x", false),
        ];
        for (text, expected) in rows {
            assert_eq!(Requirements::parse(text).match_all(map), Ok(expected), "{text}");
        }
        for text in ["app=web,", "app in web", "a b", "=x", "-a=b"] {
            assert!(Requirements::parse(text).match_all(map).is_err(), "{text}");
        }
    }
}
