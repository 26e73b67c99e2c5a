//! `sluice delete` against an embedded API server.

use crate::support::Reached;
use expect_test::expect;
use serde_json::json;
use sluice_testkit::world::KS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_deleted_was_asked_for() {
    let reached = Reached::start().await;
    for name in ["apps", "infra"] {
        reached.world.kustomization(name, json!({})).await;
    }
    let question = "Are you sure you want to delete this kustomization? [y/N] ";
    for answer in ["", "\n", "n\n"] {
        let (code, told) = reached.sluice_told(&["delete", "ks", "apps"], answer);
        let aborted = format!("{question}✗ aborting; --silent goes on without asking\n");
        assert_eq!((code, told), (1, aborted), "{answer:?}");
    }
    assert!(reached.world.get(KS, "apps").await.is_some());

    let (code, told) = reached.sluice_told(&["delete", "kustomization", "apps"], "y\n");
    expect![[r#"
        Are you sure you want to delete this kustomization? [y/N] ► deleting kustomization apps in NS namespace
        ✔ kustomization deleted
    "#]]
    .assert_eq(&told);
    assert_eq!(code, 0);
    assert!(reached.world.get(KS, "apps").await.is_none());

    let (code, told) = reached.sluice(&["delete", "ks", "infra", "-s"]);
    expect![[r#"
        ► deleting kustomization infra in NS namespace
        ✔ kustomization deleted
    "#]]
    .assert_eq(&told);
    assert_eq!(code, 0);

    // nobody is asked about what is not there
    let (code, told) = reached.sluice(&["delete", "ks", "apps"]);
    let expected = "✗ kustomizations.kustomize.toolkit.fluxcd.io \"apps\" not found\n";
    assert_eq!((code, told.as_str()), (1, expected));
}
