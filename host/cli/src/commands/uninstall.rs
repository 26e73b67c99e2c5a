//! `sluice uninstall`: takes an installation out of a cluster, and leaves what it applied (compat: cli, section 5).
//!
//! Flux's own controllers have the same labels. Where some work beside, only what is ours goes, unless told otherwise.

use super::install::{FLUX, OURS};
use super::{until, within};
use crate::args::Global;
use crate::confirm::confirm_or_abort;
use crate::installed::{self, Installation, selector};
use crate::kinds::{self, Kind};
use crate::subject;
use crate::tell;
use anyhow::{Context as _, Result, bail, ensure};
use clap::{ArgAction, Args};
use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use sluice_api::meta;
use sluice_apply::cluster::{KubeCluster, RequestError};
use sluice_apply::served;
use sluice_controller::runtime::LeaseWatcher;
use sluice_object::GroupVersionKind;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Args, Debug)]
pub(crate) struct Uninstall {
    /// Leave the namespace
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    keep_namespace: bool,
    /// Only print what would be deleted
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    silent: bool,
    /// Delete Flux's own controllers too, and what they and ours have in common
    #[arg(long)]
    with_flux: bool,
}

const fn kind(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const DEPLOYMENT: Kind = kind("apps", "v1", "Deployment", "deployments");
const SERVICE: Kind = kind("", "v1", "Service", "services");
const NETWORK_POLICY: Kind = kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies");
const ACCOUNT: Kind = kind("", "v1", "ServiceAccount", "serviceaccounts");
const CLUSTER_ROLE: Kind = kind(RBAC, "v1", "ClusterRole", "clusterroles");
const CLUSTER_ROLE_BINDING: Kind = kind(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings");
const POD: Kind = kind("", "v1", "Pod", "pods");
const NAMESPACE: Kind = kind("", "v1", "Namespace", "namespaces");
const LEASE: Kind = kind("coordination.k8s.io", "v1", "Lease", "leases");
const DEFINITION: Kind = kind(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
);

/// Kinds with finalizers, in the order of `flux uninstall`.
const FINALIZED: [Kind; 14] = [
    kinds::GIT_REPOSITORY,
    kinds::OCI_REPOSITORY,
    kinds::HELM_REPOSITORY,
    kinds::HELM_CHART,
    kinds::BUCKET,
    kinds::KUSTOMIZATION,
    kinds::HELM_RELEASE,
    kinds::ALERT,
    kinds::PROVIDER,
    kinds::RECEIVER,
    kinds::IMAGE_POLICY,
    kinds::IMAGE_REPOSITORY,
    kinds::IMAGE_UPDATE_AUTOMATION,
    kinds::ARTIFACT_GENERATOR,
];

/// How often is looked whether the controllers have ended.
const EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn run(uninstall: &Uninstall, global: &Global) -> Result<()> {
    let namespace = &global.namespace;
    let cluster = global.connect.api_server().await?;
    let look = async {
        let found = Installation::find(&cluster).await?;
        let controllers = installed::controllers(&cluster, None).await?;
        anyhow::Ok((found, controllers))
    };
    let looked = within(global.timeout, look).await;
    let (found, controllers) = looked.context("cluster info unavailable")?;
    let whole = uninstall.with_flux || others(&controllers, namespace).is_empty();
    match whole {
        true => alone(&controllers, namespace)?,
        false => stay(&controllers, namespace)?,
    }
    if !uninstall.dry_run && !uninstall.silent {
        let manager = found.as_ref().and_then(Installation::other_manager);
        confirm_or_abort(&question(manager, whole))?;
    }
    // the time that an answer takes does not count
    let deadline = Instant::now() + global.timeout;
    let mut work = Work {
        cluster: &cluster,
        namespace,
        is_dry_run: uninstall.dry_run,
        failures: 0,
    };
    tell::action(&format!("deleting components in {namespace} namespace"));
    match whole {
        true => until(deadline, work.everything(uninstall.keep_namespace, deadline)).await?,
        false => {
            let ours = ours(&controllers, namespace);
            let is_shared = is_shared(&controllers, namespace);
            until(deadline, async {
                work.ours(&ours, is_shared).await;
                Ok(())
            })
            .await?;
        }
    }
    work.went_well("run this again")?;
    tell::success("uninstall finished");
    Ok(())
}

/// What is asked before anything is deleted.
fn question(manager: Option<&str>, whole: bool) -> String {
    match (manager, whole) {
        (Some(manager), true) => format!(
            "Flux is managed by {manager}! Are you sure you want to delete Flux and its CRDs using Flux CLI"
        ),
        (Some(manager), false) => {
            format!("Flux is managed by {manager}! Are you sure you want to delete Sluice's controllers")
        }
        (None, true) => "Are you sure you want to delete Flux and its custom resource definitions".to_owned(),
        (None, false) => "Are you sure you want to delete Sluice's controllers".to_owned(),
    }
}

/// Controllers that are not ours, or not of this namespace: they need the definitions.
fn others<'v>(controllers: &'v [Value], namespace: &str) -> Vec<&'v Value> {
    let is_other = |one: &&Value| !installed::is_ours(one) || installed::namespace(one) != namespace;
    controllers.iter().filter(is_other).collect()
}

