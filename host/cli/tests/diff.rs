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
    reached.sluice(&[&["diff", "kustomization"][..], args].concat())
}

fn write(folder: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Without the texts of what drifted.
fn without_bodies(told: &str) -> String {
    let lines: Vec<&str> = told.lines().filter(|line| !line.starts_with("  ")).collect();
    lines.join("\n")
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
    expect![[r#"
        ► Kustomization/NS/far drifted
        ⚠️ Kustomization/NS/far skipped: diff not supported for remote clusters
        ► Kustomization/NS/new created
        ► Kustomization/NS/web drifted
        📁 Kustomization/NS/web changed
        ► ConfigMap/NS/one created
        ► Kustomization/NS/web drifted
        ► ConfigMap/NS/old deleted
        ► 6 objects would change
        ⚠️ identified at least one change, exiting with non-zero exit code"#]]
    .assert_eq(&without_bodies(&told));
    assert_eq!(code, 1);

    let (code, told) = diff(&reached, &["nobody", "--path", &top]);
    expect![[r#"
        ✗ failed to get kustomization object: kustomizations.kustomize.toolkit.fluxcd.io "nobody" not found; --kustomization-file with --ignore-not-found compares with nothing
    "#]].assert_eq(&told);
    assert_eq!(code, 2);

    // nobody says where the files of a child lie: that does not hide the rest
    let (code, told) = diff(&reached, &["apps", "--path", &top, "--recursive"]);
    expect![[r#"
        ► Kustomization/NS/far drifted
        ⚠️ Kustomization/NS/far skipped: diff not supported for remote clusters
        ► Kustomization/NS/new created
        ► Kustomization/NS/web drifted
        ✗ cannot get local path for GitRepository/NS/src of kustomization web; add --local-sources GitRepository/NS/src=DIR"#]]
    .assert_eq(&without_bodies(&told));
    assert_eq!(code, 2);

    // where children lie between other objects, they are told there, and what fails in one is told at the end
    write(
        files.path(),
        &[
            ("top/zoo.yaml", child("zoo", "")),
            ("zoo/two.yaml", map("two")),
            ("web/broken.yaml", "a: [".to_owned()),
        ],
    );
    world.kustomization("zoo", json!({"path": "./zoo"})).await;
    let (code, told) = diff(
        &reached,
        &["apps", "--path", &top, "-r", "--local-sources", &source],
    );
    let lines = without_bodies(&told);
    let (lines, failure) = lines.split_once("\n✗ ").unwrap();
    expect![[r#"
        ► Kustomization/NS/far drifted
        ⚠️ Kustomization/NS/far skipped: diff not supported for remote clusters
        ► Kustomization/NS/new created
        ► Kustomization/NS/web drifted
        ► Kustomization/NS/zoo drifted
        📁 Kustomization/NS/zoo changed
        ► ConfigMap/NS/two created"#]]
    .assert_eq(lines);
    assert!(failure.contains("broken.yaml"), "{failure}");
    assert_eq!(code, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_does_not_hide_the_rest() {
    let reached = Reached::start().await;
    let (world, files) = (&reached.world, tempfile::tempdir().unwrap());
    let ns = &world.namespace;
    let object = |api_version: &str, kind: &str, name: &str| {
        format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: {ns}}}\n")
    };
    let unknown = "nobody.example.com/v1";
    write(
        files.path(),
        &[
            ("one.yaml", object("v1", "ConfigMap", "one")),
            ("thing.yaml", object(unknown, "Thing", "a")),
            ("other.yaml", object(unknown, "Other", "b")),
        ],
    );
    world.kustomization("apps", json!({})).await;
    world
        .put(json!({"apiVersion": CM.0, "kind": CM.1, "metadata": {"name": "old",
        "labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": ns}}}))
        .await;
    let entries = json!({"inventory": {"entries": [{"id": format!("{ns}_old__ConfigMap"), "v": "v1"}]}});
    world.report(KS, "apps", entries).await;
    let path = files.path().display().to_string();
    let (code, told) = diff(&reached, &["apps", "--path", &path]);
    // nobody knows what would be deleted
    let (rest, failure) = told.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(rest, "► ConfigMap/NS/one created");
    assert!(failure.starts_with("✗ [") && failure.ends_with(']'), "{failure}");
    for text in [
        "Thing/NS/a dry-run failed: no matches for kind \"Thing\" in version \"nobody.example.com/v1\"",
        "Other/NS/b dry-run failed: no matches for kind \"Other\" in version \"nobody.example.com/v1\"",
    ] {
        assert!(failure.contains(text), "{failure}");
    }
    assert_eq!(code, 2);

    // one alone is told as it is; a kind that the same files define is not unknown
    std::fs::remove_file(files.path().join("other.yaml")).unwrap();
    let (code, told) = diff(&reached, &["apps", "--path", &path]);
    assert!(
        told.starts_with("► ConfigMap/NS/one created\n✗ Thing/NS/a dry-run failed: no matches for kind "),
        "{told}"
    );
    assert_eq!(code, 2);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.nobody.example.com"},
        "spec": {"group": "nobody.example.com", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
    });
    write(files.path(), &[("definition.yaml", definition.to_string())]);
    let (code, told) = diff(&reached, &["apps", "--path", &path]);
    expect![[r#"
        ► CustomResourceDefinition/things.nobody.example.com created
        ► ConfigMap/NS/one created
        ► Thing/NS/a created
        ► ConfigMap/NS/old deleted
        ► 4 objects would change
        ⚠️ identified at least one change, exiting with non-zero exit code
    "#]]
    .assert_eq(&told);
    assert_eq!(code, 1);
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
