//! Fetching over SSH: from a server that can misbehave, and from OpenSSH's.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    process::Command,
    time::Duration,
};

use crate::support::{Scene, paths};
use expect_test::expect;
use sluice_event::Redacted;
use sluice_source::{
    Addresses, CredentialsError, GitFetcher, GitRequest, Limits, Outcome, Proxy, Reference, SecretData,
    SshIdentity, fetch::LocalAccess, scan_host_key,
};
use sluice_testkit::{
    git_server::{GitServer, git_is_present},
    proxy,
    ssh_server::{
        SshFault, SshServer, Sshd, new_key,
        ssh_keys::{
            Algorithm, Certificate, EcdsaCurve, HashAlg, PrivateKey,
            key::safe_rng,
            ssh_key::{Cipher, Kdf, LineEnding, certificate},
        },
    },
};

/// A repository, an SSH server for it, and somebody whom it lets in.
struct Ssh {
    scene: Scene,
    server: SshServer,
    key: PrivateKey,
}

fn pem(key: &PrivateKey) -> String {
    key.to_openssh(LineEnding::LF).unwrap().to_string()
}

fn identity(key: &str, password: &str, known_hosts: &str) -> Result<SshIdentity, CredentialsError> {
    let entries = [
        ("identity", key),
        ("password", password),
        ("known_hosts", known_hosts),
    ];
    let given = entries.into_iter().filter(|(_, value)| !value.is_empty());
    let data: SecretData = given
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .collect();
    SshIdentity::from_secret(&data)
}

impl Ssh {
    fn new() -> Ssh {
        Ssh::with(Limits::default(), new_key(Algorithm::Ed25519), Vec::new())
    }

    fn with(limits: Limits, host_key: PrivateKey, certificates: Vec<Certificate>) -> Ssh {
        let scene = Scene::with(GitServer::start, limits);
        let server = SshServer::start_as(scene.root.path(), host_key, certificates);
        let key = new_key(Algorithm::Ed25519);
        server.let_in(key.public_key());
        Ssh { scene, server, key }
    }

    fn request(&self) -> GitRequest {
        self.request_as(&pem(&self.key), "", &self.server.known_hosts())
    }

    fn request_as(&self, key: &str, password: &str, known_hosts: &str) -> GitRequest {
        GitRequest {
            url: self.server.url("shop"),
            identity: None,
            ssh: Some(identity(key, password, known_hosts).unwrap()),
            ..self.scene.request()
        }
    }

    /// The message of a failure, without what differs from run to run.
    async fn failure(&self, request: GitRequest) -> String {
        let text = match self.scene.fetch(request).await {
            Ok(outcome) => panic!("{outcome:?}"),
            Err(error) => error.to_string(),
        };
        let text = text.replace(&self.server.url(""), "ssh://git@host/");
        let text = text.replace(&self.server.port().to_string(), "PORT");
        let text = text.replace(&self.scene.root.path().display().to_string(), "ROOT");
        regex::Regex::new("SHA256:[A-Za-z0-9+/]{43}")
            .unwrap()
            .replace_all(&text, "KEY")
            .into_owned()
    }
}

#[tokio::test]
async fn a_branch_is_cloned_and_then_only_looked_at() {
    if !git_is_present("git over ssh") {
        return;
    }
    let ssh = Ssh::new();
    let first = ssh.scene.repository.commit([("apps/a.yaml", "a: 1\n")], "first");
    let fetched = ssh.scene.fetched(ssh.request()).await;
    assert_eq!(fetched.revision.to_string(), format!("main@sha1:{first}"));
    assert_eq!(paths(&fetched.tree), ["/apps/a.yaml"]);
    assert_eq!(
        ssh.server.take_seen(),
        ["git ssh-ed25519 true", "git-upload-pack '/shop'"],
        "one connection for the list and the pack"
    );
    let last_revision = Some(fetched.revision.to_string());
    let again = || GitRequest {
        last_revision: last_revision.clone(),
        ..ssh.request()
    };
    assert!(matches!(
        ssh.scene.fetch(again()).await,
        Ok(Outcome::Unchanged(_))
    ));
    let second = ssh.scene.repository.commit([("apps/a.yaml", "a: 2\n")], "second");
    let fetched = ssh.scene.fetched(again()).await;
    assert_eq!(fetched.revision.to_string(), format!("main@sha1:{second}"));
}