/// Our controllers of this namespace.
fn ours<'v>(controllers: &'v [Value], namespace: &str) -> Vec<&'v Value> {
    let is_our = |one: &&Value| installed::is_ours(one) && installed::namespace(one) == namespace;
    controllers.iter().filter(is_our).collect()
}

/// Whether others work in the namespace too, with its roles.
fn is_shared(controllers: &[Value], namespace: &str) -> bool {
    let others = others(controllers, namespace);
    others
        .into_iter()
        .any(|one| installed::namespace(one) == namespace)
}

/// Refuses to take away what controllers of other namespaces work with: they would see the end of their objects as a wish.
fn alone(controllers: &[Value], namespace: &str) -> Result<()> {
    let is_elsewhere = |one: &&Value| installed::namespace(one) != namespace;
    let elsewhere: Vec<String> = controllers
        .iter()
        .filter(is_elsewhere)
        .map(installed::full_name)
        .collect();
    ensure!(
        elsewhere.is_empty(),
        "controllers of other namespaces work with the same custom resources: {}; uninstall those first",
        elsewhere.join(", ")
    );
    Ok(())
}

/// Tells what stays, and why. Refused where nothing would go.
fn stay(controllers: &[Value], namespace: &str) -> Result<()> {
    let others: Vec<String> = others(controllers, namespace)
        .into_iter()
        .map(installed::full_name)
        .collect();
    let others = others.join(", ");
    if ours(controllers, namespace).is_empty() {
        bail!(
            "no controllers of Sluice found in the '{namespace}' namespace, and others are left alone unless --with-flux is given: {others}"
        );
    }
    let stays = match is_shared(controllers, namespace) {
        true => "roles, custom resources",
        false => "custom resources",
    };
    tell::warning(&format!(
        "{stays} and their definitions stay, since other controllers work with them: {others}; --with-flux deletes all of it"
    ));
    Ok(())
}

/// What is being deleted.
struct Work<'a> {
    cluster: &'a KubeCluster,
    namespace: &'a str,
    is_dry_run: bool,
    failures: usize,
}

