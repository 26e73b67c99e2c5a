use crate::{GroupVersionKind, ObjectId};
use serde_json::{Map, Value};
use std::fmt;

/// Where an object came from, for messages: `apps/web/deployment.yaml:23`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Path of the file below the artifact's root, without a leading slash.
    pub path: String,
    /// Which document of the file, from 0.
    pub index: u32,
    /// The line its document starts on, from 1.
    pub line: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.line)
    }
}

/// Why a JSON value is not a Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidObject {
    /// The value is no JSON object.
    #[error("not an object: a Kubernetes object is a mapping with apiVersion, kind and metadata")]
    NotAnObject,
    /// A field is missing or not a string.
    #[error("{0} is missing or not a string")]
    Missing(&'static str),
}

/// One Kubernetes object: its JSON with sorted keys, its identity, and where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    id: ObjectId,
    body: Map<String, Value>,
    origin: Option<Origin>,
}

impl Object {
    /// Checks that `value` is an object with `kind`. Without `apiVersion` or a name as text these are empty.
    pub fn new(value: Value) -> Result<Self, InvalidObject> {
        let Value::Object(body) = value else {
            return Err(InvalidObject::NotAnObject);
        };
        let id = identify(&body)?;
        Ok(Self {
            id,
            body,
            origin: None,
        })
    }

    /// The same object, said to come from `origin`.
    pub fn with_origin(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }

    /// What names this object.
    pub fn id(&self) -> &ObjectId {
        &self.id
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> &GroupVersionKind {
        &self.id.gvk
    }

    /// Where it came from, if known.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The whole object.
    pub fn body(&self) -> &Map<String, Value> {
        &self.body
    }

    /// The whole object, to be consumed.
    pub fn into_value(self) -> Value {
        Value::Object(self.body)
    }

    /// Changes the object. Fails, and leaves it as it was, when the result would not be a Kubernetes object.
    pub fn edit(&mut self, change: impl FnOnce(&mut Map<String, Value>)) -> Result<(), InvalidObject> {
        let mut body = self.body.clone();
        change(&mut body);
        self.id = identify(&body)?;
        self.body = body;
        Ok(())
    }

    /// The string that the keys lead to, such as a label: `text(&["metadata", "labels", "app"])`.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.body.get(*first)?, |value, key| value.get(key))?
            .as_str()
    }
}

fn identify(body: &Map<String, Value>) -> Result<ObjectId, InvalidObject> {
    let text = |key: &'static str| {
        body.get(key)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    // Kustomize renders objects without apiVersion or name; applying drops them, as Flux does
    let api_version = text("apiVersion").unwrap_or_default();
    let kind = text("kind").ok_or(InvalidObject::Missing("kind"))?;
    let metadata = body.get("metadata").and_then(Value::as_object);
    let meta = |key: &str| {
        metadata
            .and_then(|m| m.get(key))
            .and_then(Value::as_str)
            .filter(|t| !t.is_empty())
    };
    let name = meta("name").or_else(|| meta("generateName")).unwrap_or_default();
    Ok(ObjectId {
        gvk: GroupVersionKind::new(api_version, kind),
        namespace: meta("namespace").map(str::to_owned),
        name: name.to_owned(),
    })
}
