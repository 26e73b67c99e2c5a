// Made by host/schema/kustomize-tables; do not edit.

//! Tables of Kustomize 5.8.1 and its Kubernetes 1.21.2 schema.

use super::{FieldSpec, NameReference, Scope, Shape, Type, TypeOf, spec};

/// Where `namePrefix` acts.
#[rustfmt::skip]
pub static NAME_PREFIX: &[FieldSpec] = &[
    spec("", "", "", "metadata/name", false),
];

/// Where `nameSuffix` acts.
#[rustfmt::skip]
pub static NAME_SUFFIX: &[FieldSpec] = &[
    spec("", "", "", "metadata/name", false),
];

/// Where `namespace` acts beside `metadata.namespace`.
#[rustfmt::skip]
pub static NAMESPACE: &[FieldSpec] = &[
    spec("", "", "Namespace", "metadata/name", true),
    spec("apiextensions.k8s.io", "", "CustomResourceDefinition", "spec/conversion/webhook/clientConfig/service/namespace", false),
    spec("apiregistration.k8s.io", "", "APIService", "spec/service/namespace", true),
];

/// Where `commonLabels` acts.
#[rustfmt::skip]
pub static COMMON_LABELS: &[FieldSpec] = &[
    spec("", "v1", "Service", "spec/selector", true),
    spec("apps", "", "Deployment", "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels", false),
    spec("apps", "", "Deployment", "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false),
    spec("apps", "", "Deployment", "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels", false),
    spec("apps", "", "Deployment", "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false),
    spec("apps", "", "Deployment", "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", false),
    spec("", "", "Deployment", "spec/template/metadata/labels", true),
    spec("", "", "Deployment", "spec/selector/matchLabels", true),
    spec("apps", "", "StatefulSet", "spec/selector/matchLabels", true),
    spec("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true),
    spec("apps", "", "StatefulSet", "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels", false),
    spec("apps", "", "StatefulSet", "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false),
    spec("apps", "", "StatefulSet", "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels", false),
    spec("apps", "", "StatefulSet", "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels", false),
    spec("apps", "", "StatefulSet", "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels", false),
    spec("apps", "", "StatefulSet", "spec/template/metadata/labels", true),
    spec("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", true),
    spec("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true),
    spec("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    spec("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels", false),
    spec("batch", "", "Job", "spec/selector/matchLabels", false),
    spec("batch", "", "Job", "spec/template/metadata/labels", true),
    spec("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
    spec("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
    spec("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels", false),
    spec("", "v1", "ReplicationController", "spec/template/metadata/labels", true),
    spec("", "v1", "ReplicationController", "spec/selector", true),
    spec("", "", "DaemonSet", "spec/template/metadata/labels", true),
    spec("", "", "DaemonSet", "spec/selector/matchLabels", true),
    spec("", "", "ReplicaSet", "spec/template/metadata/labels", true),
    spec("", "", "ReplicaSet", "spec/selector/matchLabels", true),
    spec("", "", "", "metadata/labels", true),
];

/// Where `labels` with `includeTemplates` acts.
#[rustfmt::skip]
pub static TEMPLATE_LABELS: &[FieldSpec] = &[
    spec("", "", "Deployment", "spec/template/metadata/labels", true),
    spec("apps", "", "StatefulSet", "spec/template/metadata/labels", true),
    spec("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true),
    spec("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", true),
    spec("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true),
    spec("batch", "", "Job", "spec/template/metadata/labels", true),
    spec("", "v1", "ReplicationController", "spec/template/metadata/labels", true),
    spec("", "", "DaemonSet", "spec/template/metadata/labels", true),
    spec("", "", "ReplicaSet", "spec/template/metadata/labels", true),
    spec("", "", "", "metadata/labels", true),
];

/// Where `commonAnnotations` acts.
#[rustfmt::skip]
pub static COMMON_ANNOTATIONS: &[FieldSpec] = &[
    spec("", "", "Deployment", "spec/template/metadata/annotations", true),
    spec("", "", "StatefulSet", "spec/template/metadata/annotations", true),
    spec("batch", "", "CronJob", "spec/jobTemplate/metadata/annotations", true),
    spec("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/annotations", true),
    spec("batch", "", "Job", "spec/template/metadata/annotations", true),
    spec("", "v1", "ReplicationController", "spec/template/metadata/annotations", true),
    spec("", "", "DaemonSet", "spec/template/metadata/annotations", true),
    spec("", "", "ReplicaSet", "spec/template/metadata/annotations", true),
    spec("", "", "", "metadata/annotations", true),
];

/// Where `$(VAR)` is replaced.
#[rustfmt::skip]
pub static VAR_REFERENCE: &[FieldSpec] = &[
    spec("", "", "Service", "spec/ports/port", false),
    spec("", "", "Service", "spec/ports/targetPort", false),
    spec("", "", "PersistentVolume", "spec/nfs/server", false),
    spec("", "", "Deployment", "spec/template/spec/initContainers/volumeMounts/mountPath", false),
    spec("", "", "Deployment", "spec/template/spec/initContainers/env/value", false),
    spec("", "", "Deployment", "spec/template/spec/initContainers/command", false),
    spec("", "", "Deployment", "spec/template/spec/initContainers/args", false),
    spec("", "", "Deployment", "spec/template/spec/containers/volumeMounts/mountPath", false),
    spec("", "", "Deployment", "spec/template/spec/containers/env/value", false),
    spec("", "", "Deployment", "spec/template/spec/volumes/nfs/server", false),
    spec("", "", "Deployment", "spec/template/metadata/annotations", false),
    spec("", "", "Deployment", "spec/template/spec/containers/command", false),
    spec("", "", "Deployment", "spec/template/spec/containers/args", false),
    spec("", "", "StatefulSet", "spec/template/spec/containers/volumeMounts/mountPath", false),
    spec("", "", "StatefulSet", "spec/template/spec/containers/env/value", false),
    spec("", "", "StatefulSet", "spec/template/spec/initContainers/args", false),
    spec("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server", false),
    spec("", "", "StatefulSet", "spec/template/spec/initContainers/command", false),
    spec("", "", "StatefulSet", "spec/template/spec/containers/command", false),
    spec("", "", "StatefulSet", "spec/template/spec/containers/args", false),
    spec("", "", "StatefulSet", "spec/template/spec/initContainers/volumeMounts/mountPath", false),
    spec("", "", "StatefulSet", "spec/template/spec/initContainers/env/value", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/initContainers/env/value", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/initContainers/command", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/initContainers/args", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/containers/volumeMounts/mountPath", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/containers/env/value", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/containers/command", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/initContainers/volumeMounts/mountPath", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server", false),
    spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/containers/args", false),
    spec("", "", "DaemonSet", "spec/template/spec/containers/command", false),
    spec("", "", "DaemonSet", "spec/template/spec/volumes/nfs/server", false),
    spec("", "", "DaemonSet", "spec/template/spec/initContainers/volumeMounts/mountPath", false),
    spec("", "", "DaemonSet", "spec/template/spec/initContainers/env/value", false),
    spec("", "", "DaemonSet", "spec/template/spec/initContainers/command", false),
    spec("", "", "DaemonSet", "spec/template/spec/initContainers/args", false),
    spec("", "", "DaemonSet", "spec/template/spec/containers/volumeMounts/mountPath", false),
    spec("", "", "DaemonSet", "spec/template/spec/containers/env/value", false),
    spec("", "", "DaemonSet", "spec/template/spec/containers/args", false),
    spec("", "", "Ingress", "spec/tls/secretName", false),
    spec("", "", "Ingress", "spec/tls/hosts", false),
    spec("", "", "Ingress", "spec/rules/host", false),
    spec("", "", "Job", "spec/template/spec/initContainers/command", false),
    spec("", "", "Job", "spec/template/spec/volumes/nfs/server", false),
    spec("", "", "Job", "spec/template/spec/containers/args", false),
    spec("", "", "Job", "spec/template/spec/containers/command", false),
    spec("", "", "Job", "spec/template/spec/containers/env/value", false),
    spec("", "", "Job", "spec/template/spec/containers/volumeMounts/mountPath", false),
    spec("", "", "Job", "spec/template/spec/initContainers/args", false),
    spec("", "", "Job", "spec/template/spec/initContainers/env/value", false),
    spec("", "", "Job", "spec/template/spec/initContainers/volumeMounts/mountPath", false),
    spec("", "", "Pod", "spec/containers/volumeMounts/mountPath", false),
    spec("", "", "Pod", "spec/containers/args", false),
    spec("", "", "Pod", "spec/initContainers/command", false),
    spec("", "", "Pod", "spec/initContainers/env/value", false),
    spec("", "", "Pod", "spec/initContainers/volumeMounts/mountPath", false),
    spec("", "", "Pod", "spec/volumes/nfs/server", false),
    spec("", "", "Pod", "spec/initContainers/args", false),
    spec("", "", "Pod", "spec/containers/env/value", false),
    spec("", "", "Pod", "spec/containers/command", false),
    spec("", "", "ReplicaSet", "spec/template/spec/volumes/nfs/server", false),
    spec("", "", "ReplicaSet", "spec/template/spec/containers/volumeMounts/mountPath", false),
    spec("", "", "ReplicaSet", "spec/template/spec/containers/env/value", false),
    spec("", "", "ReplicaSet", "spec/template/spec/containers/command", false),
    spec("", "", "ReplicaSet", "spec/template/spec/containers/args", false),
    spec("", "", "ReplicaSet", "spec/template/spec/initContainers/args", false),
    spec("", "", "ReplicaSet", "spec/template/spec/initContainers/volumeMounts/mountPath", false),
    spec("", "", "ReplicaSet", "spec/template/spec/initContainers/env/value", false),
    spec("", "", "ReplicaSet", "spec/template/spec/initContainers/command", false),
    spec("", "", "", "metadata/labels", false),
    spec("", "", "", "metadata/annotations", false),
];

/// Where `images` acts.
#[rustfmt::skip]
pub static IMAGES: &[FieldSpec] = &[
    spec("", "", "", "spec/containers[]/image", true),
    spec("", "", "", "spec/initContainers[]/image", true),
    spec("", "", "", "spec/volumes[]/image/reference", true),
    spec("", "", "", "spec/template/spec/containers[]/image", true),
    spec("", "", "", "spec/template/spec/initContainers[]/image", true),
    spec("", "", "", "spec/template/spec/volumes[]/image/reference", true),
];

/// Where `replicas` acts.
#[rustfmt::skip]
pub static REPLICAS: &[FieldSpec] = &[
    spec("", "", "Deployment", "spec/replicas", true),
    spec("", "", "StatefulSet", "spec/replicas", true),
    spec("", "", "ReplicaSet", "spec/replicas", true),
    spec("", "", "ReplicationController", "spec/replicas", true),
];

/// Which fields hold the name of an object of which kind.
#[rustfmt::skip]
pub static NAME_REFERENCES: &[NameReference] = &[
    NameReference { group: "storage.k8s.io", version: "v1", kind: "StorageClass", referrers: &[
        spec("", "", "PersistentVolume", "spec/storageClassName", false),
        spec("", "", "PersistentVolumeClaim", "spec/storageClassName", false),
        spec("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName", false),
    ] },
    NameReference { group: "", version: "v1", kind: "ServiceAccount", referrers: &[
        spec("rbac.authorization.k8s.io", "", "RoleBinding", "subjects", false),
        spec("rbac.authorization.k8s.io", "", "ClusterRoleBinding", "subjects", false),
        spec("", "", "Pod", "spec/serviceAccountName", false),
        spec("", "", "StatefulSet", "spec/template/spec/serviceAccountName", false),
        spec("", "", "Deployment", "spec/template/spec/serviceAccountName", false),
        spec("", "", "ReplicationController", "spec/template/spec/serviceAccountName", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/serviceAccountName", false),
        spec("", "", "Job", "spec/template/spec/serviceAccountName", false),
        spec("", "", "DaemonSet", "spec/template/spec/serviceAccountName", false),
    ] },
    NameReference { group: "rbac.authorization.k8s.io", version: "", kind: "Role", referrers: &[
        spec("rbac.authorization.k8s.io", "", "RoleBinding", "roleRef/name", false),
    ] },
    NameReference { group: "rbac.authorization.k8s.io", version: "", kind: "ClusterRole", referrers: &[
        spec("rbac.authorization.k8s.io", "", "RoleBinding", "roleRef/name", false),
        spec("rbac.authorization.k8s.io", "", "ClusterRoleBinding", "roleRef/name", false),
    ] },
    NameReference { group: "", version: "v1", kind: "ConfigMap", referrers: &[
        spec("", "v1", "Pod", "spec/volumes/configMap/name", false),
        spec("", "v1", "Pod", "spec/containers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "v1", "Pod", "spec/initContainers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "v1", "Pod", "spec/containers/envFrom/configMapRef/name", false),
        spec("", "v1", "Pod", "spec/initContainers/envFrom/configMapRef/name", false),
        spec("", "v1", "Pod", "spec/volumes/projected/sources/configMap/name", false),
        spec("", "", "PodTemplate", "template/spec/volumes/configMap/name", false),
        spec("", "", "PodTemplate", "template/spec/containers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "PodTemplate", "template/spec/initContainers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "PodTemplate", "template/spec/containers/envFrom/configMapRef/name", false),
        spec("", "", "PodTemplate", "template/spec/initContainers/envFrom/configMapRef/name", false),
        spec("", "", "PodTemplate", "template/spec/volumes/projected/sources/configMap/name", false),
        spec("", "", "Deployment", "spec/template/spec/volumes/configMap/name", false),
        spec("", "", "Deployment", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "Deployment", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "Deployment", "spec/template/spec/containers/envFrom/configMapRef/name", false),
        spec("", "", "Deployment", "spec/template/spec/initContainers/envFrom/configMapRef/name", false),
        spec("", "", "Deployment", "spec/template/spec/volumes/projected/sources/configMap/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/volumes/configMap/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/containers/envFrom/configMapRef/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/initContainers/envFrom/configMapRef/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/volumes/projected/sources/configMap/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/volumes/configMap/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/containers/envFrom/configMapRef/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/initContainers/envFrom/configMapRef/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/volumes/projected/sources/configMap/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/volumes/configMap/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/containers/envFrom/configMapRef/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/initContainers/envFrom/configMapRef/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/volumes/projected/sources/configMap/name", false),
        spec("", "", "Job", "spec/template/spec/volumes/configMap/name", false),
        spec("", "", "Job", "spec/template/spec/containers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "Job", "spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "Job", "spec/template/spec/containers/envFrom/configMapRef/name", false),
        spec("", "", "Job", "spec/template/spec/initContainers/envFrom/configMapRef/name", false),
        spec("", "", "Job", "spec/template/spec/volumes/projected/sources/configMap/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/volumes/configMap/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/volumes/projected/sources/configMap/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/containers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/initContainers/env/valueFrom/configMapKeyRef/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/containers/envFrom/configMapRef/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/initContainers/envFrom/configMapRef/name", false),
        spec("", "", "Node", "spec/configSource/configMap", false),
        spec("", "", "Role", "rules/resourceNames", false),
        spec("", "", "ClusterRole", "rules/resourceNames", false),
        spec("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap", false),
    ] },
    NameReference { group: "", version: "v1", kind: "Secret", referrers: &[
        spec("", "v1", "Pod", "spec/volumes/secret/secretName", false),
        spec("", "v1", "Pod", "spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "v1", "Pod", "spec/initContainers/env/valueFrom/secretKeyRef/name", false),
        spec("", "v1", "Pod", "spec/containers/envFrom/secretRef/name", false),
        spec("", "v1", "Pod", "spec/initContainers/envFrom/secretRef/name", false),
        spec("", "v1", "Pod", "spec/imagePullSecrets/name", false),
        spec("", "v1", "Pod", "spec/volumes/projected/sources/secret/name", false),
        spec("", "", "PodTemplate", "template/spec/volumes/secret/secretName", false),
        spec("", "", "PodTemplate", "template/spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "PodTemplate", "template/spec/initContainers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "PodTemplate", "template/spec/containers/envFrom/secretRef/name", false),
        spec("", "", "PodTemplate", "template/spec/initContainers/envFrom/secretRef/name", false),
        spec("", "", "PodTemplate", "template/spec/imagePullSecrets/name", false),
        spec("", "", "PodTemplate", "template/spec/volumes/projected/sources/secret/name", false),
        spec("", "", "Deployment", "spec/template/spec/volumes/secret/secretName", false),
        spec("", "", "Deployment", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "Deployment", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "Deployment", "spec/template/spec/containers/envFrom/secretRef/name", false),
        spec("", "", "Deployment", "spec/template/spec/initContainers/envFrom/secretRef/name", false),
        spec("", "", "Deployment", "spec/template/spec/imagePullSecrets/name", false),
        spec("", "", "Deployment", "spec/template/spec/volumes/projected/sources/secret/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/volumes/secret/secretName", false),
        spec("", "", "ReplicaSet", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/containers/envFrom/secretRef/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/initContainers/envFrom/secretRef/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/imagePullSecrets/name", false),
        spec("", "", "ReplicaSet", "spec/template/spec/volumes/projected/sources/secret/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/volumes/secret/secretName", false),
        spec("", "", "DaemonSet", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/containers/envFrom/secretRef/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/initContainers/envFrom/secretRef/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/imagePullSecrets/name", false),
        spec("", "", "DaemonSet", "spec/template/spec/volumes/projected/sources/secret/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/volumes/secret/secretName", false),
        spec("", "", "StatefulSet", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/containers/envFrom/secretRef/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/initContainers/envFrom/secretRef/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/imagePullSecrets/name", false),
        spec("", "", "StatefulSet", "spec/template/spec/volumes/projected/sources/secret/name", false),
        spec("", "", "Job", "spec/template/spec/volumes/secret/secretName", false),
        spec("", "", "Job", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "Job", "spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "Job", "spec/template/spec/containers/envFrom/secretRef/name", false),
        spec("", "", "Job", "spec/template/spec/initContainers/envFrom/secretRef/name", false),
        spec("", "", "Job", "spec/template/spec/imagePullSecrets/name", false),
        spec("", "", "Job", "spec/template/spec/volumes/projected/sources/secret/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/volumes/secret/secretName", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/volumes/projected/sources/secret/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/initContainers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/containers/envFrom/secretRef/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/initContainers/envFrom/secretRef/name", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/imagePullSecrets/name", false),
        spec("", "", "Ingress", "spec/tls/secretName", false),
        spec("", "", "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret", false),
        spec("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret", false),
        spec("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret", false),
        spec("", "", "Ingress", "spec/tls/secretName", false),
        spec("", "", "ServiceAccount", "imagePullSecrets/name", false),
        spec("", "", "StorageClass", "parameters/secretName", false),
        spec("", "", "StorageClass", "parameters/adminSecretName", false),
        spec("", "", "StorageClass", "parameters/userSecretName", false),
        spec("", "", "StorageClass", "parameters/secretRef", false),
        spec("", "", "Role", "rules/resourceNames", false),
        spec("", "", "ClusterRole", "rules/resourceNames", false),
        spec("serving.knative.dev", "v1", "Service", "spec/template/spec/containers/env/valueFrom/secretKeyRef/name", false),
        spec("", "", "PersistentVolume", "spec/azureFile/secretName", false),
    ] },
    NameReference { group: "", version: "v1", kind: "Service", referrers: &[
        spec("apps", "", "StatefulSet", "spec/serviceName", false),
        spec("", "", "Ingress", "spec/rules/http/paths/backend/serviceName", false),
        spec("", "", "Ingress", "spec/backend/serviceName", false),
        spec("", "", "Ingress", "spec/rules/http/paths/backend/service/name", false),
        spec("", "", "Ingress", "spec/defaultBackend/service/name", false),
        spec("apiregistration.k8s.io", "", "APIService", "spec/service/name", false),
        spec("admissionregistration.k8s.io", "", "ValidatingWebhookConfiguration", "webhooks/clientConfig/service", false),
        spec("admissionregistration.k8s.io", "", "MutatingWebhookConfiguration", "webhooks/clientConfig/service", false),
    ] },
    NameReference { group: "scheduling.k8s.io", version: "v1", kind: "PriorityClass", referrers: &[
        spec("", "", "Pod", "spec/priorityClassName", false),
        spec("", "", "StatefulSet", "spec/template/spec/priorityClassName", false),
        spec("", "", "Deployment", "spec/template/spec/priorityClassName", false),
        spec("", "", "ReplicationController", "spec/template/spec/priorityClassName", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/priorityClassName", false),
        spec("", "", "Job", "spec/template/spec/priorityClassName", false),
        spec("", "", "DaemonSet", "spec/template/spec/priorityClassName", false),
    ] },
    NameReference { group: "", version: "v1", kind: "PersistentVolume", referrers: &[
        spec("", "", "PersistentVolumeClaim", "spec/volumeName", false),
        spec("", "", "ClusterRole", "rules/resourceNames", false),
    ] },
    NameReference { group: "", version: "v1", kind: "PersistentVolumeClaim", referrers: &[
        spec("", "", "Pod", "spec/volumes/persistentVolumeClaim/claimName", false),
        spec("", "", "StatefulSet", "spec/template/spec/volumes/persistentVolumeClaim/claimName", false),
        spec("", "", "Deployment", "spec/template/spec/volumes/persistentVolumeClaim/claimName", false),
        spec("", "", "ReplicationController", "spec/template/spec/volumes/persistentVolumeClaim/claimName", false),
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/volumes/persistentVolumeClaim/claimName", false),
        spec("", "", "Job", "spec/template/spec/volumes/persistentVolumeClaim/claimName", false),
        spec("", "", "DaemonSet", "spec/template/spec/volumes/persistentVolumeClaim/claimName", false),
    ] },
    NameReference { group: "", version: "", kind: "Deployment", referrers: &[
        spec("", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false),
    ] },
    NameReference { group: "", version: "", kind: "StatefulSet", referrers: &[
        spec("", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false),
    ] },
    NameReference { group: "admissionregistration.k8s.io", version: "", kind: "ValidatingAdmissionPolicy", referrers: &[
        spec("admissionregistration.k8s.io", "", "ValidatingAdmissionPolicyBinding", "spec/policyName", false),
    ] },
    NameReference { group: "networking.k8s.io/v1", version: "v1", kind: "IngressClass", referrers: &[
        spec("", "", "Ingress", "spec/ingressClassName", false),
    ] },
    NameReference { group: "", version: "", kind: "ReplicaSet", referrers: &[
        spec("", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false),
    ] },
    NameReference { group: "", version: "", kind: "ReplicationController", referrers: &[
        spec("", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false),
    ] },
];

/// Types with a list that merges somewhere below.
#[rustfmt::skip]
pub(super) static TYPES: &[Type] = &[
    // 0 io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta
    Type { fields: &[
        ("finalizers", Shape::List { of: None, merge: true, keys: &[] }),
        ("ownerReferences", Shape::List { of: None, merge: true, keys: &["uid"] }),
    ] },
    // 1 io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("webhooks", Shape::List { of: None, merge: true, keys: &["name"] }),
    ] },
    // 2 io.k8s.api.admissionregistration.v1.MutatingWebhookConfigurationList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(1)), merge: false, keys: &[] }),
    ] },
    // 3 io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("webhooks", Shape::List { of: None, merge: true, keys: &["name"] }),
    ] },
    // 4 io.k8s.api.admissionregistration.v1.ValidatingWebhookConfigurationList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(3)), merge: false, keys: &[] }),
    ] },
    // 5 io.k8s.api.admissionregistration.v1beta1.MutatingWebhookConfiguration
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("webhooks", Shape::List { of: None, merge: true, keys: &["name"] }),
    ] },
    // 6 io.k8s.api.admissionregistration.v1beta1.MutatingWebhookConfigurationList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(5)), merge: false, keys: &[] }),
    ] },
    // 7 io.k8s.api.admissionregistration.v1beta1.ValidatingWebhookConfiguration
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("webhooks", Shape::List { of: None, merge: true, keys: &["name"] }),
    ] },
    // 8 io.k8s.api.admissionregistration.v1beta1.ValidatingWebhookConfigurationList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(7)), merge: false, keys: &[] }),
    ] },
    // 9 io.k8s.api.apps.v1.ControllerRevision
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 10 io.k8s.api.apps.v1.ControllerRevisionList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(9)), merge: false, keys: &[] }),
    ] },
    // 11 io.k8s.api.core.v1.Container
    Type { fields: &[
        ("env", Shape::List { of: None, merge: true, keys: &["name"] }),
        ("ports", Shape::List { of: None, merge: true, keys: &["containerPort", "protocol"] }),
        ("volumeDevices", Shape::List { of: None, merge: true, keys: &["devicePath"] }),
        ("volumeMounts", Shape::List { of: None, merge: true, keys: &["mountPath"] }),
    ] },
    // 12 io.k8s.api.core.v1.EphemeralContainer
    Type { fields: &[
        ("env", Shape::List { of: None, merge: true, keys: &["name"] }),
        ("volumeDevices", Shape::List { of: None, merge: true, keys: &["devicePath"] }),
        ("volumeMounts", Shape::List { of: None, merge: true, keys: &["mountPath"] }),
    ] },
    // 13 io.k8s.api.core.v1.PersistentVolumeClaimTemplate
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 14 io.k8s.api.core.v1.EphemeralVolumeSource
    Type { fields: &[
        ("volumeClaimTemplate", Shape::Type(13)),
    ] },
    // 15 io.k8s.api.core.v1.Volume
    Type { fields: &[
        ("ephemeral", Shape::Type(14)),
    ] },
    // 16 io.k8s.api.core.v1.PodSpec
    Type { fields: &[
        ("containers", Shape::List { of: Some(&Shape::Type(11)), merge: true, keys: &["name"] }),
        ("ephemeralContainers", Shape::List { of: Some(&Shape::Type(12)), merge: true, keys: &["name"] }),
        ("hostAliases", Shape::List { of: None, merge: true, keys: &["ip"] }),
        ("imagePullSecrets", Shape::List { of: None, merge: true, keys: &["name"] }),
        ("initContainers", Shape::List { of: Some(&Shape::Type(11)), merge: true, keys: &["name"] }),
        ("topologySpreadConstraints", Shape::List { of: None, merge: true, keys: &["topologyKey", "whenUnsatisfiable"] }),
        ("volumes", Shape::List { of: Some(&Shape::Type(15)), merge: true, keys: &["name"] }),
    ] },
    // 17 io.k8s.api.core.v1.PodTemplateSpec
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(16)),
    ] },
    // 18 io.k8s.api.apps.v1.DaemonSetSpec
    Type { fields: &[
        ("template", Shape::Type(17)),
    ] },
    // 19 io.k8s.api.apps.v1.DaemonSetStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 20 io.k8s.api.apps.v1.DaemonSet
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(18)),
        ("status", Shape::Type(19)),
    ] },
    // 21 io.k8s.api.apps.v1.DaemonSetList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(20)), merge: false, keys: &[] }),
    ] },
    // 22 io.k8s.api.apps.v1.DeploymentSpec
    Type { fields: &[
        ("template", Shape::Type(17)),
    ] },
    // 23 io.k8s.api.apps.v1.DeploymentStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 24 io.k8s.api.apps.v1.Deployment
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(22)),
        ("status", Shape::Type(23)),
    ] },
    // 25 io.k8s.api.apps.v1.DeploymentList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(24)), merge: false, keys: &[] }),
    ] },
    // 26 io.k8s.api.apps.v1.Kustomization
    Type { fields: &[
        ("configMapGenerator", Shape::List { of: None, merge: true, keys: &["name"] }),
        ("secretGenerator", Shape::List { of: None, merge: true, keys: &["name"] }),
    ] },
    // 27 io.k8s.api.apps.v1.ReplicaSetSpec
    Type { fields: &[
        ("template", Shape::Type(17)),
    ] },
    // 28 io.k8s.api.apps.v1.ReplicaSetStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 29 io.k8s.api.apps.v1.ReplicaSet
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(27)),
        ("status", Shape::Type(28)),
    ] },
    // 30 io.k8s.api.apps.v1.ReplicaSetList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(29)), merge: false, keys: &[] }),
    ] },
    // 31 io.k8s.api.core.v1.PersistentVolumeClaimStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 32 io.k8s.api.core.v1.PersistentVolumeClaim
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("status", Shape::Type(31)),
    ] },
    // 33 io.k8s.api.apps.v1.StatefulSetSpec
    Type { fields: &[
        ("template", Shape::Type(17)),
        ("volumeClaimTemplates", Shape::List { of: Some(&Shape::Type(32)), merge: false, keys: &[] }),
    ] },
    // 34 io.k8s.api.apps.v1.StatefulSetStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 35 io.k8s.api.apps.v1.StatefulSet
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(33)),
        ("status", Shape::Type(34)),
    ] },
    // 36 io.k8s.api.apps.v1.StatefulSetList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(35)), merge: false, keys: &[] }),
    ] },
    // 37 io.k8s.api.authentication.v1.TokenRequest
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 38 io.k8s.api.authentication.v1.TokenReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 39 io.k8s.api.authentication.v1beta1.TokenReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 40 io.k8s.api.authorization.v1.LocalSubjectAccessReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 41 io.k8s.api.authorization.v1.SelfSubjectAccessReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 42 io.k8s.api.authorization.v1.SelfSubjectRulesReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 43 io.k8s.api.authorization.v1.SubjectAccessReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 44 io.k8s.api.authorization.v1beta1.LocalSubjectAccessReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 45 io.k8s.api.authorization.v1beta1.SelfSubjectAccessReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 46 io.k8s.api.authorization.v1beta1.SelfSubjectRulesReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 47 io.k8s.api.authorization.v1beta1.SubjectAccessReview
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 48 io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 49 io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(48)), merge: false, keys: &[] }),
    ] },
    // 50 io.k8s.api.autoscaling.v1.Scale
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 51 io.k8s.api.autoscaling.v2beta1.HorizontalPodAutoscaler
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 52 io.k8s.api.autoscaling.v2beta1.HorizontalPodAutoscalerList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(51)), merge: false, keys: &[] }),
    ] },
    // 53 io.k8s.api.autoscaling.v2beta2.HorizontalPodAutoscaler
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 54 io.k8s.api.autoscaling.v2beta2.HorizontalPodAutoscalerList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(53)), merge: false, keys: &[] }),
    ] },
    // 55 io.k8s.api.batch.v1.JobSpec
    Type { fields: &[
        ("template", Shape::Type(17)),
    ] },
    // 56 io.k8s.api.batch.v1.JobTemplateSpec
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(55)),
    ] },
    // 57 io.k8s.api.batch.v1.CronJobSpec
    Type { fields: &[
        ("jobTemplate", Shape::Type(56)),
    ] },
    // 58 io.k8s.api.batch.v1.CronJob
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(57)),
    ] },
    // 59 io.k8s.api.batch.v1.CronJobList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(58)), merge: false, keys: &[] }),
    ] },
    // 60 io.k8s.api.batch.v1.JobStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 61 io.k8s.api.batch.v1.Job
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(55)),
        ("status", Shape::Type(60)),
    ] },
    // 62 io.k8s.api.batch.v1.JobList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(61)), merge: false, keys: &[] }),
    ] },
    // 63 io.k8s.api.batch.v1beta1.JobTemplateSpec
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(55)),
    ] },
    // 64 io.k8s.api.batch.v1beta1.CronJobSpec
    Type { fields: &[
        ("jobTemplate", Shape::Type(63)),
    ] },
    // 65 io.k8s.api.batch.v1beta1.CronJob
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(64)),
    ] },
    // 66 io.k8s.api.batch.v1beta1.CronJobList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(65)), merge: false, keys: &[] }),
    ] },
    // 67 io.k8s.api.certificates.v1.CertificateSigningRequest
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 68 io.k8s.api.certificates.v1.CertificateSigningRequestList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(67)), merge: false, keys: &[] }),
    ] },
    // 69 io.k8s.api.certificates.v1beta1.CertificateSigningRequest
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 70 io.k8s.api.certificates.v1beta1.CertificateSigningRequestList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(69)), merge: false, keys: &[] }),
    ] },
    // 71 io.k8s.api.coordination.v1.Lease
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 72 io.k8s.api.coordination.v1.LeaseList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(71)), merge: false, keys: &[] }),
    ] },
    // 73 io.k8s.api.coordination.v1beta1.Lease
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 74 io.k8s.api.coordination.v1beta1.LeaseList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(73)), merge: false, keys: &[] }),
    ] },
    // 75 io.k8s.api.core.v1.Binding
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 76 io.k8s.api.core.v1.ComponentStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
        ("metadata", Shape::Type(0)),
    ] },
    // 77 io.k8s.api.core.v1.ComponentStatusList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(76)), merge: false, keys: &[] }),
    ] },
    // 78 io.k8s.api.core.v1.ConfigMap
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 79 io.k8s.api.core.v1.ConfigMapList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(78)), merge: false, keys: &[] }),
    ] },
    // 80 io.k8s.api.core.v1.Endpoints
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 81 io.k8s.api.core.v1.EndpointsList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(80)), merge: false, keys: &[] }),
    ] },
    // 82 io.k8s.api.core.v1.Event
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 83 io.k8s.api.core.v1.EventList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(82)), merge: false, keys: &[] }),
    ] },
    // 84 io.k8s.api.core.v1.LimitRange
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 85 io.k8s.api.core.v1.LimitRangeList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(84)), merge: false, keys: &[] }),
    ] },
    // 86 io.k8s.api.core.v1.NamespaceStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 87 io.k8s.api.core.v1.Namespace
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("status", Shape::Type(86)),
    ] },
    // 88 io.k8s.api.core.v1.NamespaceList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(87)), merge: false, keys: &[] }),
    ] },
    // 89 io.k8s.api.core.v1.NodeSpec
    Type { fields: &[
        ("podCIDRs", Shape::List { of: None, merge: true, keys: &[] }),
    ] },
    // 90 io.k8s.api.core.v1.NodeStatus
    Type { fields: &[
        ("addresses", Shape::List { of: None, merge: true, keys: &["type"] }),
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 91 io.k8s.api.core.v1.Node
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(89)),
        ("status", Shape::Type(90)),
    ] },
    // 92 io.k8s.api.core.v1.NodeList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(91)), merge: false, keys: &[] }),
    ] },
    // 93 io.k8s.api.core.v1.PersistentVolume
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 94 io.k8s.api.core.v1.PersistentVolumeClaimList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(32)), merge: false, keys: &[] }),
    ] },
    // 95 io.k8s.api.core.v1.PersistentVolumeList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(93)), merge: false, keys: &[] }),
    ] },
    // 96 io.k8s.api.core.v1.PodStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
        ("podIPs", Shape::List { of: None, merge: true, keys: &["ip"] }),
    ] },
    // 97 io.k8s.api.core.v1.Pod
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(16)),
        ("status", Shape::Type(96)),
    ] },
    // 98 io.k8s.api.core.v1.PodList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(97)), merge: false, keys: &[] }),
    ] },
    // 99 io.k8s.api.core.v1.PodTemplate
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("template", Shape::Type(17)),
    ] },
    // 100 io.k8s.api.core.v1.PodTemplateList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(99)), merge: false, keys: &[] }),
    ] },
    // 101 io.k8s.api.core.v1.ReplicationControllerSpec
    Type { fields: &[
        ("template", Shape::Type(17)),
    ] },
    // 102 io.k8s.api.core.v1.ReplicationControllerStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 103 io.k8s.api.core.v1.ReplicationController
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(101)),
        ("status", Shape::Type(102)),
    ] },
    // 104 io.k8s.api.core.v1.ReplicationControllerList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(103)), merge: false, keys: &[] }),
    ] },
    // 105 io.k8s.api.core.v1.ResourceQuota
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 106 io.k8s.api.core.v1.ResourceQuotaList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(105)), merge: false, keys: &[] }),
    ] },
    // 107 io.k8s.api.core.v1.Secret
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 108 io.k8s.api.core.v1.SecretList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(107)), merge: false, keys: &[] }),
    ] },
    // 109 io.k8s.api.core.v1.ServiceSpec
    Type { fields: &[
        ("ports", Shape::List { of: None, merge: true, keys: &["port", "protocol"] }),
    ] },
    // 110 io.k8s.api.core.v1.ServiceStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 111 io.k8s.api.core.v1.Service
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(109)),
        ("status", Shape::Type(110)),
    ] },
    // 112 io.k8s.api.core.v1.ServiceAccount
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("secrets", Shape::List { of: None, merge: true, keys: &["name"] }),
    ] },
    // 113 io.k8s.api.core.v1.ServiceAccountList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(112)), merge: false, keys: &[] }),
    ] },
    // 114 io.k8s.api.core.v1.ServiceList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(111)), merge: false, keys: &[] }),
    ] },
    // 115 io.k8s.api.discovery.v1.EndpointSlice
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 116 io.k8s.api.discovery.v1.EndpointSliceList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(115)), merge: false, keys: &[] }),
    ] },
    // 117 io.k8s.api.discovery.v1beta1.EndpointSlice
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 118 io.k8s.api.discovery.v1beta1.EndpointSliceList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(117)), merge: false, keys: &[] }),
    ] },
    // 119 io.k8s.api.events.v1.Event
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 120 io.k8s.api.events.v1.EventList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(119)), merge: false, keys: &[] }),
    ] },
    // 121 io.k8s.api.events.v1beta1.Event
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 122 io.k8s.api.events.v1beta1.EventList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(121)), merge: false, keys: &[] }),
    ] },
    // 123 io.k8s.api.extensions.v1beta1.Ingress
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 124 io.k8s.api.extensions.v1beta1.IngressList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(123)), merge: false, keys: &[] }),
    ] },
    // 125 io.k8s.api.flowcontrol.v1beta1.FlowSchema
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 126 io.k8s.api.flowcontrol.v1beta1.FlowSchemaList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(125)), merge: false, keys: &[] }),
    ] },
    // 127 io.k8s.api.flowcontrol.v1beta1.PriorityLevelConfiguration
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 128 io.k8s.api.flowcontrol.v1beta1.PriorityLevelConfigurationList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(127)), merge: false, keys: &[] }),
    ] },
    // 129 io.k8s.api.networking.v1.Ingress
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 130 io.k8s.api.networking.v1.IngressClass
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 131 io.k8s.api.networking.v1.IngressClassList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(130)), merge: false, keys: &[] }),
    ] },
    // 132 io.k8s.api.networking.v1.IngressList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(129)), merge: false, keys: &[] }),
    ] },
    // 133 io.k8s.api.networking.v1.NetworkPolicy
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 134 io.k8s.api.networking.v1.NetworkPolicyList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(133)), merge: false, keys: &[] }),
    ] },
    // 135 io.k8s.api.networking.v1beta1.Ingress
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 136 io.k8s.api.networking.v1beta1.IngressClass
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 137 io.k8s.api.networking.v1beta1.IngressClassList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(136)), merge: false, keys: &[] }),
    ] },
    // 138 io.k8s.api.networking.v1beta1.IngressList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(135)), merge: false, keys: &[] }),
    ] },
    // 139 io.k8s.api.node.v1.RuntimeClass
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 140 io.k8s.api.node.v1.RuntimeClassList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(139)), merge: false, keys: &[] }),
    ] },
    // 141 io.k8s.api.node.v1beta1.RuntimeClass
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 142 io.k8s.api.node.v1beta1.RuntimeClassList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(141)), merge: false, keys: &[] }),
    ] },
    // 143 io.k8s.api.policy.v1.PodDisruptionBudgetStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 144 io.k8s.api.policy.v1.PodDisruptionBudget
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("status", Shape::Type(143)),
    ] },
    // 145 io.k8s.api.policy.v1.PodDisruptionBudgetList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(144)), merge: false, keys: &[] }),
    ] },
    // 146 io.k8s.api.policy.v1beta1.Eviction
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 147 io.k8s.api.policy.v1beta1.PodDisruptionBudgetStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 148 io.k8s.api.policy.v1beta1.PodDisruptionBudget
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("status", Shape::Type(147)),
    ] },
    // 149 io.k8s.api.policy.v1beta1.PodDisruptionBudgetList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(148)), merge: false, keys: &[] }),
    ] },
    // 150 io.k8s.api.policy.v1beta1.PodSecurityPolicy
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 151 io.k8s.api.policy.v1beta1.PodSecurityPolicyList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(150)), merge: false, keys: &[] }),
    ] },
    // 152 io.k8s.api.rbac.v1.ClusterRole
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 153 io.k8s.api.rbac.v1.ClusterRoleBinding
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 154 io.k8s.api.rbac.v1.ClusterRoleBindingList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(153)), merge: false, keys: &[] }),
    ] },
    // 155 io.k8s.api.rbac.v1.ClusterRoleList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(152)), merge: false, keys: &[] }),
    ] },
    // 156 io.k8s.api.rbac.v1.Role
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 157 io.k8s.api.rbac.v1.RoleBinding
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 158 io.k8s.api.rbac.v1.RoleBindingList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(157)), merge: false, keys: &[] }),
    ] },
    // 159 io.k8s.api.rbac.v1.RoleList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(156)), merge: false, keys: &[] }),
    ] },
    // 160 io.k8s.api.rbac.v1beta1.ClusterRole
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 161 io.k8s.api.rbac.v1beta1.ClusterRoleBinding
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 162 io.k8s.api.rbac.v1beta1.ClusterRoleBindingList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(161)), merge: false, keys: &[] }),
    ] },
    // 163 io.k8s.api.rbac.v1beta1.ClusterRoleList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(160)), merge: false, keys: &[] }),
    ] },
    // 164 io.k8s.api.rbac.v1beta1.Role
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 165 io.k8s.api.rbac.v1beta1.RoleBinding
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 166 io.k8s.api.rbac.v1beta1.RoleBindingList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(165)), merge: false, keys: &[] }),
    ] },
    // 167 io.k8s.api.rbac.v1beta1.RoleList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(164)), merge: false, keys: &[] }),
    ] },
    // 168 io.k8s.api.scheduling.v1.PriorityClass
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 169 io.k8s.api.scheduling.v1.PriorityClassList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(168)), merge: false, keys: &[] }),
    ] },
    // 170 io.k8s.api.scheduling.v1beta1.PriorityClass
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 171 io.k8s.api.scheduling.v1beta1.PriorityClassList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(170)), merge: false, keys: &[] }),
    ] },
    // 172 io.k8s.api.storage.v1.CSIDriver
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 173 io.k8s.api.storage.v1.CSIDriverList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(172)), merge: false, keys: &[] }),
    ] },
    // 174 io.k8s.api.storage.v1.CSINodeSpec
    Type { fields: &[
        ("drivers", Shape::List { of: None, merge: true, keys: &["name"] }),
    ] },
    // 175 io.k8s.api.storage.v1.CSINode
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(174)),
    ] },
    // 176 io.k8s.api.storage.v1.CSINodeList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(175)), merge: false, keys: &[] }),
    ] },
    // 177 io.k8s.api.storage.v1.StorageClass
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 178 io.k8s.api.storage.v1.StorageClassList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(177)), merge: false, keys: &[] }),
    ] },
    // 179 io.k8s.api.storage.v1.VolumeAttachment
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 180 io.k8s.api.storage.v1.VolumeAttachmentList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(179)), merge: false, keys: &[] }),
    ] },
    // 181 io.k8s.api.storage.v1beta1.CSIDriver
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 182 io.k8s.api.storage.v1beta1.CSIDriverList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(181)), merge: false, keys: &[] }),
    ] },
    // 183 io.k8s.api.storage.v1beta1.CSINodeSpec
    Type { fields: &[
        ("drivers", Shape::List { of: None, merge: true, keys: &["name"] }),
    ] },
    // 184 io.k8s.api.storage.v1beta1.CSINode
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("spec", Shape::Type(183)),
    ] },
    // 185 io.k8s.api.storage.v1beta1.CSINodeList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(184)), merge: false, keys: &[] }),
    ] },
    // 186 io.k8s.api.storage.v1beta1.CSIStorageCapacity
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 187 io.k8s.api.storage.v1beta1.CSIStorageCapacityList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(186)), merge: false, keys: &["name"] }),
    ] },
    // 188 io.k8s.api.storage.v1beta1.StorageClass
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 189 io.k8s.api.storage.v1beta1.StorageClassList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(188)), merge: false, keys: &[] }),
    ] },
    // 190 io.k8s.api.storage.v1beta1.VolumeAttachment
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 191 io.k8s.api.storage.v1beta1.VolumeAttachmentList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(190)), merge: false, keys: &[] }),
    ] },
    // 192 io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 193 io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(192)), merge: false, keys: &[] }),
    ] },
    // 194 io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1.CustomResourceDefinition
    Type { fields: &[
        ("metadata", Shape::Type(0)),
    ] },
    // 195 io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1.CustomResourceDefinitionList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(194)), merge: false, keys: &[] }),
    ] },
    // 196 io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 197 io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("status", Shape::Type(196)),
    ] },
    // 198 io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(197)), merge: false, keys: &[] }),
    ] },
    // 199 io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIServiceStatus
    Type { fields: &[
        ("conditions", Shape::List { of: None, merge: true, keys: &["type"] }),
    ] },
    // 200 io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIService
    Type { fields: &[
        ("metadata", Shape::Type(0)),
        ("status", Shape::Type(199)),
    ] },
    // 201 io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIServiceList
    Type { fields: &[
        ("items", Shape::List { of: Some(&Shape::Type(200)), merge: false, keys: &[] }),
    ] },
];

