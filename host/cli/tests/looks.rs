//! Commands that look at objects of a cluster and at what they lead to, on an embedded API server.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::{Reached, SLUICE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect;
use serde_json::{Value, json};
use sluice_testkit::world::{CM, GIT, KS, SECRET, World};
use std::process::Command;

const RELEASE: (&str, &str) = ("helm.toolkit.fluxcd.io/v2", "HelmRelease");

/// Exit code, and what is printed and told, the namespace as `NS`.
async fn run(reached: &Reached, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(SLUICE);
    command
        .args(["--namespace", &reached.world.namespace, "--kubeconfig"])
        .arg(&reached.kubeconfig)
        .args(args)
        .env("TZ", "UTC");
    // the server is in this process, and must go on answering
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| {
        let text = String::from_utf8(bytes).unwrap();
        text.replace(&reached.world.namespace, "NS")
    };
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// HelmReleases are served: they are Flux's own controller's.
async fn serve_releases(world: &World) {
    world
        .put(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "helmreleases.helm.toolkit.fluxcd.io"},
            "spec": {"group": "helm.toolkit.fluxcd.io", "scope": "Namespaced",
                "names": {"kind": "HelmRelease", "listKind": "HelmReleaseList", "plural": "helmreleases", "singular": "helmrelease",
                    "shortNames": ["hr"]},
                "versions": [{"name": "v2", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}))
        .await;
    world
        .until("releases are served", async || world.list(RELEASE, "").await)
        .await;
}

/// What a Kustomization has applied.
async fn applied(world: &World, name: &str, ids: &[String]) {
    world.kustomization(name, json!({})).await;
    let entries: Vec<Value> = ids.iter().map(|id| json!({"id": id, "v": "v1"})).collect();
    world
        .report(KS, name, json!({"inventory": {"entries": entries}}))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tree_goes_down_through_kustomizations_and_releases() {
    let reached = Reached::start().await;
    let (world, ns) = (&reached.world, &reached.world.namespace);
    serve_releases(world).await;
    let kustomization = |name: &str| format!("{ns}_{name}_kustomize.toolkit.fluxcd.io_Kustomization");
    let release = format!("{ns}_web_helm.toolkit.fluxcd.io_HelmRelease");
    let top = [
        kustomization("top"),
        format!("_{ns}__Namespace"),
        kustomization("below"),
        release,
    ];
    applied(world, "top", &top).await;
    // it leads back
    applied(
        world,
        "below",
        &[format!("{ns}_a__ConfigMap"), kustomization("top")],
    )
    .await;
    world
        .put(json!({"apiVersion": RELEASE.0, "kind": RELEASE.1, "metadata": {"name": "web"}, "spec": {"install": {"crds": "Create"}}}))
        .await;
    let history = json!([{"name": "web", "namespace": ns, "version": 2}]);
    let status = json!({"storageNamespace": ns, "history": history});
    world.report(RELEASE, "web", status).await;
    let manifest = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\napiVersion: source.toolkit.fluxcd.io/v1\n\
                    kind: GitRepository\nmetadata: {name: more}\n";
    let stored = STANDARD.encode(json!({"name": "web", "manifest": manifest}).to_string());
    world
        .put(json!({"apiVersion": SECRET.0, "kind": SECRET.1, "metadata": {"name": "sh.helm.release.v1.web.v2"},
            "type": "helm.sh/release.v1", "data": {"release": STANDARD.encode(stored)}}))
        .await;

    let (code, printed, told) = run(&reached, &["tree", "ks", "top"]).await;
    assert_eq!((code, told.as_str()), (0, ""));
    expect![[r"
        Kustomization/NS/top
        ├── Namespace/NS
        ├── Kustomization/NS/below
        │   ├── ConfigMap/NS/a
        │   └── Kustomization/NS/top
        └── HelmRelease/NS/web
            ├── Service/NS/web
            └── GitRepository/NS/more

    "]]
    .assert_eq(&printed);
    let (_, printed, _) = run(&reached, &["tree", "kustomization", "top", "--compact"]).await;
    expect![[r"
        Kustomization/NS/top
        ├── Kustomization/NS/below
        │   └── Kustomization/NS/top
        └── HelmRelease/NS/web
            └── GitRepository/NS/more

    "]]
    .assert_eq(&printed);
    let (_, printed, _) = run(&reached, &["tree", "ks", "below", "--compact", "-o", "yaml"]).await;
    expect![[r#"
        resource:
          GroupKind:
            Group: kustomize.toolkit.fluxcd.io
            Kind: Kustomization
          Name: below
          Namespace: NS
        resources:
        - resource:
            GroupKind:
              Group: kustomize.toolkit.fluxcd.io
              Kind: Kustomization
            Name: top
            Namespace: NS
          resources:
          - resource:
              GroupKind:
                Group: kustomize.toolkit.fluxcd.io
                Kind: Kustomization
              Name: below
              Namespace: NS
          - resource:
              GroupKind:
                Group: helm.toolkit.fluxcd.io
                Kind: HelmRelease
              Name: web
              Namespace: NS
            resources:
            - resource:
                GroupKind:
                  Group: source.toolkit.fluxcd.io
                  Kind: GitRepository
                Name: more
                Namespace: NS

    "#]]
    .assert_eq(&printed);

    for (args, expected) in [
        (vec!["tree", "ks"], "✗ kustomization name is required\n"),
        (
            vec!["tree", "ks", "nobody"],
            "✗ kustomizations.kustomize.toolkit.fluxcd.io \"nobody\" not found\n",
        ),
    ] {
        let (code, printed, told) = run(&reached, &args).await;
        assert_eq!((code, printed.as_str(), told.as_str()), (1, "", expected));
    }
    // what was applied may have been deleted by somebody
    applied(world, "top", &[kustomization("gone")]).await;
    let (code, _, told) = run(&reached, &["tree", "ks", "top"]).await;
    assert_eq!(
        (code, told.as_str()),
        (
            1,
            "✗ failed to find object: kustomizations.kustomize.toolkit.fluxcd.io \"gone\" not found\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_traced_to_its_source() {
    let reached = Reached::start().await;
    let (world, ns) = (&reached.world, &reached.world.namespace);
    serve_releases(world).await;
    let ready = |time: &str, message: &str| {
        json!([{"type": "Ready", "status": "True", "reason": "Succeeded", "message": message,
            "lastTransitionTime": time}])
    };
    world
        .put(json!({"apiVersion": GIT.0, "kind": GIT.1, "metadata": {"name": "src"},
            "spec": {"interval": "1h", "url": "ssh://git@github.com/example/repo", "ref": {"branch": "main"}}}))
        .await;
    let artifact = json!({"path": "x", "url": "http://example.com/x", "revision": "main@sha1:696f056d", "digest": "sha256:00",
        "lastUpdateTime": "2026-01-01T00:00:00Z"});
    let status = json!({"artifact": artifact, "conditions": ready("2021-07-20T00:48:16Z", "Fetched revision: main@sha1:696f056d")});
    world.report(GIT, "src", status).await;
    world
        .kustomization("infrastructure", json!({"path": "./infrastructure"}))
        .await;
    let status = json!({"lastAppliedRevision": "main@sha1:696f056d",
        "conditions": ready("2021-08-01T04:52:56Z", "Applied revision: main@sha1:696f056d")});
    world.report(KS, "infrastructure", status).await;
    let owned = json!({"kustomize.toolkit.fluxcd.io/name": "infrastructure", "kustomize.toolkit.fluxcd.io/namespace": ns});
    let owner = world
        .put(json!({"apiVersion": CM.0, "kind": CM.1, "metadata": {"name": "owner", "labels": owned}}))
        .await;
    let reference =
        json!({"apiVersion": CM.0, "kind": CM.1, "name": "owner", "uid": owner.pointer("/metadata/uid")});
    world
        .put(json!({"apiVersion": CM.0, "kind": CM.1, "metadata": {"name": "below", "ownerReferences": [reference]}}))
        .await;
    world
        .put(json!({"apiVersion": CM.0, "kind": CM.1, "metadata": {"name": "free"}}))
        .await;

    let from_git = "---
Kustomization:   infrastructure
Namespace:       NS
Target:          NS
Path:            ./infrastructure
Revision:        main@sha1:696f056d
Status:          Last reconciled at 2021-08-01 04:52:56 +0000 UTC
Message:         Applied revision: main@sha1:696f056d
---
GitRepository:   src
Namespace:       NS
URL:             ssh://git@github.com/example/repo
Branch:          main
Revision:        main@sha1:696f056d
Status:          Last reconciled at 2021-07-20 00:48:16 +0000 UTC
Message:         Fetched revision: main@sha1:696f056d
";
    let head = |object: &str| {
        format!("\nObject:          {object}\nNamespace:       NS\nStatus:          Managed by Flux\n")
    };
    for (args, object) in [
        (vec!["trace", "configmap", "owner"], "ConfigMap/owner"),
        (vec!["trace", "cm/below"], "ConfigMap/below"),
        (
            vec!["trace", "owner", "--kind=configmap", "--api-version=v1"],
            "configmap/owner",
        ),
    ] {
        let (code, printed, told) = run(&reached, &args).await;
        assert_eq!((code, told.as_str()), (0, ""), "{args:?}");
        assert_eq!(printed, head(object) + from_git, "{args:?}");
    }

    // a release from a chart of a repository that is gone
    world
        .put(
            json!({"apiVersion": RELEASE.0, "kind": RELEASE.1, "metadata": {"name": "web"},
            "spec": {"chart": {"spec": {"sourceRef": {"kind": "HelmRepository", "name": "charts"}}}}}),
        )
        .await;
    let released = json!({"helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": ns});
    world
        .put(json!({"apiVersion": CM.0, "kind": CM.1, "metadata": {"name": "released", "labels": released}}))
        .await;
    for (args, expected) in [
        (
            vec!["trace", "cm/released"],
            "✗ failed to trace ConfigMap/released in namespace NS: failed to find HelmRepository: helmrepositories.source.toolkit.fluxcd.io \"charts\" not found\n",
        ),
        (
            vec!["trace", "cm/free"],
            "✗ failed to trace ConfigMap/free in namespace NS: object not managed by Flux\n",
        ),
        (
            vec!["trace", "cm/nobody"],
            "✗ failed to find object: configmaps \"nobody\" not found\n",
        ),
        (
            vec!["trace", "lamp/desk"],
            "✗ the server doesn't have a resource type \"lamp\"\n",
        ),
        (
            vec!["trace", "desk", "--kind=lamp", "--api-version=example.com/v1"],
            "✗ failed to find object: no matches for kind \"lamp\" in version \"example.com/v1\"\n",
        ),
        (
            vec!["trace", "desk", "--kind=lamp"],
            "✗ object apiVersion is required (--api-version)\n",
        ),
        (
            vec!["trace"],
            "✗ either `<resource>/<name>` or `<resource> <name>` is required as an argument\n",
        ),
    ] {
        let (code, printed, told) = run(&reached, &args).await;
        assert_eq!((code, printed.as_str(), told.as_str()), (1, "", expected));
    }
    // one that fails does not hide the others
    let (code, printed, told) = run(&reached, &["trace", "cm/free", "cm/owner"]).await;
    assert_eq!(code, 1);
    assert_eq!(printed, format!("---\n{}{from_git}", head("ConfigMap/owner")));
    assert!(told.ends_with(": object not managed by Flux\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_of_every_kind_are_counted() {
    let reached = Reached::start().await;
    reached
        .world
        .kustomization("apps", json!({"suspend": true}))
        .await;
    reached.world.kustomization("web", json!({})).await;
    let failed = json!([{"type": "Ready", "status": "False", "reason": "Failed", "message": "no",
        "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
    let report = json!({ "conditions": failed });
    reached.world.report(KS, "web", report).await;
    let (code, printed, told) = run(&reached, &["stats"]).await;
    assert_eq!((code, told.as_str()), (0, ""));
    let rows: Vec<String> = printed
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(rows.len(), 14, "{printed}");
    assert_eq!(
        rows.first().unwrap(),
        "RECONCILERS RUNNING FAILING SUSPENDED STORAGE"
    );
    assert!(rows.contains(&"Kustomization 1 1 1 -".to_owned()), "{printed}");
    // a kind that is not installed
    assert!(rows.contains(&"HelmRelease 0 0 0 -".to_owned()), "{printed}");
    let (_, printed, _) = run(&reached, &["stats", "-A"]).await;
    assert!(printed.contains("\nKustomization"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_substituted_is_printed() {
    let reached = Reached::start().await;
    let world = &reached.world;
    let post_build = json!({"substitute": {"OVERRIDE": "in-line", "LINES": "a\nb"},
        "substituteFrom": [{"kind": "ConfigMap", "name": "test"}, {"kind": "Secret", "name": "test"}]});
    world
        .kustomization("vars", json!({"postBuild": post_build}))
        .await;
    world.kustomization("plain", json!({})).await;
    let vars = ["debug", "ks", "vars", "--show-vars"];
    let (code, printed, told) = run(&reached, &vars).await;
    assert_eq!(
        (code, printed.as_str(), told.as_str()),
        (
            1,
            "",
            "✗ substitute from 'ConfigMap/test' error: configmaps \"test\" not found\n"
        )
    );
    world
        .put(json!({"apiVersion": CM.0, "kind": CM.1, "metadata": {"name": "test"}, "data": {"OVERRIDE": "cm", "CM": "cm"}}))
        .await;
    world
        .put(
            json!({"apiVersion": SECRET.0, "kind": SECRET.1, "metadata": {"name": "test"},
            "data": {"CM": STANDARD.encode("secret")}}),
        )
        .await;
    let (code, printed, told) = run(&reached, &vars).await;
    assert_eq!(
        (code, printed.as_str(), told.as_str()),
        (0, "CM=secret\nLINES=ab\nOVERRIDE=in-line\n", "")
    );
    for (args, expected) in [
        (
            vec!["plain", "--show-vars"],
            "✗ no post build substitutions found\n",
        ),
        (
            vec!["plain", "--show-vars", "--show-status"],
            "✗ exactly one of --show-status, --show-vars, or --show-history must be set\n",
        ),
        (
            vec!["nobody", "--show-status"],
            "✗ kustomizations.kustomize.toolkit.fluxcd.io \"nobody\" not found\n",
        ),
    ] {
        let args = [&["debug", "kustomization"][..], &args[..]].concat();
        let (code, _, told) = run(&reached, &args).await;
        assert_eq!((code, told.as_str()), (1, expected));
    }
}
