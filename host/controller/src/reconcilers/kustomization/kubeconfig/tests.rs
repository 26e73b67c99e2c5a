//! N2: what a kubeconfig asks for and does not get.

use super::{Allowances, sanitized};
use kube::Config;
use kube::config::KubeConfigOptions;

fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- name: c\n  context: {{cluster: k, user: u}}\n\
         clusters:\n- name: k\n  cluster: {{{cluster}}}\nusers:\n- name: u\n  user: {{{user}}}\n"
    )
}

const SERVER: &str = "server: https://one.example:6443";

#[test]
fn what_names_programs_files_and_other_people_is_refused() {
    let rows = [
        (
            SERVER,
            "exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'touch /tmp/owned']}",
            "exec",
        ),
        (
            SERVER,
            "auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}",
            "auth-provider",
        ),
        (SERVER, "token: t, as: system:admin", "as"),
        (SERVER, "token: t, as-groups: [system:masters]", "as"),
        (
            "server: https://one.example, insecure-skip-tls-verify: true",
            "token: t",
            "insecure-skip-tls-verify",
        ),
        ("server: https://169.254.169.254", "token: t", "server"),
        ("server: 'https://[fe80::1]:6443'", "token: t", "server"),
        ("server: 'https://[::ffff:169.254.169.254]'", "token: t", "server"),
        ("server: https://metadata.google.internal", "token: t", "server"),
        ("server: file:///etc/passwd", "token: t", "server"),
        ("server: unix:///var/run/docker.sock", "token: t", "server"),
        ("server: 'https://user:secret@one.example'", "token: t", "server"),
        (
            "server: https://one.example, proxy-url: http://169.254.169.254",
            "token: t",
            "proxy-url",
        ),
        (
            "server: https://one.example, proxy-url: 'socks5://one.example:1080'",
            "token: t",
            "proxy-url",
        ),
    ];
    for (cluster, user, field) in rows {
        let refusal = sanitized(&kubeconfig(cluster, user), Allowances::default()).unwrap_err();
        let expected = format!("the kubeconfig field '{field}' is refused: ");
        assert!(refusal.starts_with(&expected), "{cluster} {user}: {refusal}");
        assert!(
            !refusal.contains("secret") && !refusal.contains("/tmp/owned"),
            "{refusal}"
        );
    }
}

/// Whether it is in use or not, and whether the data is there too. Flux's words.
#[test]
fn what_names_a_file_is_refused() {
    let with_data =
        "server: https://one.example, certificate-authority: /ca.pem, certificate-authority-data: Y2E=";
    for (cluster, user, refusal) in [
        (
            "server: https://one.example, certificate-authority: /ca.pem",
            "token: t",
            "cluster 'k' references a certificate-authority file, only certificate-authority-data is supported",
        ),
        (
            with_data,
            "token: t",
            "cluster 'k' references a certificate-authority file, only certificate-authority-data is supported",
        ),
        (
            SERVER,
            "token: t, tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token",
            "user 'u' references a tokenFile, only an inline token is supported",
        ),
        (
            SERVER,
            "client-certificate: /etc/passwd",
            "user 'u' references a client-certificate file, only client-certificate-data is supported",
        ),
        (
            SERVER,
            "client-key: /etc/shadow",
            "user 'u' references a client-key file, only client-key-data is supported",
        ),
    ] {
        let refused = sanitized(&kubeconfig(cluster, user), Allowances::default());
        assert_eq!(refused.unwrap_err(), refusal);
    }
    let other = kubeconfig(SERVER, "token: t") + "- name: other\n  user: {tokenFile: /token}\n";
    assert_eq!(
        sanitized(&other, Allowances::default()).unwrap_err(),
        "user 'other' references a tokenFile, only an inline token is supported"
    );
}

#[test]
fn nothing_but_the_context_in_use_is_kept() {
    let text = kubeconfig(
        "server: https://one.example, proxy-url: http://proxy.example:3128, tls-server-name: inner, \
         certificate-authority-data: Y2E=",
        "token: t, client-certificate-data: YQ==, client-key-data: YQ==",
    );
    let text = format!("{text}- name: other\n  user: {{exec: {{command: sh}}}}\n");
    let kept = sanitized(&text, Allowances::default()).unwrap();
    let cluster = kept.clusters[0].cluster.as_ref().unwrap();
    assert_eq!(cluster.proxy_url.as_deref(), Some("http://proxy.example:3128"));
    assert_eq!(cluster.tls_server_name.as_deref(), Some("inner"));
    let user = kept.auth_infos[0].auth_info.as_ref().unwrap();
    assert!(user.token.is_some() && user.client_key_data.is_some());
    assert_eq!(
        (kept.contexts.len(), kept.clusters.len(), kept.auth_infos.len()),
        (1, 1, 1)
    );
}

#[tokio::test]
async fn tls_is_verified_unless_the_administrator_says_otherwise() {
    let text = kubeconfig(
        "server: https://one.example, insecure-skip-tls-verify: true",
        "token: t",
    );
    let kept = sanitized(&text, Allowances { insecure_tls: true }).unwrap();
    let config = Config::from_custom_kubeconfig(kept, &KubeConfigOptions::default())
        .await
        .unwrap();
    assert!(config.accept_invalid_certs);
    let text = kubeconfig(
        "server: https://one.example, insecure-skip-tls-verify: false",
        "token: t",
    );
    let kept = sanitized(&text, Allowances::default()).unwrap();
    let config = Config::from_custom_kubeconfig(kept, &KubeConfigOptions::default())
        .await
        .unwrap();
    assert!(!config.accept_invalid_certs);
}

#[test]
fn a_kubeconfig_that_cannot_be_read_is_not_quoted() {
    for text in [
        "",
        "current-context: c",
        "users: [{name: u, user: {token: hunter2",
        "token: [hunter2]\n: :",
    ] {
        let refusal = sanitized(text, Allowances::default()).unwrap_err();
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
