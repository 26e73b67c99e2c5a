//! `.Capabilities`: what the cluster and the program can do.

use std::{rc::Rc, sync::LazyLock};

use serde_json::{Value as Json, json};

use super::Functions;
use crate::{
    Error, List, Str, Value,
    value::{CollectionType, Element, Kind, NamedType, Object, ObjectType},
};

/// The version of Helm whose rules are followed.
const HELM_VERSION: &str = "v4.3";
/// What built it.
const GO_VERSION: &str = "go1.26.8";

/// `*common.Capabilities`
#[derive(Debug)]
pub struct Capabilities {
    kube_version: Value,
    api_versions: Value,
    helm_version: Value,
}

impl Capabilities {
    /// From the cluster's version and the API versions (`apps/v1`) it serves.
    pub fn new(kube_version: KubeVersion, api_versions: impl IntoIterator<Item = String>) -> Self {
        let api_versions = api_versions.into_iter().map(Value::from).collect();
        Self {
            kube_version: Value::object(kube_version),
            api_versions: List::of_type(VERSION_SET, api_versions).into(),
            helm_version: Value::object(BuildInfo),
        }
    }
}

impl ObjectType for Capabilities {
    const NAME: &'static str = "*common.Capabilities";
}

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "KubeVersion" => self.kube_version.clone(),
            "APIVersions" => self.api_versions.clone(),
            "HelmVersion" => self.helm_version.clone(),
            _ => return None,
        })
    }

    fn fields(&self) -> &'static [&'static str] {
        &["KubeVersion", "APIVersions", "HelmVersion"]
    }

    fn to_json(&self) -> Result<Json, Error> {
        Ok(json!({
            "KubeVersion": self.kube_version.to_json()?,
            "APIVersions": self.api_versions.to_json()?,
            "HelmVersion": self.helm_version.to_json()?,
        }))
    }
}

/// `common.VersionSet`
const VERSION_SET: CollectionType = CollectionType::named(
    Element::String,
    &NamedType {
        name: "common.VersionSet",
        methods: version_set_methods,
    },
);

fn version_set_methods() -> &'static Functions {
    static METHODS: LazyLock<Functions> = LazyLock::new(|| {
        let mut methods = Functions::default();
        methods.add("Has", |versions: List, version: Str| {
            versions.items().iter().any(|known| known.as_text() == Some(&version))
        });
        methods
    });
    &METHODS
}

/// `common.KubeVersion`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// As it was given, with a `v`: `v1.33.4-gke.1245000`.
    pub version: String,
    /// What ranges are compared with: `v1.33.4`.
    pub normalized_version: String,
    /// `1`
    pub major: String,
    /// `33`
    pub minor: String,
}

impl ObjectType for KubeVersion {
    const NAME: &'static str = "common.KubeVersion";
}

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn field(&self, name: &str) -> Option<Value> {
        let text = match name {
            "Version" => &self.version,
            "Major" => &self.major,
            "Minor" => &self.minor,
            // not exported, but printed
            "normalizedVersion" => &self.normalized_version,
            _ => return None,
        };
        Some(text.as_str().into())
    }

    fn fields(&self) -> &'static [&'static str] {
        &["Version", "normalizedVersion", "Major", "Minor"]
    }

    fn methods(&self) -> &'static Functions {
        static METHODS: LazyLock<Functions> = LazyLock::new(|| {
            let mut methods = Functions::default();
            methods.add("String", |this: Rc<KubeVersion>| this.normalized_version.clone());
            methods.add("GitVersion", |this: Rc<KubeVersion>| this.version.clone());
            methods
        });
        &METHODS
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other.downcast_ref::<Self>() == Some(self)
    }

    fn to_json(&self) -> Result<Json, Error> {
        Ok(json!({"Version": self.version, "Major": self.major, "Minor": self.minor}))
    }
}

/// `version.BuildInfo`
#[derive(Debug)]
struct BuildInfo;

impl Object for BuildInfo {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Value> {
        Some(Value::from(match name {
            "Version" => HELM_VERSION,
            "GoVersion" => GO_VERSION,
            "GitCommit" | "GitTreeState" | "KubeClientVersion" => "",
            _ => return None,
        }))
    }

    fn fields(&self) -> &'static [&'static str] {
        &["Version", "GitCommit", "GitTreeState", "GoVersion", "KubeClientVersion"]
    }

    fn equals(&self, _: &dyn Object) -> bool {
        true
    }

    fn to_json(&self) -> Result<Json, Error> {
        Ok(json!({"version": HELM_VERSION, "go_version": GO_VERSION}))
    }
}
