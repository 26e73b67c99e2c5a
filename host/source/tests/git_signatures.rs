//! Signatures of commits and tags that git made with gpg and ssh-keygen: `signatures/make.sh` says how.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, path::PathBuf};

use crate::support::Scene;
use expect_test::{Expect, expect};
use sluice_api::source::GitVerificationMode::{self as Mode, Head, LegacyHead, Tag, TagAndHead};
use sluice_source::{Fetched, GitRequest, Reference, SecretData, verify::GitKeys};
use sluice_testkit::git_server::{Fault, git_is_present};

fn file(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/signatures"));
    fs::read(folder.join(name)).unwrap()
}

fn keys(names: &[&str]) -> GitKeys {
    let secret: SecretData = names
        .iter()
        .map(|name| ((*name).to_owned(), file(name)))
        .collect();
    GitKeys::from_secret(&secret)
}

/// A repository that has the files of the fixtures' commits.
struct Signatures {
    scene: Scene,
}

impl Signatures {
    fn new() -> Signatures {
        let scene = Scene::new();
        scene.repository.commit([("a.yaml", "a: 1\n")], "the same files");
        Signatures { scene }
    }

    fn store(&self, kind: &str, content: &[u8]) -> String {
        let arguments = ["hash-object", "-t", kind, "-w", "--stdin", "--literally"];
        self.scene.repository.git_with_input(&arguments, content)
    }

    async fn branch(&self, commit: &[u8]) -> Fetched {
        let id = self.store("commit", commit);
        self.scene.repository.git(&["update-ref", "refs/heads/main", &id]);
        self.scene.fetched(self.scene.request()).await
    }

    async fn tag(&self, name: &str, object: &str) -> Fetched {
        self.scene
            .repository
            .git(&["update-ref", &format!("refs/tags/{name}"), object]);
        self.scene.fetched(self.tagged(name)).await
    }

    fn tagged(&self, name: &str) -> GitRequest {
        let tag = Some(name.to_owned());
        GitRequest {
            reference: Reference {
                tag,
                ..Reference::default()
            },
            ..self.scene.request()
        }
    }
}

fn verify(keys: &GitKeys, fetched: &Fetched, mode: Mode) -> String {
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    let text = match keys.verify(fetched, mode, now) {
        Ok(text) => format!("GOOD {text}"),
        Err(error) => error.to_string(),
    };
    let text = text.replace(fetched.commit(), "COMMIT");
    let rules = [
        ("[0-9a-f]{40}", "TAG"),
        ("[0-9A-F]{16}", "KEY"),
        ("SHA256:[A-Za-z0-9+/]{43}", "KEY"),
    ];
    rules.iter().fold(text, |text, (pattern, name)| {
        regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, *name)
            .into_owned()
    })
}

/// Each commit with its own key.
async fn table(names: &[&str], suffix: &str, expected: Expect) {
    let signatures = Signatures::new();
    let mut lines = String::new();
    for name in names {
        let fetched = signatures.branch(&file(&format!("{name}.commit"))).await;
        let text = verify(&keys(&[&format!("{name}{suffix}")]), &fetched, Head);
        let text = text
            .strip_prefix("signature verification of commit 'COMMIT' failed: ")
            .unwrap_or(&text);
        lines.push_str(&format!("{name}: {}\n", text.replace('\n', "|")));
    }
    expected.assert_eq(&lines);
}

#[tokio::test]
async fn openpgp_signatures_count_if_their_keys_may_sign() {
    if !git_is_present("OpenPGP signatures") {
        return;
    }
    let names = [
        "pgp-ed25519",
        "pgp-rsa",
        "pgp-p256",
        "pgp-p384",
        "pgp-subkey",
        "pgp-renewed",
        "pgp-expired",
        "pgp-revoked",
        "pgp-revoked-subkey",
        "pgp-rsa1024",
        "pgp-dsa",
    ];
    table(&names, ".asc", expect![[r#"
        pgp-ed25519: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        pgp-rsa: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        pgp-p256: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        pgp-p384: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        pgp-subkey: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        pgp-renewed: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        pgp-expired: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the key that signed has expired; add its renewed form to the Secret)
        pgp-revoked: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: it is revoked)
        pgp-revoked-subkey: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the subkey that signed is revoked)
        pgp-rsa1024: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: its RSA key has 1024 bits, fewer than 2048)
        pgp-dsa: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: its algorithm is not accepted)
    "#]]).await;
}

