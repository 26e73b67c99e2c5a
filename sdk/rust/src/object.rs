//! Kubernetes objects, as plugins handle them.

use serde_json::{Map, Value};
use std::fmt;
use std::sync::OnceLock;

/// One Kubernetes object: JSON, with shortcuts to what every object has.
#[derive(Clone, Debug, Default)]
pub struct Object {
    body: Body,
    origin: Option<Origin>,
}

#[derive(Clone, Debug)]
enum Body {
    Fields(Map<String, Value>),
    Written {
        id: ObjectId,
        json: String,
        /// What `json` says, once somebody looked.
        fields: OnceLock<Map<String, Value>>,
    },
}

impl Default for Body {
    fn default() -> Self {
        Self::Fields(Map::default())
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.body() == other.body() && self.origin == other.origin
    }
}

/// Where an object came from; shown as `path:line`.
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

/// Names one Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectId {
    /// `v1`, `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// None for objects without a namespace.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl Object {
    /// An object of these fields.
    pub fn new(body: Map<String, Value>) -> Self {
        Self {
            body: Body::Fields(body),
            origin: None,
        }
    }

    /// An object whose canonical JSON is at hand. It goes to the host as it is and is parsed only where a field is looked at;
    /// text that is no JSON object has no fields. The host refuses an object whose JSON does not say what `id` says.
    pub fn written(id: ObjectId, json: String) -> Self {
        let body = Body::Written {
            id,
            json,
            fields: OnceLock::new(),
        };
        Self { body, origin: None }
    }

    /// The same object, said to come from `origin`.
    pub fn with_origin(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }

    /// Where it came from, if known. Survives every change.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// All fields.
    pub fn body(&self) -> &Map<String, Value> {
        match &self.body {
            Body::Fields(fields) => fields,
            Body::Written { json, fields, .. } => fields.get_or_init(|| parse(json)),
        }
    }

    /// All fields, to be changed.
    pub fn body_mut(&mut self) -> &mut Map<String, Value> {
        if let Body::Written { json, fields, .. } = &mut self.body {
            let fields = fields.take().unwrap_or_else(|| parse(json));
            self.body = Body::Fields(fields);
        }
        match &mut self.body {
            Body::Fields(fields) => fields,
            Body::Written { .. } => unreachable!("it was parsed above"),
        }
    }

    /// The canonical JSON.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn into_json(self) -> Vec<u8> {
        match self.body {
            Body::Fields(fields) => {
                serde_json::to_vec(&fields).expect("invariant: a JSON map with string keys can be written")
            }
            Body::Written { json, .. } => json.into_bytes(),
        }
    }

    /// `v1`, `apps/v1`; empty where it is missing.
    pub fn api_version(&self) -> &str {
        self.text(&["apiVersion"])
    }

    /// `Deployment`; empty where it is missing.
    pub fn kind(&self) -> &str {
        self.text(&["kind"])
    }

    /// `metadata.name`, or `metadata.generateName` where there is no name.
    pub fn name(&self) -> &str {
        match self.text(&["metadata", "name"]) {
            "" => self.text(&["metadata", "generateName"]),
            name => name,
        }
    }

    /// `metadata.namespace`.
    pub fn namespace(&self) -> Option<&str> {
        Some(self.text(&["metadata", "namespace"])).filter(|namespace| !namespace.is_empty())
    }

    /// What names it.
    pub fn id(&self) -> ObjectId {
        if let Body::Written { id, .. } = &self.body {
            return id.clone();
        }
        ObjectId {
            api_version: self.api_version().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.find(&["metadata", "labels", key])?.as_str()
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: impl Into<String>) {
        self.set(&["metadata", "labels", key], value.into());
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.find(&["metadata", "annotations", key])?.as_str()
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: impl Into<String>) {
        self.set(&["metadata", "annotations", key], value.into());
    }

    /// The value at a JSON pointer: `/spec/template/spec/containers/0/image`.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        let (first, rest) = split_pointer(pointer)?;
        self.body().get(&first)?.pointer(rest)
    }

    /// The value at a JSON pointer, to be changed.
    pub fn pointer_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        let (first, rest) = split_pointer(pointer)?;
        self.body_mut().get_mut(&first)?.pointer_mut(rest)
    }

    /// The value of nested mappings: `find(&["metadata", "labels", "app"])`.
    pub fn find(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.body().get(*first)?, |value, key| value.get(key))
    }

    /// Sets a value of nested mappings and makes those that are missing. What is in the way is replaced.
    pub fn set(&mut self, path: &[&str], value: impl Into<Value>) {
        let Some((last, parents)) = path.split_last() else {
            return;
        };
        let mut map = self.body_mut();
        for key in parents {
            let child = map.entry(*key).or_insert_with(|| Value::Object(Map::new()));
            if !child.is_object() {
                *child = Value::Object(Map::new());
            }
            map = child
                .as_object_mut()
                .expect("invariant: it was made an object above");
        }
        map.insert((*last).to_owned(), value.into());
    }

    fn text(&self, path: &[&str]) -> &str {
        self.find(path).and_then(Value::as_str).unwrap_or_default()
    }
}

