//! Labels, annotations, finalizers, field managers and group names. Nothing here is spelled a second time elsewhere.

/// API group of Kustomization.
pub const KUSTOMIZE_GROUP: &str = "kustomize.toolkit.fluxcd.io";
/// API group of the sources.
pub const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";
/// API group of HelmRelease.
pub const HELM_GROUP: &str = "helm.toolkit.fluxcd.io";
/// API group of Alert, Provider and Receiver.
pub const NOTIFICATION_GROUP: &str = "notification.toolkit.fluxcd.io";
/// API group of the image kinds.
pub const IMAGE_GROUP: &str = "image.toolkit.fluxcd.io";
/// API group that Kustomize's own `kustomization.yaml` names; such documents are never applied.
pub const KUSTOMIZE_CONFIG_GROUP: &str = "kustomize.config.k8s.io";

/// Finalizer on every reconciled object.
pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// Annotation that asks for a reconcile now; its value is opaque, a change is what counts.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// Owner label: name of the Kustomization that applied the object.
pub const OWNER_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
/// Owner label: namespace of the Kustomization that applied the object.
pub const OWNER_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
/// Label or annotation: `disabled` keeps the object from being applied and pruned.
pub const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
/// Label or annotation: how the object is applied (`Override`, `Merge`, `IfNotPresent`, `Ignore`).
pub const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
/// Label or annotation: `enabled` recreates the object where an immutable field changed.
pub const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
/// Label or annotation: `disabled` keeps the object from being pruned.
pub const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
/// Label or annotation: `disabled` (exact case) keeps variables in the object as they are.
pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
/// Annotation: `disabled` keeps the object encrypted.
pub const DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";
/// Checksum annotation of Flux before 0.21, removed wherever it is met.
pub const LEGACY_CHECKSUM: &str = "kustomize.toolkit.fluxcd.io/checksum";
/// Checksum annotation of Flux 1, removed wherever it is met.
pub const FLUX1_CHECKSUM: &str = "fluxcd.io/sync-checksum";
/// Garbage-collection label of Flux 1, removed wherever it is met.
pub const FLUX1_GC_MARK: &str = "fluxcd.io/sync-gc-mark";
/// What client-side `kubectl apply` leaves behind, removed from every object we apply.
pub const LAST_APPLIED_CONFIGURATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The value that switches something off.
pub const DISABLED: &str = "disabled";
/// The value that switches something on.
pub const ENABLED: &str = "enabled";

/// Event metadata: the revision.
pub const EVENT_REVISION: &str = "kustomize.toolkit.fluxcd.io/revision";
/// Event metadata: the origin revision of an OCI artifact.
pub const EVENT_ORIGIN_REVISION: &str = "kustomize.toolkit.fluxcd.io/originRevision";
/// Event metadata: asks the notifier to write a commit status ([`COMMIT_STATUS_UPDATE`]).
pub const EVENT_COMMIT_STATUS: &str = "kustomize.toolkit.fluxcd.io/commit_status";
/// The value of [`EVENT_COMMIT_STATUS`].
pub const COMMIT_STATUS_UPDATE: &str = "update";
/// Event metadata of source kinds: the revision.
pub const SOURCE_EVENT_REVISION: &str = "source.toolkit.fluxcd.io/revision";
/// Event metadata of source kinds: the digest of the artifact.
pub const SOURCE_EVENT_DIGEST: &str = "source.toolkit.fluxcd.io/digest";
/// Artifact metadata key under which an OCI artifact says which repository it was made from.
pub const OCI_SOURCE: &str = "org.opencontainers.image.source";
/// Artifact metadata key under which an OCI artifact says which commit it was made from.
pub const OCI_REVISION: &str = "org.opencontainers.image.revision";

/// Annotation on a GitRepository: ordered URLs, comma-separated, tried when the first fails.
pub const MIRRORS: &str = "sluice.dev/mirrors";
/// Annotation on a Kustomization: the revision whose large prune a person has approved (the prune guard).
pub const APPROVE_PRUNE: &str = "sluice.dev/approve-prune";
/// Annotation on a Kustomization: `disabled` lets every prune pass, however large.
pub const PRUNE_GUARD: &str = "sluice.dev/prune-guard";

/// Field manager of the objects a Kustomization applies.
pub const APPLY_MANAGER: &str = "kustomize-controller";
/// Field manager of a Kustomization's own status and finalizers.
pub const STATUS_MANAGER: &str = "gotk-kustomize-controller";
/// Field manager of the source kinds' status.
pub const SOURCE_MANAGER: &str = "source-controller";

/// `app.kubernetes.io/part-of`, on everything that is installed.
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// `app.kubernetes.io/component`, on what is installed.
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// `app.kubernetes.io/instance`, on what is installed.
pub const INSTANCE: &str = "app.kubernetes.io/instance";
/// `app.kubernetes.io/version`, on what is installed.
pub const VERSION: &str = "app.kubernetes.io/version";
