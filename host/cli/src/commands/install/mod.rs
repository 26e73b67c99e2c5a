//! `sluice install`: everything a cluster needs, put into it or printed as YAML.
//!
//! Names, labels and image tags are those that `flux check`, `flux version` and `flux logs` look for
//! (compat: cli, sections 4, 5 and 14). One process does the work of all controllers: it runs in the Deployment
//! `kustomize-controller`; the other expected Deployments exist with no replicas.

mod accepted;
mod apply;
mod components;
mod workloads;

use super::export::as_text;
use crate::args::Global;
use crate::tell;
use crate::tenancy::Profile;
use accepted::Accepted;
use anyhow::{Result, bail};
use clap::{ArgAction, Args};
use components::{Components, HELM};
pub(super) use components::{FLUX, OURS};
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
    /// Do not ask before anything is put in the place of what others installed
    #[arg(long)]
    force: bool,
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
    /// Where a notification-controller takes events; without it where that of --components does
    #[arg(long, value_name = "URL")]
    events_addr: Option<String>,
    #[command(flatten)]
    components: Components,
    #[command(flatten)]
    accepted: Accepted,
}

impl Install {
    /// The Secret that images are pulled with.
    fn pull_secret(&self) -> Option<&str> {
        self.image_pull_secret.as_deref().filter(|name| !name.is_empty())
    }
}

pub(crate) async fn run(install: &Install, global: &Global) -> Result<()> {
    if install.export {
        let manifests = export(install, &global.namespace)?;
        for remark in remarks(install, &global.namespace) {
            tell::warning(&remark);
        }
        return tell::print(&manifests);
    }
    tell::line("✚ generating manifests");
    let manifests = manifests(install, &global.namespace)?;
    apply::apply(install, global, manifests).await
}

/// What must be done beside applying what is printed.
fn remarks(install: &Install, namespace: &str) -> Vec<String> {
    let elsewhere = install.components.elsewhere().join(",");
    let others = (!elsewhere.is_empty()).then(|| {
        format!(
            "not part of this, since Flux's own do that work: {elsewhere}; where the cluster does not have them, `flux install --export --namespace={namespace} --components={elsewhere}` prints them"
        )
    });
    let secret = install.pull_secret().filter(|_| install.export);
    let secret = secret.filter(|_| install.accepted.registry_creds().is_some()).map(|name| {
        format!(
            "the Secret {name} is not printed, so that no password lies in a manifest: `kubectl -n {namespace} create secret docker-registry {name} --docker-server={} --docker-username=USER --docker-password=PASSWORD` makes it",
            install.registry
        )
    });
    others.into_iter().chain(secret).collect()
}

/// All manifests, CRDs after the Namespace and before what needs them.
fn manifests(install: &Install, namespace: &str) -> Result<Vec<Value>> {
    install.components.check()?;
    install.accepted.check(install.pull_secret())?;
    // whoever owned a name that we chose could run as the administrator of every cluster
    if install.registry.is_empty() {
        bail!(
            "--registry is required: no image is published, so build one and say where it is; `deploy/README.md` says what must be in it"
        );
    }
    let mut manifests = vec![namespace_object(namespace)];
    for crd in CRDS {
        let mut crd = sluice_yaml::from_str::<Value>(crd, sluice_yaml::Resolver::V2, false)?;
        label(&mut crd, namespace, None);
        manifests.push(crd);
    }
    manifests.extend(objects(install, namespace));
    Ok(manifests)
}

/// The same as text.
fn export(install: &Install, namespace: &str) -> Result<String> {
    Ok(manifests(install, namespace)?.iter().map(as_text).collect())
}

