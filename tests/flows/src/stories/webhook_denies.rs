//! A webhook refuses an object, or cannot be reached: the message is its own, and the stage is not half applied.

use super::prelude::*;
use sluice_devcluster::{Admission, Verdict};

pub async fn tell(world: &mut World) {
    let faults = world.server().unwrap().faults();
    let refuse = |code, reason, message: &str| {
        let verdict = Verdict::Refuse(code, reason, message.to_owned());
        faults.admit(Admission {
            resource: "configmaps".into(),
            name: "two".into(),
            verdict,
        });
    };
    let no = "admission webhook \"validate.example.com\" denied the request: key must not be 1";
    refuse(403, "Forbidden", no);
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
        "ConfigMap/{}/two dry-run failed (Forbidden): {no} (b.json:1)",
        world.namespace
    );
    assert!(message.starts_with(&expected), "{message}");
    assert!(
        !message.contains("grant the named verb"),
        "it is not a matter of rights: {message}"
    );
    assert_eq!(world.get(CM, "one").await, None);

    faults.clear();
    let down = "Internal error occurred: failed calling webhook \"validate.example.com\": failed to call webhook: \
                Post \"https://validate.example.svc:443/\": service \"validate\" not found";
    refuse(500, "InternalError", down);
    world
        .commit(
            "b",
            &[
                ("a.json", config_map("one", "1")),
                ("b.json", config_map("two", "2")),
            ],
        )
        .await;
    world
        .until("the other message", async || {
            let ready = condition(&world.ks("apps").await, "Ready");
            ready
                .2
                .contains(&format!("dry-run failed (InternalError): {down}"))
                .then_some(())
        })
        .await;

    // it is there again: the next try goes through by itself
    faults.clear();
    world.ready("apps", "b").await;
}
