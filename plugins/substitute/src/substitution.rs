//! One object: to text, through the expressions, and back.

use serde_json::{Map, Value};
use sluice_envsubst::{Undefined, Variables, expand};
use sluice_yaml::{ParseOptions, Resolver};

/// What a variable's name must look like. Part of Flux's message.
const NAME_PATTERN: &str = "^[_[:alpha:]][_[:alpha:][:digit:]]*$";

/// Variables, checked and ready to be put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitution {
    variables: Variables,
    undefined: Undefined,
}

/// A variable whose name is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' var name is invalid, must match '{NAME_PATTERN}'")]
pub struct InvalidName(pub String);

/// Why an object could not be substituted. The texts are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An expression.
    #[error("envsubst error: variable substitution failed: {0}")]
    Expand(#[from] expand::Error),
    /// The result is no YAML any more.
    #[error("envsubst error: YAMLToJSON: {0}")]
    Yaml(String),
    /// The result is YAML, but no object.
    #[error("UnmarshalJSON: json: cannot unmarshal {0} into Go value of type map[string]interface {{}}")]
    NotAnObject(&'static str),
}

impl Substitution {
    /// Takes the variables. Line breaks are removed from their values, all of them, as Flux does.
    pub fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        undefined: Undefined,
    ) -> Result<Self, InvalidName> {
        let variables: Variables = variables
            .into_iter()
            .map(|(name, value)| (name, value.replace('\n', "")))
            .collect();
        match variables.keys().find(|name| !is_name(name)) {
            Some(name) => Err(InvalidName(name.clone())),
            None => Ok(Self { variables, undefined }),
        }
    }

    /// Whether there is nothing to put in.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// The object with every expression replaced; none where it has no expression and stays as it is.
    pub fn apply(&self, object: &Map<String, Value>) -> Result<Option<Map<String, Value>>, Error> {
        if !object
            .iter()
            .any(|(key, value)| has_expression(key) || value_has_expression(value))
        {
            return Ok(None);
        }
        let text = sluice_yaml::emit_v2(&Value::Object(object.clone()));
        let text = expand::expand(&text, &self.variables, self.undefined)?;
        match read(&text)? {
            Value::Object(object) => Ok(Some(object)),
            other => Err(Error::NotAnObject(kind_of(&other))),
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_start = |character: char| character == '_' || character.is_ascii_alphabetic();
    name.starts_with(is_start)
        && name
            .chars()
            .all(|character| is_start(character) || character.is_ascii_digit())
}

/// What the engine changes begins with one of these; text without them comes back as it went in.
fn has_expression(text: &str) -> bool {
    text.contains("${") || text.contains("$$")
}

fn value_has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => has_expression(text),
        Value::Array(items) => items.iter().any(value_has_expression),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| has_expression(key) || value_has_expression(value)),
        _ => false,
    }
}

/// Reads YAML as Flux's libraries do: YAML 1.1, the last of two equal keys wins, one document.
fn read(text: &str) -> Result<Value, Error> {
    let yaml = |error: sluice_yaml::Error| Error::Yaml(error.to_string());
    let document = sluice_yaml::parse_document(text, &ParseOptions::new(Resolver::V2)).map_err(yaml)?;
    let Some(document) = document else {
        return Ok(Value::Null);
    };
    sluice_yaml::to_json(&document.root, Resolver::V2).map_err(yaml)
}

/// A JSON value as Go's messages call it.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
