//! `status.history`: what was applied when, how it went, how often, at most five entries, the newest first.

use super::prelude::*;

fn lines(ks: &Value) -> Vec<(String, i64, String)> {
    let entries = ks.pointer("/status/history").and_then(Value::as_array);
    let line = |entry: &Value| {
        let word = text(entry, "/lastReconciledStatus").unwrap();
        (
            word,
            entry["totalReconciliations"].as_i64().unwrap(),
            text(entry, "/metadata/revision").unwrap(),
        )
    };
    entries.into_iter().flatten().map(line).collect()
}

fn line(word: &str, total: i64, revision: &str) -> (String, i64, String) {
    (word.to_owned(), total, format!("main@sha1:{revision}"))
}

pub async fn tell(world: &mut World) {
    const OK: &str = "ReconciliationSucceeded";
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", config_map("one", "1"))]).await;
    assert_eq!(lines(&world.ready("apps", "a").await), [line(OK, 1, "a")]);

    let ks = world.asked_to_reconcile("apps", "1").await;
    assert_eq!(lines(&ks), [line(OK, 2, "a")]);
    // other revision, same manifests: the same entry
    world.commit("b", &[("a.json", config_map("one", "1"))]).await;
    let ks = world.ready("apps", "b").await;
    assert_eq!(lines(&ks), [line(OK, 3, "b")]);
    let digest = text(&ks, "/status/history/0/digest").unwrap();
    assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");

    // what cannot be built is not in it, what cannot be applied is
    world.commit("c", &[("a.json", json!("{"))]).await;
    world.failed("apps", "BuildFailed").await;
    assert_eq!(lines(&world.ks("apps").await), [line(OK, 3, "b")]);
    world
        .commit("d", &[("a.json", config_map("Bad_Name", "1"))])
        .await;
    world.failed("apps", "ReconciliationFailed").await;
    assert_eq!(
        lines(&world.ks("apps").await),
        [line("ReconciliationFailed", 1, "d"), line(OK, 3, "b")]
    );

    for revision in ["e", "f", "g", "h"] {
        world
            .commit(revision, &[("a.json", config_map("one", revision))])
            .await;
        world.ready("apps", revision).await;
    }
    let last = lines(&world.ks("apps").await);
    assert_eq!(last.len(), 5);
    assert_eq!(last[0], line(OK, 1, "h"));
    assert_eq!(last[4], line("ReconciliationFailed", 1, "d"));
}
