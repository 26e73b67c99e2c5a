//! A custom resource as the API server shows it.

use kube::core::{ApiResource, DynamicObject, ObjectMeta};
use serde::de::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use sluice_apply::cluster::Unowned;
use std::borrow::Cow;

/// An object as it came, read once. Fields keep whatever shape they have, so that one malformed object never stops a list
/// or a watch (N7).
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
        let Unowned(body) = Unowned::deserialize(deserializer)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use kube::Resource as _;
    use serde_json::json;

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

    #[test]
    fn a_watch_knows_its_place_and_version() {
        let object =
            r#"{"metadata": {"name": "a", "namespace": "ns", "resourceVersion": "7", "managedFields": []}}"#;
        let seen: Seen = serde_json::from_str(object).unwrap();
        assert_eq!(seen.place(), Some(("ns", "a")));
        assert_eq!(seen.meta().resource_version.as_deref(), Some("7"));
    }
}
