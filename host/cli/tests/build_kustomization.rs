//! `sluice build kustomization`: each folder of `build_kustomization/` holds a `command` that runs there, and what it prints:
//! `expected.yaml`, or `expected-error.txt` where it fails. `UPDATE_EXPECT=1` rewrites both.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests fail as tests do

use crate::support::{Running, SLUICE};
use sluice_testkit::git_server::{Repository, git_is_present};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn build(folder: &Path, args: &[&str]) -> Output {
    Command::new(SLUICE)
        .args(["build", "kustomization"])
        .args(args)
        .current_dir(folder)
        .env_remove("KUBECONFIG")
        .output()
        .unwrap()
}

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/build_kustomization");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 15, "only {} cases", cases.len());
    for case in cases {
        let command = fs::read_to_string(case.join("command")).unwrap();
        let args: Vec<&str> = command.split_whitespace().collect();
        let output = build(&case, &args);
        let (name, bytes) = match output.status.success() {
            true => ("expected.yaml", output.stdout),
            false => ("expected-error.txt", output.stderr),
        };
        let text = String::from_utf8(bytes).unwrap();
        // a failure says nothing about this machine
        let text = text.replace(case.parent().unwrap().to_str().unwrap(), "/here");
        expect_test::expect_file![case.join(name)].assert_eq(&text);
        let other = if name == "expected.yaml" {
            "expected-error.txt"
        } else {
            "expected.yaml"
        };
        assert!(
            !case.join(other).exists(),
            "{}: both ends are expected",
            case.display()
        );
    }
}

#[test]
fn a_field_that_nobody_knows_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let ks = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web}\n";
    fs::write(folder.path().join("ks.yaml"), ks).unwrap();
    fs::create_dir(folder.path().join("app")).unwrap();
    fs::write(folder.path().join("app/kustomization.yaml"), "resource: []\n").unwrap();
    let args = "web --path app --root . --kustomization-file ks.yaml --dry-run";
    let output = build(folder.path(), &args.split(' ').collect::<Vec<_>>());
    let told = String::from_utf8(output.stderr).unwrap();
    let place = "/app/kustomization.yaml:1\n  hint: did you mean resources?\n";
    assert!(
        told.starts_with("unknown field .resource is ignored\n  at /") && told.ends_with(place),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn what_another_program_writes_is_read_as_the_kustomization() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/build_kustomization/values");
    let command = fs::read_to_string(case.join("command")).unwrap();
    assert!(command.contains("ks.yaml"), "{command}");
    let command = command.replace("ks.yaml", "/dev/stdin");
    let mut written = Command::new("cat")
        .arg(case.join("ks.yaml"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let built = Command::new(SLUICE)
        .args(["build", "kustomization"])
        .args(command.split_whitespace())
        .current_dir(&case)
        .env_remove("KUBECONFIG")
        .stdin(written.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(written.wait().unwrap().success());
    let told = String::from_utf8_lossy(&built.stderr);
    let expected = fs::read(case.join("expected.yaml")).unwrap();
    assert_eq!(built.stdout, expected, "{told}");
}

#[tokio::test]
async fn the_cluster_says_what_is_built() {
    let folder = tempfile::tempdir().unwrap();
    if !git_is_present("build kustomization against sluice dev") {
        return;
    }
    let repository = Repository::init(&folder.path().join("repository"));
    let vars = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars, namespace: flux-system}\ndata: {color: \"gr\\neen\", size: s}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: vars, namespace: flux-system}\nstringData: {size: m}\n";
    let declared = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: web, namespace: flux-system}\nspec:\n  interval: 10m\n  prune: true\n  path: ./web\n  sourceRef: {kind: GitRepository, name: flux-system}\n  postBuild:\n    substituteFrom:\n    - {kind: ConfigMap, name: vars}\n    - {kind: Secret, name: vars}\n    - {kind: Secret, name: absent, optional: true}\n";
    let web = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: default}\ndata: {color: \"${color}\", size: \"${size}\"}\n";
    let files = [
        ("app/vars.yaml", vars),
        ("app/web.yaml", declared),
        ("web/map.yaml", web),
    ];
    repository.commit(files, "first");
    let git = repository.directory().display().to_string();
    let args = ["dev", "--listen=127.0.0.1:0", "--git", &git, "--path", "app"];
    let dev = Running::start(folder.path(), "dev", &args);
    let line = dev.says("export KUBECONFIG=").await;
    let kubeconfig = line.rsplit("KUBECONFIG=").next().unwrap().trim();
    let reconcile = [
        "reconcile",
        "kustomization",
        "flux-system",
        "--with-source",
        "--kubeconfig",
        kubeconfig,
    ];
    let reconciled = Command::new(SLUICE).args(reconcile).output().unwrap();
    assert!(
        reconciled.status.success(),
        "{}",
        String::from_utf8_lossy(&reconciled.stderr)
    );

    let ask = |name, more: &[&str]| {
        let args = [name, "--path", "web", "--kubeconfig", kubeconfig];
        let output = build(repository.directory(), &[&args[..], more].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let (yaml, error) = ask("web", &[]);
    let expected = "apiVersion: v1\ndata:\n  color: green\n  size: m\nkind: ConfigMap\nmetadata:\n  labels:\n    kustomize.toolkit.fluxcd.io/name: web\n    kustomize.toolkit.fluxcd.io/namespace: flux-system\n  name: web\n  namespace: default\n---\n";
    assert_eq!((yaml.as_str(), error.as_str()), (expected, ""));

    // a file wins over what the cluster has, but the cluster must have it
    fs::write(
        repository.directory().join("ks.yaml"),
        declared.replace("name: web", "name: later"),
    )
    .unwrap();
    let file = ["--kustomization-file", "ks.yaml"];
    let (yaml, error) = ask("later", &file);
    assert_eq!(yaml, "");
    assert!(
        error.contains("kustomizations.kustomize.toolkit.fluxcd.io \"later\" not found; --dry-run"),
        "{error}"
    );
    let without = declared.replace("name: vars", "name: nothing");
    fs::write(repository.directory().join("ks.yaml"), without).unwrap();
    let (_, error) = ask("web", &file);
    assert!(
        error.contains("substitute from 'ConfigMap/nothing' error: configmaps \"nothing\" not found"),
        "{error}"
    );
}
