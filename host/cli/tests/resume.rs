//! `sluice suspend` and `sluice resume` against an embedded API server.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::Reached;
use expect_test::expect;
use serde_json::{Value, json};
use sluice_testkit::world::{GIT, KS, config_map};

/// What a controller reports of a source: its revision, and a condition.
fn report(revision: &str, of: &str, message: &str) -> Value {
    json!({
        "observedGeneration": 1,
        "conditions": [{"type": of, "status": "True", "reason": "Succeeded", "message": message,
            "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        "artifact": {"path": "gitrepository/a/b/c.tar.gz", "url": "http://example.com/x", "revision": revision,
            "digest": format!("sha256:{}", "0".repeat(64)), "lastUpdateTime": "2026-01-01T00:00:00Z", "size": 1},
    })
}

async fn source(reached: &Reached, name: &str) {
    let spec = json!({"interval": "1h", "url": "https://example.com/src.git"});
    let object = json!({"apiVersion": GIT.0, "kind": GIT.1, "metadata": {"name": name}, "spec": spec});
    reached.world.put(object).await;
}

async fn is_suspended(reached: &Reached, kind: (&str, &str), name: &str) -> bool {
    let object = reached.world.get(kind, name).await.unwrap();
    object.pointer("/spec/suspend").is_some_and(|said| said == true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kustomization_rests_until_it_is_resumed() {
    let mut reached = Reached::start().await;
    reached.world.start().await;
    let files = |value: &str| [("map.json", config_map("map", value))];
    reached.world.commit("a", &files("1")).await;
    reached.world.kustomization("apps", json!({})).await;
    reached.world.ready("apps", "a").await;

    // said twice it is the same, and of two equal names one counts
    for args in [
        &["suspend", "ks", "apps"][..],
        &["suspend", "kustomization", "apps", "apps"],
    ] {
        let (code, told) = reached.sluice(args);
        expect![[r#"
            ► suspending kustomization apps in NS namespace
            ✔ kustomization suspended
        "#]]
        .assert_eq(&told);
        assert_eq!(code, 0);
        assert!(is_suspended(&reached, KS, "apps").await);
    }
    let (code, told) = reached.sluice(&["reconcile", "ks", "apps"]);
    assert_eq!((code, told.as_str()), (1, "✗ resource is suspended\n"));

    reached.world.commit("b", &files("2")).await;
    let (code, told) = reached.sluice(&["resume", "ks", "apps"]);
    expect![[r#"
        ► resuming kustomization apps in NS namespace
        ✔ kustomization resumed
        ◎ waiting for Kustomization reconciliation
        ✔ Kustomization apps reconciliation completed
        ✔ applied revision main@sha1:b
    "#]]
    .assert_eq(&told);
    assert_eq!(code, 0);
    assert!(!is_suspended(&reached, KS, "apps").await);
    assert_eq!(reached.world.value("map").await.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_are_waited_for_where_that_is_said() {
    let reached = Reached::start().await;
    for name in ["one", "two"] {
        source(&reached, name).await;
    }
    let git = |more: &[&str]| reached.sluice(&[&["resume", "source", "git"][..], more].concat());
    reached
        .world
        .report(GIT, "one", report("main@sha1:0123", "Ready", "stored artifact"))
        .await;

    // nobody reconciles them here: what is not waited for ends at once
    for more in [&["one", "two"][..], &["--all"], &["--all", "--wait=false"]] {
        let (code, told) = git(more);
        expect![[r#"
            ► resuming source git one in NS namespace
            ✔ source git resumed
            ► resuming source git two in NS namespace
            ✔ source git resumed
        "#]]
        .assert_eq(&told);
        assert_eq!(code, 0, "{more:?}");
    }
    let (code, told) = git(&["two", "--wait=f"]);
    assert_eq!(code, 0, "{told}");

    let stalled = report("main@sha1:0123", "Stalled", "no such host");
    reached.world.report(GIT, "two", stalled).await;
    let (code, told) = git(&["one", "two", "--wait", "--timeout=3s"]);
    // without Ready it is no answer
    assert!(
        told.contains("✗ GitRepository two reconciliation failed: context deadline exceeded: "),
        "{told}"
    );
    assert_eq!(code, 1, "{told}");
    let mut stalled = report("main@sha1:0123", "Ready", "no such host");
    let condition = stalled.pointer("/conditions/0").unwrap().clone();
    sluice_object::merge(
        &mut stalled,
        json!({"conditions": [
        {"type": "Stalled", "status": "True", "reason": "URLInvalid", "message": "no such host",
            "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}, condition]}),
    );
    reached.world.report(GIT, "two", stalled).await;
    let (code, told) = git(&["two", "one", "--wait"]);
    expect![[r#"
        ► resuming source git two in NS namespace
        ✔ source git resumed
        ► resuming source git one in NS namespace
        ✔ source git resumed
        ◎ waiting for GitRepository reconciliation
        ◎ waiting for GitRepository reconciliation
        ✔ GitRepository one reconciliation completed
        ✔ fetched revision main@sha1:0123
        ✗ GitRepository two reconciliation failed: no such host
        ✗ reconciliation failed for 1 GitRepository(s)
    "#]]
    .assert_eq(&told);
    assert_eq!(code, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_told() {
    let reached = Reached::start().await;
    source(&reached, "one").await;
    for (args, expected) in [
        // as with flux, it is no failure
        (
            "suspend source git nobody one",
            "0 ✗ GitRepository nobody not found in NS namespace\n► suspending source git one in NS namespace\n\
             ✔ source git suspended\n",
        ),
        ("suspend source oci --all", "1 ✗ no objects found\n"),
        (
            "suspend source git --all",
            "0 ► suspending source git one in NS namespace\n✔ source git suspended\n",
        ),
        (
            "resume source git nobody",
            "0 ✗ GitRepository object 'nobody' not found in NS namespace\n",
        ),
        (
            "resume source oci --all",
            "0 ✗ no OCIRepository objects found in NS namespace\n",
        ),
        (
            "suspend hr web",
            "0 ✗ failed suspending HelmRelease web in NS namespace: no matches for kind \"HelmRelease\" in version \
             \"helm.toolkit.fluxcd.io/v2\"\n",
        ),
        (
            "resume hr --all",
            "1 ✗ failed patching objects: no matches for kind \"HelmRelease\" in version \"helm.toolkit.fluxcd.io/v2\"\n",
        ),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let (code, told) = reached.sluice(&args);
        // of what is not ours nobody says that it is to be installed with us
        assert_eq!(format!("{code} {told}"), expected, "{args:?}");
    }
    assert!(is_suspended(&reached, GIT, "one").await);
    // what only names a registry is ready as it is
    let registry = json!({"apiVersion": GIT.0, "kind": "HelmRepository", "metadata": {"name": "charts"},
        "spec": {"type": "oci", "url": "oci://example.com/charts"}});
    reached.world.put(registry).await;
    let seen = json!({"observedGeneration": 1});
    reached
        .world
        .report((GIT.0, "HelmRepository"), "charts", seen)
        .await;
    let (code, told) = reached.sluice(&["resume", "source", "helm", "charts"]);
    assert!(
        told.ends_with("✔ HelmRepository charts reconciliation completed\n✔ \n"),
        "{told}"
    );
    assert_eq!(code, 0);
}
