//! `sluice export` against an embedded API server.

use crate::support::Reached;
use expect_test::expect;
use serde_json::{Value, json};
use sluice_testkit::world::GIT;

async fn source(reached: &Reached, kind: &str, name: &str, spec: Value) {
    let object = json!({"apiVersion": GIT.0, "kind": kind, "spec": spec,
        "metadata": {"name": name, "annotations": {"note": "1"}}});
    reached.world.put(object).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_is_exported() {
    let reached = Reached::start().await;
    let git = json!({"interval": "5m", "ref": {"branch": "main"}, "secretRef": {"name": "git"}, "suspend": false,
        "url": "ssh://git@example.com/apps"});
    source(&reached, "GitRepository", "apps", git).await;
    let other = json!({"interval": "90s", "secretRef": {"name": "git"}, "url": "https://example.com/infra"});
    source(&reached, "GitRepository", "infra", other).await;
    let chart =
        json!({"chart": "web", "interval": "1m", "sourceRef": {"kind": "HelmRepository", "name": "charts"}});
    source(&reached, "HelmChart", "web", chart).await;
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "git", "labels": {"a": "b"}},
        "type": "Opaque", "stringData": {"username": "me", "password": "secret"}});
    reached.world.put(secret).await;

    let (code, told) = reached.sluice(&["export", "source", "git", "apps", "--with-credentials"]);
    expect![[r#"
        ---
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: GitRepository
        metadata:
          annotations:
            note: "1"
          name: apps
          namespace: NS
        spec:
          interval: 5m0s
          ref:
            branch: main
          secretRef:
            name: git
          timeout: 1m0s
          url: ssh://git@example.com/apps
        ---
        apiVersion: v1
        data:
          password: c2VjcmV0
          username: bWU=
        kind: Secret
        metadata:
          name: git
          namespace: NS
        type: Opaque
    "#]]
    .assert_eq(&told);
    assert_eq!(code, 0);

    // each with its own, and none unless that is said
    let all = ["export", "source", "git", "--all"];
    let (_, told) = reached.sluice(&[&all[..], &["--with-credentials"]].concat());
    let kinds: Vec<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix("kind: "))
        .collect();
    assert_eq!(kinds, ["GitRepository", "Secret", "GitRepository", "Secret"]);
    let (_, told) = reached.sluice(&all);
    assert!(
        !told.contains("Secret\n") && told.contains("interval: 1m30s"),
        "{told}"
    );

    let (code, told) = reached.sluice(&["export", "source", "chart", "web", "--with-credentials"]);
    expect![[r#"
        ---
        apiVersion: source.toolkit.fluxcd.io/v1
        kind: HelmChart
        metadata:
          annotations:
            note: "1"
          name: web
          namespace: NS
        spec:
          chart: web
          interval: 1m0s
          reconcileStrategy: ChartVersion
          sourceRef:
            kind: HelmRepository
            name: charts
          version: '*'
    "#]]
    .assert_eq(&told);
    assert_eq!(code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_exported_is_told() {
    let reached = Reached::start().await;
    let bucket = json!({"interval": "5m", "bucketName": "b", "endpoint": "example.com", "secretRef": {"name": "none"}});
    source(&reached, "Bucket", "apps", bucket).await;
    for (args, expected) in [
        ("export ks", "✗ name is required\n"),
        ("export ks --all", "✗ no objects found in NS namespace\n"),
        (
            "export source external --all",
            "✗ no objects found in NS namespace\n",
        ),
        (
            "export source oci nobody",
            "✗ ocirepositories.source.toolkit.fluxcd.io \"nobody\" not found\n",
        ),
        (
            "export source bucket apps --with-credentials",
            "✗ failed to retrieve secret none, error: secrets \"none\" not found\n",
        ),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let (code, told) = reached.sluice(&args);
        assert!(code == 1 && told.ends_with(expected), "{args:?}: {code} {told}");
    }
}
