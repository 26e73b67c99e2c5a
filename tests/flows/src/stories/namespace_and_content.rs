//! A Namespace and what lives in it in one commit.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    let name = format!("{}-shop", world.namespace);
    let mut content = config_map("one", "1");
    content["metadata"]["namespace"] = json!(name);
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    world.kustomization("apps", json!({})).await;

    world.commit("a", &[("a.json", content.clone())]).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    let missing = format!(
        "ConfigMap/{name}/one not found: namespaces \"{name}\" not found (a.json:1); create the namespace first"
    );
    assert!(message.starts_with(&missing), "{message}");

    // the order of files does not matter: definitions and namespaces come first
    world
        .commit("b", &[("a.json", content), ("z.json", namespace)])
        .await;
    let ks = world.ready("apps", "b").await;
    assert_eq!(
        inventory(&ks),
        [format!("_{name}__Namespace"), format!("{name}_one__ConfigMap")]
    );

    world.delete(KS, "apps").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
    world
        .until("the namespace is gone", async || {
            world.get(NAMESPACE, &name).await.is_none().then_some(())
        })
        .await;
}
