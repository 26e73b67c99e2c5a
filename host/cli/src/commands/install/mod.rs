//! `sluice install --export`: everything a cluster needs, as YAML.
//!
//! Names, labels and image tags are those that `flux check`, `flux version` and `flux logs` look for
//! (compat: cli, sections 4, 5 and 14). One process does the work of all controllers: it runs in the Deployment
//! `kustomize-controller`; the other expected Deployments exist with no replicas.

mod workloads;

use crate::args::Global;
use crate::tell;
use crate::tenancy::Profile;
use anyhow::{Result, bail};
use clap::{ArgAction, Args};
use serde_json::{Value, json};
use sluice_api::meta;
use workloads::{main_deployment, placeholder, service};

/// The Flux release whose behavior and CRDs these are; `flux check` shows it as the distribution.
pub(crate) const FLUX_VERSION: &str = "v2.9.0";

/// The custom resources, as codegen wrote them.
pub(crate) const CRDS: &[&str] = &[
    include_str!("../../../../../deploy/base/crds/kustomize.toolkit.fluxcd.io_kustomizations.yaml"),
    include_str!("../../../../../deploy/base/crds/source.toolkit.fluxcd.io_gitrepositories.yaml"),
    include_str!("../../../../../deploy/base/crds/source.toolkit.fluxcd.io_ocirepositories.yaml"),
    include_str!("../../../../../deploy/base/crds/source.toolkit.fluxcd.io_buckets.yaml"),
    include_str!("../../../../../deploy/base/crds/source.toolkit.fluxcd.io_helmrepositories.yaml"),
    include_str!("../../../../../deploy/base/crds/source.toolkit.fluxcd.io_helmcharts.yaml"),
    include_str!("../../../../../deploy/base/crds/source.toolkit.fluxcd.io_externalartifacts.yaml"),
];

#[derive(Args, Debug)]
pub(crate) struct Install {
    /// Print the manifests instead of applying them
    #[arg(long)]
    export: bool,
    /// Where the image is pulled from, required: REGISTRY/kustomize-controller:TAG
    #[arg(long, default_value = "", hide_default_value = true, value_name = "REGISTRY")]
    registry: String,
    /// The Secret that the image is pulled with
    #[arg(long, value_name = "NAME")]
    image_pull_secret: Option<String>,
    /// Taints with these keys are tolerated
    #[arg(long, value_delimiter = ',', value_name = "KEY")]
    toleration_keys: Vec<String>,
    /// Watch all namespaces, or the controller's own only
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    watch_all_namespaces: bool,
    /// Deny traffic from other namespaces
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    network_policy: bool,
    /// The controller's log level: trace, debug, info or error
    #[arg(long, default_value = "info", value_parser = ["trace", "debug", "info", "error"], value_name = "LEVEL")]
    log_level: String,
    /// The cluster's DNS domain
    #[arg(long, default_value = "cluster.local", value_name = "DOMAIN")]
    cluster_domain: String,
    /// How much tenants are trusted: `flux` for a cluster that Flux ran before
    #[arg(long, value_enum, default_value = "locked")]
    profile: Profile,
    /// Act as this service account where an object names none; by default `default` in the locked profile
    #[arg(long, value_name = "NAME")]
    default_service_account: Option<String>,
    /// Where a notification-controller takes events
    #[arg(long, default_value = "", value_name = "URL")]
    events_addr: String,
}

pub(crate) fn run(install: &Install, global: &Global) -> Result<()> {
    if !install.export {
        bail!(
            "only --export is there yet: `sluice install --export --registry REGISTRY | kubectl apply --server-side -f -`"
        );
    }
    tell::print(&export(install, &global.namespace)?)
}

/// All manifests, CRDs after the Namespace and before what needs them.
fn export(install: &Install, namespace: &str) -> Result<String> {
    // whoever owned a name that we chose could run as the administrator of every cluster
    if install.registry.is_empty() {
        bail!(
            "--registry is required: no image is published, so build one and say where it is; `deploy/README.md` says what must be in it"
        );
    }
    let mut text = document(&namespace_object(namespace))?;
    for crd in CRDS {
        let mut crd = sluice_yaml::from_str::<Value>(crd, sluice_yaml::Resolver::V2, false)?;
        label(&mut crd, namespace, None);
        text.push_str(&document(&crd)?);
    }
    for object in objects(install, namespace) {
        text.push_str(&document(&object)?);
    }
    Ok(text)
}

fn document(object: &Value) -> Result<String> {
    Ok(format!("---\n{}", sluice_yaml::emit_v2(object)))
}

fn objects(install: &Install, namespace: &str) -> Vec<Value> {
    let mut objects = vec![];
    for component in ["source-controller", "kustomize-controller"] {
        objects.push(with_labels(
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": component, "namespace": namespace}}),
            namespace,
            Some(component),
        ));
    }
    objects.extend(
        roles(namespace)
            .into_iter()
            .map(|role| with_labels(role, namespace, None)),
    );
    objects.push(with_labels(critical_pods(namespace), namespace, None));
    objects.push(with_labels(
        service(namespace),
        namespace,
        Some("source-controller"),
    ));
    objects.push(main_deployment(install, namespace));
    objects.push(placeholder(install, namespace, "source-controller"));
    if install.network_policy {
        objects.extend(
            network_policies(namespace)
                .into_iter()
                .map(|policy| with_labels(policy, namespace, None)),
        );
    }
    objects
}

