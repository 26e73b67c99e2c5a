//! A namespace is full: the object is refused, and the message names quota and object.

use super::prelude::*;
use sluice_devcluster::{Admission, Verdict};

pub async fn tell(world: &mut World) {
    let faults = world.server().unwrap().faults();
    let full = "configmaps \"two\" is forbidden: exceeded quota: small, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1";
    let verdict = Verdict::Refuse(403, "Forbidden", full.into());
    faults.admit(Admission {
        resource: "configmaps".into(),
        name: "two".into(),
        verdict,
    });
    world.start().await;
    world
        .kustomization("apps", json!({ "retryInterval": "1m" }))
        .await;
    world
        .commit(
            "a",
            &[
                ("a.json", config_map("one", "1")),
                ("b.json", config_map("two", "1")),
            ],
        )
        .await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    let expected = format!(
        "ConfigMap/{}/two dry-run failed (Forbidden): {full} (b.json:1)",
        world.namespace
    );
    assert!(message.starts_with(&expected), "{message}");
    assert!(
        message.contains("raise the quota") && !message.contains("grant"),
        "{message}"
    );

    faults.clear();
    world.ready("apps", "a").await;
}
