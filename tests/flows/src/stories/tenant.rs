//! A tenant's objects are applied in the tenant's name: with his rights, and never with more.

use super::prelude::*;
use sluice_devcluster::{Authorization, Config};

/// What lets `deployer` write ConfigMaps in the namespace.
pub(super) fn rights(world: &World) -> [Value; 3] {
    let api = "rbac.authorization.k8s.io/v1";
    [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "deployer", "namespace": world.namespace } }),
        json!({ "apiVersion": api, "kind": "Role", "metadata": { "name": "deployer", "namespace": world.namespace },
            "rules": [{ "apiGroups": ["", "example.com"], "resources": ["configmaps", "lamps"], "verbs": ["*"] }] }),
        json!({ "apiVersion": api, "kind": "RoleBinding", "metadata": { "name": "deployer", "namespace": world.namespace },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer" },
            "subjects": [{ "kind": "ServiceAccount", "name": "deployer", "namespace": world.namespace }] }),
    ]
}

/// A world whose server asks Roles.
pub(super) async fn with_roles() -> World {
    let config = Config {
        audit: true,
        authorization: Authorization::Rbac,
        ..Config::default()
    };
    World::embedded_with(config).await
}

pub async fn tell(world: &mut World) {
    if world.server().is_none() {
        // a real one asks Roles anyway
        return tell_where_roles_count(world).await;
    }
    let mut world = with_roles().await;
    tell_where_roles_count(&mut world).await;
    world.stop().await;
}

async fn tell_where_roles_count(world: &mut World) {
    world.start().await;
    world
        .kustomization(
            "apps",
            json!({ "serviceAccountName": "deployer", "retryInterval": "1m" }),
        )
        .await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    let user = format!("system:serviceaccount:{}:deployer", world.namespace);
    assert!(message.contains(&format!("User \"{user}\" cannot")), "{message}");
    assert!(
        message.contains("spec.serviceAccountName") && message.contains("(a.json:1)"),
        "{message}"
    );
    assert_eq!(world.get(CM, "one").await, None);

    for object in rights(world) {
        world.put(object).await;
    }
    world.ready("apps", "a").await;

    // a Secret is more than he may
    world
        .commit(
            "b",
            &[
                ("a.json", config_map("one", "2")),
                (
                    "b.json",
                    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" } }),
                ),
            ],
        )
        .await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    assert!(
        message.contains("secrets") && message.contains(&user),
        "{message}"
    );
    assert_eq!(world.value("one").await.as_deref(), Some("1"));

    let Some(server) = world.server() else { return };
    let requests = server.requests();
    let objects = ["configmaps", "secrets"];
    let own: Vec<_> = requests
        .iter()
        .filter(|request| request.verb == "apply" && request.user != user)
        .collect();
    assert!(
        !own.iter()
            .any(|request| objects.contains(&request.resource.as_str())),
        "{own:?}"
    );
}
