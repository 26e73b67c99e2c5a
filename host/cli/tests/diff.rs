//! `sluice diff kustomization` against an embedded API server.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests fail as tests do

use crate::support::{Reached, SLUICE};
use expect_test::expect;
use serde_json::json;
use sluice_testkit::world::{CM, KS};
use std::path::Path;
use std::process::Command;

/// Exit code and what it prints, the namespace as `NS`.
fn diff(reached: &Reached, args: &[&str]) -> (i32, String) {
    let output = Command::new(SLUICE)
        .args([
            "diff",
            "kustomization",
            "--namespace",
            &reached.world.namespace,
            "--kubeconfig",
        ])
        .arg(&reached.kubeconfig)
        .args(args)
        .output()
        .unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8(told)
        .unwrap()
        .replace(&reached.world.namespace, "NS");
    (output.status.code().unwrap(), told)
}

fn write(folder: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_kustomizations_make_is_followed() {
    let reached = Reached::start().await;
    let (world, files) = (&reached.world, tempfile::tempdir().unwrap());
    let ns = &world.namespace;
    let child = |name: &str, more: &str| {
        format!(
            "apiVersion: {}\nkind: Kustomization\nmetadata: {{name: {name}, namespace: {ns}}}\nspec:\n  interval: 1h\n  \
             prune: true\n  path: ./{name}\n  sourceRef: {{kind: GitRepository, name: src}}\n{more}",
            KS.0
        )
    };
    let map = |name: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {ns}}}\n")
    };
    // it lies in another cluster: its source is not asked for
    let far =
        child("far", "  kubeConfig: {secretRef: {name: far}}\n").replace("name: src", "name: elsewhere");
    write(
        files.path(),
        &[
            ("top/web.yaml", child("web", "")),
            ("top/new.yaml", child("new", "")),
            ("top/far.yaml", far.clone()),
            ("web/one.yaml", map("one")),
            // it is deeper, and leads back to where it came from
            ("web/web.yaml", child("web", "")),
        ],
    );
    world.kustomization("apps", json!({})).await;
    for name in ["web", "far"] {
        world
            .kustomization(name, json!({"path": format!("./{name}")}))
            .await;
    }
    world
        .put(
            json!({"apiVersion": CM.0, "kind": CM.1, "metadata": {"name": "old",
        "labels": {"kustomize.toolkit.fluxcd.io/name": "web", "kustomize.toolkit.fluxcd.io/namespace": ns}}}),
        )
        .await;
    let entries = json!({"inventory": {"entries": [{"id": format!("{ns}_old__ConfigMap"), "v": "v1"}]}});
    world.report(KS, "web", entries).await;

    let top = files.path().join("top").display().to_string();
    let source = format!("GitRepository/{ns}/src={}", files.path().display());
    let (code, told) = diff(
        &reached,
        &["apps", "--path", &top, "-r", "--local-sources", &source],
    );
    let lines: Vec<&str> = told.lines().filter(|line| !line.starts_with("  ")).collect();
    expect![[r#"
        ⚠️ Kustomization/NS/far skipped: diff not supported for remote clusters
        ► Kustomization/NS/far drifted
        ► Kustomization/NS/new created
        ► Kustomization/NS/web drifted
        📁 Kustomization/NS/web changed
        ► ConfigMap/NS/one created
        ► Kustomization/NS/web drifted
        ► ConfigMap/NS/old deleted
        ► 6 objects would change
        ⚠️ identified at least one change, exiting with non-zero exit code"#]]
    .assert_eq(&lines.join("\n"));
    assert_eq!(code, 1);

    let (code, told) = diff(&reached, &["nobody", "--path", &top]);
    expect![[r#"
        ✗ failed to get kustomization object: kustomizations.kustomize.toolkit.fluxcd.io "nobody" not found; --kustomization-file with --ignore-not-found compares with nothing
    "#]].assert_eq(&told);
    assert_eq!(code, 2);

    // nobody says where the files of a child lie
    let (code, told) = diff(&reached, &["apps", "--path", &top, "--recursive"]);
    expect![[r#"
        ⚠️ Kustomization/NS/far skipped: diff not supported for remote clusters
        ✗ cannot get local path for GitRepository/NS/src of kustomization web; add --local-sources GitRepository/NS/src=DIR
    "#]].assert_eq(&told);
    assert_eq!(code, 2);
}

/// What is wrong with the command line is told before a cluster is looked for.
#[test]
fn what_cannot_be_compared_is_told_as_flux_tells_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    for (args, expected) in [
        (
            vec!["--path", "/nowhere"],
            "✗ invalid resource path \"/nowhere\": ",
        ),
        (
            vec!["--path", &path, "--kustomization-file", &path],
            "✗ invalid kustomization file \"",
        ),
        (
            vec!["--path", &path, "--ignore-not-found"],
            "✗ kustomization file is required when assuming new kustomizations: ",
        ),
    ] {
        let diff = Command::new(SLUICE)
            .args(["diff", "kustomization", "apps"])
            .args(&args)
            .env_remove("KUBECONFIG")
            .env("HOME", "/nowhere")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&diff.stderr);
        assert!(told.starts_with(expected), "{args:?}: {told}");
        assert_eq!(diff.status.code(), Some(2), "{told}");
    }
}

/// A server that says nothing: what was not done in time has failed, which is not that something would change.
#[test]
fn a_diff_that_takes_too_long_has_failed() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = folder.path().join("kubeconfig");
    let cluster = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{ "name": "a", "cluster": { "server": format!("http://{}", silent.local_addr().unwrap()) } }],
        "users": [{ "name": "a", "user": {} }],
        "contexts": [{ "name": "a", "context": { "cluster": "a", "user": "a" } }],
    });
    std::fs::write(&kubeconfig, cluster.to_string()).unwrap();
    let diff = std::process::Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["diff", "kustomization", "apps", "--timeout=300ms", "--path"])
        .arg(folder.path())
        .arg("--kubeconfig")
        .arg(&kubeconfig)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&diff.stderr);
    assert!(told.starts_with("✗ context deadline exceeded: "), "{told}");
    assert_eq!(diff.status.code(), Some(2), "{told}");
}