#[tokio::test]
async fn openpgp_signatures_count_if_they_are_good_themselves() {
    if !git_is_present("OpenPGP signatures") {
        return;
    }
    let signatures = Signatures::new();
    let mut lines = String::new();
    for name in [
        "pgp-sha1",
        "pgp-expired-signature",
        "pgp-critical-notation",
        "pgp-future",
        "pgp-older-than-key",
    ] {
        let fetched = signatures.branch(&file(&format!("{name}.commit"))).await;
        lines.push_str(&format!(
            "{name}: {}\n",
            verify(&keys(&["pgp-rsa.asc"]), &fetched, Head)
        ));
    }
    expect![[r#"
        pgp-sha1: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature is of a broken digest, SHA1)
        pgp-expired-signature: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature has expired or is not valid yet)
        pgp-critical-notation: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature has a critical notation that is not understood)
        pgp-future: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature has expired or is not valid yet)
        pgp-older-than-key: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature is older than the key)
    "#]].assert_eq(&lines);
}

#[tokio::test]
async fn ssh_signatures_count_if_made_for_git() {
    if !git_is_present("SSH signatures") {
        return;
    }
    let names = [
        "ssh-ed25519",
        "ssh-p256",
        "ssh-p384",
        "ssh-p521",
        "ssh-rsa",
        "ssh-rsa1024",
        "ssh-namespace",
    ];
    table(&names, ".sshpub", expect![[r#"
        ssh-ed25519: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        ssh-p256: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        ssh-p384: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        ssh-p521: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        ssh-rsa: GOOD verified signature of|	- commit 'COMMIT' with key 'KEY'
        ssh-rsa1024: unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key (its RSA key has 1024 bits, fewer than 2048)
        ssh-namespace: unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key (the signature is for the namespace 'file', not 'git')
    "#]]).await;
}

#[tokio::test]
async fn the_keys_of_a_secret_are_told_apart_by_their_names() {
    if !git_is_present("keys of signatures") {
        return;
    }
    let signatures = Signatures::new();
    let (ours, theirs) = (file("pgp-ed25519.asc"), file("pgp-rsa.asc"));
    let both = [theirs.as_slice(), b"\n", ours.as_slice()].concat();
    let ssh = [
        b"# a comment\n\n".as_slice(),
        &file("ssh-rsa.sshpub"),
        b"cert-authority,namespaces=\"a b\" ",
        &file("ssh-ed25519.sshpub"),
    ]
    .concat();
    let rows: Vec<(&str, &str, Vec<(&str, Vec<u8>)>)> = vec![
        ("no key at all", "pgp-ed25519", vec![]),
        ("another's key", "pgp-ed25519", vec![("a.asc", theirs.clone())]),
        (
            "another's and ours",
            "pgp-ed25519",
            vec![("a.asc", theirs.clone()), ("any name", ours.clone())],
        ),
        (
            "an unreadable one and ours",
            "pgp-ed25519",
            vec![("a.asc", b"hello".to_vec()), ("b.asc", ours.clone())],
        ),
        (
            "unreadable ones",
            "pgp-ed25519",
            vec![("a.asc", b"hello".to_vec())],
        ),
        ("a second block", "pgp-ed25519", vec![("a.asc", both)]),
        ("a PGP key for SSH", "ssh-ed25519", vec![("a.asc", ours.clone())]),
        (
            "an SSH key for PGP",
            "pgp-ed25519",
            vec![("a.sshpub", file("ssh-ed25519.sshpub"))],
        ),
        (
            "another's SSH key",
            "ssh-ed25519",
            vec![("a.sshpub", file("ssh-rsa.sshpub"))],
        ),
        ("SSH keys with options", "ssh-ed25519", vec![("a.sshpub", ssh)]),
        (
            "an unreadable SSH key",
            "ssh-ed25519",
            vec![("a.sshpub", b"ssh-ed25519 nothing".to_vec())],
        ),
        ("nothing signed", "unsigned", vec![("a.asc", ours.clone())]),
    ];
    let mut lines = String::new();
    for (what, name, entries) in rows {
        let fetched = signatures.branch(&file(&format!("{name}.commit"))).await;
        let secret: SecretData = entries
            .into_iter()
            .map(|(name, content)| (name.to_owned(), content))
            .collect();
        let text = verify(&GitKeys::from_secret(&secret), &fetched, LegacyHead);
        lines.push_str(&format!("{what}: {text}\n"));
    }
    expect![[r#"
        no key at all: signature verification of commit 'COMMIT' failed: PGP signature detected but no PGP public keys found in secret (keys with .asc suffix)
        another's key: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (it was signed by key KEY; add that key to the Secret if you trust it)
        another's and ours: GOOD verified signature of
        	- commit 'COMMIT' with key 'KEY'
        an unreadable one and ours: GOOD verified signature of
        	- commit 'COMMIT' with key 'KEY'
        unreadable ones: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to read armored key ring: not enough bytes in buffer: armor header (key 'a.asc' of the secret)
        a second block: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (it was signed by key KEY; add that key to the Secret if you trust it)
        a PGP key for SSH: signature verification of commit 'COMMIT' failed: SSH signature detected but no SSH public keys found in secret (keys with .sshpub suffix)
        an SSH key for PGP: signature verification of commit 'COMMIT' failed: PGP signature detected but no PGP public keys found in secret (keys with .asc suffix)
        another's SSH key: signature verification of commit 'COMMIT' failed: unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key (it was signed by key KEY; add that key to the Secret if you trust it)
        SSH keys with options: GOOD verified signature of
        	- commit 'COMMIT' with key 'KEY'
        an unreadable SSH key: signature verification of commit 'COMMIT' failed: unable to verify Git commit SSH signature: unable to parse authorized keys: unable to parse authorized key: Base64 encoding error: invalid Base64 encoding (key 'a.sshpub' of the secret)
        nothing signed: signature verification of commit 'COMMIT' failed: unsupported signature type: empty (sign the commit: it has no signature)
    "#]].assert_eq(&lines);
}

/// N34.
#[tokio::test]
async fn a_changed_object_is_not_the_signed_one() {
    if !git_is_present("tampered commits") {
        return;
    }
    let signatures = Signatures::new();
    let mut lines = String::new();
    for name in ["pgp-ed25519", "pgp-rsa", "ssh-ed25519", "ssh-rsa"] {
        let text = String::from_utf8(file(&format!("{name}.commit"))).unwrap();
        let keys = keys(&[
            "pgp-ed25519.asc",
            "pgp-rsa.asc",
            "ssh-ed25519.sshpub",
            "ssh-rsa.sshpub",
        ]);
        let (before, after) = text.split_once("author").unwrap();
        for (what, changed) in [
            ("message", text.replace("signed: ", "forged: ")),
            ("author", text.replace("author Ada", "author Eve")),
            (
                "a parent more",
                format!("{before}parent {}\nauthor{after}", "1".repeat(40)),
            ),
            ("two signatures", text.replacen("\n\n", "\ngpgsig x\n\n", 1)),
            (
                "another kind",
                text.replacen("BEGIN PGP SIGNATURE", "BEGIN SIGNED MESSAGE", 1)
                    .replacen("BEGIN SSH SIGNATURE", "BEGIN NOISE", 1),
            ),
            (
                "empty armor",
                format!("{}\n\nmessage\n", text.split("\n ").next().unwrap()),
            ),
        ] {
            if what == "a parent more" {
                continue; // nobody has that parent to send; the rows of `git::signed` say what becomes of headers
            }
            let fetched = signatures.branch(changed.as_bytes()).await;
            let text = verify(&keys, &fetched, Head);
            assert!(!text.starts_with("GOOD"), "{name} {what}");
            lines.push_str(&format!("{name}, {what}: {text}\n"));
        }
    }
    expect![[r#"
        pgp-ed25519, message: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature is not one of this object)
        pgp-ed25519, author: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature is not one of this object)
        pgp-ed25519, two signatures: signature verification of commit 'COMMIT' failed: the object can be read in more than one way: it has an odd header 'gpgsig'
        pgp-ed25519, another kind: signature verification of commit 'COMMIT' failed: unsupported signature type: x509 (sign with OpenPGP or SSH)
        pgp-ed25519, empty armor: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (the signature cannot be read: not enough bytes in buffer: armor header)
        pgp-rsa, message: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature is not one of this object)
        pgp-rsa, author: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (key KEY: the signature is not one of this object)
        pgp-rsa, two signatures: signature verification of commit 'COMMIT' failed: the object can be read in more than one way: it has an odd header 'gpgsig'
        pgp-rsa, another kind: signature verification of commit 'COMMIT' failed: unsupported signature type: x509 (sign with OpenPGP or SSH)
        pgp-rsa, empty armor: signature verification of commit 'COMMIT' failed: unable to verify Git commit: unable to verify payload with any of the given key rings: no matching key (the signature cannot be read: not enough bytes in buffer: armor header)
        ssh-ed25519, message: signature verification of commit 'COMMIT' failed: unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key (the signature is not one of this object)
        ssh-ed25519, author: signature verification of commit 'COMMIT' failed: unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key (the signature is not one of this object)
        ssh-ed25519, two signatures: signature verification of commit 'COMMIT' failed: the object can be read in more than one way: it has an odd header 'gpgsig'
        ssh-ed25519, another kind: signature verification of commit 'COMMIT' failed: unsupported signature type: unknown (sign with OpenPGP or SSH)
        ssh-ed25519, empty armor: signature verification of commit 'COMMIT' failed: unable to verify Git commit SSH signature: unable to unarmor SSH signature: PEM type label invalid
        ssh-rsa, message: signature verification of commit 'COMMIT' failed: unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key (the signature is not one of this object)
        ssh-rsa, author: signature verification of commit 'COMMIT' failed: unable to verify Git commit SSH signature: unable to verify payload with any of the given authorized keys: no matching key (the signature is not one of this object)
        ssh-rsa, two signatures: signature verification of commit 'COMMIT' failed: the object can be read in more than one way: it has an odd header 'gpgsig'
        ssh-rsa, another kind: signature verification of commit 'COMMIT' failed: unsupported signature type: unknown (sign with OpenPGP or SSH)
        ssh-rsa, empty armor: signature verification of commit 'COMMIT' failed: unable to verify Git commit SSH signature: unable to unarmor SSH signature: PEM type label invalid
    "#]].assert_eq(&lines);
}

/// N34.
#[tokio::test]
async fn tags_are_verified_under_the_name_they_were_signed_with() {
    if !git_is_present("signed tags") {
        return;
    }
    let signatures = Signatures::new();
    let commit = signatures.store("commit", &file("unsigned.commit"));
    let pgp = signatures.store("tag", &file("pgp-ed25519.tag"));
    let ssh = signatures.store("tag", &file("ssh-ed25519.tag"));
    let of_both = keys(&["ssh-both.sshpub"]);
    let keys = keys(&["pgp-ed25519.asc", "ssh-ed25519.sshpub"]);
    let mut lines = String::new();
    let mut row = |what: &str, text: String| lines.push_str(&format!("{what}: {text}\n"));
    let fetched = signatures.tag("v1.0.0", &pgp).await;
    row("PGP", verify(&keys, &fetched, Tag));
    row("PGP, and the commit", verify(&keys, &fetched, TagAndHead));
    row("the commit alone", verify(&keys, &fetched, Head));
    row("SSH", verify(&keys, &signatures.tag("v1.0.0", &ssh).await, Tag));
    row(
        "another name",
        verify(&keys, &signatures.tag("v2.0.0", &ssh).await, Tag),
    );
    row(
        "no tag object",
        verify(&keys, &signatures.tag("light", &commit).await, Tag),
    );
    let unsigned = String::from_utf8(file("pgp-ed25519.tag")).unwrap();
    let unsigned = signatures.store("tag", unsigned.split("-----BEGIN").next().unwrap().as_bytes());
    row(
        "unsigned",
        verify(&keys, &signatures.tag("v1.0.0", &unsigned).await, TagAndHead),
    );
    let forged = String::from_utf8(file("ssh-ed25519.tag"))
        .unwrap()
        .replace("release", "rElease");
    let forged = signatures.store("tag", forged.as_bytes());
    row(
        "forged",
        verify(&keys, &signatures.tag("v1.0.0", &forged).await, Tag),
    );
    let signed = signatures.branch(&file("pgp-ed25519.commit")).await;
    row("a branch", verify(&keys, &signed, Tag));
    row("a branch, both", verify(&keys, &signed, TagAndHead));
    signatures.store("commit", &file("ssh-both.commit"));
    let both = signatures.store("tag", &file("ssh-both.tag"));
    let both = signatures.tag("v1.0.0", &both).await;
    row("tag and commit", verify(&of_both, &both, TagAndHead));
    row("of somebody else", verify(&keys, &both, TagAndHead));
    expect![[r#"
        PGP: GOOD verified signature of
        	- tag 'v1.0.0@TAG' with key 'KEY'
        PGP, and the commit: signature verification of commit 'COMMIT' failed: unsupported signature type: empty (sign the commit: it has no signature)
        the commit alone: signature verification of commit 'COMMIT' failed: unsupported signature type: empty (sign the commit: it has no signature)
        SSH: GOOD verified signature of
        	- tag 'v1.0.0@TAG' with key 'KEY'
        another name: signature verification of tag 'v2.0.0@TAG' failed: it was signed as tag 'v1.0.0' and is offered under another name (push the tag that was signed)
        no tag object: cannot verify signature of tag 'light' since it is not signed (sign it: git tag -s)
        unsigned: cannot verify signature of tag 'v1.0.0@TAG' since it is not signed (sign it: git tag -s)
        forged: signature verification of tag 'v1.0.0@TAG' failed: unable to verify Git tag SSH signature: unable to verify payload with any of the given authorized keys: no matching key (the signature is not one of this object)
        a branch: cannot verify tag object's signature if a tag reference is not specified (name a tag in spec.ref, or set spec.verify.mode to HEAD)
        a branch, both: cannot verify tag object's signature if a tag reference is not specified (name a tag in spec.ref, or set spec.verify.mode to HEAD)
        tag and commit: GOOD verified signature of
        	- tag 'v1.0.0@TAG' with key 'KEY'
        	- commit 'COMMIT' with key 'KEY'
        of somebody else: signature verification of tag 'v1.0.0@TAG' failed: unable to verify Git tag SSH signature: unable to verify payload with any of the given authorized keys: no matching key (it was signed by key KEY; add that key to the Secret if you trust it)
    "#]].assert_eq(&lines);
}

/// What a server says a tag leads to is checked against the tag (N34).
#[tokio::test]
async fn a_signed_tag_vouches_for_its_own_commit_only() {
    if !git_is_present("a lying server") {
        return;
    }
    let signatures = Signatures::new();
    let keys = keys(&["ssh-ed25519.sshpub"]);
    let honest = signatures.store("commit", &file("unsigned.commit"));
    let evil = signatures.branch(&file("pgp-rsa.commit")).await;
    let tag = signatures.store("tag", &file("ssh-ed25519.tag"));
    signatures
        .scene
        .repository
        .git(&["update-ref", "refs/tags/v1.0.0", &tag]);
    let swap = Fault::ReplaceInRefs(honest, evil.commit().to_owned());
    signatures.scene.server.misbehave(swap);
    let fetched = signatures.scene.fetched(signatures.tagged("v1.0.0")).await;
    assert_eq!(fetched.commit(), evil.commit());
    expect!["signature verification of tag 'v1.0.0@TAG' failed: the object can be read in more than one way: it is a tag of commit TAG, not of COMMIT"].assert_eq(&verify(&keys, &fetched, Tag));
}
