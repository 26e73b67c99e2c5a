//! A webhook refuses an object, or cannot be reached: the message is its own, and the stage is not half applied.

use super::prelude::*;
use sluice_devcluster::{Admission, Verdict};
use sluice_testkit::webhook::Review;

const CONFIGURATION: (&str, &str) = (
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
);
const NAME: &str = "validate.example.com";

/// Refuses `two`, as the embedded server says what a webhook said.
fn refuse(world: &World, code: u16, reason: &'static str, message: &str) {
    let faults = world.server().unwrap().faults();
    faults.clear();
    faults.admit(Admission {
        resource: "configmaps".into(),
        name: "two".into(),
        verdict: Verdict::Refuse(code, reason, message.to_owned()),
    });
}

/// What the API server says where the webhook refuses `two`; the webhook, where the server asks a real one.
async fn refused(world: &World) -> (String, Option<Webhook>) {
    let why = "key must not be 1";
    let said = format!("admission webhook \"{NAME}\" denied the request: {why}");
    if world.server().is_some() {
        refuse(world, 403, "Forbidden", &said);
        return (said, None);
    }
    let webhook = Webhook::start(move |object| {
        match object["metadata"]["name"] == "two" && object["data"]["key"] == "1" {
            true => Review::Refuse(why.to_owned()),
            false => Review::Allow,
        }
    });
    asked_for(
        world,
        &webhook,
        webhook.configuration(CONFIGURATION.1, NAME, &world.namespace),
    )
    .await;
    (said, Some(webhook))
}

/// From now on nobody answers.
async fn out_of_reach(world: &World, webhook: Option<Webhook>) -> String {
    let said = format!(
        "Internal error occurred: failed calling webhook \"{NAME}\": failed to call webhook: Post \"https://"
    );
    match webhook {
        None => {
            let whole = format!("{said}validate.example.svc:443/\": service \"validate\" not found");
            refuse(world, 500, "InternalError", &whole);
        }
        Some(webhook) => drop(webhook),
    }
    said
}

/// It is there again, or nobody asks for it.
async fn back(world: &World) {
    match world.server() {
        Some(server) => server.faults().clear(),
        None => world.delete(CONFIGURATION, &world.namespace).await,
    }
}

pub async fn tell(world: &mut World) {
    world.start().await;
    let (said, webhook) = refused(world).await;
    world
        .kustomization("apps", json!({ "retryInterval": "2s" }))
        .await;
    let files = |value: &str| {
        [
            ("a.json", config_map("one", "1")),
            ("b.json", config_map("two", value)),
        ]
    };
    world.commit("a", &files("1")).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    let expected = format!(
        "ConfigMap/{}/two dry-run failed (Forbidden): {said} (b.json:1)",
        world.namespace
    );
    assert!(message.starts_with(&expected), "{message}");
    assert!(
        !message.contains("grant the named verb"),
        "it is not a matter of rights: {message}"
    );
    assert_eq!(world.get(CM, "one").await, None);

    let said = out_of_reach(world, webhook).await;
    world.commit("b", &files("2")).await;
    world
        .until("the other message", async || {
            let ready = condition(&world.ks("apps").await, "Ready");
            ready
                .2
                .contains(&format!("dry-run failed (InternalError): {said}"))
                .then_some(())
        })
        .await;

    // the next try goes through by itself
    back(world).await;
    world.ready("apps", "b").await;
}