fn namespace_object(namespace: &str) -> Value {
    with_labels(
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {
            "pod-security.kubernetes.io/warn": "restricted",
            "pod-security.kubernetes.io/warn-version": "latest",
        }}}),
        namespace,
        None,
    )
}

/// Where an admission allows critical Pods by quota only, as GKE's does, the controller's are.
fn critical_pods(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": format!("critical-pods-{namespace}"), "namespace": namespace},
        "spec": {
            "hard": {"pods": "1000"},
            "scopeSelector": {"matchExpressions": [{
                "operator": "In", "scopeName": "PriorityClass",
                "values": ["system-node-critical", "system-cluster-critical"],
            }]},
        },
    })
}

fn roles(namespace: &str) -> Vec<Value> {
    let subject = |name: &str| json!({"kind": "ServiceAccount", "name": name, "namespace": namespace});
    let everything = json!(["*"]);
    let kinds = json!([
        "source.toolkit.fluxcd.io",
        "kustomize.toolkit.fluxcd.io",
        "helm.toolkit.fluxcd.io",
        "notification.toolkit.fluxcd.io",
        "image.toolkit.fluxcd.io",
        "source.extensions.fluxcd.io",
    ]);
    vec![
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": format!("crd-controller-{namespace}")},
        "rules": [
            {"apiGroups": kinds, "resources": everything, "verbs": everything},
            {"apiGroups": [""], "resources": ["namespaces", "secrets", "configmaps", "serviceaccounts"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
            {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"]},
        ]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("crd-controller-{namespace}")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": format!("crd-controller-{namespace}")},
            "subjects": [subject("source-controller"), subject("kustomize-controller")]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("cluster-reconciler-{namespace}")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [subject("kustomize-controller")]}),
        aggregated(
            namespace,
            "edit",
            &kinds,
            &["create", "delete", "deletecollection", "patch", "update"],
            &["admin", "edit"],
        ),
        aggregated(
            namespace,
            "view",
            &kinds,
            &["get", "list", "watch"],
            &["admin", "edit", "view"],
        ),
    ]
}

/// The roles that let editors and viewers of a namespace work with Flux's objects.
fn aggregated(namespace: &str, name: &str, groups: &Value, verbs: &[&str], into: &[&str]) -> Value {
    let labels: serde_json::Map<String, Value> = into
        .iter()
        .map(|role| {
            (
                format!("rbac.authorization.k8s.io/aggregate-to-{role}"),
                json!("true"),
            )
        })
        .collect();
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": format!("flux-{name}-{namespace}"), "labels": labels},
        "rules": [{"apiGroups": groups, "resources": ["*"], "verbs": verbs}]})
}

fn network_policies(namespace: &str) -> Vec<Value> {
    let policy = |name: &str, spec: Value| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace}, "spec": spec})
    };
    vec![
        policy(
            "allow-egress",
            json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"],
            "egress": [{}], "ingress": [{"from": [{"podSelector": {}}]}]}),
        ),
        policy(
            "allow-scraping",
            json!({"podSelector": {}, "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"namespaceSelector": {}}], "ports": [{"port": 8080, "protocol": "TCP"}]}]}),
        ),
    ]
}

/// The labels `flux` finds its installation by (compat: cli, section 5).
fn label(object: &mut Value, namespace: &str, component: Option<&str>) {
    let metadata = object
        .as_object_mut()
        .map(|object| object.entry("metadata").or_insert_with(|| json!({})));
    let Some(metadata) = metadata.and_then(Value::as_object_mut) else {
        return;
    };
    let Some(labels) = metadata
        .entry("labels")
        .or_insert_with(|| json!({}))
        .as_object_mut()
    else {
        return;
    };
    labels.insert(meta::INSTANCE.to_owned(), json!(namespace));
    labels.insert(meta::PART_OF.to_owned(), json!("flux"));
    labels.insert(meta::VERSION.to_owned(), json!(FLUX_VERSION));
    if let Some(component) = component {
        labels.insert(meta::COMPONENT.to_owned(), json!(component));
    }
}

fn with_labels(mut object: Value, namespace: &str, component: Option<&str>) -> Value {
    label(&mut object, namespace, component);
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    fn told(flags: &[&str]) -> Result<String> {
        let cli = Cli::try_parse_from(["sluice", "install", "--export"].iter().chain(flags))?;
        let Command::Install(install) = cli.command else {
            bail!("another command")
        };
        export(&install, &cli.global.namespace)
    }

    #[test]
    fn the_image_is_nobodys_but_yours() {
        let refused = told(&[]).unwrap_err().to_string();
        assert!(refused.starts_with("--registry is required: "), "{refused}");
        let exported = told(&["--registry=registry.example.com/sluice", "--network-policy"]).unwrap();
        assert!(exported.contains("image: registry.example.com/sluice/kustomize-controller:v1.9.4"));
        assert!(exported.contains("kind: NetworkPolicy"));
        assert!(!exported.contains("imagePullSecrets") && !exported.contains("tolerations"));
    }

    #[test]
    fn every_pod_is_pulled_with_the_secret_and_tolerates_the_keys() {
        let flags = [
            "--registry=registry.example.com/sluice",
            "--image-pull-secret=pull",
            "--toleration-keys=node.example.com/a,b",
        ];
        let exported = told(&flags).unwrap();
        for wanted in [
            "imagePullSecrets:\n      - name: pull\n",
            "tolerations:\n      - key: node.example.com/a\n        operator: Exists\n      - key: b\n        operator: Exists\n",
        ] {
            assert_eq!(exported.matches(wanted).count(), 2, "{wanted}: {exported}");
        }
    }
}
