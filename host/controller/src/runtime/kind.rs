use sluice_api::meta;

/// A kind of custom resource that the runtime watches.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group.
    pub group: &'static str,
    /// API version that is read and written.
    pub version: &'static str,
    /// Kind, CamelCase.
    pub kind: &'static str,
    /// Plural name in paths.
    pub plural: &'static str,
    /// Name of the controller as controller-runtime labels it: the lower-case kind.
    pub controller: &'static str,
    /// Flux's controller whose name events and Leases carry.
    pub component: &'static str,
    /// Field manager of status and finalizers, as Flux's controller names itself.
    pub manager: &'static str,
}

impl Kind {
    /// `group/version`.
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// The kind as the client library wants it.
    pub(super) fn api_resource(&self) -> kube::core::ApiResource {
        let gvk = kube::core::GroupVersionKind::gvk(self.group, self.version, self.kind);
        kube::core::ApiResource::from_gvk_with_plural(&gvk, self.plural)
    }
}

const fn source(kind: &'static str, plural: &'static str, controller: &'static str) -> Kind {
    let (group, component) = ("source.toolkit.fluxcd.io", "source-controller");
    Kind {
        group,
        version: "v1",
        kind,
        plural,
        controller,
        component,
        manager: meta::SOURCE_MANAGER,
    }
}

/// `Kustomization`.
pub static KUSTOMIZATION: Kind = Kind {
    group: "kustomize.toolkit.fluxcd.io",
    version: "v1",
    kind: "Kustomization",
    plural: "kustomizations",
    controller: "kustomization",
    component: "kustomize-controller",
    manager: meta::STATUS_MANAGER,
};
/// `GitRepository`.
pub static GIT_REPOSITORY: Kind = source("GitRepository", "gitrepositories", "gitrepository");
/// `OCIRepository`.
pub static OCI_REPOSITORY: Kind = source("OCIRepository", "ocirepositories", "ocirepository");
/// `HelmRepository`.
pub static HELM_REPOSITORY: Kind = source("HelmRepository", "helmrepositories", "helmrepository");
/// `HelmChart`.
pub static HELM_CHART: Kind = source("HelmChart", "helmcharts", "helmchart");
/// `Bucket`.
pub static BUCKET: Kind = source("Bucket", "buckets", "bucket");
/// `ExternalArtifact`.
pub static EXTERNAL_ARTIFACT: Kind = source("ExternalArtifact", "externalartifacts", "externalartifact");

/// The kinds a Kustomization may take its files from.
pub static SOURCES: [&Kind; 4] = [&GIT_REPOSITORY, &OCI_REPOSITORY, &BUCKET, &EXTERNAL_ARTIFACT];