impl Work<'_> {
    fn api(&self, kind: Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        subject::objects(self.cluster.client(), kind, namespace)
    }

    /// What was done, or would be.
    fn done(&self, what: &str) {
        match self.is_dry_run {
            true => tell::success(&format!("{what} (dry run)")),
            false => tell::success(what),
        }
    }

    /// Whether nothing failed so far; what else there is to say where something did.
    fn went_well(&self, otherwise: &str) -> Result<()> {
        ensure!(
            self.failures == 0,
            "uninstall failed {} times, as is told above; {otherwise}",
            self.failures
        );
        Ok(())
    }

    fn failed(&mut self, what: &str, error: &(dyn Error + 'static)) {
        self.failures += 1;
        tell::failure(&format!("{what} failed: {}", tell::whole(error)));
    }

    /// Objects of a kind; those of a kind that is not served are none.
    async fn list(
        &mut self,
        kind: Kind,
        namespace: Option<&str>,
        labels: Option<&str>,
    ) -> Vec<DynamicObject> {
        let api = self.api(kind, namespace);
        self.list_by(&api, kind, labels).await
    }

    async fn list_by(
        &mut self,
        api: &Api<DynamicObject>,
        kind: Kind,
        labels: Option<&str>,
    ) -> Vec<DynamicObject> {
        loop {
            match subject::list(api, None, labels).await {
                Ok(objects) => return objects,
                Err(kube::Error::Api(status)) if status.code == 404 => return Vec::new(),
                // not yet: so are kinds whose definition was changed a moment ago
                Err(kube::Error::Api(status)) if status.code == 429 => tokio::time::sleep(EVERY).await,
                Err(error) => {
                    self.failed(&format!("listing {}", kind.plural), &error);
                    return Vec::new();
                }
            }
        }
    }

    /// Deletes all objects of a kind that have the labels.
    async fn labeled(&mut self, kind: Kind, namespace: Option<&str>, selector: &str) {
        for object in self.list(kind, namespace, Some(selector)).await {
            self.delete(kind, namespace, &object.name_any()).await;
        }
    }

    /// Deletes an object; one that is gone already is no failure.
    async fn delete(&mut self, kind: Kind, namespace: Option<&str>, name: &str) {
        let what = named(kind, namespace, name);
        let params = DeleteParams {
            dry_run: self.is_dry_run,
            ..DeleteParams::background()
        };
        match self.api(kind, namespace).delete(name, &params).await {
            Ok(_) => self.done(&format!("{what} deleted")),
            Err(kube::Error::Api(status)) if status.code == 404 => {
                self.done(&format!("{what} deleted"));
            }
            Err(error) => self.failed(&format!("{what} deletion"), &error),
        }
    }

    /// Controllers, what they have put on objects, definitions with the objects, and the namespace.
    async fn everything(&mut self, keep_namespace: bool, deadline: Instant) -> Result<()> {
        self.components(deadline).await?;
        self.went_well(
            "finalizers and definitions stay, since a controller that still works would delete what it applied",
        )?;
        if !self.is_dry_run {
            self.leases(deadline).await?;
        }
        tell::action("deleting toolkit.fluxcd.io finalizers in all namespaces");
        for kind in FINALIZED {
            self.finalizers(kind).await;
        }
        self.went_well("definitions stay, since they would wait for ever for objects that have finalizers")?;
        tell::action("deleting toolkit.fluxcd.io custom resource definitions");
        self.labeled(DEFINITION, None, &selector()).await;
        if !keep_namespace {
            self.namespace().await;
        }
        Ok(())
    }

    /// Everything but definitions, what they define, and the namespace.
    async fn components(&mut self, deadline: Instant) -> Result<()> {
        let (namespace, selector) = (self.namespace, selector());
        let deployments = self.list(DEPLOYMENT, Some(namespace), Some(&selector)).await;
        for deployment in &deployments {
            self.delete(DEPLOYMENT, Some(namespace), &deployment.name_any())
                .await;
        }
        for kind in [SERVICE, NETWORK_POLICY, ACCOUNT] {
            self.labeled(kind, Some(namespace), &selector).await;
        }
        for kind in [CLUSTER_ROLE, CLUSTER_ROLE_BINDING] {
            self.labeled(kind, None, &selector).await;
        }
        if !self.is_dry_run {
            self.end(&deployments, deadline).await?;
        }
        Ok(())
    }

    /// Waits until the controllers have ended. One that still worked would put finalizers back, see the end of its objects as
    /// a wish, and delete what they applied. Those whose Deployments were deleted before are waited for too.
    async fn end(&self, deployments: &[DynamicObject], deadline: Instant) -> Result<()> {
        let known: Vec<&str> = OURS.into_iter().chain(FLUX).collect();
        let known = format!("app in ({})", known.join(","));
        let selectors = std::iter::once(known).chain(deployments.iter().filter_map(pods_of));
        for selector in selectors {
            let mut is_told = false;
            loop {
                let pods = subject::list(&self.api(POD, Some(self.namespace)), None, Some(&selector)).await;
                let pods = pods.context("cannot see whether the controllers have ended")?;
                let Some(pod) = pods.iter().find(|pod| is_at_work(pod)) else {
                    break;
                };
                if !std::mem::replace(&mut is_told, true) {
                    tell::waiting(&format!("waiting for {} to end", pod.name_any()));
                }
                let next = Instant::now() + EVERY;
                ensure!(
                    next < deadline,
                    "context deadline exceeded: {} has not ended, and would delete what it applied: finalizers and definitions stay; run this again",
                    pod.name_any()
                );
                tokio::time::sleep_until(next).await;
            }
        }
        Ok(())
    }

    /// Waits until nobody holds a Lease of the controllers, in any namespace. Who does works where no Pod that was waited for
    /// tells of it: outside of the cluster, in Pods with other labels, on a node that was lost.
    async fn leases(&self, deadline: Instant) -> Result<()> {
        let mut watchers: BTreeMap<String, LeaseWatcher> = BTreeMap::new();
        let mut told = String::new();
        loop {
            let leases = subject::list(&self.api(LEASE, None), None, None).await;
            let leases = leases.context("cannot see whether controllers work elsewhere")?;
            let mut held = None;
            for lease in leases.iter().filter(|lease| is_of_controller(&lease.name_any())) {
                let name = named(LEASE, lease.namespace().as_deref(), &lease.name_any());
                let watcher = watchers.entry(name.clone()).or_default();
                if let Some(holder) = watcher.holder(&lease.data) {
                    held = Some(format!("{holder}, which holds {name}"));
                }
            }
            let Some(holder) = held else {
                return Ok(());
            };
            if told != holder {
                tell::waiting(&format!("waiting for {holder}, to end"));
                told.clone_from(&holder);
            }
            let next = Instant::now() + EVERY;
            ensure!(
                next < deadline,
                "context deadline exceeded: {holder}, has not ended, and would delete what it applied: finalizers and definitions stay; end it and run this again"
            );
            tokio::time::sleep_until(next).await;
        }
    }

    /// The namespace with all that is in it, if an installation made it: one that was there before may hold anything.
    async fn namespace(&mut self) {
        let name = self.namespace;
        match self.api(NAMESPACE, None).get_opt(name).await {
            Ok(Some(found)) if found.labels().get(meta::PART_OF).map(String::as_str) != Some("flux") => {
                tell::warning(&format!(
                    "the namespace {name} stays, since it has not the label {}; `kubectl delete namespace {name}` deletes it with all that is in it",
                    selector()
                ));
            }
            Ok(_) => self.delete(NAMESPACE, None, name).await,
            Err(error) => self.failed(&named(NAMESPACE, None, name), &error),
        }
    }

    /// A kind in a version that is served, since an older Flux defines older ones: the objects are the same in each. None where
    /// it is served in no version.
    async fn served(&mut self, kind: Kind) -> Option<ApiResource> {
        let resource = kind.api();
        let gvk = GroupVersionKind::new(&resource.api_version, kind.kind);
        match served(self.cluster, &gvk).await {
            Ok((gvk, _)) => Some(ApiResource {
                api_version: gvk.api_version(),
                version: gvk.version,
                ..resource
            }),
            Err(RequestError::NoMatch { .. }) => None,
            Err(error) => {
                self.failed(&format!("listing {}", kind.plural), &error);
                None
            }
        }
    }

    /// Takes all finalizers off all objects of a kind.
    async fn finalizers(&mut self, kind: Kind) {
        let Some(resource) = self.served(kind).await else {
            return;
        };
        let client = self.cluster.client().clone();
        let everywhere: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let patch = Patch::Merge(json!({"metadata": {"finalizers": null}}));
        let params = PatchParams {
            dry_run: self.is_dry_run,
            ..PatchParams::default()
        };
        for object in self.list_by(&everywhere, kind, None).await {
            let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
            let what = named(kind, Some(&namespace), &name);
            let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &resource);
            match api.patch(&name, &params, &patch).await {
                Ok(_) => self.done(&format!("{what} finalizers deleted")),
                // its last finalizer may have been what kept it
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    self.done(&format!("{what} finalizers deleted"));
                }
                Err(error) => self.failed(&format!("{what} removing finalizers"), &error),
            }
        }
    }

    /// Our controllers alone, with what only they need. Roles of the namespace go with its last controllers: whoever may make
    /// accounts there could take them up.
    async fn ours(&mut self, deployments: &[&Value], is_shared: bool) {
        let namespace = self.namespace;
        let components: BTreeSet<&str> = deployments.iter().map(|one| installed::name(one)).collect();
        for component in &components {
            self.delete(DEPLOYMENT, Some(namespace), component).await;
        }
        for kind in [SERVICE, ACCOUNT] {
            for component in &components {
                let selector = format!("{},{}={component}", selector(), meta::COMPONENT);
                self.labeled(kind, Some(namespace), &selector).await;
            }
        }
        if is_shared {
            return;
        }
        let selector = format!("{},{}={namespace}", selector(), meta::INSTANCE);
        self.labeled(NETWORK_POLICY, Some(namespace), &selector).await;
        for kind in [CLUSTER_ROLE, CLUSTER_ROLE_BINDING] {
            self.labeled(kind, None, &selector).await;
        }
    }
}

