//! What is installed in a cluster: by whom, in which version, whose controllers they are and whether they work (compat: cli,
//! sections 4 and 5).

use crate::tell;
use serde_json::Value;
use sluice_api::{Time, meta};
use sluice_apply::cluster::{Cluster, Identity, RequestError};
use sluice_health::{Health, Status, assess};
use sluice_object::{GroupVersionKind, ObjectId};
use std::time::Duration;
use tokio::time::Instant;

/// Other tools say here that they installed something.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Finds everything that is installed.
pub(crate) fn selector() -> String {
    format!("{}=flux", meta::PART_OF)
}

/// A label of an object.
pub(crate) fn label<'v>(object: &'v Value, name: &str) -> Option<&'v str> {
    object.pointer("/metadata/labels")?.get(name)?.as_str()
}

/// The name of an object.
pub(crate) fn name(object: &Value) -> &str {
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    name.unwrap_or_default()
}

/// The namespace of an object, empty where it has none.
pub(crate) fn namespace(object: &Value) -> &str {
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str);
    namespace.unwrap_or_default()
}

/// `flux-system/kustomize-controller`.
pub(crate) fn full_name(object: &Value) -> String {
    format!("{}/{}", namespace(object), name(object))
}

/// An installation, as the definition of GitRepositories tells of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Installation {
    /// Whether a Kustomization keeps it, as after `flux bootstrap`.
    pub(crate) is_bootstrapped: bool,
    /// What installed it says of itself; other tools do, `flux` does not.
    manager: String,
    part_of: String,
    /// The version, `v2.9.0`.
    pub(crate) version: String,
}

impl Installation {
    /// The definition that tells of it.
    pub(crate) fn definition() -> ObjectId {
        ObjectId {
            gvk: GroupVersionKind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
            namespace: None,
            name: format!("gitrepositories.{}", meta::SOURCE_GROUP),
        }
    }

    /// What is installed, if anything is.
    pub(crate) async fn find(cluster: &dyn Cluster) -> Result<Option<Self>, RequestError> {
        let definition = cluster.get(&Identity::AsController, &Self::definition()).await?;
        Ok(definition.as_ref().map(Self::of))
    }

    fn of(definition: &Value) -> Self {
        let text = |name: &str| label(definition, name).unwrap_or_default().to_owned();
        Self {
            is_bootstrapped: label(definition, meta::OWNER_NAMESPACE).is_some(),
            manager: text(MANAGED_BY),
            part_of: text(meta::PART_OF),
            version: text(meta::VERSION),
        }
    }

    /// `flux-v2.9.0`; empty where nothing says so.
    pub(crate) fn distribution(&self) -> String {
        match self.part_of.as_str() {
            "" => self.version.clone(),
            part_of => format!("{part_of}-{}", self.version),
        }
    }

    /// Another tool than `flux` or this one that installed it.
    pub(crate) fn other_manager(&self) -> Option<&str> {
        match self.manager.as_str() {
            "" | "flux" => None,
            manager => Some(manager),
        }
    }
}

/// The Deployments of installations, in one namespace or in all.
pub(crate) async fn controllers(
    cluster: &dyn Cluster,
    namespace: Option<&str>,
) -> Result<Vec<Value>, RequestError> {
    let deployments = GroupVersionKind::new("apps/v1", "Deployment");
    let (identity, selector) = (Identity::AsController, selector());
    cluster.list(&identity, &deployments, namespace, &selector).await
}

/// Whether the program of a Deployment is this one, and not one of Flux's own under the same name.
pub(crate) fn is_ours(deployment: &Value) -> bool {
    let containers = deployment
        .pointer("/spec/template/spec/containers")
        .and_then(Value::as_array);
    let mut programs = containers
        .into_iter()
        .flatten()
        .filter_map(|container| container.pointer("/command/0")?.as_str());
    programs.any(|program| program.rsplit('/').next() == Some("sluice"))
}

/// Names of a namespace's controllers.
pub(crate) fn names<'v>(deployments: impl IntoIterator<Item = &'v Value>) -> String {
    let names: Vec<&str> = deployments.into_iter().map(name).collect();
    names.join(", ")
}

/// A Deployment.
pub(crate) fn deployment(namespace: &str, name: &str) -> ObjectId {
    ObjectId {
        gvk: GroupVersionKind::new("apps/v1", "Deployment"),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    }
}

/// Looks at an object again and again, until it is as it should be or the time is over. How it was last.
pub(crate) async fn until_current(
    cluster: &dyn Cluster,
    id: &ObjectId,
    every: Duration,
    deadline: Instant,
) -> Health {
    loop {
        let health = match cluster.get(&Identity::AsController, id).await {
            Ok(Some(object)) => assess(&object, Time::new(jiff::Timestamp::now())),
            Ok(None) => Health::not_found(),
            Err(error) => Health::unknown(error.to_string()),
        };
        let next = Instant::now() + every;
        if health.is_current() || next > deadline {
            return health;
        }
        tokio::time::sleep_until(next).await;
    }
}

/// Tells whether a Deployment is ready, and why it is not. Whether it is.
pub(crate) fn tell_deployment(name: &str, health: &Health) -> bool {
    match (health.status, health.message.as_str()) {
        (Status::Current, _) => tell::success(&format!("{name}: deployment ready")),
        (Status::NotFound, _) => tell::failure(&format!("{name}: deployment not found")),
        (_, "") => tell::failure(&format!("{name}: deployment not ready")),
        (_, why) => tell::failure(&format!("{name}: deployment not ready: {why}")),
    }
    health.is_current()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_definition_tells_who_installed_what() {
        let read = |labels: Value| Installation::of(&json!({"metadata": {"labels": labels}}));
        let plain = read(json!({"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/version": "v2.9.0"}));
        assert_eq!(plain.distribution(), "flux-v2.9.0");
        assert!(!plain.is_bootstrapped && plain.other_manager().is_none());
        let bare =
            read(json!({"app.kubernetes.io/version": "v2.9.0", "app.kubernetes.io/managed-by": "flux"}));
        assert_eq!(bare.distribution(), "v2.9.0");
        assert!(bare.other_manager().is_none());
        let kept = read(json!({"kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            "app.kubernetes.io/managed-by": "Helm"}));
        assert!(kept.is_bootstrapped);
        assert_eq!(kept.other_manager(), Some("Helm"));
        // a name alone is not what `flux` looks at
        let named = read(json!({"kustomize.toolkit.fluxcd.io/name": "flux-system"}));
        assert!(!named.is_bootstrapped);
        assert_eq!(Installation::of(&json!({})).distribution(), "");
    }

    #[test]
    fn a_deployment_is_ours_by_its_program() {
        let of = |container: Value| json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        assert!(is_ours(&of(json!({"command": ["sluice", "controller"]}))));
        assert!(is_ours(&of(json!({"command": ["/usr/local/bin/sluice"]}))));
        assert!(!is_ours(&of(
            json!({"command": ["/usr/bin/kustomize-controller"]})
        )));
        assert!(!is_ours(&of(
            json!({"image": "ghcr.io/fluxcd/kustomize-controller:v1.9.4"})
        )));
    }
}