fn parse(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}

/// `/a~1b/c` is `a/b` and `/c`.
fn split_pointer(pointer: &str) -> Option<(String, &str)> {
    let pointer = pointer.strip_prefix('/')?;
    let (first, rest) = pointer.split_at(pointer.find('/').unwrap_or(pointer.len()));
    Some((first.replace("~1", "/").replace("~0", "~"), rest))
}

/// Objects in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects(Vec<Object>);

impl Objects {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One after another.
    pub fn iter(&self) -> std::slice::Iter<'_, Object> {
        self.0.iter()
    }

    /// One after another, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Object> {
        self.0.iter_mut()
    }

    /// Adds one at the end.
    pub fn push(&mut self, object: Object) {
        self.0.push(object);
    }

    /// Keeps those that `keep` wants; the others are gone.
    pub fn retain(&mut self, keep: impl FnMut(&Object) -> bool) {
        self.0.retain(keep);
    }

    /// As one YAML stream, for tests and for people.
    pub fn to_yaml(&self) -> String {
        crate::testing::to_yaml(self)
    }
}

impl From<Vec<Object>> for Objects {
    fn from(objects: Vec<Object>) -> Self {
        Self(objects)
    }
}

impl FromIterator<Object> for Objects {
    fn from_iter<T: IntoIterator<Item = Object>>(objects: T) -> Self {
        Self(objects.into_iter().collect())
    }
}

impl IntoIterator for Objects {
    type Item = Object;
    type IntoIter = std::vec::IntoIter<Object>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Objects {
    type Item = &'a Object;
    type IntoIter = std::slice::Iter<'a, Object>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_found_and_set_by_path_and_by_pointer() {
        let Value::Object(body) =
            json!({"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"image": "x"}]}})
        else {
            unreachable!("it is written as an object above")
        };
        let mut object = Object::new(body);
        object.set_label("app.kubernetes.io/name", "web");
        object.set(&["spec", "containers", "0"], "replaced");
        assert_eq!(object.label("app.kubernetes.io/name"), Some("web"));
        assert_eq!(
            object.pointer("/metadata/labels/app.kubernetes.io~1name"),
            Some(&json!("web"))
        );
        assert_eq!(
            object.pointer("/spec/containers"),
            Some(&json!({"0": "replaced"}))
        );
        assert_eq!(
            (
                object.kind(),
                object.name(),
                object.namespace(),
                object.api_version()
            ),
            ("Pod", "a", None, "")
        );
    }

    #[test]
    fn a_written_object_is_what_its_json_says() {
        let Value::Object(body) = json!({"kind": "Pod", "metadata": {"name": "a"}}) else {
            unreachable!("it is written as an object above")
        };
        let parsed = Object::new(body);
        let mut written = Object::written(
            parsed.id(),
            r#"{"kind":"Pod","metadata":{"name":"a"}}"#.to_owned(),
        );
        assert_eq!(
            (&written, written.id(), written.name()),
            (&parsed, parsed.id(), "a")
        );
        written.set_label("team", "a");
        assert_eq!(
            Value::Object(written.body().clone()),
            json!({"kind": "Pod", "metadata": {"name": "a", "labels": {"team": "a"}}})
        );
        assert!(
            Object::written(parsed.id(), "no JSON".to_owned())
                .body()
                .is_empty()
        );
    }
}