#[tokio::test]
async fn a_proxy_is_gone_through() {
    if !git_is_present("git over ssh through a proxy") {
        return;
    }
    let (ssh, between) = (Ssh::new(), proxy::Proxy::start());
    ssh.scene.repository.commit([("a", "1")], "one");
    let through = |scheme: &str, password: &str| {
        let credentials = (proxy::LOGIN.0.to_owned(), Redacted::new(password.to_owned()));
        GitRequest {
            proxy: Some(Proxy {
                address: format!("{scheme}://{}", between.address()),
                credentials: Some(credentials),
            }),
            ..ssh.request()
        }
    };
    for scheme in ["http", "socks5"] {
        let fetched = ssh.scene.fetched(through(scheme, proxy::LOGIN.1)).await;
        assert_eq!(paths(&fetched.tree), ["/a"]);
    }
    let server = format!("127.0.0.1:{}", ssh.server.port());
    assert_eq!(
        between.take_seen(),
        [format!("http {server}"), format!("socks {server}")]
    );
    for (scheme, password, says) in [
        ("http", "wrong", "proxy authorization required"),
        ("socks5", "wrong", "proxy 'socks5://PROXY': "),
        (
            "https",
            proxy::LOGIN.1,
            "cannot be used for ssh: use http:// or socks5://",
        ),
    ] {
        let failure = ssh.failure(through(scheme, password)).await;
        let failure = failure.replace(&between.address().to_string(), "PROXY");
        assert!(failure.contains(says), "{scheme}: {failure}");
    }
}

/// Set in a process that has proxies in its environment.
const INSIDE: &str = "SLUICE_TEST_SSH_ENVIRONMENT";

/// The environment belongs to a process: this test runs itself in others.
#[tokio::test]
async fn the_proxy_of_the_environment_is_gone_through() {
    if !git_is_present("git over ssh through ALL_PROXY") {
        return;
    }
    if std::env::var_os(INSIDE).is_some() {
        let ssh = Ssh::new();
        ssh.scene.repository.commit([("a", "1")], "one");
        let fetched = ssh.scene.fetched(ssh.request()).await;
        assert_eq!(paths(&fetched.tree), ["/a"]);
        return;
    }
    let between = proxy::Proxy::start();
    let (user, password) = proxy::LOGIN;
    for (name, scheme, except, way) in [
        ("ALL_PROXY", "socks5", "", Some("socks 127.0.0.1:")),
        ("all_proxy", "http", "elsewhere.example", Some("http 127.0.0.1:")),
        ("ALL_PROXY", "socks5", "127.0.0.1", None),
    ] {
        let mut run = Command::new(std::env::current_exe().unwrap());
        run.args(["--exact", "git_ssh::the_proxy_of_the_environment_is_gone_through"]);
        for other in ["ALL_PROXY", "all_proxy", "no_proxy"] {
            run.env_remove(other);
        }
        run.env(
            name,
            format!("{scheme}://{user}:{password}@{}", between.address()),
        )
        .env("NO_PROXY", except)
        .env(INSIDE, "1");
        let output = run.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        let seen = between.take_seen();
        let is_seen = match (way, seen.as_slice()) {
            (Some(way), [one]) => one.starts_with(way),
            (None, []) => true,
            _ => false,
        };
        assert!(is_seen, "{name}={scheme}, NO_PROXY={except}: {seen:?}");
    }
}