/// `Deployment/flux-system/kustomize-controller`.
fn named(kind: Kind, namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{}/{namespace}/{name}", kind.kind),
        None => format!("{}/{name}", kind.kind),
    }
}

/// Whether a Lease is that of a controller, or of a shard of one.
fn is_of_controller(lease: &str) -> bool {
    let is_of = |name: &str| {
        let rest = lease.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with("-leader-election"))
    };
    OURS.into_iter().chain(FLUX).any(is_of)
}

/// Whether a Pod may still do something.
fn is_at_work(pod: &DynamicObject) -> bool {
    !matches!(kinds::text(pod, "/status/phase"), Some("Succeeded" | "Failed"))
}

/// How the Pods of a Deployment are found.
fn pods_of(deployment: &DynamicObject) -> Option<String> {
    let labels = deployment
        .data
        .pointer("/spec/selector/matchLabels")?
        .as_object()?;
    let label = |(name, value): (&String, &Value)| Some(format!("{name}={}", value.as_str()?));
    let labels: Vec<String> = labels.iter().filter_map(label).collect();
    (!labels.is_empty()).then(|| labels.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(namespace: &str, name: &str, program: &str) -> Value {
        json!({"metadata": {"name": name, "namespace": namespace}, "spec": {"template": {"spec": {"containers": [
            {"name": "manager", "command": [program]}]}}}})
    }

    #[test]
    fn what_is_not_ours_is_told_apart() {
        let controllers = [
            deployment("flux-system", "kustomize-controller", "sluice"),
            deployment("flux-system", "helm-controller", "helm-controller"),
            deployment("elsewhere", "kustomize-controller", "sluice"),
        ];
        let named = |found: Vec<&Value>| {
            found
                .into_iter()
                .map(installed::full_name)
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            named(ours(&controllers, "flux-system")),
            "flux-system/kustomize-controller"
        );
        assert_eq!(
            named(others(&controllers, "flux-system")),
            "flux-system/helm-controller elsewhere/kustomize-controller"
        );
        assert!(others(&controllers[..1], "flux-system").is_empty());
        let refused = stay(&controllers, "nowhere").unwrap_err().to_string();
        assert!(
            refused.starts_with("no controllers of Sluice found in the 'nowhere' namespace"),
            "{refused}"
        );
        stay(&controllers, "flux-system").unwrap();
        let refused = alone(&controllers, "flux-system").unwrap_err().to_string();
        assert!(
            refused.contains(": elsewhere/kustomize-controller; "),
            "{refused}"
        );
        alone(&controllers[..2], "flux-system").unwrap();
    }

    #[test]
    fn another_tool_is_named_before_it_is_overridden() {
        assert_eq!(
            question(Some("Helm"), true),
            "Flux is managed by Helm! Are you sure you want to delete Flux and its CRDs using Flux CLI"
        );
        assert_eq!(
            question(None, true),
            "Are you sure you want to delete Flux and its custom resource definitions"
        );
    }

    #[test]
    fn a_pod_that_came_to_its_end_does_nothing() {
        let pod = |status: Value| {
            let pod = json!({"metadata": {"name": "a"}, "status": status});
            is_at_work(&serde_json::from_value(pod).unwrap())
        };
        assert!(pod(json!({"phase": "Running"})) && pod(json!({})));
        assert!(!pod(json!({"phase": "Succeeded"})) && !pod(json!({"phase": "Failed"})));
    }

    #[test]
    fn leases_are_known_by_their_names() {
        assert!(is_of_controller("helm-controller-leader-election"));
        assert!(is_of_controller("kustomize-controller-leader-election-01234567"));
        assert!(!is_of_controller("kube-controller-manager"));
        assert!(!is_of_controller("helm-controller"));
    }

    #[test]
    fn pods_are_found_by_the_selector_of_their_deployment() {
        let deployment =
            json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"app": "a", "b": "c"}}}});
        let deployment = serde_json::from_value(deployment).unwrap();
        assert_eq!(pods_of(&deployment).as_deref(), Some("app=a,b=c"));
    }
}
