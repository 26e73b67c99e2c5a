//! What a command line leaves out is told in the words of Flux, before anybody is asked for anything.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::SLUICE;
use std::process::Command;

/// Exit code, and what is told.
fn told(args: &str) -> String {
    let output = Command::new(SLUICE)
        .args(args.split(' '))
        .env_remove("KUBECONFIG")
        .env("HOME", "/nowhere")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    format!("{} {text}", output.status.code().unwrap())
}

#[test]
fn what_is_missing_is_told_in_the_words_of_flux() {
    for (args, expected) in [
        ("reconcile ks", "1 ✗ Kustomization name is required\n"),
        ("reconcile source git", "1 ✗ GitRepository name is required\n"),
        (
            "reconcile source chart --with-source",
            "1 ✗ HelmChart name is required\n",
        ),
        ("build kustomization", "1 ✗ kustomization name is required\n"),
        ("build kustomization web", "1 ✗ invalid resource path \"\": "),
        (
            "build kustomization web --path=",
            "1 ✗ invalid resource path \"\": ",
        ),
        // 1 would say that something changes
        ("diff kustomization", "2 ✗ kustomization name is required\n"),
        ("diff kustomization web", "2 ✗ invalid resource path \"\": "),
    ] {
        let told = told(args);
        assert!(told.starts_with(expected), "{args}: {told}");
    }
}
