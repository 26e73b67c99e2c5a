//! An object gets another name: the new one is there before the old one goes.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", config_map("old", "1"))]).await;
    world.ready("apps", "a").await;
    world.commit("b", &[("a.json", config_map("new", "1"))]).await;
    let ks = world.ready("apps", "b").await;
    assert_eq!(world.get(CM, "old").await, None);
    assert_eq!(world.value("new").await.as_deref(), Some("1"));
    assert_eq!(inventory(&ks), [format!("{}_new__ConfigMap", world.namespace)]);

    // the same name as another kind is another object
    world
        .commit(
            "c",
            &[(
                "a.json",
                json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "new" } }),
            )],
        )
        .await;
    let ks = world.ready("apps", "c").await;
    assert_eq!(world.get(CM, "new").await, None);
    assert!(world.get(SECRET, "new").await.is_some());
    assert_eq!(inventory(&ks), [format!("{}_new__Secret", world.namespace)]);
}
