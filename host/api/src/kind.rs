use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::Value;

/// A custom resource of ours: what its CRD and its readers need to know.
pub trait CustomResource: kube_core::Resource<DynamicType = ()> + DeserializeOwned {
    /// The API group.
    const GROUP: &'static str;
    /// The version that is stored.
    const VERSION: &'static str;
    /// The kind.
    const KIND: &'static str;
    /// The plural in URLs.
    const PLURAL: &'static str;
    /// What the user wishes.
    type Spec: JsonSchema;
    /// What the controller found.
    type Status: JsonSchema;
}

/// Reads one object: a bad duration in one never hides the others of a list. The error says what is wrong, and where.
pub fn decode<K: CustomResource>(value: &Value) -> Result<K, serde_json::Error> {
    serde_path_to_error::deserialize(value).map_err(serde_json::Error::custom)
}

/// Declares the type of a kind: metadata, spec, status, and how Kubernetes names it.
macro_rules! custom_resource {
    ($(#[$doc:meta])* $type:ident, $spec:ty, $status:ty, $group:expr, $version:literal, $kind:literal, $plural:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, serde::Deserialize)]
        pub struct $type {
            /// Name, namespace, labels, and what the API server keeps.
            #[serde(default)]
            pub metadata: kube_core::ObjectMeta,
            /// What the user wishes.
            pub spec: $spec,
            /// What the controller found.
            #[serde(default)]
            pub status: Option<$status>,
        }

        impl $type {
            /// A new object, as a test or a command makes one.
            pub fn new(namespace: &str, name: &str, spec: $spec) -> Self {
                let metadata = kube_core::ObjectMeta {
                    name: Some(name.to_owned()),
                    namespace: Some(namespace.to_owned()),
                    ..Default::default()
                };
                Self { metadata, spec, status: None }
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("apiVersion", &format!("{}/{}", $group, $version))?;
                map.serialize_entry("kind", $kind)?;
                map.serialize_entry("metadata", &self.metadata)?;
                map.serialize_entry("spec", &self.spec)?;
                if let Some(status) = &self.status {
                    map.serialize_entry("status", status)?;
                }
                map.end()
            }
        }

        impl kube_core::Resource for $type {
            type DynamicType = ();
            type Scope = kube_core::NamespaceResourceScope;

            fn kind(_: &()) -> std::borrow::Cow<'_, str> {
                $kind.into()
            }
            fn group(_: &()) -> std::borrow::Cow<'_, str> {
                $group.into()
            }
            fn version(_: &()) -> std::borrow::Cow<'_, str> {
                $version.into()
            }
            fn plural(_: &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &kube_core::ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut kube_core::ObjectMeta {
                &mut self.metadata
            }
        }

        impl crate::CustomResource for $type {
            const GROUP: &'static str = $group;
            const VERSION: &'static str = $version;
            const KIND: &'static str = $kind;
            const PLURAL: &'static str = $plural;
            type Spec = $spec;
            type Status = $status;
        }
    };
}
pub(crate) use custom_resource;
