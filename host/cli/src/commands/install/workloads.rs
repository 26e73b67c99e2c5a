//! The Deployments and the Service of an installation.

use super::{Install, with_labels};
use crate::tenancy::Profile;
use serde_json::{Value, json};

/// The tag of the Flux controllers whose work is done; `flux version` shows it.
const TAG: &str = "v1.9.4";

/// Where consumers, Flux's own controllers among them, fetch artifacts.
pub(super) fn service(namespace: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service",
    "metadata": {"name": "source-controller", "namespace": namespace, "labels": {"control-plane": "controller"}},
    "spec": {
        "type": "ClusterIP",
        "selector": {"app": "kustomize-controller"},
        "ports": [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": "http"}],
    }})
}

/// The Deployment whose one process does everything.
pub(super) fn main_deployment(install: &Install, namespace: &str) -> Value {
    let host = format!(
        "source-controller.$(RUNTIME_NAMESPACE).svc.{}.",
        install.cluster_domain
    );
    let events_addr = install.events_addr.clone();
    let events_addr = events_addr.unwrap_or_else(|| install.components.events_addr(&install.cluster_domain));
    let mut args = vec![
        // `flux install` patches arguments by their index: the order is interface (compat: cli, section 5).
        format!("--events-addr={events_addr}"),
        format!("--watch-all-namespaces={}", install.watch_all_namespaces),
        format!("--log-level={}", install.log_level),
        "--log-encoding=json".to_owned(),
        "--enable-leader-election".to_owned(),
        "--storage-path=/data".to_owned(),
        format!("--storage-adv-addr={host}"),
        format!("--profile={}", install.profile.as_str()),
    ];
    let account = match install.profile {
        // every namespace has it, and it may do nothing until it is granted something
        Profile::Locked => Some(install.default_service_account.as_deref().unwrap_or("default")),
        Profile::Flux => install.default_service_account.as_deref(),
    };
    args.extend(account.map(|account| format!("--default-service-account={account}")));
    if install.components.has_watcher() {
        args.push("--feature-gates=ExternalArtifact=true".to_owned());
    }
    let container = json!({
        "name": "manager",
        "image": image(install, "kustomize-controller"),
        "imagePullPolicy": "IfNotPresent",
        "command": ["sluice", "controller"],
        "args": args,
        "env": [{"name": "RUNTIME_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}],
        "ports": [
            {"containerPort": 9090, "name": "http", "protocol": "TCP"},
            {"containerPort": 8080, "name": "http-prom", "protocol": "TCP"},
            {"containerPort": 9440, "name": "healthz", "protocol": "TCP"},
        ],
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "healthz"}},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "healthz"}},
        "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "64Mi"}},
        "securityContext": restricted(),
        "volumeMounts": [{"mountPath": "/data", "name": "data"}, {"mountPath": "/tmp", "name": "tmp"}],
    });
    let spec = json!({
        "containers": [container],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "priorityClassName": "system-cluster-critical",
        "securityContext": {"fsGroup": 1337},
        "serviceAccountName": "kustomize-controller",
        "terminationGracePeriodSeconds": 60,
        "volumes": [{"emptyDir": {}, "name": "data"}, {"emptyDir": {}, "name": "tmp"}],
    });
    // A Deployment of Flux has the default of this field, which nobody owns and no apply takes away, and beside
    // `rollingUpdate` the API server refuses `Recreate`. So this says it with what can be applied over any Deployment: the old
    // Pod goes first. It must, since the new one is not ready before the old one has given its Lease up.
    let strategy = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}});
    deployment(install, namespace, "kustomize-controller", 1, strategy, spec)
}

/// A Deployment that only exists for those who look for its name: its work is done in `kustomize-controller`.
pub(super) fn placeholder(install: &Install, namespace: &str, component: &str) -> Value {
    let spec = json!({
        "containers": [{"name": "manager", "image": image(install, component), "command": ["sluice", "version", "--client"],
            "securityContext": restricted()}],
        "serviceAccountName": component,
    });
    // as Flux's own: with another one Flux could not be applied over it again, for the same reason
    let strategy = json!({"type": "Recreate"});
    deployment(install, namespace, component, 0, strategy, spec)
}

/// What the Pod Security Standard `restricted` asks for, which the namespace warns of.
fn restricted() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": true,
        "runAsNonRoot": true,
        "seccompProfile": {"type": "RuntimeDefault"},
    })
}

fn image(install: &Install, component: &str) -> String {
    format!("{}/{component}:{TAG}", install.registry)
}

fn deployment(
    install: &Install,
    namespace: &str,
    name: &str,
    replicas: u32,
    strategy: Value,
    mut pod: Value,
) -> Value {
    let secret = install.pull_secret().into_iter();
    let secret: Vec<Value> = secret.map(|name| json!({"name": name})).collect();
    // an empty key would tolerate every taint
    let keys = install.toleration_keys.iter().filter(|key| !key.is_empty());
    let tolerations: Vec<Value> = keys
        .map(|key| json!({"key": key, "operator": "Exists"}))
        .collect();
    for (field, list) in [("imagePullSecrets", secret), ("tolerations", tolerations)] {
        if let Some(pod) = pod.as_object_mut()
            && !list.is_empty()
        {
            pod.insert(field.to_owned(), json!(list));
        }
    }
    let template = with_labels(
        json!({"metadata": {
            "annotations": {"prometheus.io/port": "8080", "prometheus.io/scrape": "true"},
            "labels": {"app": name},
        }, "spec": pod}),
        namespace,
        Some(name),
    );
    with_labels(
        json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": {"control-plane": "controller"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": strategy,
            "template": template,
        }}),
        namespace,
        Some(name),
    )
}
