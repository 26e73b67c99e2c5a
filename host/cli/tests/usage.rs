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
        ("suspend ks", "1 ✗ kustomization name is required\n"),
        ("resume source git", "1 ✗ source git name is required\n"),
        (
            "suspend image update",
            "1 ✗ image update automation name is required\n",
        ),
        (
            "resume alert-provider --wait=false",
            "1 ✗ alert provider name is required\n",
        ),
        (
            "resume ks apps --wait=perhaps",
            "1 ✗ invalid value 'perhaps' for '--wait[=<BOOL>]': expected true or false\n",
        ),
        ("export source git", "1 ✗ name is required\n"),
        ("create ks", "1 ✗ name is required\n"),
        ("create ks apps", "1 ✗ source is required\n"),
        (
            "create source git App --url=https://example.com/a",
            "1 ✗ name 'App' is invalid, it should adhere to standard defined in RFC 1123, the name can only contain \
             alphanumeric characters or '-'\n",
        ),
        ("create source git apps", "1 ✗ url is required\n"),
        (
            "create source git apps --url=ftp://example.com/a",
            "1 ✗ git URL scheme 'ftp' not supported, can be: ssh, http and https\n",
        ),
        (
            "create source git apps --url=https://example.com/a",
            "1 ✗ a Git ref is required, use one of the following: --branch, --tag, --commit, --ref-name or --tag-semver\n",
        ),
        (
            "create source git apps --url=ssh://git@example.com/a --branch=main",
            "1 ✗ no key pair is made here: ",
        ),
        (
            "create source oci apps --url=oci://example.com/a",
            "1 ✗ --tag, --tag-semver or --digest is required\n",
        ),
        (
            "create source oci apps --url=oci://example.com/a --tag=1 --verify-secret-ref=a",
            "1 ✗ a verification provider must be specified when a secret is specified\n",
        ),
        (
            "create source helm apps --url=https:///a",
            "1 ✗ url host is required\n",
        ),
        ("create source chart apps", "1 ✗ chart source is required\n"),
        (
            "create source chart apps --source=Bucket/a",
            "1 ✗ chart name or path is required\n",
        ),
        (
            "create source chart apps --source=foobar/a --chart=a",
            "1 ✗ source kind 'foobar' is not supported, must be one of: HelmRepository, GitRepository, Bucket\n",
        ),
        ("create source bucket apps", "1 ✗ bucket-name is required\n"),
        (
            "create source bucket apps --bucket-name=a",
            "1 ✗ endpoint is required\n",
        ),
        ("delete source chart -s", "1 ✗ source chart name is required\n"),
        ("delete image policy", "1 ✗ image policy name is required\n"),
        ("create secret tls", "1 ✗ name is required\n"),
        (
            "create secret tls certs",
            "1 ✗ no CA certificate or client certificate pair found\n",
        ),
        (
            "create secret tls certs --tls-key-file=/nowhere",
            "1 ✗ failed to read key file: open /nowhere: ",
        ),
        ("create secret git apps", "1 ✗ url is required\n"),
        (
            "create secret git apps --url=ftp://me:hunter2@example.com/a",
            "1 ✗ git URL scheme 'ftp' not supported, can be: ssh, http and https\n",
        ),
        (
            "create secret git apps --url=https://example.com/a --username=me",
            "1 ✗ for Git over HTTP/S the username and password, or a bearer token is required\n",
        ),
        (
            "create secret git apps --url=https://example.com/a -u=me -p=hunter2 --bearer-token=hunter2",
            "1 ✗ user credentials and bearer token cannot be used together\n",
        ),
        (
            "create secret git apps --url=ssh://git@example.com:team/a",
            "1 ✗ git URL parse failed: ",
        ),
        (
            "create secret helm apps --password=hunter2",
            "1 ✗ username is required\n",
        ),
        ("create secret oci apps", "1 ✗ --url is required\n"),
        (
            "create secret oci apps --url=ghcr.io",
            "1 ✗ --username is required\n",
        ),
        (
            "create secret oci apps --url=ghcr.io --username=me",
            "1 ✗ --password is required\n",
        ),
        ("create secret proxy apps", "1 ✗ address is required\n"),
        ("create secret notation apps", "1 ✗ --ca-cert-file is required\n"),
        (
            "create secret notation apps --ca-cert-file=ca.crt",
            "1 ✗ --trust-policy-file is required\n",
        ),
        (
            "create secret githubapp apps",
            "1 ✗ unable to read private key file: open : ",
        ),
        ("create secret receiver apps", "1 ✗ --type is required\n"),
        (
            "create secret receiver apps --type=gcr",
            "1 ✗ --hostname is required\n",
        ),
        (
            "create secret receiver apps --type=gcr --hostname=example.com",
            "1 ✗ --email-claim is required for gcr receiver type\n",
        ),
        ("create tenant", "1 ✗ name is required\n"),
        ("create tenant dev", "1 ✗ with-namespace is required\n"),
        (
            "create tenant dev --with-namespace=apps --cluster-role=",
            "1 ✗ cluster-role is required\n",
        ),
        (
            "create tenant dev --with-namespace=_apps",
            "1 ✗ invalid namespace '_apps': [",
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

#[test]
fn what_is_missing_of_an_artifact_is_told_in_the_words_of_flux() {
    for (args, expected) in [
        ("push artifact", "1 ✗ artifact URL is required\n"),
        ("push artifact oci://a/b", "1 ✗ --source is required\n"),
        (
            "push artifact oci://a/b --source=s",
            "1 ✗ --revision is required\n",
        ),
        (
            "push artifact oci://a/b --source=s --revision=r",
            "1 ✗ invalid path \"\"\n",
        ),
        (
            "push artifact oci://a/b --source=s --revision=r --path=",
            "1 ✗ invalid path \"\"\n",
        ),
        ("pull artifact", "1 ✗ artifact URL is required\n"),
        ("pull artifact oci://a/b", "1 ✗ output path cannot be empty\n"),
        (
            "pull artifact oci://a/b --output=",
            "1 ✗ output path cannot be empty\n",
        ),
        ("tag artifact", "1 ✗ artifact name is required\n"),
        ("tag artifact oci://a/b", "1 ✗ --tag is required\n"),
        ("tag artifact oci://a/b --tag=", "1 ✗ --tag is required\n"),
        ("list artifacts", "1 ✗ artifact repository URL is required\n"),
        ("build artifact", "1 ✗ invalid path \"\"\n"),
        (
            "build artifact -p /nowhere",
            "1 ✗ invalid path '/nowhere', must point to an existing directory or file: ",
        ),
        // 1 would say that there is a difference
        ("diff artifact", "2 ✗ artifact URL is required\n"),
        ("diff artifact oci://a/b", "2 ✗ invalid path \"\"\n"),
        (
            "diff artifact oci://a/b --path=/nowhere",
            "2 ✗ invalid path '/nowhere', must point to an existing directory or file: ",
        ),
    ] {
        let told = told(args);
        assert!(told.starts_with(expected), "{args}: {told}");
    }
}