#[tokio::test]
async fn every_reference_is_found_by_servers_old_and_new() {
    if !git_is_present("git references over ssh") {
        return;
    }
    let ssh = Ssh::new();
    let one = ssh.scene.repository.commit([("a", "1")], "one");
    ssh.scene
        .repository
        .git(&["tag", "--annotate", "v1.1.0", "--message", "release"]);
    ssh.scene.repository.commit([("a", "2")], "two");
    let text = |text: &str| Some(text.to_owned());
    for fault in [SshFault::None, SshFault::DeafToVersion] {
        ssh.server.misbehave(fault.clone());
        let fetcher = GitFetcher::new(
            &ssh.scene.home.path().join(format!("{fault:?}")),
            Limits::default(),
            LocalAccess::Denied,
            Addresses::any(),
        );
        let fetcher = fetcher.unwrap();
        for reference in [
            Reference {
                tag: text("v1.1.0"),
                ..Reference::default()
            },
            Reference {
                semver: text("1.x"),
                ..Reference::default()
            },
            Reference {
                name: text("refs/tags/v1.1.0"),
                ..Reference::default()
            },
            Reference {
                commit: text(&one),
                ..Reference::default()
            },
        ] {
            let request = GitRequest {
                reference: reference.clone(),
                ..ssh.request()
            };
            match fetcher.fetch(request).await {
                Ok(Outcome::Fetched(fetched)) => assert_eq!(fetched.commit(), one, "{reference:?} {fault:?}"),
                other => panic!("{reference:?} {fault:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn keys_of_every_common_type_are_let_in() {
    if !git_is_present("ssh keys") {
        return;
    }
    let ssh = Ssh::new();
    ssh.scene.repository.commit([("a", "1")], "one");
    let known_hosts = ssh.server.known_hosts();
    let curves = [EcdsaCurve::NistP256, EcdsaCurve::NistP384, EcdsaCurve::NistP521];
    let ecdsa = curves.map(|curve| Algorithm::Ecdsa { curve });
    let rsa = Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    };
    let mut seen = Vec::new();
    for algorithm in [Algorithm::Ed25519].into_iter().chain(ecdsa).chain([rsa]) {
        let key = new_key(algorithm);
        ssh.server.let_in(key.public_key());
        ssh.scene
            .fetched(ssh.request_as(&pem(&key), "", &known_hosts))
            .await;
        seen.push(ssh.server.take_seen().remove(0));
    }
    assert_eq!(
        seen,
        [
            "git ssh-ed25519 true",
            "git ecdsa-sha2-nistp256 true",
            "git ecdsa-sha2-nistp384 true",
            "git ecdsa-sha2-nistp521 true",
            "git rsa-sha2-512 true"
        ]
    );
    let locked = ssh.key.encrypt(&mut safe_rng(), "open sesame").unwrap();
    ssh.scene
        .fetched(ssh.request_as(&pem(&locked), "open sesame", &known_hosts))
        .await;
    ssh.scene
        .fetched(ssh.request_as(&pem(&ssh.key), "not needed", &known_hosts))
        .await;
    assert_eq!(
        identity(&pem(&locked), "", &known_hosts),
        Err(CredentialsError::EncryptedSsh)
    );
    assert_eq!(
        identity("", "", &known_hosts),
        Err(CredentialsError::MissingSsh("identity"))
    );
    assert_eq!(
        identity(&pem(&ssh.key), "", ""),
        Err(CredentialsError::MissingSsh("known_hosts"))
    );
    let text = ssh
        .failure(ssh.request_as(&pem(&locked), "wrong", &known_hosts))
        .await;
    expect!["failed to configure authentication options: 'identity' cannot be used: it cannot be decrypted; check 'password', or rewrite it with ssh-keygen -p"].assert_eq(&text);
}

#[tokio::test]
async fn keys_in_the_older_forms_are_let_in() {
    if !git_is_present("older forms of ssh keys") {
        return;
    }
    let ssh = Ssh::new();
    ssh.scene.repository.commit([("a", "1")], "one");
    let folder = tempfile::tempdir().unwrap();
    for (number, (kind, form, password)) in [
        ("rsa", "PEM", ""),
        ("ecdsa", "PEM", ""),
        ("rsa", "PKCS8", ""),
        ("rsa", "PEM", "sesame"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = folder.path().join(number.to_string());
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-m", form, "-N", password, "-f"])
            .arg(&file)
            .output();
        if !made.is_ok_and(|output| output.status.success()) {
            eprintln!("SKIPPED: older forms of ssh keys: ssh-keygen is not installed");
            return;
        }
        let public = std::fs::read_to_string(file.with_extension("pub")).unwrap();
        ssh.server.let_in(&public.parse().unwrap());
        let key = std::fs::read_to_string(&file).unwrap();
        assert_eq!(
            identity(&key, "", "x").is_err(),
            !password.is_empty(),
            "{kind} {form}"
        );
        ssh.scene
            .fetched(ssh.request_as(&key, password, &ssh.server.known_hosts()))
            .await;
    }
}

#[tokio::test]
async fn what_is_no_private_key_is_said_without_its_content() {
    if !git_is_present("unusable ssh keys") {
        return;
    }
    let ssh = Ssh::new();
    ssh.scene.repository.commit([("a", "1")], "one");
    let mut lines = String::new();
    for (what, key) in [
        ("a public key", ssh.key.public_key().to_openssh().unwrap()),
        ("another file", "canary-secret".to_owned()),
        ("a damaged one", pem(&ssh.key).replace("AAAA", "canary")),
        (
            "PuTTY's",
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\n".to_owned(),
        ),
        ("one that costs hours", {
            let (cipher, kdf) = dear();
            pem(&ssh.key.encrypt_with(cipher, kdf, 7, "x").unwrap())
        }),
    ] {
        let text = ssh
            .failure(ssh.request_as(&key, "x", &ssh.server.known_hosts()))
            .await;
        assert!(!text.contains("canary"), "{text}");
        lines.push_str(&format!("{what}: {text}\n"));
    }
    expect![[r#"
        a public key: failed to configure authentication options: 'identity' cannot be used: it is no private key (the content of a file like ~/.ssh/id_ed25519, not of its .pub)
        another file: failed to configure authentication options: 'identity' cannot be used: it is no private key (the content of a file like ~/.ssh/id_ed25519, not of its .pub)
        a damaged one: failed to configure authentication options: 'identity' cannot be used: it cannot be read
        PuTTY's: failed to configure authentication options: 'identity' cannot be used: it is no private key (the content of a file like ~/.ssh/id_ed25519, not of its .pub)
        one that costs hours: failed to configure authentication options: 'identity' cannot be used: its passphrase costs 300 rounds, more than the limit of 256 (rounds_max)
    "#]].assert_eq(&lines);
}

/// A derivation of keys that costs more rounds than are allowed.
fn dear() -> (Cipher, Kdf) {
    let salt = vec![1; 16];
    (Cipher::Aes256Ctr, Kdf::Bcrypt { salt, rounds: 300 })
}

/// N23.
#[tokio::test]
async fn servers_of_every_common_type_are_known_and_strangers_are_not() {
    if !git_is_present("ssh host keys") {
        return;
    }
    let mut lines = String::new();
    let curves = [EcdsaCurve::NistP256, EcdsaCurve::NistP384, EcdsaCurve::NistP521];
    let ecdsa = curves.map(|curve| Algorithm::Ecdsa { curve });
    let rsa = Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    };
    for algorithm in ecdsa.into_iter().chain([rsa, Algorithm::Ed25519]) {
        let ssh = Ssh::with(Limits::default(), new_key(algorithm), Vec::new());
        ssh.scene.repository.commit([("a", "1")], "one");
        ssh.scene.fetched(ssh.request()).await;
        if ssh.server.known_hosts().contains("ssh-ed25519") {
            let other = new_key(Algorithm::Ed25519).public_key().to_openssh().unwrap();
            let own = ssh.server.known_hosts();
            let own = own.split_once(' ').unwrap().1.trim();
            let port = ssh.server.port();
            for (what, file) in [
                ("nobody", format!("elsewhere {own}")),
                ("another port", format!("127.0.0.1 {own}")),
                ("another key", format!("[127.0.0.1]:{port} {other}")),
                (
                    "another type",
                    format!(
                        "[127.0.0.1]:{port} {}",
                        new_key(Algorithm::Ecdsa {
                            curve: EcdsaCurve::NistP256
                        })
                        .public_key()
                        .to_openssh()
                        .unwrap()
                    ),
                ),
                ("revoked", format!("[127.0.0.1]:{port} {own}\n@revoked * {own}")),
                (
                    "an authority only",
                    format!("@cert-authority [127.0.0.1]:{port} {other}"),
                ),
                ("no known_hosts", "127.0.0.1 ssh-ed25519".to_owned()),
            ] {
                let text = ssh.failure(ssh.request_as(&pem(&ssh.key), "", &file)).await;
                lines.push_str(&format!("{what}: {text}\n"));
            }
        }
    }
    expect![[r#"
        nobody: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: knownhosts: key is unknown (the server has key ssh-ed25519 KEY; add its line of ssh-keyscan to 'known_hosts' if that is its key)
        another port: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: knownhosts: key is unknown (the server has key ssh-ed25519 KEY; add its line of ssh-keyscan to 'known_hosts' if that is its key)
        another key: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: knownhosts: key mismatch (the server has key ssh-ed25519 KEY, not one that 'known_hosts' names: somebody may be in between)
        another type: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: ssh: no common algorithm for host key; client offered: [ecdsa-sha2-nistp256], server offered: [ssh-ed25519] (see --ssh-kex-algos and --ssh-hostkey-algos, and which types of keys known_hosts has of this server)
        revoked: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: knownhosts: key is revoked ('known_hosts' says that ssh-ed25519 KEY is not to be trusted any more)
        an authority only: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: knownhosts: key is unknown (the server has key ssh-ed25519 KEY; add its line of ssh-keyscan to 'known_hosts' if that is its key)
        no known_hosts: failed to configure authentication options: 'known_hosts' cannot be used: line 1: it is not 'host key-type key'
    "#]].assert_eq(&lines);
}

#[tokio::test]
async fn certificates_of_hosts_are_good_if_their_authority_says_so() {
    if !git_is_present("ssh certificates of hosts") {
        return;
    }
    let authority = new_key(Algorithm::Ed25519);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut lines = String::new();
    for (what, kind, principal, signer, age) in [
        ("good", certificate::CertType::Host, "127.0.0.1", &authority, 3600),
        (
            "of a user",
            certificate::CertType::User,
            "127.0.0.1",
            &authority,
            3600,
        ),
        (
            "for another",
            certificate::CertType::Host,
            "git.example.com",
            &authority,
            3600,
        ),
        (
            "of another authority",
            certificate::CertType::Host,
            "127.0.0.1",
            &new_key(Algorithm::Ed25519),
            3600,
        ),
        ("over", certificate::CertType::Host, "127.0.0.1", &authority, 0),
    ] {
        let key = new_key(Algorithm::Ed25519);
        let (from, to) = (now - 7200, now - 3600 + age * 2);
        let mut made =
            certificate::Builder::new_with_random_nonce(&mut safe_rng(), key.public_key(), from, to).unwrap();
        made.cert_type(kind)
            .unwrap()
            .key_id("host")
            .unwrap()
            .valid_principal(principal)
            .unwrap();
        let ssh = Ssh::with(Limits::default(), key, vec![made.sign(signer).unwrap()]);
        ssh.scene.repository.commit([("a", "1")], "one");
        let port = ssh.server.port();
        let file = format!(
            "@cert-authority [127.0.0.1]:{port} {}",
            authority.public_key().to_openssh().unwrap()
        );
        let request = ssh.request_as(&pem(&ssh.key), "", &file);
        match what {
            "good" => drop(ssh.scene.fetched(request).await),
            _ => lines.push_str(&format!("{what}: {}\n", ssh.failure(request).await)),
        }
    }
    expect![[r#"
        of a user: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: ssh: certificate is not trusted (the certificate of the server does not hold: it is not one of a host)
        for another: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: ssh: certificate is not trusted (the certificate of the server does not hold: it is not for host '127.0.0.1')
        of another authority: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: ssh: certificate is not trusted (the certificate of the server does not hold: it is of authority KEY, which known_hosts does not name for this host)
        over: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: ssh: certificate is not trusted (the certificate of the server does not hold: certificate validation failed)
    "#]].assert_eq(&lines);
}

/// N23.
#[tokio::test]
async fn failures_say_what_happened_and_what_to_do() {
    if !git_is_present("ssh failures") {
        return;
    }
    let limits = Limits {
        refs_size_max: 100_000,
        ..Limits::default()
    };
    let ssh = Ssh::with(limits, new_key(Algorithm::Ed25519), Vec::new());
    ssh.scene.repository.commit([("a", "1")], "one");
    let mut lines = String::new();
    let stranger = pem(&new_key(Algorithm::Ed25519));
    let text = ssh
        .failure(ssh.request_as(&stranger, "", &ssh.server.known_hosts()))
        .await;
    lines.push_str(&format!("not let in: {text}\n"));
    let absent = GitRequest {
        url: ssh.server.url("nope"),
        ..ssh.request()
    };
    lines.push_str(&format!("no repository: {}\n", ssh.failure(absent).await));
    let nobody = GitRequest {
        identity: None,
        ssh: None,
        ..ssh.request()
    };
    lines.push_str(&format!("no identity: {}\n", ssh.failure(nobody).await));
    for fault in [
        SshFault::Say("ERROR: Repository not found.\n".to_owned()),
        SshFault::Say("quota\u{1b}[31m exceeded".to_owned()),
        SshFault::Hang,
        SshFault::Endless,
        SshFault::Cut(100),
    ] {
        ssh.server.misbehave(fault.clone());
        let timeout = if fault == SshFault::Hang {
            Duration::from_millis(500)
        } else {
            Duration::from_secs(30)
        };
        let text = ssh
            .failure(GitRequest {
                timeout,
                ..ssh.request()
            })
            .await;
        lines.push_str(&format!("{fault:?}: {text}\n"));
    }
    expect![[r#"
        not let in: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey], no supported methods remain (the server does not let user 'git' in with key ssh-ed25519 KEY: add that key there as one that may read)
        no repository: failed to checkout and determine revision: unable to clone 'ssh://git@host/nope': repository not found: fatal: 'ROOT/nope' does not appear to be a git repository (check spec.url, and whether this key may read the repository: servers hide private ones like this)
        no identity: failed to configure authentication options: invalid 'ssh' auth option: 'identity' is required
        Say("ERROR: Repository not found.\n"): failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': repository not found: ERROR: Repository not found. (check spec.url, and whether this key may read the repository: servers hide private ones like this)
        Say("quota\u{1b}[31m exceeded"): failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': the server refused: quota [31m exceeded (nothing of it was kept; the last good artifact stays)
        Hang: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': context deadline exceeded (the server did not finish within spec.timeout, 0 s)
        Endless: failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': the list of references exceeds the limit of 100000 bytes (refs_size_max) (nothing of it was kept; the last good artifact stays)
        Cut(100): failed to checkout and determine revision: unable to clone 'ssh://git@host/shop': Transport handshake failed: failed to fill whole buffer (nothing of it was kept; the last good artifact stays)
    "#]].assert_eq(&lines);
}

/// R14: a server that stops in the middle of each step before Git's protocol begins.
#[tokio::test]
async fn a_server_that_does_not_go_on_is_left_when_the_time_is_over() {
    if !git_is_present("silent servers") {
        return;
    }
    let ssh = Ssh::new();
    for (scheme, said) in [
        ("ssh", ""),
        ("ssh", "SSH-2.0-"),
        ("ssh", "SSH-2.0-silent\r\n"),
        ("https", ""),
        ("http", "HTTP/1.1 200 OK\r\n"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let talking = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            if scheme == "http" {
                assert!(
                    socket.read(&mut [0; 1024]).unwrap() > 0,
                    "the question comes first"
                );
            }
            socket.write_all(said.as_bytes()).unwrap();
            // until the client goes
            while socket.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
        });
        let known_hosts = ssh.server.known_hosts();
        let known_hosts = known_hosts.replace(&ssh.server.port().to_string(), &port.to_string());
        let text = ssh
            .failure(GitRequest {
                url: format!("{scheme}://127.0.0.1:{port}/shop"),
                timeout: Duration::from_millis(300),
                ..ssh.request_as(&pem(&ssh.key), "", &known_hosts)
            })
            .await;
        assert!(
            text.contains("context deadline exceeded"),
            "{scheme} {said:?}: {text}"
        );
        talking.join().unwrap();
    }
}

/// N21.
#[tokio::test]
async fn the_policy_of_addresses_holds_for_ssh() {
    if !git_is_present("ssh addresses") {
        return;
    }
    let ssh = Ssh::new();
    ssh.scene.repository.commit([("a", "1")], "one");
    let addresses = Addresses::guarded(Vec::new(), &[]).unwrap();
    let folder = ssh.scene.home.path().join("guarded");
    let fetcher = GitFetcher::new(&folder, Limits::default(), LocalAccess::Denied, addresses).unwrap();
    for host in ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"] {
        let url = ssh.server.url("shop").replace("127.0.0.1", host);
        let error = fetcher
            .fetch(GitRequest { url, ..ssh.request() })
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("connection refused by policy"), "{host}: {error}");
    }
    assert_eq!(ssh.server.take_seen(), Vec::<String>::new());
}

#[tokio::test]
async fn openssh_is_spoken_with() {
    if !git_is_present("sshd") {
        return;
    }
    let scene = Scene::new();
    let commit = scene.repository.commit([("a", "1")], "one");
    let rsa = Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    };
    for (host, guest) in [
        (Algorithm::Ed25519, Algorithm::Ed25519),
        (rsa.clone(), rsa),
        (
            Algorithm::Ecdsa {
                curve: EcdsaCurve::NistP256,
            },
            Algorithm::Ecdsa {
                curve: EcdsaCurve::NistP521,
            },
        ),
    ] {
        let key = new_key(guest);
        let Some(sshd) = Sshd::start("a fetch from sshd", &new_key(host), key.public_key()) else {
            return;
        };
        let request = GitRequest {
            url: sshd.url(scene.repository.directory()),
            identity: None,
            ssh: Some(identity(&pem(&key), "", sshd.known_hosts()).unwrap()),
            ..scene.request()
        };
        assert_eq!(scene.fetched(request).await.commit(), commit);
    }
}

#[tokio::test]
async fn a_server_is_asked_for_its_key() {
    let root = tempfile::tempdir().unwrap();
    let server = SshServer::start(root.path());
    let line = scan_host_key("127.0.0.1", server.port()).await.unwrap();
    assert_eq!(line, server.known_hosts().trim_end());

    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    drop(silent);
    let told = scan_host_key("127.0.0.1", port).await.unwrap_err();
    assert!(told.starts_with("dial tcp 127.0.0.1:"), "{told}");
}
