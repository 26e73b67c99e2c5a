//! A custom resource as the API server shows it.

use super::Kind;
use kube::core::{ApiResource, DynamicObject, ObjectMeta};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;
use serde_json::value::RawValue;
use sluice_apply::cluster::Unowned;
use std::borrow::Cow;

/// An object as it came: its place and version are read at once, the rest when it is wanted. Fields keep whatever shape
/// they have, so that one malformed object never stops a list or a watch (N7).
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// What a watch needs to know: name, namespace, resource version.
    meta: ObjectMeta,
    /// The object.
    raw: Box<RawValue>,
}

impl Seen {
    /// The namespace and the name; none for what has no namespace.
    pub(super) fn place(&self) -> Option<(&str, &str)> {
        Some((self.meta.namespace.as_deref()?, self.meta.name.as_deref()?))
    }

    /// The resource version as a number.
    pub(super) fn version(&self) -> Option<u64> {
        self.meta.resource_version.as_deref()?.parse().ok()
    }

    /// The object, without its managed fields.
    ///
    /// # Errors
    /// It is no object.
    pub(super) fn object(&self, kind: &Kind) -> Result<Value, serde_json::Error> {
        let Unowned(mut object) = serde_json::from_str(self.raw.get())?;
        // items of lists come without these two
        object.insert("apiVersion".to_owned(), kind.api_version().into());
        object.insert("kind".to_owned(), kind.kind.into());
        Ok(Value::Object(object))
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
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let Head { metadata } = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        let meta = ObjectMeta {
            name: metadata.name.0,
            namespace: metadata.namespace.0,
            resource_version: metadata.resource_version.0,
            ..ObjectMeta::default()
        };
        Ok(Self { meta, raw })
    }
}

/// What is read of an object at once.
#[derive(Deserialize)]
struct Head {
    metadata: HeadMetadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct HeadMetadata {
    name: Text,
    namespace: Text,
    resource_version: Text,
}

/// A text; none where something else stands.
#[derive(Default)]
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::String(text) => Some(text),
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::KUSTOMIZATION;
    use kube::Resource as _;
    use kube::core::WatchEvent;
    use serde_json::json;

    #[test]
    fn strange_shapes_are_taken_as_they_are() {
        let seen: Seen =
            serde_json::from_str(r#"{"metadata": {"name": 7, "labels": [1]}, "status": null}"#).unwrap();
        assert_eq!(seen.place(), None);
        let mut object = seen.object(&KUSTOMIZATION).unwrap();
        assert_eq!(object["kind"], "Kustomization");
        let fields = object.as_object_mut().unwrap();
        fields.retain(|name, _| name != "apiVersion" && name != "kind");
        assert_eq!(
            object,
            json!({"metadata": {"name": 7, "labels": [1]}, "status": null})
        );
    }

    #[test]
    fn a_watch_knows_its_place_and_version() {
        let line = r#"{"type": "MODIFIED", "object": {"metadata":
            {"name": "a", "namespace": "ns", "resourceVersion": "7", "managedFields": []}}}"#;
        let WatchEvent::Modified(seen) = serde_json::from_str::<WatchEvent<Seen>>(line).unwrap() else {
            panic!("another event");
        };
        assert_eq!((seen.place(), seen.version()), (Some(("ns", "a")), Some(7)));
        assert_eq!(seen.meta().resource_version.as_deref(), Some("7"));
        let object = seen.object(&KUSTOMIZATION).unwrap();
        assert_eq!(object["metadata"].get("managedFields"), None);
    }
}
