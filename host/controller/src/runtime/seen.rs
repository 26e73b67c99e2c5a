//! A custom resource as the API server shows it.

use kube::core::{ApiResource, DynamicObject, ObjectMeta};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// What nobody here reads of a custom resource, and what is the greater part of it.
const UNREAD: &str = "managedFields";

/// An object as it came, read once: whole but for `managedFields`. Fields keep whatever shape they have, so that one
/// malformed object never stops a list or a watch (N7).
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// What a watch needs to know: name, namespace, resource version.
    meta: ObjectMeta,
    /// The object.
    pub(super) body: Map<String, Value>,
}

impl Seen {
    /// The namespace and the name; none for what has no namespace.
    pub(super) fn place(&self) -> Option<(&str, &str)> {
        Some((self.meta.namespace.as_deref()?, self.meta.name.as_deref()?))
    }
}

impl kube::Resource for Seen {
    type DynamicType = ApiResource;
    type Scope = <DynamicObject as kube::Resource>::Scope;

    fn kind(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::kind(kind)
    }

    fn group(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::group(kind)
    }

    fn version(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::version(kind)
    }

    fn plural(kind: &ApiResource) -> Cow<'_, str> {
        DynamicObject::plural(kind)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = deserializer.deserialize_map(Fields { depth: 0 })?;
        let text = |name: &str| Some(body.get("metadata")?.get(name)?.as_str()?.to_owned());
        let meta = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self { meta, body })
    }
}

/// The fields of the object (depth 0) or of its metadata (depth 1).
#[derive(Clone, Copy)]
struct Fields {
    depth: u8,
}

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            match (self.depth, name.as_str()) {
                (0, "metadata") => {
                    let metadata = fields.next_value_seed(Fields { depth: 1 })?;
                    map.insert(name, Value::Object(metadata));
                }
                (1, UNREAD) => {
                    fields.next_value::<IgnoredAny>()?;
                }
                _ => {
                    map.insert(name, fields.next_value()?);
                }
            }
        }
        Ok(map)
    }
}

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kube::Resource as _;
    use serde_json::json;

    #[test]
    fn whole_but_for_managed_fields() {
        let object = json!({
            "apiVersion": "v1", "kind": "K",
            "metadata": {
                "name": "a", "namespace": "ns", "resourceVersion": "7", "labels": {"managedFields": "x"},
                "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": {"managedFields": 1, "interval": {"of": "another shape"}},
        });
        let seen: Seen = serde_json::from_str(&object.to_string()).unwrap();
        let mut expected = object;
        expected["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields")
            .unwrap();
        assert_eq!(Value::Object(seen.body.clone()), expected);
        assert_eq!(seen.place(), Some(("ns", "a")));
        assert_eq!(seen.meta().resource_version.as_deref(), Some("7"));
    }

    #[test]
    fn strange_shapes_are_taken_as_they_are() {
        let seen: Seen =
            serde_json::from_str(r#"{"metadata": {"name": 7, "labels": [1]}, "status": null}"#).unwrap();
        assert_eq!(seen.place(), None);
        assert_eq!(
            Value::Object(seen.body),
            json!({"metadata": {"name": 7, "labels": [1]}, "status": null})
        );
    }
}
