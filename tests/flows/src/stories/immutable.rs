//! A change that Kubernetes does not allow: refused with the way out, or done by making the object anew where `force` says so.

use super::prelude::*;

fn with_selector(name: &str, label: &str) -> Value {
    let mut object = deployment(name, "example.com/app:1");
    object["spec"]["selector"]["matchLabels"] = json!({ "app": label });
    object["spec"]["template"]["metadata"]["labels"] = json!({ "app": label });
    object
}

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world
        .commit(
            "a",
            &[
                ("web.json", with_selector("web", "one")),
                ("cm.json", config_map("one", "1")),
            ],
        )
        .await;
    world.ready("apps", "a").await;
    let before = world.get(DEPLOYMENT, "web").await.unwrap();

    world
        .commit(
            "b",
            &[
                ("web.json", with_selector("web", "two")),
                ("cm.json", config_map("one", "2")),
            ],
        )
        .await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    let subject = format!("Deployment/{}/web dry-run failed (Invalid): ", world.namespace);
    assert!(
        message.starts_with(&subject) && message.contains("immutable"),
        "{message}"
    );
    assert!(
        message.contains("(web.json:1)") && message.contains("spec.force"),
        "{message}"
    );
    assert_eq!(
        world.value("one").await.as_deref(),
        Some("1"),
        "one bad object holds its whole stage"
    );

    world.kustomization("apps", json!({ "force": true })).await;
    world.ready("apps", "b").await;
    let after = world.get(DEPLOYMENT, "web").await.unwrap();
    assert_ne!(
        before.pointer("/metadata/uid"),
        after.pointer("/metadata/uid"),
        "made anew"
    );
    assert_eq!(world.value("one").await.as_deref(), Some("2"));

    // one object may ask for it alone
    world.kustomization("apps", json!({ "force": false })).await;
    let mut asks = with_selector("web", "three");
    asks["metadata"]["annotations"] = json!({ "kustomize.toolkit.fluxcd.io/force": "Enabled" });
    world.commit("c", &[("web.json", asks)]).await;
    world.ready("apps", "c").await;
    let last = world.get(DEPLOYMENT, "web").await.unwrap();
    assert_ne!(last.pointer("/metadata/uid"), after.pointer("/metadata/uid"));
}
