//! `sluice create`: what it prints, and what it makes on an embedded API server.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::{Reached, Running, SLUICE};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use sluice_testkit::world::{GIT, KS, SECRET, config_map, text};
use std::process::Command;

/// What is printed of an object, without any cluster.
pub(crate) fn exported(args: &str, expected: &Expect) {
    let output = Command::new(SLUICE)
        .arg("create")
        .args(args.split(' '))
        .args(["--export", "--namespace=team"])
        .env_remove("KUBECONFIG")
        .env("HOME", "/nowhere")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{args}: {told}");
    expected.assert_eq(&String::from_utf8(output.stdout).unwrap());
}

#[test]
fn sources_are_printed_as_flux_prints_them() {
    exported(
        "source git podinfo --url=https://example.com/podinfo --branch=master --ignore-paths=.cosign,none/ \
         --sparse-checkout-paths=.cosign --sparse-checkout-paths none/ --label=team=a,tier=b",
        &expect![[r#"
            ---
            apiVersion: source.toolkit.fluxcd.io/v1
            kind: GitRepository
            metadata:
              labels:
                team: a
                tier: b
              name: podinfo
              namespace: team
            spec:
              ignore: |-
                .cosign
                none/
              interval: 1m0s
              ref:
                branch: master
              sparseCheckout:
              - .cosign
              - none/
              url: https://example.com/podinfo
        "#]],
    );
    exported(
        "source git podinfo --url=ssh://git@example.com/podinfo --branch=main --commit=c88a2f41 --tag=1 --secret-ref=git \
         --provider=github --recurse-submodules --fetch-timeout=2m --interval=90s",
        &expect![[r#"
            ---
            apiVersion: source.toolkit.fluxcd.io/v1
            kind: GitRepository
            metadata:
              name: podinfo
              namespace: team
            spec:
              interval: 1m30s
              provider: github
              recurseSubmodules: true
              ref:
                branch: main
                commit: c88a2f41
              secretRef:
                name: git
              timeout: 2m0s
              url: ssh://git@example.com/podinfo
        "#]],
    );
    exported(
        "source oci podinfo --url=oci://example.com/podinfo --tag=6.6.2 --verify-provider=cosign --verify-subject=^me$ \
         --verify-issuer=^you$ --layer-selector=application/x:copy --insecure=true",
        &expect![[r#"
            ---
            apiVersion: source.toolkit.fluxcd.io/v1
            kind: OCIRepository
            metadata:
              name: podinfo
              namespace: team
            spec:
              insecure: true
              interval: 1m0s
              layerSelector:
                mediaType: application/x
                operation: copy
              provider: generic
              ref:
                tag: 6.6.2
              url: oci://example.com/podinfo
              verify:
                matchOIDCIdentity:
                - issuer: ^you$
                  subject: ^me$
                provider: cosign
        "#]],
    );
    exported(
        "source helm podinfo --url=oci://example.com/charts --interval=5m --secret-ref=creds --pass-credentials",
        &expect![[r#"
            ---
            apiVersion: source.toolkit.fluxcd.io/v1
            kind: HelmRepository
            metadata:
              name: podinfo
              namespace: team
            spec:
              interval: 5m0s
              passCredentials: true
              secretRef:
                name: creds
              type: oci
              url: oci://example.com/charts
        "#]],
    );
    exported(
        "source bucket podinfo --bucket-name=podinfo --endpoint=s3.example.com --region=here --access-key=a --secret-key=b",
        &expect![[r#"
            ---
            apiVersion: source.toolkit.fluxcd.io/v1
            kind: Bucket
            metadata:
              name: podinfo
              namespace: team
            spec:
              bucketName: podinfo
              endpoint: s3.example.com
              interval: 1m0s
              provider: generic
              region: here
        "#]],
    );
}

#[test]
fn charts_are_printed_as_flux_prints_them() {
    exported(
        "source chart podinfo --source=helmrepository/podinfo --chart=podinfo --chart-version=6.x --verify-provider=cosign",
        &expect![[r#"
            ---
            apiVersion: source.toolkit.fluxcd.io/v1
            kind: HelmChart
            metadata:
              name: podinfo
              namespace: team
            spec:
              chart: podinfo
              interval: 1m0s
              reconcileStrategy: ChartVersion
              sourceRef:
                kind: HelmRepository
                name: podinfo
              verify:
                provider: cosign
              version: 6.x
        "#]],
    );
}

#[test]
fn kustomizations_are_printed_as_flux_prints_them() {
    exported(
        "kustomization apps --source=Bucket/apps.flux-system --path=apps/../web --prune=true --depends-on=infra,team-b/base \
         --health-check=Deployment/web.team --health-check=HelmRelease/db.team --decryption-provider=sops \
         --decryption-secret=keys --service-account=deployer --kubeconfig-secret-ref=far --retry-interval=30s",
        &expect![[r#"
            ---
            apiVersion: kustomize.toolkit.fluxcd.io/v1
            kind: Kustomization
            metadata:
              name: apps
              namespace: team
            spec:
              decryption:
                provider: sops
                secretRef:
                  name: keys
              dependsOn:
              - name: infra
              - name: base
                namespace: team-b
              healthChecks:
              - kind: Deployment
                name: web
                namespace: team
              - apiVersion: helm.toolkit.fluxcd.io/v2
                kind: HelmRelease
                name: db
                namespace: team
              interval: 1m0s
              kubeConfig:
                secretRef:
                  name: far
              path: ./web
              prune: true
              retryInterval: 30s
              serviceAccountName: deployer
              sourceRef:
                kind: Bucket
                name: apps
                namespace: flux-system
              timeout: 2m0s
        "#]],
    );
    exported(
        "ks apps --source=apps --wait=true --health-check-timeout=3m --health-check=Deployment/web.team",
        &expect![[r#"
            ---
            apiVersion: kustomize.toolkit.fluxcd.io/v1
            kind: Kustomization
            metadata:
              name: apps
              namespace: team
            spec:
              interval: 1m0s
              path: ./
              prune: false
              sourceRef:
                kind: GitRepository
                name: apps
              timeout: 3m0s
              wait: true
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kustomization_is_made_and_changed() {
    let mut reached = Reached::start().await;
    reached.world.start().await;
    let files = [("map.json", config_map("map", "1"))];
    reached.world.commit("a", &files).await;
    let namespace = format!("--target-namespace={}", reached.world.namespace);
    let create = ["create", "ks", "apps", "--source=src", "--prune", &namespace];
    let (code, told) = reached.sluice(&[&create[..], &["--label=team=a"]].concat());
    expect![[r#"
        ✚ generating Kustomization
        ► applying Kustomization
        ✔ Kustomization created
        ◎ waiting for Kustomization reconciliation
        ✔ Kustomization apps is ready
        ✔ applied revision main@sha1:a
    "#]]
    .assert_eq(&told);
    assert_eq!(code, 0);
    let ks = reached.world.ks("apps").await;
    assert_eq!(text(&ks, "/metadata/labels/team").as_deref(), Some("a"));

    // its spec and its labels are what is said then, and nothing else
    let patch = json!({"spec": {"suspend": true}, "metadata": {"annotations": {"note": "1"}}});
    reached.world.edit(KS, "apps", patch).await;
    let (code, told) = reached.sluice(&[&create[..], &["--interval=2h"]].concat());
    assert!(told.contains("✔ Kustomization updated\n"), "{told}");
    assert_eq!(code, 0, "{told}");
    let ks = reached.world.ks("apps").await;
    assert_eq!(text(&ks, "/spec/interval").as_deref(), Some("2h0m0s"));
    assert_eq!(ks.pointer("/spec/suspend"), None);
    assert_eq!(ks.pointer("/metadata/labels/team"), None);
    assert_eq!(text(&ks, "/metadata/annotations/note").as_deref(), Some("1"));
}

/// What a controller reports of a source that it fetched.
fn fetched(generation: &Value) -> Value {
    json!({
        "observedGeneration": generation,
        "conditions": [{"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored artifact",
            "observedGeneration": generation, "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        "artifact": {"path": "gitrepository/a/b/c.tar.gz", "url": "http://example.com/x", "revision": "main@sha1:0123",
            "digest": format!("sha256:{}", "0".repeat(64)), "lastUpdateTime": "2026-01-01T00:00:00Z", "size": 1},
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_made_with_its_secret() {
    let reached = Reached::start().await;
    let world = &reached.world;
    let namespace = format!("--namespace={}", world.namespace);
    let kubeconfig = format!("--kubeconfig={}", reached.kubeconfig.display());
    let args = [
        "create",
        "source",
        "git",
        "apps",
        "--url=https://example.com/apps",
        "--branch=main",
        "--username=me",
        "--password=hidden",
        &namespace,
        &kubeconfig,
    ];
    let creating = Running::start(world.folder(), "create", &args);
    let made = world
        .until("the source is made", async || world.get(GIT, "apps").await)
        .await;
    assert_eq!(text(&made, "/spec/secretRef/name").as_deref(), Some("apps"));
    let generation = made.pointer("/metadata/generation").unwrap();
    world.report(GIT, "apps", fetched(generation)).await;
    creating.says("fetched revision").await;
    expect![[r#"
        ✚ generating GitRepository source
        ► applying secret with repository credentials
        ✔ authentication configured
        ► applying GitRepository source
        ✔ GitRepository source created
        ◎ waiting for GitRepository source reconciliation
        ✔ GitRepository source reconciliation completed
        ✔ fetched revision: main@sha1:0123
    "#]]
    .assert_eq(&creating.log());
    let secret = world.get(SECRET, "apps").await.unwrap();
    assert_eq!(text(&secret, "/data/username").as_deref(), Some("bWU="));
    assert_eq!(text(&secret, "/data/password").as_deref(), Some("aGlkZGVu"));
}
