//! A commit changes one of two objects: it is configured, the other is not touched.

use super::prelude::*;

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world
        .commit(
            "a",
            &[
                ("a.json", config_map("one", "1")),
                ("b.json", config_map("two", "1")),
            ],
        )
        .await;
    world.ready("apps", "a").await;
    let two = world.get(CM, "two").await.unwrap();

    world
        .commit(
            "b",
            &[
                ("a.json", config_map("one", "2")),
                ("b.json", config_map("two", "1")),
            ],
        )
        .await;
    world.ready("apps", "b").await;
    assert_eq!(world.value("one").await.as_deref(), Some("2"));
    assert_eq!(
        world.get(CM, "two").await.unwrap(),
        two,
        "what did not change was not written"
    );
    let event = world.told("apps", "configured").await;
    assert_eq!(
        event,
        format!("Progressing: ConfigMap/{}/one configured", world.namespace)
    );
}
