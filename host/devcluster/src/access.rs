//! Who may do what: everybody everything, or what Roles say.

use crate::cluster::Cluster;
use crate::http::User;
use crate::kinds::table;
use crate::meta;
use crate::request::Target;
use crate::status::{Named, Result, Status};
use crate::store::Key;
use serde_json::Value;

/// How requests are authorized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Whoever is let in may do everything.
    #[default]
    AlwaysAllow,
    /// Roles and bindings decide, as in a real cluster; `system:masters` may do everything.
    Rbac,
}

/// Refuses what `user` may not do.
pub(crate) fn check(
    cluster: &Cluster,
    how: Authorization,
    user: &User,
    verb: &str,
    target: &Target,
) -> Result<()> {
    if how == Authorization::AlwaysAllow || user.groups.iter().any(|group| group == "system:masters") {
        return Ok(());
    }
    let verb = if verb == "apply" { "patch" } else { verb };
    if is_allowed(cluster, user, verb, target) {
        return Ok(());
    }
    let mut resource = target.resource.clone();
    if !target.subresource.is_empty() {
        resource = format!("{resource}/{}", target.subresource);
    }
    let place = match target.namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let why = format!(
        "User \"{}\" cannot {verb} resource \"{resource}\" in API group \"{}\" {place}",
        user.name, target.group
    );
    Err(Status::forbidden(
        &Named {
            group: &target.group,
            resource: &target.resource,
            name: &target.name,
        },
        &why,
    ))
}

fn is_allowed(cluster: &Cluster, user: &User, verb: &str, target: &Target) -> bool {
    let group = "rbac.authorization.k8s.io";
    let cluster_wide = cluster
        .store
        .list(&table(group, "clusterrolebindings"), None)
        .objects;
    let local = if target.namespace.is_empty() {
        Vec::new()
    } else {
        cluster
            .store
            .list(&table(group, "rolebindings"), Some(&target.namespace))
            .objects
    };
    cluster_wide
        .iter()
        .chain(&local)
        .filter(|binding| binds(binding, user))
        .any(|binding| {
            let rules = rules_of(cluster, binding);
            rules.iter().any(|rule| permits(rule, verb, target))
        })
}

fn binds(binding: &Value, user: &User) -> bool {
    let subjects = binding
        .get("subjects")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    subjects.iter().any(|subject| {
        let text = |key: &str| subject.get(key).and_then(Value::as_str).unwrap_or_default();
        match text("kind") {
            "User" => text("name") == user.name,
            "Group" => user.groups.iter().any(|group| group == text("name")),
            "ServiceAccount" => {
                let namespace = match text("namespace") {
                    "" => meta::namespace(binding),
                    namespace => namespace,
                };
                user.name == format!("system:serviceaccount:{namespace}:{}", text("name"))
            }
            _ => false,
        }
    })
}

fn rules_of(cluster: &Cluster, binding: &Value) -> Vec<Value> {
    let text = |pointer: &str| {
        binding
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let group = "rbac.authorization.k8s.io";
    let role = match text("/roleRef/kind") {
        "ClusterRole" => cluster.store.get(
            &table(group, "clusterroles"),
            &Key::new("", text("/roleRef/name")),
        ),
        _ => cluster.store.get(
            &table(group, "roles"),
            &Key::new(meta::namespace(binding), text("/roleRef/name")),
        ),
    };
    match role {
        Some(role) => role
            .get("rules")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default(),
        // the role that every cluster has
        None if text("/roleRef/name") == "cluster-admin" => {
            vec![serde_json::json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]})]
        }
        None => Vec::new(),
    }
}

fn permits(rule: &Value, verb: &str, target: &Target) -> bool {
    let has = |key: &str, wanted: &str| {
        let list = rule
            .get(key)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter()
            .filter_map(Value::as_str)
            .any(|entry| entry == "*" || entry == wanted)
    };
    let resource = match target.subresource.as_str() {
        "" => target.resource.clone(),
        subresource => format!("{}/{subresource}", target.resource),
    };
    let named = rule
        .get("resourceNames")
        .and_then(Value::as_array)
        .is_none_or(|names| {
            names.is_empty()
                || names
                    .iter()
                    .any(|name| name.as_str() == Some(target.name.as_str()))
        });
    has("verbs", verb) && has("apiGroups", &target.group) && has("resources", &resource) && named
}
