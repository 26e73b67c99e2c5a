//! `sluice create secret`: what it prints, and what it makes on an embedded API server.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::create::exported;
use crate::support::{Reached, SLUICE};
use expect_test::expect;
use serde_json::json;
use sluice_testkit::world::{SECRET, text};
use std::process::Command;

#[test]
fn secrets_of_logins_are_printed_as_flux_prints_them() {
    exported(
        "secret git apps --url=https://example.com/a --username=me --password=hunter2 --label=team=a",
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              labels:
                team: a
              name: apps
              namespace: team
            stringData:
              password: hunter2
              username: me
        "#]],
    );
    exported(
        "secret git apps --url=https://example.com/a --bearer-token=hunter2",
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              name: apps
              namespace: team
            stringData:
              bearerToken: hunter2
        "#]],
    );
    exported(
        "secret helm apps --username=me --password=hunter2",
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              name: apps
              namespace: team
            stringData:
              password: hunter2
              username: me
            type: kubernetes.io/basic-auth
        "#]],
    );
    exported(
        "secret oci apps --url=ghcr.io --username=stefanprodan --password=password",
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              name: apps
              namespace: team
            stringData:
              .dockerconfigjson: |-
                {
                  "auths": {
                    "ghcr.io": {
                      "username": "stefanprodan",
                      "password": "password",
                      "auth": "c3RlZmFucHJvZGFuOnBhc3N3b3Jk"
                    }
                  }
                }
            type: kubernetes.io/dockerconfigjson
        "#]],
    );
    exported(
        "secret proxy apps --address=https://proxy.example.com --username=me --password=hunter2",
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              name: apps
              namespace: team
            stringData:
              address: https://proxy.example.com
              password: hunter2
              username: me
            type: Opaque
        "#]],
    );
}

#[test]
fn secrets_of_webhooks_say_where_they_are_called() {
    exported(
        "secret receiver hook --type=gcr --hostname=flux.example.com --token=test-token --email-claim=a@example.com",
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              annotations:
                notification.toolkit.fluxcd.io/webhook: https://flux.example.com/hook/40811ae5982575f7bd7233f047172e1f4f556ab3455d5bc4f4d9a218df52d1b8
              name: hook
              namespace: team
            stringData:
              audience: https://flux.example.com/hook/40811ae5982575f7bd7233f047172e1f4f556ab3455d5bc4f4d9a218df52d1b8
              email: a@example.com
              token: test-token
        "#]],
    );
}

/// Trusts everything.
const POLICY: &str = r#"{"version":"1.0","trustPolicies":[{"name":"p","registryScopes":["*"],"signatureVerification":{"level":"skip"}}]}"#;

