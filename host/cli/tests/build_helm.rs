//! `sluice build helm` from end to end: flags, sandbox, what is printed. What charts render to, the plugin's own cases tell.
//!
//! `build_helm/transcript` holds arguments behind `$ `, and what is printed on both outputs; `UPDATE_EXPECT=1` rewrites it.
#![allow(clippy::unwrap_used, clippy::print_stderr)] // helpers of tests fail as tests do

use crate::support::SLUICE;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/build_helm")
}

fn build(args: &[&str], input: &str) -> Output {
    let mut command = Command::new(SLUICE);
    command.args(["build", "helm"]).args(args).current_dir(folder());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn what_is_printed() {
    let file = folder().join("transcript");
    let transcript = fs::read_to_string(&file).unwrap();
    let mut got = String::new();
    for line in transcript.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let args: Vec<&str> = line.split_whitespace().collect();
        let output = build(&args, "greeting: from standard input\n");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.success(),
            !errors.contains("Error: "),
            "{line}: {errors}"
        );
        let printed = String::from_utf8(output.stdout).unwrap();
        got.push_str(&format!("$ {line}\n{errors}{printed}"));
    }
    expect_test::expect_file![file].assert_eq(&got);
}

/// The variable says where Flux's objects are.
#[test]
fn the_environment_names_no_namespace_of_a_release() {
    for (flags, expected) in [
        (vec![], "namespace: default\n"),
        (vec!["-n", "apps"], "namespace: apps\n"),
    ] {
        let output = Command::new(SLUICE)
            .args(["build", "helm", "web", "--show-only", "templates/map.yaml"])
            .args(&flags)
            .env("FLUX_SYSTEM_NAMESPACE", "flux-system")
            .current_dir(folder())
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains(expected), "{flags:?}: {printed}");
    }
}

#[test]
fn a_file_for_each_template() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let written = || {
        let args = ["rel", "web", "--include-crds", "--release-name", "--output-dir"];
        let output = build(&[&args[..], &[out.to_str().unwrap()]].concat(), "");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let said = said.replace(out.to_str().unwrap(), "out");
        let map = fs::read_to_string(out.join("rel/web/templates/map.yaml")).unwrap();
        (said, map)
    };
    let (said, map) = written();
    expect_test::expect![[r#"
        wrote out/web/crds/widget.yaml
        wrote out/rel/web/templates/secret.yaml
        wrote out/rel/web/templates/map.yaml
        wrote out/rel/web/templates/tests/pod.yaml

    "#]]
    .assert_eq(&said);
    assert!(
        map.starts_with("---\n# Source: web/templates/map.yaml\napiVersion: v1\n"),
        "{map}"
    );
    let definition = fs::read_to_string(out.join("web/crds/widget.yaml")).unwrap();
    assert!(
        definition.contains("# Source: web/crds/widget.yaml\n"),
        "{definition}"
    );
    // once more: nothing of the first run is left
    assert_eq!(written(), (said, map));
}

#[test]
fn chance_is_another_in_every_run() {
    let password = || {
        String::from_utf8(build(&["rel", "web", "--show-only", "templates/secret.yaml"], "").stdout).unwrap()
    };
    let (one, two) = (password(), password());
    assert!(one.contains("password: "), "{one}");
    assert_ne!(one, two);
}

#[cfg(unix)]
#[test]
fn what_a_directory_holds_and_the_renderer_would_not_see_is_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let home = temporary.path().canonicalize().unwrap();
    let chart = home.join("chart");
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::create_dir_all(home.join(".git")).unwrap();
    fs::write(
        chart.join("Chart.yaml"),
        "apiVersion: v2\nname: c\nversion: 0.1.0\n",
    )
    .unwrap();
    fs::write(home.join("beside.yaml"), "a: 1\n").unwrap();
    let link = chart.join("templates/b.yaml");
    let build = |target: &Path| {
        std::os::unix::fs::symlink(target, &link).unwrap();
        let output = build(&[chart.to_str().unwrap()], "");
        fs::remove_file(&link).unwrap();
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text)
            .unwrap()
            .replace(home.to_str().unwrap(), "/here")
    };
    expect_test::expect![[r#"
        ---
        # Source: c/templates/b.yaml
        a: 1
    "#]]
    .assert_eq(&build(Path::new("../../beside.yaml")));
    for (target, expected) in [
        (
            "nowhere",
            "error evaluating symlink /here/chart/templates/b.yaml: lstat /here/chart/templates/nowhere: no such file or directory",
        ),
        (
            "../..//gone/x",
            "error evaluating symlink /here/chart/templates/b.yaml: lstat /here/gone: no such file or directory",
        ),
        (
            "b.yaml",
            "error evaluating symlink /here/chart/templates/b.yaml: EvalSymlinks: too many links",
        ),
        ("..", "/here/chart/templates/b.yaml: the link leads back up"),
        (
            "/etc/passwd",
            "/here/chart/templates/b.yaml: the link leads to /etc/passwd, which the renderer does not see",
        ),
    ] {
        let said = build(Path::new(target));
        assert!(said.contains(expected), "{target}: {said}");
    }
}

#[test]
fn an_archive_is_a_chart() {
    let temporary = tempfile::tempdir().unwrap();
    let archive = temporary.path().join("web.tgz");
    let packed = Command::new("tar")
        .arg("-czf")
        .arg(&archive)
        .args(["-C", folder().to_str().unwrap(), "web"])
        .status();
    if !packed.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no tar to pack a chart with");
        return;
    }
    let args = ["--show-only", "templates/map.yaml"];
    let directory = build(&[&["web"], &args[..]].concat(), "");
    let archive = build(&[&[archive.to_str().unwrap()], &args[..]].concat(), "");
    assert_eq!(
        String::from_utf8(archive.stdout),
        String::from_utf8(directory.stdout)
    );
    assert!(archive.status.success());
}

#[test]
fn a_template_that_includes_itself_is_told_as_in_helm() {
    let output = build(&["rel", "endless"], "");
    let text = String::from_utf8(output.stderr).unwrap();
    let wanted = "rendering template has a nested reference name: again: unable to execute template";
    assert!(
        text.trim_end().ends_with(wanted),
        "{}",
        &text[..text.len().min(500)]
    );
}