/// The types by the names of their definitions, sorted.
#[rustfmt::skip]
pub(super) static DEFINITIONS: &[(&str, u16)] = &[
    ("io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration", 1),
    ("io.k8s.api.admissionregistration.v1.MutatingWebhookConfigurationList", 2),
    ("io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration", 3),
    ("io.k8s.api.admissionregistration.v1.ValidatingWebhookConfigurationList", 4),
    ("io.k8s.api.admissionregistration.v1beta1.MutatingWebhookConfiguration", 5),
    ("io.k8s.api.admissionregistration.v1beta1.MutatingWebhookConfigurationList", 6),
    ("io.k8s.api.admissionregistration.v1beta1.ValidatingWebhookConfiguration", 7),
    ("io.k8s.api.admissionregistration.v1beta1.ValidatingWebhookConfigurationList", 8),
    ("io.k8s.api.apps.v1.ControllerRevision", 9),
    ("io.k8s.api.apps.v1.ControllerRevisionList", 10),
    ("io.k8s.api.apps.v1.DaemonSet", 20),
    ("io.k8s.api.apps.v1.DaemonSetList", 21),
    ("io.k8s.api.apps.v1.DaemonSetSpec", 18),
    ("io.k8s.api.apps.v1.DaemonSetStatus", 19),
    ("io.k8s.api.apps.v1.Deployment", 24),
    ("io.k8s.api.apps.v1.DeploymentList", 25),
    ("io.k8s.api.apps.v1.DeploymentSpec", 22),
    ("io.k8s.api.apps.v1.DeploymentStatus", 23),
    ("io.k8s.api.apps.v1.Kustomization", 26),
    ("io.k8s.api.apps.v1.ReplicaSet", 29),
    ("io.k8s.api.apps.v1.ReplicaSetList", 30),
    ("io.k8s.api.apps.v1.ReplicaSetSpec", 27),
    ("io.k8s.api.apps.v1.ReplicaSetStatus", 28),
    ("io.k8s.api.apps.v1.StatefulSet", 35),
    ("io.k8s.api.apps.v1.StatefulSetList", 36),
    ("io.k8s.api.apps.v1.StatefulSetSpec", 33),
    ("io.k8s.api.apps.v1.StatefulSetStatus", 34),
    ("io.k8s.api.authentication.v1.TokenRequest", 37),
    ("io.k8s.api.authentication.v1.TokenReview", 38),
    ("io.k8s.api.authentication.v1beta1.TokenReview", 39),
    ("io.k8s.api.authorization.v1.LocalSubjectAccessReview", 40),
    ("io.k8s.api.authorization.v1.SelfSubjectAccessReview", 41),
    ("io.k8s.api.authorization.v1.SelfSubjectRulesReview", 42),
    ("io.k8s.api.authorization.v1.SubjectAccessReview", 43),
    ("io.k8s.api.authorization.v1beta1.LocalSubjectAccessReview", 44),
    ("io.k8s.api.authorization.v1beta1.SelfSubjectAccessReview", 45),
    ("io.k8s.api.authorization.v1beta1.SelfSubjectRulesReview", 46),
    ("io.k8s.api.authorization.v1beta1.SubjectAccessReview", 47),
    ("io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler", 48),
    ("io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerList", 49),
    ("io.k8s.api.autoscaling.v1.Scale", 50),
    ("io.k8s.api.autoscaling.v2beta1.HorizontalPodAutoscaler", 51),
    ("io.k8s.api.autoscaling.v2beta1.HorizontalPodAutoscalerList", 52),
    ("io.k8s.api.autoscaling.v2beta2.HorizontalPodAutoscaler", 53),
    ("io.k8s.api.autoscaling.v2beta2.HorizontalPodAutoscalerList", 54),
    ("io.k8s.api.batch.v1.CronJob", 58),
    ("io.k8s.api.batch.v1.CronJobList", 59),
    ("io.k8s.api.batch.v1.CronJobSpec", 57),
    ("io.k8s.api.batch.v1.Job", 61),
    ("io.k8s.api.batch.v1.JobList", 62),
    ("io.k8s.api.batch.v1.JobSpec", 55),
    ("io.k8s.api.batch.v1.JobStatus", 60),
    ("io.k8s.api.batch.v1.JobTemplateSpec", 56),
    ("io.k8s.api.batch.v1beta1.CronJob", 65),
    ("io.k8s.api.batch.v1beta1.CronJobList", 66),
    ("io.k8s.api.batch.v1beta1.CronJobSpec", 64),
    ("io.k8s.api.batch.v1beta1.JobTemplateSpec", 63),
    ("io.k8s.api.certificates.v1.CertificateSigningRequest", 67),
    ("io.k8s.api.certificates.v1.CertificateSigningRequestList", 68),
    ("io.k8s.api.certificates.v1beta1.CertificateSigningRequest", 69),
    ("io.k8s.api.certificates.v1beta1.CertificateSigningRequestList", 70),
    ("io.k8s.api.coordination.v1.Lease", 71),
    ("io.k8s.api.coordination.v1.LeaseList", 72),
    ("io.k8s.api.coordination.v1beta1.Lease", 73),
    ("io.k8s.api.coordination.v1beta1.LeaseList", 74),
    ("io.k8s.api.core.v1.Binding", 75),
    ("io.k8s.api.core.v1.ComponentStatus", 76),
    ("io.k8s.api.core.v1.ComponentStatusList", 77),
    ("io.k8s.api.core.v1.ConfigMap", 78),
    ("io.k8s.api.core.v1.ConfigMapList", 79),
    ("io.k8s.api.core.v1.Container", 11),
    ("io.k8s.api.core.v1.Endpoints", 80),
    ("io.k8s.api.core.v1.EndpointsList", 81),
    ("io.k8s.api.core.v1.EphemeralContainer", 12),
    ("io.k8s.api.core.v1.EphemeralVolumeSource", 14),
    ("io.k8s.api.core.v1.Event", 82),
    ("io.k8s.api.core.v1.EventList", 83),
    ("io.k8s.api.core.v1.LimitRange", 84),
    ("io.k8s.api.core.v1.LimitRangeList", 85),
    ("io.k8s.api.core.v1.Namespace", 87),
    ("io.k8s.api.core.v1.NamespaceList", 88),
    ("io.k8s.api.core.v1.NamespaceStatus", 86),
    ("io.k8s.api.core.v1.Node", 91),
    ("io.k8s.api.core.v1.NodeList", 92),
    ("io.k8s.api.core.v1.NodeSpec", 89),
    ("io.k8s.api.core.v1.NodeStatus", 90),
    ("io.k8s.api.core.v1.PersistentVolume", 93),
    ("io.k8s.api.core.v1.PersistentVolumeClaim", 32),
    ("io.k8s.api.core.v1.PersistentVolumeClaimList", 94),
    ("io.k8s.api.core.v1.PersistentVolumeClaimStatus", 31),
    ("io.k8s.api.core.v1.PersistentVolumeClaimTemplate", 13),
    ("io.k8s.api.core.v1.PersistentVolumeList", 95),
    ("io.k8s.api.core.v1.Pod", 97),
    ("io.k8s.api.core.v1.PodList", 98),
    ("io.k8s.api.core.v1.PodSpec", 16),
    ("io.k8s.api.core.v1.PodStatus", 96),
    ("io.k8s.api.core.v1.PodTemplate", 99),
    ("io.k8s.api.core.v1.PodTemplateList", 100),
    ("io.k8s.api.core.v1.PodTemplateSpec", 17),
    ("io.k8s.api.core.v1.ReplicationController", 103),
    ("io.k8s.api.core.v1.ReplicationControllerList", 104),
    ("io.k8s.api.core.v1.ReplicationControllerSpec", 101),
    ("io.k8s.api.core.v1.ReplicationControllerStatus", 102),
    ("io.k8s.api.core.v1.ResourceQuota", 105),
    ("io.k8s.api.core.v1.ResourceQuotaList", 106),
    ("io.k8s.api.core.v1.Secret", 107),
    ("io.k8s.api.core.v1.SecretList", 108),
    ("io.k8s.api.core.v1.Service", 111),
    ("io.k8s.api.core.v1.ServiceAccount", 112),
    ("io.k8s.api.core.v1.ServiceAccountList", 113),
    ("io.k8s.api.core.v1.ServiceList", 114),
    ("io.k8s.api.core.v1.ServiceSpec", 109),
    ("io.k8s.api.core.v1.ServiceStatus", 110),
    ("io.k8s.api.core.v1.Volume", 15),
    ("io.k8s.api.discovery.v1.EndpointSlice", 115),
    ("io.k8s.api.discovery.v1.EndpointSliceList", 116),
    ("io.k8s.api.discovery.v1beta1.EndpointSlice", 117),
    ("io.k8s.api.discovery.v1beta1.EndpointSliceList", 118),
    ("io.k8s.api.events.v1.Event", 119),
    ("io.k8s.api.events.v1.EventList", 120),
    ("io.k8s.api.events.v1beta1.Event", 121),
    ("io.k8s.api.events.v1beta1.EventList", 122),
    ("io.k8s.api.extensions.v1beta1.Ingress", 123),
    ("io.k8s.api.extensions.v1beta1.IngressList", 124),
    ("io.k8s.api.flowcontrol.v1beta1.FlowSchema", 125),
    ("io.k8s.api.flowcontrol.v1beta1.FlowSchemaList", 126),
    ("io.k8s.api.flowcontrol.v1beta1.PriorityLevelConfiguration", 127),
    ("io.k8s.api.flowcontrol.v1beta1.PriorityLevelConfigurationList", 128),
    ("io.k8s.api.networking.v1.Ingress", 129),
    ("io.k8s.api.networking.v1.IngressClass", 130),
    ("io.k8s.api.networking.v1.IngressClassList", 131),
    ("io.k8s.api.networking.v1.IngressList", 132),
    ("io.k8s.api.networking.v1.NetworkPolicy", 133),
    ("io.k8s.api.networking.v1.NetworkPolicyList", 134),
    ("io.k8s.api.networking.v1beta1.Ingress", 135),
    ("io.k8s.api.networking.v1beta1.IngressClass", 136),
    ("io.k8s.api.networking.v1beta1.IngressClassList", 137),
    ("io.k8s.api.networking.v1beta1.IngressList", 138),
    ("io.k8s.api.node.v1.RuntimeClass", 139),
    ("io.k8s.api.node.v1.RuntimeClassList", 140),
    ("io.k8s.api.node.v1beta1.RuntimeClass", 141),
    ("io.k8s.api.node.v1beta1.RuntimeClassList", 142),
    ("io.k8s.api.policy.v1.PodDisruptionBudget", 144),
    ("io.k8s.api.policy.v1.PodDisruptionBudgetList", 145),
    ("io.k8s.api.policy.v1.PodDisruptionBudgetStatus", 143),
    ("io.k8s.api.policy.v1beta1.Eviction", 146),
    ("io.k8s.api.policy.v1beta1.PodDisruptionBudget", 148),
    ("io.k8s.api.policy.v1beta1.PodDisruptionBudgetList", 149),
    ("io.k8s.api.policy.v1beta1.PodDisruptionBudgetStatus", 147),
    ("io.k8s.api.policy.v1beta1.PodSecurityPolicy", 150),
    ("io.k8s.api.policy.v1beta1.PodSecurityPolicyList", 151),
    ("io.k8s.api.rbac.v1.ClusterRole", 152),
    ("io.k8s.api.rbac.v1.ClusterRoleBinding", 153),
    ("io.k8s.api.rbac.v1.ClusterRoleBindingList", 154),
    ("io.k8s.api.rbac.v1.ClusterRoleList", 155),
    ("io.k8s.api.rbac.v1.Role", 156),
    ("io.k8s.api.rbac.v1.RoleBinding", 157),
    ("io.k8s.api.rbac.v1.RoleBindingList", 158),
    ("io.k8s.api.rbac.v1.RoleList", 159),
    ("io.k8s.api.rbac.v1beta1.ClusterRole", 160),
    ("io.k8s.api.rbac.v1beta1.ClusterRoleBinding", 161),
    ("io.k8s.api.rbac.v1beta1.ClusterRoleBindingList", 162),
    ("io.k8s.api.rbac.v1beta1.ClusterRoleList", 163),
    ("io.k8s.api.rbac.v1beta1.Role", 164),
    ("io.k8s.api.rbac.v1beta1.RoleBinding", 165),
    ("io.k8s.api.rbac.v1beta1.RoleBindingList", 166),
    ("io.k8s.api.rbac.v1beta1.RoleList", 167),
    ("io.k8s.api.scheduling.v1.PriorityClass", 168),
    ("io.k8s.api.scheduling.v1.PriorityClassList", 169),
    ("io.k8s.api.scheduling.v1beta1.PriorityClass", 170),
    ("io.k8s.api.scheduling.v1beta1.PriorityClassList", 171),
    ("io.k8s.api.storage.v1.CSIDriver", 172),
    ("io.k8s.api.storage.v1.CSIDriverList", 173),
    ("io.k8s.api.storage.v1.CSINode", 175),
    ("io.k8s.api.storage.v1.CSINodeList", 176),
    ("io.k8s.api.storage.v1.CSINodeSpec", 174),
    ("io.k8s.api.storage.v1.StorageClass", 177),
    ("io.k8s.api.storage.v1.StorageClassList", 178),
    ("io.k8s.api.storage.v1.VolumeAttachment", 179),
    ("io.k8s.api.storage.v1.VolumeAttachmentList", 180),
    ("io.k8s.api.storage.v1beta1.CSIDriver", 181),
    ("io.k8s.api.storage.v1beta1.CSIDriverList", 182),
    ("io.k8s.api.storage.v1beta1.CSINode", 184),
    ("io.k8s.api.storage.v1beta1.CSINodeList", 185),
    ("io.k8s.api.storage.v1beta1.CSINodeSpec", 183),
    ("io.k8s.api.storage.v1beta1.CSIStorageCapacity", 186),
    ("io.k8s.api.storage.v1beta1.CSIStorageCapacityList", 187),
    ("io.k8s.api.storage.v1beta1.StorageClass", 188),
    ("io.k8s.api.storage.v1beta1.StorageClassList", 189),
    ("io.k8s.api.storage.v1beta1.VolumeAttachment", 190),
    ("io.k8s.api.storage.v1beta1.VolumeAttachmentList", 191),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition", 192),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionList", 193),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1.CustomResourceDefinition", 194),
    ("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1beta1.CustomResourceDefinitionList", 195),
    ("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta", 0),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService", 197),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceList", 198),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus", 196),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIService", 200),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIServiceList", 201),
    ("io.k8s.kube-aggregator.pkg.apis.apiregistration.v1beta1.APIServiceStatus", 199),
];

