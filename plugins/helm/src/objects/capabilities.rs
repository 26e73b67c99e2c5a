//! `.Capabilities`.

use std::sync::LazyLock;

use crate::{
    List, Str, Value,
    functions::Functions,
    value::{CollectionType, Element, Kind, NamedType, Object, ObjectType},
};

/// `*common.Capabilities`
#[derive(Clone, Debug)]
pub struct Capabilities {
    kube_version: Value,
    api_versions: Value,
    helm_version: Value,
}

impl Capabilities {
    /// Of a cluster of a version that serves `api_versions`, for templates that ask which Helm renders them.
    pub fn new(
        kube_version: KubeVersion,
        api_versions: impl IntoIterator<Item = impl Into<Str>>,
        helm_version: HelmVersion,
    ) -> Self {
        let items = api_versions
            .into_iter()
            .map(|version| Value::Str(version.into()))
            .collect();
        Self {
            kube_version: Value::object(kube_version),
            api_versions: Value::List(List::of_type(VERSION_SET, items)),
            helm_version: Value::object(helm_version),
        }
    }
}

static CAPABILITIES_METHODS: LazyLock<Functions> = LazyLock::new(|| {
    let mut methods = Functions::default();
    methods.add("Copy", |this: Value| {
        let copy = this
            .as_object()
            .map(|this: &Capabilities| Value::object(this.clone()));
        copy.unwrap_or(this)
    });
    methods
});

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        "*common.Capabilities"
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(self.kube_version.clone()),
            "APIVersions" => Some(self.api_versions.clone()),
            "HelmVersion" => Some(self.helm_version.clone()),
            _ => None,
        }
    }

    fn fields(&self) -> &'static [&'static str] {
        &["KubeVersion", "APIVersions", "HelmVersion"]
    }

    fn methods(&self) -> &'static Functions {
        &CAPABILITIES_METHODS
    }
}

/// The type of `.Capabilities.APIVersions`: `common.VersionSet`.
pub const VERSION_SET: CollectionType = CollectionType::named(Element::String, &VERSION_SET_TYPE);

static VERSION_SET_TYPE: NamedType = NamedType {
    name: "common.VersionSet",
    methods: || &VERSION_SET_METHODS,
};

static VERSION_SET_METHODS: LazyLock<Functions> = LazyLock::new(|| {
    let mut methods = Functions::default();
    methods.add("Has", |this: Value, version: Str| match &this {
        Value::List(list) => list.items().iter().any(|item| item.as_text() == Some(&version)),
        _ => false,
    });
    methods
});

/// `common.KubeVersion`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// The whole version: `v1.33.4-gke.1245000`.
    pub version: String,
    /// What constraints are checked against: `v1.33.4`.
    pub normalized: String,
    /// The first number.
    pub major: String,
    /// The second.
    pub minor: String,
}

static KUBE_VERSION_METHODS: LazyLock<Functions> = LazyLock::new(|| {
    let mut methods = Functions::default();
    methods.add("String", |this: Value| {
        this.as_object().map(KubeVersion::shown).unwrap_or_default()
    });
    methods.add("GitVersion", |this: Value| {
        this.as_object()
            .map(|this: &KubeVersion| this.version.clone())
            .unwrap_or_default()
    });
    methods
});

impl KubeVersion {
    fn shown(&self) -> String {
        if self.normalized.is_empty() {
            self.version.clone()
        } else {
            self.normalized.clone()
        }
    }

    fn is_like(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        let boxed = other.downcast_ref().map(|BoxedKubeVersion(boxed)| boxed);
        other.downcast_ref().or(boxed) == Some(self)
    }
}

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn field(&self, name: &str) -> Option<Value> {
        let text = match name {
            "Version" => &self.version,
            // not exported: printed, but no template gets at it
            "normalizedVersion" => &self.normalized,
            "Major" => &self.major,
            "Minor" => &self.minor,
            _ => return None,
        };
        Some(text.as_str().into())
    }

    fn fields(&self) -> &'static [&'static str] {
        &["Version", "normalizedVersion", "Major", "Minor"]
    }

    fn methods(&self) -> &'static Functions {
        &KUBE_VERSION_METHODS
    }

    fn emitted_text(&self) -> Option<String> {
        Some(self.shown())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        self.is_like(other)
    }

    fn boxed(&self) -> Option<Value> {
        Some(Value::object(BoxedKubeVersion(self.clone())))
    }
}

impl ObjectType for KubeVersion {
    const NAME: &'static str = "common.KubeVersion";
}

/// `common.KubeVersion` in an `interface {}`, where its methods, which are those of the pointer, are out of reach.
#[derive(Debug)]
struct BoxedKubeVersion(KubeVersion);

impl Object for BoxedKubeVersion {
    fn type_name(&self) -> &'static str {
        self.0.type_name()
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.0.field(name)
    }

    fn fields(&self) -> &'static [&'static str] {
        self.0.fields()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        self.0.is_like(other)
    }

    fn deep_copied(&self) -> Option<Value> {
        Some(Value::object(Self(KubeVersion {
            normalized: String::new(),
            ..self.0.clone()
        })))
    }
}

/// `version.BuildInfo`: which Helm this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelmVersion {
    /// `v4.3`
    pub version: String,
    /// The commit; empty in a build without it.
    pub git_commit: String,
    /// Whether the tree was clean; empty in a build without it.
    pub git_tree_state: String,
    /// Go's version.
    pub go_version: String,
    /// The version of the Kubernetes client.
    pub kube_client_version: String,
}

/// The Helm that charts are rendered like.
impl Default for HelmVersion {
    fn default() -> Self {
        Self {
            version: "v4.3".to_owned(),
            git_commit: String::new(),
            git_tree_state: String::new(),
            go_version: "go1.26.8".to_owned(),
            kube_client_version: "v1.37".to_owned(),
        }
    }
}

impl Object for HelmVersion {
    fn type_name(&self) -> &'static str {
        "version.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Value> {
        let text = match name {
            "Version" => &self.version,
            "GitCommit" => &self.git_commit,
            "GitTreeState" => &self.git_tree_state,
            "GoVersion" => &self.go_version,
            "KubeClientVersion" => &self.kube_client_version,
            _ => return None,
        };
        Some(text.as_str().into())
    }

    fn fields(&self) -> &'static [&'static str] {
        &[
            "Version",
            "GitCommit",
            "GitTreeState",
            "GoVersion",
            "KubeClientVersion",
        ]
    }

    fn equals(&self, other: &dyn Object) -> bool {
        (other as &dyn std::any::Any).downcast_ref::<Self>() == Some(self)
    }

    fn json_fields(&self) -> Vec<(&'static str, Value)> {
        let fields = [
            ("version", &self.version),
            ("git_commit", &self.git_commit),
            ("git_tree_state", &self.git_tree_state),
            ("go_version", &self.go_version),
        ];
        let optional = fields.into_iter().filter(|(_, text)| !text.is_empty());
        let all = optional.chain([("kube_client_version", &self.kube_client_version)]);
        all.map(|(name, text)| (name, text.as_str().into())).collect()
    }
}
