//! The kinds the command line speaks of (compat: cli, section 1).

use kube::api::{ApiResource, DynamicObject};
use serde_json::Value;
use sluice_object::{GroupVersionKind, ObjectId};

/// One kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// The API group.
    pub(crate) group: &'static str,
    /// The version asked for.
    pub(crate) version: &'static str,
    /// CamelCase kind.
    pub(crate) kind: &'static str,
    /// Lower-case plural.
    pub(crate) plural: &'static str,
}

const SOURCE: &str = "source.toolkit.fluxcd.io";
const IMAGE: &str = "image.toolkit.fluxcd.io";
const NOTIFICATION: &str = "notification.toolkit.fluxcd.io";

pub(crate) const GIT_REPOSITORY: Kind = Kind::v1(SOURCE, "GitRepository", "gitrepositories");
pub(crate) const OCI_REPOSITORY: Kind = Kind::v1(SOURCE, "OCIRepository", "ocirepositories");
pub(crate) const BUCKET: Kind = Kind::v1(SOURCE, "Bucket", "buckets");
pub(crate) const HELM_REPOSITORY: Kind = Kind::v1(SOURCE, "HelmRepository", "helmrepositories");
pub(crate) const HELM_CHART: Kind = Kind::v1(SOURCE, "HelmChart", "helmcharts");
pub(crate) const EXTERNAL_ARTIFACT: Kind = Kind::v1(SOURCE, "ExternalArtifact", "externalartifacts");
pub(crate) const ARTIFACT_GENERATOR: Kind = Kind {
    version: "v1beta1",
    ..Kind::v1(
        "source.extensions.fluxcd.io",
        "ArtifactGenerator",
        "artifactgenerators",
    )
};
pub(crate) const KUSTOMIZATION: Kind =
    Kind::v1("kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations");

pub(crate) const HELM_RELEASE: Kind = Kind {
    version: "v2",
    ..Kind::v1("helm.toolkit.fluxcd.io", "HelmRelease", "helmreleases")
};
pub(crate) const IMAGE_REPOSITORY: Kind = Kind::v1(IMAGE, "ImageRepository", "imagerepositories");
pub(crate) const IMAGE_POLICY: Kind = Kind::v1(IMAGE, "ImagePolicy", "imagepolicies");
pub(crate) const IMAGE_UPDATE_AUTOMATION: Kind =
    Kind::v1(IMAGE, "ImageUpdateAutomation", "imageupdateautomations");
pub(crate) const RECEIVER: Kind = Kind::v1(NOTIFICATION, "Receiver", "receivers");
pub(crate) const ALERT: Kind = Kind {
    version: "v1beta3",
    ..Kind::v1(NOTIFICATION, "Alert", "alerts")
};
pub(crate) const PROVIDER: Kind = Kind {
    version: "v1beta3",
    ..Kind::v1(NOTIFICATION, "Provider", "providers")
};

/// All source kinds, in the order of `get sources all`.
pub(crate) const SOURCES: &[Kind] = &[
    OCI_REPOSITORY,
    BUCKET,
    GIT_REPOSITORY,
    HELM_REPOSITORY,
    HELM_CHART,
    EXTERNAL_ARTIFACT,
];

impl Kind {
    const fn v1(group: &'static str, kind: &'static str, plural: &'static str) -> Self {
        Self {
            group,
            version: "v1",
            kind,
            plural,
        }
    }

    /// What kube needs to know of it.
    pub(crate) fn api(&self) -> ApiResource {
        ApiResource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            api_version: match self.group {
                "" => self.version.to_owned(),
                group => format!("{group}/{}", self.version),
            },
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
        }
    }

    /// The name of an object of it.
    pub(crate) fn id(&self, namespace: &str, name: &str) -> ObjectId {
        ObjectId {
            gvk: GroupVersionKind {
                group: self.group.to_owned(),
                version: self.version.to_owned(),
                kind: self.kind.to_owned(),
            },
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// `kind` in lower case, as in `kustomization/apps`.
    pub(crate) fn lower(&self) -> String {
        self.kind.to_lowercase()
    }

    /// What people call it, as in `source git apps`.
    pub(crate) fn human(&self) -> String {
        let name = match self.kind {
            "GitRepository" => "source git",
            "OCIRepository" => "source oci",
            "Bucket" => "source bucket",
            "HelmChart" => "source chart",
            "HelmRepository" => "source helm",
            "ExternalArtifact" => "source external-artifact",
            "ImageRepository" => "image repository",
            "ImagePolicy" => "image policy",
            "ImageUpdateAutomation" => "image update automation",
            "Provider" => "alert provider",
            _ => return self.lower(),
        };
        name.to_owned()
    }
}

/// The condition of a type, whose case does not count.
pub(crate) fn condition_of<'a>(object: &'a DynamicObject, of: &str) -> Option<&'a Value> {
    let conditions = object.data.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|condition| {
        let is = condition.get("type").and_then(Value::as_str);
        is.is_some_and(|is| is.eq_ignore_ascii_case(of))
    })
}

/// The status and the message of the condition of a type, whose case does not count.
pub(crate) fn condition<'a>(object: &'a DynamicObject, of: &str) -> Option<(&'a str, &'a str)> {
    let condition = condition_of(object, of)?;
    let text = |key: &str| condition.get(key).and_then(Value::as_str).unwrap_or_default();
    Some((text("status"), text("message")))
}

/// A string of the object, by JSON pointer.
pub(crate) fn text<'a>(object: &'a DynamicObject, pointer: &str) -> Option<&'a str> {
    object
        .data
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// Whether `.spec.suspend` is set.
pub(crate) fn is_suspended(object: &DynamicObject) -> bool {
    object
        .data
        .pointer("/spec/suspend")
        .and_then(Value::as_bool)
        .unwrap_or(false)
}

/// Whether nothing of the object is reconciled: alerts and their providers are looked up when there is something to tell, and
/// such a HelmRepository only names a registry. They have no status.
pub(crate) fn is_static(kind: Kind, object: &DynamicObject) -> bool {
    let is = |of: Kind| kind.kind == of.kind;
    is(ALERT) || is(PROVIDER) || is(HELM_REPOSITORY) && text(object, "/spec/type") == Some("oci")
}

/// The API server serves no such kind.
#[derive(Debug)]
pub(crate) struct NotServed(Kind);

impl std::fmt::Display for NotServed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Kind {
            group, version, kind, ..
        } = self.0;
        write!(
            f,
            "no matches for kind \"{kind}\" in version \"{group}/{version}\""
        )
    }
}

impl std::error::Error for NotServed {}

impl NotServed {
    /// The kind.
    pub(crate) fn kind(&self) -> &'static str {
        self.0.kind
    }
}

/// Whether a kind of Flux is one of those that are installed with us.
pub(crate) fn is_ours(kind: &str) -> bool {
    let is = |ours: &Kind| ours.kind == kind;
    is(&KUSTOMIZATION) || SOURCES.iter().any(is)
}

impl Kind {
    /// An error about objects of this kind. Where the kind is not served at all, the API server's answer is a page of text.
    pub(crate) fn explain(self, error: kube::Error) -> anyhow::Error {
        match error {
            kube::Error::Api(status) if status.code == 404 && status.message.contains("page not found") => {
                NotServed(self).into()
            }
            error => error.into(),
        }
    }
}