/// Every kind the schema knows, sorted.
#[rustfmt::skip]
pub(super) static KINDS: &[TypeOf] = &[
    TypeOf { api_version: "admission.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "admission.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "admission.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "admission.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "admissionregistration.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", index: Some(1) },
    TypeOf { api_version: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfigurationList", index: Some(2) },
    TypeOf { api_version: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration", index: Some(3) },
    TypeOf { api_version: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfigurationList", index: Some(4) },
    TypeOf { api_version: "admissionregistration.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "admissionregistration.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "admissionregistration.k8s.io/v1beta1", kind: "MutatingWebhookConfiguration", index: Some(5) },
    TypeOf { api_version: "admissionregistration.k8s.io/v1beta1", kind: "MutatingWebhookConfigurationList", index: Some(6) },
    TypeOf { api_version: "admissionregistration.k8s.io/v1beta1", kind: "ValidatingWebhookConfiguration", index: Some(7) },
    TypeOf { api_version: "admissionregistration.k8s.io/v1beta1", kind: "ValidatingWebhookConfigurationList", index: Some(8) },
    TypeOf { api_version: "admissionregistration.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", index: Some(192) },
    TypeOf { api_version: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinitionList", index: Some(193) },
    TypeOf { api_version: "apiextensions.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "apiextensions.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "apiextensions.k8s.io/v1beta1", kind: "CustomResourceDefinition", index: Some(194) },
    TypeOf { api_version: "apiextensions.k8s.io/v1beta1", kind: "CustomResourceDefinitionList", index: Some(195) },
    TypeOf { api_version: "apiextensions.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "apiextensions.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "apiregistration.k8s.io/v1", kind: "APIService", index: Some(197) },
    TypeOf { api_version: "apiregistration.k8s.io/v1", kind: "APIServiceList", index: Some(198) },
    TypeOf { api_version: "apiregistration.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "apiregistration.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "apiregistration.k8s.io/v1beta1", kind: "APIService", index: Some(200) },
    TypeOf { api_version: "apiregistration.k8s.io/v1beta1", kind: "APIServiceList", index: Some(201) },
    TypeOf { api_version: "apiregistration.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "apiregistration.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "apps/v1", kind: "ControllerRevision", index: Some(9) },
    TypeOf { api_version: "apps/v1", kind: "ControllerRevisionList", index: Some(10) },
    TypeOf { api_version: "apps/v1", kind: "DaemonSet", index: Some(20) },
    TypeOf { api_version: "apps/v1", kind: "DaemonSetList", index: Some(21) },
    TypeOf { api_version: "apps/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "apps/v1", kind: "Deployment", index: Some(24) },
    TypeOf { api_version: "apps/v1", kind: "DeploymentList", index: Some(25) },
    TypeOf { api_version: "apps/v1", kind: "ReplicaSet", index: Some(29) },
    TypeOf { api_version: "apps/v1", kind: "ReplicaSetList", index: Some(30) },
    TypeOf { api_version: "apps/v1", kind: "StatefulSet", index: Some(35) },
    TypeOf { api_version: "apps/v1", kind: "StatefulSetList", index: Some(36) },
    TypeOf { api_version: "apps/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "apps/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "apps/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "apps/v1beta2", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "apps/v1beta2", kind: "WatchEvent", index: None },
    TypeOf { api_version: "authentication.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "authentication.k8s.io/v1", kind: "TokenRequest", index: Some(37) },
    TypeOf { api_version: "authentication.k8s.io/v1", kind: "TokenReview", index: Some(38) },
    TypeOf { api_version: "authentication.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "authentication.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "authentication.k8s.io/v1beta1", kind: "TokenReview", index: Some(39) },
    TypeOf { api_version: "authentication.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "authorization.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "authorization.k8s.io/v1", kind: "LocalSubjectAccessReview", index: Some(40) },
    TypeOf { api_version: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", index: Some(41) },
    TypeOf { api_version: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", index: Some(42) },
    TypeOf { api_version: "authorization.k8s.io/v1", kind: "SubjectAccessReview", index: Some(43) },
    TypeOf { api_version: "authorization.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "authorization.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "authorization.k8s.io/v1beta1", kind: "LocalSubjectAccessReview", index: Some(44) },
    TypeOf { api_version: "authorization.k8s.io/v1beta1", kind: "SelfSubjectAccessReview", index: Some(45) },
    TypeOf { api_version: "authorization.k8s.io/v1beta1", kind: "SelfSubjectRulesReview", index: Some(46) },
    TypeOf { api_version: "authorization.k8s.io/v1beta1", kind: "SubjectAccessReview", index: Some(47) },
    TypeOf { api_version: "authorization.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "autoscaling/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "autoscaling/v1", kind: "HorizontalPodAutoscaler", index: Some(48) },
    TypeOf { api_version: "autoscaling/v1", kind: "HorizontalPodAutoscalerList", index: Some(49) },
    TypeOf { api_version: "autoscaling/v1", kind: "Scale", index: Some(50) },
    TypeOf { api_version: "autoscaling/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "autoscaling/v2beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "autoscaling/v2beta1", kind: "HorizontalPodAutoscaler", index: Some(51) },
    TypeOf { api_version: "autoscaling/v2beta1", kind: "HorizontalPodAutoscalerList", index: Some(52) },
    TypeOf { api_version: "autoscaling/v2beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "autoscaling/v2beta2", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "autoscaling/v2beta2", kind: "HorizontalPodAutoscaler", index: Some(53) },
    TypeOf { api_version: "autoscaling/v2beta2", kind: "HorizontalPodAutoscalerList", index: Some(54) },
    TypeOf { api_version: "autoscaling/v2beta2", kind: "WatchEvent", index: None },
    TypeOf { api_version: "batch/v1", kind: "CronJob", index: Some(58) },
    TypeOf { api_version: "batch/v1", kind: "CronJobList", index: Some(59) },
    TypeOf { api_version: "batch/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "batch/v1", kind: "Job", index: Some(61) },
    TypeOf { api_version: "batch/v1", kind: "JobList", index: Some(62) },
    TypeOf { api_version: "batch/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "batch/v1beta1", kind: "CronJob", index: Some(65) },
    TypeOf { api_version: "batch/v1beta1", kind: "CronJobList", index: Some(66) },
    TypeOf { api_version: "batch/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "batch/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", index: Some(67) },
    TypeOf { api_version: "certificates.k8s.io/v1", kind: "CertificateSigningRequestList", index: Some(68) },
    TypeOf { api_version: "certificates.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "certificates.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "certificates.k8s.io/v1beta1", kind: "CertificateSigningRequest", index: Some(69) },
    TypeOf { api_version: "certificates.k8s.io/v1beta1", kind: "CertificateSigningRequestList", index: Some(70) },
    TypeOf { api_version: "certificates.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "certificates.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "coordination.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "coordination.k8s.io/v1", kind: "Lease", index: Some(71) },
    TypeOf { api_version: "coordination.k8s.io/v1", kind: "LeaseList", index: Some(72) },
    TypeOf { api_version: "coordination.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "coordination.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "coordination.k8s.io/v1beta1", kind: "Lease", index: Some(73) },
    TypeOf { api_version: "coordination.k8s.io/v1beta1", kind: "LeaseList", index: Some(74) },
    TypeOf { api_version: "coordination.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "discovery.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "discovery.k8s.io/v1", kind: "EndpointSlice", index: Some(115) },
    TypeOf { api_version: "discovery.k8s.io/v1", kind: "EndpointSliceList", index: Some(116) },
    TypeOf { api_version: "discovery.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "discovery.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "discovery.k8s.io/v1beta1", kind: "EndpointSlice", index: Some(117) },
    TypeOf { api_version: "discovery.k8s.io/v1beta1", kind: "EndpointSliceList", index: Some(118) },
    TypeOf { api_version: "discovery.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "events.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "events.k8s.io/v1", kind: "Event", index: Some(119) },
    TypeOf { api_version: "events.k8s.io/v1", kind: "EventList", index: Some(120) },
    TypeOf { api_version: "events.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "events.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "events.k8s.io/v1beta1", kind: "Event", index: Some(121) },
    TypeOf { api_version: "events.k8s.io/v1beta1", kind: "EventList", index: Some(122) },
    TypeOf { api_version: "events.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "extensions/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "extensions/v1beta1", kind: "Ingress", index: Some(123) },
    TypeOf { api_version: "extensions/v1beta1", kind: "IngressList", index: Some(124) },
    TypeOf { api_version: "extensions/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "flowcontrol.apiserver.k8s.io/v1alpha1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "flowcontrol.apiserver.k8s.io/v1alpha1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "flowcontrol.apiserver.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "flowcontrol.apiserver.k8s.io/v1beta1", kind: "FlowSchema", index: Some(125) },
    TypeOf { api_version: "flowcontrol.apiserver.k8s.io/v1beta1", kind: "FlowSchemaList", index: Some(126) },
    TypeOf { api_version: "flowcontrol.apiserver.k8s.io/v1beta1", kind: "PriorityLevelConfiguration", index: Some(127) },
    TypeOf { api_version: "flowcontrol.apiserver.k8s.io/v1beta1", kind: "PriorityLevelConfigurationList", index: Some(128) },
    TypeOf { api_version: "flowcontrol.apiserver.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "imagepolicy.k8s.io/v1alpha1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "imagepolicy.k8s.io/v1alpha1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "internal.apiserver.k8s.io/v1alpha1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "internal.apiserver.k8s.io/v1alpha1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "kustomize.config.k8s.io/v1beta1", kind: "ConfigMapArgs", index: None },
    TypeOf { api_version: "kustomize.config.k8s.io/v1beta1", kind: "GeneratorArgs", index: None },
    TypeOf { api_version: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", index: Some(26) },
    TypeOf { api_version: "kustomize.config.k8s.io/v1beta1", kind: "KvPairSources", index: None },
    TypeOf { api_version: "kustomize.config.k8s.io/v1beta1", kind: "SecretArgs", index: None },
    TypeOf { api_version: "networking.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "networking.k8s.io/v1", kind: "Ingress", index: Some(129) },
    TypeOf { api_version: "networking.k8s.io/v1", kind: "IngressClass", index: Some(130) },
    TypeOf { api_version: "networking.k8s.io/v1", kind: "IngressClassList", index: Some(131) },
    TypeOf { api_version: "networking.k8s.io/v1", kind: "IngressList", index: Some(132) },
    TypeOf { api_version: "networking.k8s.io/v1", kind: "NetworkPolicy", index: Some(133) },
    TypeOf { api_version: "networking.k8s.io/v1", kind: "NetworkPolicyList", index: Some(134) },
    TypeOf { api_version: "networking.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "networking.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "networking.k8s.io/v1beta1", kind: "Ingress", index: Some(135) },
    TypeOf { api_version: "networking.k8s.io/v1beta1", kind: "IngressClass", index: Some(136) },
    TypeOf { api_version: "networking.k8s.io/v1beta1", kind: "IngressClassList", index: Some(137) },
    TypeOf { api_version: "networking.k8s.io/v1beta1", kind: "IngressList", index: Some(138) },
    TypeOf { api_version: "networking.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "node.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "node.k8s.io/v1", kind: "RuntimeClass", index: Some(139) },
    TypeOf { api_version: "node.k8s.io/v1", kind: "RuntimeClassList", index: Some(140) },
    TypeOf { api_version: "node.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "node.k8s.io/v1alpha1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "node.k8s.io/v1alpha1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "node.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "node.k8s.io/v1beta1", kind: "RuntimeClass", index: Some(141) },
    TypeOf { api_version: "node.k8s.io/v1beta1", kind: "RuntimeClassList", index: Some(142) },
    TypeOf { api_version: "node.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "policy/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "policy/v1", kind: "PodDisruptionBudget", index: Some(144) },
    TypeOf { api_version: "policy/v1", kind: "PodDisruptionBudgetList", index: Some(145) },
    TypeOf { api_version: "policy/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "policy/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "policy/v1beta1", kind: "Eviction", index: Some(146) },
    TypeOf { api_version: "policy/v1beta1", kind: "PodDisruptionBudget", index: Some(148) },
    TypeOf { api_version: "policy/v1beta1", kind: "PodDisruptionBudgetList", index: Some(149) },
    TypeOf { api_version: "policy/v1beta1", kind: "PodSecurityPolicy", index: Some(150) },
    TypeOf { api_version: "policy/v1beta1", kind: "PodSecurityPolicyList", index: Some(151) },
    TypeOf { api_version: "policy/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", index: Some(152) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", index: Some(153) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBindingList", index: Some(154) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleList", index: Some(155) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "Role", index: Some(156) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", index: Some(157) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "RoleBindingList", index: Some(158) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "RoleList", index: Some(159) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1alpha1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1alpha1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "ClusterRole", index: Some(160) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "ClusterRoleBinding", index: Some(161) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "ClusterRoleBindingList", index: Some(162) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "ClusterRoleList", index: Some(163) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "Role", index: Some(164) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "RoleBinding", index: Some(165) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "RoleBindingList", index: Some(166) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "RoleList", index: Some(167) },
    TypeOf { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "scheduling.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "scheduling.k8s.io/v1", kind: "PriorityClass", index: Some(168) },
    TypeOf { api_version: "scheduling.k8s.io/v1", kind: "PriorityClassList", index: Some(169) },
    TypeOf { api_version: "scheduling.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "scheduling.k8s.io/v1alpha1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "scheduling.k8s.io/v1alpha1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "scheduling.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "scheduling.k8s.io/v1beta1", kind: "PriorityClass", index: Some(170) },
    TypeOf { api_version: "scheduling.k8s.io/v1beta1", kind: "PriorityClassList", index: Some(171) },
    TypeOf { api_version: "scheduling.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "CSIDriver", index: Some(172) },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "CSIDriverList", index: Some(173) },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "CSINode", index: Some(175) },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "CSINodeList", index: Some(176) },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "StorageClass", index: Some(177) },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "StorageClassList", index: Some(178) },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "VolumeAttachment", index: Some(179) },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "VolumeAttachmentList", index: Some(180) },
    TypeOf { api_version: "storage.k8s.io/v1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "storage.k8s.io/v1alpha1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "storage.k8s.io/v1alpha1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "CSIDriver", index: Some(181) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "CSIDriverList", index: Some(182) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "CSINode", index: Some(184) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "CSINodeList", index: Some(185) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "CSIStorageCapacity", index: Some(186) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "CSIStorageCapacityList", index: Some(187) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "StorageClass", index: Some(188) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "StorageClassList", index: Some(189) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "VolumeAttachment", index: Some(190) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "VolumeAttachmentList", index: Some(191) },
    TypeOf { api_version: "storage.k8s.io/v1beta1", kind: "WatchEvent", index: None },
    TypeOf { api_version: "v1", kind: "APIGroup", index: None },
    TypeOf { api_version: "v1", kind: "APIGroupList", index: None },
    TypeOf { api_version: "v1", kind: "APIResourceList", index: None },
    TypeOf { api_version: "v1", kind: "APIVersions", index: None },
    TypeOf { api_version: "v1", kind: "Binding", index: Some(75) },
    TypeOf { api_version: "v1", kind: "ComponentStatus", index: Some(76) },
    TypeOf { api_version: "v1", kind: "ComponentStatusList", index: Some(77) },
    TypeOf { api_version: "v1", kind: "ConfigMap", index: Some(78) },
    TypeOf { api_version: "v1", kind: "ConfigMapList", index: Some(79) },
    TypeOf { api_version: "v1", kind: "DeleteOptions", index: None },
    TypeOf { api_version: "v1", kind: "Endpoints", index: Some(80) },
    TypeOf { api_version: "v1", kind: "EndpointsList", index: Some(81) },
    TypeOf { api_version: "v1", kind: "Event", index: Some(82) },
    TypeOf { api_version: "v1", kind: "EventList", index: Some(83) },
    TypeOf { api_version: "v1", kind: "LimitRange", index: Some(84) },
    TypeOf { api_version: "v1", kind: "LimitRangeList", index: Some(85) },
    TypeOf { api_version: "v1", kind: "Namespace", index: Some(87) },
    TypeOf { api_version: "v1", kind: "NamespaceList", index: Some(88) },
    TypeOf { api_version: "v1", kind: "Node", index: Some(91) },
    TypeOf { api_version: "v1", kind: "NodeList", index: Some(92) },
    TypeOf { api_version: "v1", kind: "PersistentVolume", index: Some(93) },
    TypeOf { api_version: "v1", kind: "PersistentVolumeClaim", index: Some(32) },
    TypeOf { api_version: "v1", kind: "PersistentVolumeClaimList", index: Some(94) },
    TypeOf { api_version: "v1", kind: "PersistentVolumeList", index: Some(95) },
    TypeOf { api_version: "v1", kind: "Pod", index: Some(97) },
    TypeOf { api_version: "v1", kind: "PodList", index: Some(98) },
    TypeOf { api_version: "v1", kind: "PodTemplate", index: Some(99) },
    TypeOf { api_version: "v1", kind: "PodTemplateList", index: Some(100) },
    TypeOf { api_version: "v1", kind: "ReplicationController", index: Some(103) },
    TypeOf { api_version: "v1", kind: "ReplicationControllerList", index: Some(104) },
    TypeOf { api_version: "v1", kind: "ResourceQuota", index: Some(105) },
    TypeOf { api_version: "v1", kind: "ResourceQuotaList", index: Some(106) },
    TypeOf { api_version: "v1", kind: "Secret", index: Some(107) },
    TypeOf { api_version: "v1", kind: "SecretList", index: Some(108) },
    TypeOf { api_version: "v1", kind: "Service", index: Some(111) },
    TypeOf { api_version: "v1", kind: "ServiceAccount", index: Some(112) },
    TypeOf { api_version: "v1", kind: "ServiceAccountList", index: Some(113) },
    TypeOf { api_version: "v1", kind: "ServiceList", index: Some(114) },
    TypeOf { api_version: "v1", kind: "Status", index: None },
    TypeOf { api_version: "v1", kind: "WatchEvent", index: None },
];

/// Which kinds have a namespace, by the length of the kind, the kind, the group and the version; kinds that are missing count as namespaced.
#[rustfmt::skip]
pub(super) static SCOPES: &[Scope] = &[
    Scope { api_version: "batch/v1", kind: "Job", namespaced: true },
    Scope { api_version: "v1", kind: "Pod", namespaced: true },
    Scope { api_version: "v1", kind: "Node", namespaced: false },
    Scope { api_version: "rbac.authorization.k8s.io/v1", kind: "Role", namespaced: true },
    Scope { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "Role", namespaced: true },
    Scope { api_version: "v1", kind: "Event", namespaced: true },
    Scope { api_version: "events.k8s.io/v1", kind: "Event", namespaced: true },
    Scope { api_version: "events.k8s.io/v1beta1", kind: "Event", namespaced: true },
    Scope { api_version: "coordination.k8s.io/v1", kind: "Lease", namespaced: true },
    Scope { api_version: "coordination.k8s.io/v1beta1", kind: "Lease", namespaced: true },
    Scope { api_version: "autoscaling/v1", kind: "Scale", namespaced: true },
    Scope { api_version: "v1", kind: "Secret", namespaced: true },
    Scope { api_version: "storage.k8s.io/v1", kind: "CSINode", namespaced: false },
    Scope { api_version: "storage.k8s.io/v1beta1", kind: "CSINode", namespaced: false },
    Scope { api_version: "batch/v1", kind: "CronJob", namespaced: true },
    Scope { api_version: "batch/v1beta1", kind: "CronJob", namespaced: true },
    Scope { api_version: "extensions/v1beta1", kind: "Ingress", namespaced: true },
    Scope { api_version: "networking.k8s.io/v1", kind: "Ingress", namespaced: true },
    Scope { api_version: "networking.k8s.io/v1beta1", kind: "Ingress", namespaced: true },
    Scope { api_version: "v1", kind: "Service", namespaced: true },
    Scope { api_version: "storage.k8s.io/v1", kind: "CSIDriver", namespaced: false },
    Scope { api_version: "storage.k8s.io/v1beta1", kind: "CSIDriver", namespaced: false },
    Scope { api_version: "v1", kind: "ConfigMap", namespaced: true },
    Scope { api_version: "apps/v1", kind: "DaemonSet", namespaced: true },
    Scope { api_version: "v1", kind: "Endpoints", namespaced: true },
    Scope { api_version: "v1", kind: "Namespace", namespaced: false },
    Scope { api_version: "apiregistration.k8s.io/v1", kind: "APIService", namespaced: false },
    Scope { api_version: "apiregistration.k8s.io/v1beta1", kind: "APIService", namespaced: false },
    Scope { api_version: "apps/v1", kind: "Deployment", namespaced: true },
    Scope { api_version: "flowcontrol.apiserver.k8s.io/v1beta1", kind: "FlowSchema", namespaced: false },
    Scope { api_version: "v1", kind: "LimitRange", namespaced: true },
    Scope { api_version: "apps/v1", kind: "ReplicaSet", namespaced: true },
    Scope { api_version: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", namespaced: false },
    Scope { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "ClusterRole", namespaced: false },
    Scope { api_version: "v1", kind: "PodTemplate", namespaced: true },
    Scope { api_version: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", namespaced: true },
    Scope { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "RoleBinding", namespaced: true },
    Scope { api_version: "apps/v1", kind: "StatefulSet", namespaced: true },
    Scope { api_version: "networking.k8s.io/v1", kind: "IngressClass", namespaced: false },
    Scope { api_version: "networking.k8s.io/v1beta1", kind: "IngressClass", namespaced: false },
    Scope { api_version: "node.k8s.io/v1", kind: "RuntimeClass", namespaced: false },
    Scope { api_version: "node.k8s.io/v1beta1", kind: "RuntimeClass", namespaced: false },
    Scope { api_version: "storage.k8s.io/v1", kind: "StorageClass", namespaced: false },
    Scope { api_version: "storage.k8s.io/v1beta1", kind: "StorageClass", namespaced: false },
    Scope { api_version: "discovery.k8s.io/v1", kind: "EndpointSlice", namespaced: true },
    Scope { api_version: "discovery.k8s.io/v1beta1", kind: "EndpointSlice", namespaced: true },
    Scope { api_version: "networking.k8s.io/v1", kind: "NetworkPolicy", namespaced: true },
    Scope { api_version: "scheduling.k8s.io/v1", kind: "PriorityClass", namespaced: false },
    Scope { api_version: "scheduling.k8s.io/v1beta1", kind: "PriorityClass", namespaced: false },
    Scope { api_version: "v1", kind: "ResourceQuota", namespaced: true },
    Scope { api_version: "v1", kind: "ServiceAccount", namespaced: true },
    Scope { api_version: "v1", kind: "ComponentStatus", namespaced: false },
    Scope { api_version: "v1", kind: "PersistentVolume", namespaced: false },
    Scope { api_version: "storage.k8s.io/v1", kind: "VolumeAttachment", namespaced: false },
    Scope { api_version: "storage.k8s.io/v1beta1", kind: "VolumeAttachment", namespaced: false },
    Scope { api_version: "policy/v1beta1", kind: "PodSecurityPolicy", namespaced: false },
    Scope { api_version: "storage.k8s.io/v1beta1", kind: "CSIStorageCapacity", namespaced: true },
    Scope { api_version: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding", namespaced: false },
    Scope { api_version: "rbac.authorization.k8s.io/v1beta1", kind: "ClusterRoleBinding", namespaced: false },
    Scope { api_version: "apps/v1", kind: "ControllerRevision", namespaced: true },
    Scope { api_version: "policy/v1", kind: "PodDisruptionBudget", namespaced: true },
    Scope { api_version: "policy/v1beta1", kind: "PodDisruptionBudget", namespaced: true },
    Scope { api_version: "v1", kind: "PersistentVolumeClaim", namespaced: true },
    Scope { api_version: "v1", kind: "ReplicationController", namespaced: true },
    Scope { api_version: "autoscaling/v1", kind: "HorizontalPodAutoscaler", namespaced: true },
    Scope { api_version: "autoscaling/v2beta1", kind: "HorizontalPodAutoscaler", namespaced: true },
    Scope { api_version: "autoscaling/v2beta2", kind: "HorizontalPodAutoscaler", namespaced: true },
    Scope { api_version: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", namespaced: false },
    Scope { api_version: "apiextensions.k8s.io/v1beta1", kind: "CustomResourceDefinition", namespaced: false },
    Scope { api_version: "certificates.k8s.io/v1", kind: "CertificateSigningRequest", namespaced: false },
    Scope { api_version: "certificates.k8s.io/v1beta1", kind: "CertificateSigningRequest", namespaced: false },
    Scope { api_version: "flowcontrol.apiserver.k8s.io/v1beta1", kind: "PriorityLevelConfiguration", namespaced: false },
    Scope { api_version: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", namespaced: false },
    Scope { api_version: "admissionregistration.k8s.io/v1beta1", kind: "MutatingWebhookConfiguration", namespaced: false },
    Scope { api_version: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration", namespaced: false },
    Scope { api_version: "admissionregistration.k8s.io/v1beta1", kind: "ValidatingWebhookConfiguration", namespaced: false },
];
