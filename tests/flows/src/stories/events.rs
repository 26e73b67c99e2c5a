//! The events of a reconcile, as Flux tells them: reasons, texts, and metadata.

use super::prelude::*;

const REVISION: &str = "kustomize.toolkit.fluxcd.io/revision";

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({ "wait": true })).await;
    let own = json!({ "metadata": { "annotations": { "event.toolkit.fluxcd.io/team": "shop", "unrelated": "x" } } });
    world.edit(KS, "apps", own).await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    world.ready("apps", "a").await;
    world.told("apps", "Reconciliation finished in ").await;

    let events = all(world).await;
    let applied = find(&events, "created");
    assert_eq!(
        applied["message"],
        format!("ConfigMap/{}/one created", world.namespace)
    );
    check(
        applied,
        ("Normal", "Progressing"),
        json!({ REVISION: "main@sha1:a", "event.toolkit.fluxcd.io/team": "shop" }),
    );
    check(
        find(&events, "Health check passed in "),
        ("Normal", "Progressing"),
        json!({ REVISION: "main@sha1:a", "event.toolkit.fluxcd.io/team": "shop" }),
    );
    let finished = find(&events, "Reconciliation finished in ");
    assert!(
        finished["message"]
            .as_str()
            .unwrap()
            .ends_with(", next run in 1h0m0s"),
        "{finished}"
    );
    let update = "kustomize.toolkit.fluxcd.io/commit_status";
    check(
        finished,
        ("Normal", "ReconciliationSucceeded"),
        json!({ REVISION: "main@sha1:a", update: "update", "event.toolkit.fluxcd.io/team": "shop" }),
    );
    assert_eq!(finished["reportingComponent"], "kustomize-controller");
    assert_eq!(finished["involvedObject"]["apiVersion"], KS.0);

    // an error carries the revision it is about
    world
        .commit("b", &[("a.json", config_map("Bad_Name", "1"))])
        .await;
    world.told("apps", "Bad_Name").await;
    let events = all(world).await;
    check(
        find(&events, "Bad_Name"),
        ("Warning", "ReconciliationFailed"),
        json!({ REVISION: "main@sha1:b", "event.toolkit.fluxcd.io/team": "shop" }),
    );

    // a mistake in the configuration does not
    let broken = json!([{ "apiVersion": "v1", "kind": "ConfigMap", "current": "(" }]);
    world
        .kustomization("apps", json!({ "wait": true, "healthCheckExprs": broken }))
        .await;
    world.told("apps", "configuration error").await;
    let events = all(world).await;
    check(
        find(&events, "configuration error"),
        ("Warning", "InvalidCELExpression"),
        json!({ "event.toolkit.fluxcd.io/team": "shop" }),
    );
}

async fn all(world: &World) -> Vec<Value> {
    world.list(("v1", "Event"), "").await.unwrap()
}

fn find<'e>(events: &'e [Value], text: &str) -> &'e Value {
    let found = events.iter().find(|event| {
        event["message"]
            .as_str()
            .is_some_and(|message| message.contains(text))
    });
    found.unwrap_or_else(|| panic!("no event with {text:?} in {events:#?}"))
}

fn check(event: &Value, (type_, reason): (&str, &str), metadata: Value) {
    assert_eq!(
        (event["type"].as_str(), event["reason"].as_str()),
        (Some(type_), Some(reason)),
        "{event}"
    );
    assert_eq!(event["metadata"]["annotations"], metadata, "{event}");
}
