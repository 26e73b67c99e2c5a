//! Which API server is talked to, and as whom.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::SLUICE;
use sluice_devcluster::{Config, DevCluster};
use std::process::Command;

/// What `get ks` tells without any kubeconfig. A server that is reached knows no such kind.
async fn told(args: &[&str]) -> String {
    let mut command = Command::new(SLUICE);
    command
        .args(["get", "ks"])
        .args(args)
        .env_remove("KUBECONFIG")
        .env("HOME", "/nowhere");
    // the server is in this process, and must go on answering
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    String::from_utf8(output.unwrap().unwrap().stderr).unwrap()
}

#[tokio::test]
async fn flags_alone_are_enough() {
    let config = Config {
        tls: true,
        ..Config::default()
    };
    let (server, other) = (
        DevCluster::start(config.clone()).await.unwrap(),
        DevCluster::start(config).await.unwrap(),
    );
    let folder = tempfile::tempdir().unwrap();
    let authority = |name: &str, of: &DevCluster| {
        let file = folder.path().join(name);
        std::fs::write(&file, of.certificate_authority().unwrap()).unwrap();
        format!("--certificate-authority={}", file.display())
    };
    let (url, token) = (
        format!("--server={}", server.url),
        format!("--token={}", server.token()),
    );
    let (ours, theirs) = (authority("ours.pem", &server), authority("theirs.pem", &other));
    for (args, expected) in [
        (vec![&token[..], &ours], "no matches for kind"),
        (
            vec![&token, "--insecure-skip-tls-verify=true"],
            "no matches for kind",
        ),
        (vec![&token, &theirs], "invalid peer certificate"),
        (vec![&ours], "Unauthorized"),
        (
            vec![&token, "--certificate-authority=/nowhere.pem"],
            "--certificate-authority /nowhere.pem: ",
        ),
    ] {
        let told = told(&[&[&url[..]], &args[..]].concat()).await;
        assert!(told.contains(expected), "{args:?}: {told}");
    }
}

#[tokio::test]
async fn what_cannot_be_reached_or_read_is_named_with_a_remedy() {
    let nobody = told(&["--server=http://127.0.0.1:1"]).await;
    assert!(
        nobody.contains("hint: is the API server at http://127.0.0.1:1 running?"),
        "{nobody}"
    );
    for args in [vec![], vec!["--kubeconfig=/nowhere"]] {
        let missing = told(&args).await;
        assert!(
            missing.contains("No such file or directory")
                && missing.contains("hint: --kubeconfig or KUBECONFIG names the file"),
            "{args:?}: {missing}"
        );
    }
}