fn objects(install: &Install, namespace: &str) -> Vec<Value> {
    let mut objects = vec![];
    for component in OURS {
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
    // A list is applied as a whole: the accounts of Flux's own controllers are in it, or those of a cluster that goes from
    // Flux to us could do nothing any more. Whoever may run a Pod as one of them may run one as ours.
    let subjects = |names: &[&str]| -> Vec<Value> {
        let subject = |name: &&str| json!({"kind": "ServiceAccount", "name": name, "namespace": namespace});
        names.iter().map(subject).collect()
    };
    let all = [subjects(&OURS), subjects(&FLUX)].concat();
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
            // Flux's controllers look whether the API server limits requests itself
            {"nonResourceURLs": ["/livez/ping"], "verbs": ["head"]},
        ]}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("crd-controller-{namespace}")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": format!("crd-controller-{namespace}")},
            "subjects": all}),
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": format!("cluster-reconciler-{namespace}")},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": subjects(&["kustomize-controller", HELM])}),
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

    const REGISTRY: &str = "--registry=registry.example.com/sluice";

    #[test]
    fn what_works_beside_is_told_of_and_is_not_printed() {
        let read = |flags: &[&str]| {
            let line = ["sluice", "install", "--export", REGISTRY];
            let cli = Cli::try_parse_from(line.iter().chain(flags)).unwrap();
            let Command::Install(install) = cli.command else {
                panic!("another command")
            };
            (export(&install, "team").unwrap(), remarks(&install, "team"))
        };
        let (alone, none) = read(&["--components=kustomize-controller,source-controller"]);
        assert_eq!(read(&[]), (alone.clone(), vec![]));
        assert!(none.is_empty() && alone.contains("--events-addr=\n"), "{alone}");

        let (beside, told) = read(&[
            "--components-extra=source-watcher,notification-controller",
            "--components-extra=helm-controller",
            "--cluster-domain=example.local",
        ]);
        for added in [
            "--events-addr=http://notification-controller.$(RUNTIME_NAMESPACE).svc.example.local./\n",
            "--feature-gates=ExternalArtifact=true\n",
        ] {
            assert_eq!(beside.matches(added).count(), 1, "{beside}");
            assert!(!alone.contains(added), "{alone}");
        }
        assert_eq!(beside.matches("\nkind: Deployment\n").count(), 2, "{beside}");
        let command = "`flux install --export --namespace=team --components=helm-controller,notification-controller,source-watcher`";
        assert!(told.len() == 1 && told[0].contains(command), "{told:?}");
        let flags = [
            "--components-extra=notification-controller",
            "--events-addr=http://here",
        ];
        let (named, _) = read(&flags);
        assert!(named.contains("--events-addr=http://here\n"), "{named}");
    }

    #[test]
    fn what_flux_refuses_is_refused_in_its_words() {
        let secret = "--image-pull-secret=pull";
        for (flags, expected) in [
            (
                vec!["--components=flux-controller"],
                "component flux-controller is not available",
            ),
            (
                vec!["--components=kustomize-controller,helm-controller"],
                "--components without source-controller: one process",
            ),
            (
                vec!["--registry-creds=a:b"],
                "--registry-creds requires --image-pull-secret to be set",
            ),
            (
                vec!["--registry-creds=a:b:c", secret],
                "invalid --registry-creds format, expected 'user:password'",
            ),
            (
                vec!["-v", "2.9.0"],
                "targeted version '2.9.0' must be prefixed with 'v'",
            ),
            (
                vec!["--version=v2.8.0"],
                "targeted version 'v2.8.0' does not exist: ",
            ),
            (vec!["--manifests=here"], "--manifests is not done here: "),
        ] {
            let refused = told(&flags).unwrap_err().to_string();
            assert!(refused.starts_with(expected), "{flags:?}: {refused}");
        }
        // and an empty value says nothing
        let flags = [
            REGISTRY,
            "-v",
            FLUX_VERSION,
            "--force",
            "--components-extra=",
            "--image-pull-secret=",
            "--registry-creds=",
            "--toleration-keys=",
        ];
        assert_eq!(told(&flags).unwrap(), told(&[REGISTRY]).unwrap());
    }

    #[test]
    fn a_password_is_not_printed() {
        let line = [
            "sluice",
            "install",
            "--export",
            REGISTRY,
            "--registry-creds=me:hunter2",
            "--image-pull-secret=pull",
        ];
        let Command::Install(install) = Cli::try_parse_from(line).unwrap().command else {
            panic!("another command")
        };
        let told = remarks(&install, "team");
        assert!(
            told.len() == 1 && told[0].contains("`kubectl -n team create secret docker-registry pull "),
            "{told:?}"
        );
        let printed = export(&install, "team").unwrap();
        assert!(!printed.contains("hunter2") && !told[0].contains("hunter2"));
    }

    /// Flux's own controllers go on working where ours takes the place of two of them.
    #[test]
    fn the_accounts_of_flux_keep_their_roles() {
        let roles = roles("flux-system");
        let accounts = |binding: &str| -> Vec<String> {
            let is_it =
                |role: &&Value| role["kind"] == "ClusterRoleBinding" && role["metadata"]["name"] == *binding;
            let subjects = roles.iter().find(is_it).unwrap()["subjects"].as_array().unwrap();
            let name = |subject: &Value| subject["name"].as_str().unwrap().to_owned();
            subjects.iter().map(name).collect()
        };
        assert_eq!(
            accounts("crd-controller-flux-system"),
            [
                "source-controller",
                "kustomize-controller",
                "helm-controller",
                "notification-controller",
                "image-reflector-controller",
                "image-automation-controller",
                "source-watcher",
            ]
        );
        assert_eq!(
            accounts("cluster-reconciler-flux-system"),
            ["kustomize-controller", "helm-controller"]
        );
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