#[test]
fn secrets_of_files_are_printed_as_flux_prints_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (crt, key, ca) = (
        file("a.crt", "certificate\n"),
        file("a.key", "key\n"),
        file("ca.crt", "authority\n"),
    );
    exported(
        &format!("secret tls apps --tls-crt-file={crt} --tls-key-file={key} --ca-crt-file={ca}"),
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              name: apps
              namespace: team
            stringData:
              ca.crt: |
                authority
              tls.crt: |
                certificate
              tls.key: |
                key
            type: kubernetes.io/tls
        "#]],
    );
    let policy = file("policy.json", POLICY);
    exported(
        &format!("secret notation apps --ca-cert-file={ca},{crt} --trust-policy-file={policy}"),
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              name: apps
              namespace: team
            stringData:
              a.crt: |
                certificate
              ca.crt: |
                authority
              trustpolicy.json: '{"version":"1.0","trustPolicies":[{"name":"p","registryScopes":["*"],"signatureVerification":{"level":"skip"}}]}'
        "#]],
    );
    exported(
        &format!("secret githubapp apps --app-id=1 --app-installation-owner=team --app-private-key={key}"),
        &expect![[r#"
            ---
            apiVersion: v1
            kind: Secret
            metadata:
              name: apps
              namespace: team
            stringData:
              githubAppID: "1"
              githubAppInstallationOwner: team
              githubAppPrivateKey: |
                key
            type: Opaque
        "#]],
    );
    let refused = |args: &str| {
        let output = Command::new(SLUICE)
            .args(["create", "secret"])
            .args(args.split(' '))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{args}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert_eq!(
        refused(&format!("tls apps --tls-crt-file={crt}")),
        "✗ found certificate but missing private key\n"
    );
    assert_eq!(
        refused(&format!(
            "notation apps --ca-cert-file={key} --trust-policy-file={policy}"
        )),
        "✗ a.key must end with either .crt or .pem\n"
    );
    for (text, expected) in [
        (
            r#"{"version":"1.0","trustPolicies":[{}]}"#,
            "✗ invalid trust policy: trust policy: a trust policy statement is missing a name, every statement requires a name\n"
                .to_owned(),
        ),
        (
            "\"\"",
            format!(
                "✗ failed to unmarshal trust policy {policy}: json: cannot unmarshal string into Go value of type trustpolicy.Document\n"
            ),
        ),
    ] {
        file("policy.json", text);
        let args = format!("notation apps --ca-cert-file={ca} --trust-policy-file={policy}");
        assert_eq!(refused(&args), expected);
    }
    assert_eq!(
        refused(&format!(
            "githubapp apps --app-id=1 --app-private-key={key} --app-installation-id=2 --app-installation-owner=team"
        )),
        "✗ exactly one of githubAppInstallationOwner or githubAppInstallationID must be provided\n"
    );
}

#[test]
fn a_key_pair_is_made_or_read() {
    let folder = tempfile::tempdir().unwrap();
    let (known_hosts, key) = (folder.path().join("known_hosts"), folder.path().join("key"));
    std::fs::write(&known_hosts, "example.com ssh-ed25519 AAAA\n").unwrap();
    let created = |more: &[String]| {
        let output = Command::new(SLUICE)
            .args([
                "create",
                "secret",
                "git",
                "apps",
                "--url=ssh://git@example.com/a",
                "--export",
            ])
            .arg(format!("--known-hosts-file={}", known_hosts.display()))
            .args(more)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        )
    };
    for (flags, begins) in [
        (vec![], "ecdsa-sha2-nistp384 AAAA"),
        (
            vec!["--ssh-ecdsa-curve=p521".to_owned()],
            "ecdsa-sha2-nistp521 AAAA",
        ),
        (vec!["--ssh-key-algorithm=ed25519".to_owned()], "ssh-ed25519 AAAA"),
    ] {
        let (code, printed) = created(&flags);
        assert_eq!(code, Some(0), "{printed}");
        assert!(
            printed.contains("    -----BEGIN OPENSSH PRIVATE KEY-----\n"),
            "{printed}"
        );
        assert!(
            printed.contains(&format!("  identity.pub: |\n    {begins}")),
            "{printed}"
        );
        assert!(
            printed.contains("  known_hosts: example.com ssh-ed25519 AAAA\n"),
            "{printed}"
        );
    }
    std::fs::write(&key, "hunter2").unwrap();
    let (code, told) = created(&[format!("--private-key-file={}", key.display())]);
    assert_eq!(code, Some(1));
    assert!(
        told.contains("cannot be used: ") && !told.contains("hunter2"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_made_and_added_to() {
    let reached = Reached::start().await;
    let create = [
        "create",
        "secret",
        "proxy",
        "apps",
        "--address=https://a.example.com",
    ];
    let made = (0, "► proxy secret 'apps' created in 'NS' namespace\n".to_owned());
    assert_eq!(reached.sluice(&[&create[..], &["--label=a=1"]].concat()), made);
    let secret = reached.world.get(SECRET, "apps").await.unwrap();
    assert_eq!(text(&secret, "/type").as_deref(), Some("Opaque"));
    assert_eq!(
        text(&secret, "/data/address").as_deref(),
        Some("aHR0cHM6Ly9hLmV4YW1wbGUuY29t")
    );

    // what is said again is changed, and what is not stays
    let more = ["--label=b=2", "--username=me", "--password=hunter2"];
    assert_eq!(reached.sluice(&[&create[..], &more].concat()), made);
    let secret = reached.world.get(SECRET, "apps").await.unwrap();
    assert_eq!(
        secret.pointer("/metadata/labels"),
        Some(&json!({"a": "1", "b": "2"}))
    );
    assert_eq!(text(&secret, "/data/username").as_deref(), Some("bWU="));
}
