//! Signatures: good ones are accepted, and each flaw alone is enough to refuse (N29).
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::oci::request;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sluice_source::{
    Addresses, OciFetcher,
    oci::{OciLimits, Repository},
    verify::{Cosign, Identity, Notation, PublicKey, TrustedRoot, Verdict},
};
use sluice_testkit::canned::Canned;
use sluice_testkit::registry::{
    Fault, Flaw, Logged, LoggedFlaw, Notary, NotaryFlaw, NotaryForm, Registry, Signer, Sigstore,
    TimestampAuthority, TimestampFlaw,
};

struct Scene {
    registry: Registry,
    repository: Repository,
    digest: String,
    _home: tempfile::TempDir,
}

const NAMES: (&str, &str) = ("https://issuer.example", "dev@shop.example");

impl Scene {
    fn new() -> Scene {
        let registry = Registry::start();
        let home = tempfile::tempdir().unwrap();
        let fetcher = OciFetcher::new(home.path(), OciLimits::default(), Addresses::any()).unwrap();
        let request = request(&registry.url("org/app"));
        let digest = registry.push("org/app", "v1", &[("a", "")]);
        Scene {
            repository: fetcher.repository(&request).unwrap(),
            registry,
            digest,
            _home: home,
        }
    }

    async fn verify(&self, by: &Cosign) -> Result<(), String> {
        let digest = self.digest.parse().unwrap();
        by.verify(&self.repository, &digest)
            .await
            .map_err(|error| error.to_string())
    }
}

fn keyed(keys: &[&Signer]) -> Cosign {
    let key = |signer: &&Signer| PublicKey::from_pem(signer.public_pem().as_bytes()).unwrap();
    Cosign::Keyed(keys.iter().map(key).collect())
}

fn keyless(sigstore: &Sigstore, identities: &[(&str, &str)]) -> Cosign {
    Cosign::Keyless {
        root: Box::new(TrustedRoot::parse(sigstore.trusted_root().as_bytes()).unwrap()),
        identities: identities
            .iter()
            .map(|(issuer, subject)| Identity::new(issuer, subject).unwrap())
            .collect(),
    }
}

#[tokio::test]
async fn a_key_that_is_given_must_have_signed_this_very_artifact() {
    let (scene, signer, other) = (Scene::new(), Signer::new(), Signer::new());
    let unsigned = scene.verify(&keyed(&[&signer])).await.unwrap_err();
    assert!(
        unsigned.starts_with("no matching signatures were found for '"),
        "{unsigned}"
    );
    assert!(unsigned.contains("': it has none (sign it: "), "{unsigned}");
    scene.registry.push("org/app", "v2", &[("b", "")]);
    other.sign(&scene.registry, "org/app", &scene.digest);
    let wrong = scene.verify(&keyed(&[&signer])).await.unwrap_err();
    assert!(
        wrong.contains("no matching signatures were found for '"),
        "{wrong}"
    );
    assert!(
        wrong.contains("none of the given keys made the signature"),
        "{wrong}"
    );
    signer.sign(&scene.registry, "org/app", &scene.digest);
    scene.verify(&keyed(&[&signer])).await.unwrap();
    scene.verify(&keyed(&[&Signer::new(), &signer])).await.unwrap();
    assert!(
        scene.verify(&keyed(&[])).await.is_err(),
        "no key verifies nothing"
    );
    // a good signature of another artifact, put under this one's name
    let replayed = Scene::new();
    signer.sign(
        &replayed.registry,
        "org/app",
        &sluice_testkit::registry::digest(b"old"),
    );
    let tag = format!(
        "{}.sig",
        sluice_testkit::registry::digest(b"old").replace(':', "-")
    );
    let manifest = replayed.registry.manifest("org/app", &tag).unwrap();
    let own = format!("{}.sig", replayed.digest.replace(':', "-"));
    replayed.registry.add_manifest("org/app", &own, &manifest);
    let error = replayed.verify(&keyed(&[&signer])).await.unwrap_err();
    assert!(error.contains("a signature is about another artifact"), "{error}");
    for fault in [
        Fault::Status(500),
        Fault::FlipBlob,
        Fault::EndlessManifest,
        Fault::CutBlob(3),
    ] {
        scene.registry.misbehave(fault.clone());
        assert!(scene.verify(&keyed(&[&signer])).await.is_err(), "{fault:?}");
    }
    for pem in [
        "",
        "x",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ] {
        assert!(PublicKey::from_pem(pem.as_bytes()).is_err(), "{pem}");
    }
}

/// N13: whoever may add to a repository can add signatures without end.
#[tokio::test]
async fn signatures_without_end_are_not_all_looked_at() {
    let (scene, signer, other) = (Scene::new(), Signer::new(), Signer::new());
    other.sign(&scene.registry, "org/app", &scene.digest);
    let tag = format!("{}.sig", scene.digest.replace(':', "-"));
    let manifest = scene.registry.manifest("org/app", &tag).unwrap();
    let layer = manifest.pointer("/layers/0").unwrap();
    let mut many = manifest.clone();
    *many.pointer_mut("/layers").unwrap() = vec![layer.clone(); 1000].into();
    scene.registry.add_manifest("org/app", &tag, &many);
    scene.registry.take_seen();
    let error = scene.verify(&keyed(&[&signer])).await.unwrap_err();
    assert!(
        error.contains("none of the given keys made the signature"),
        "{error}"
    );
    let asked = scene.registry.take_seen();
    let contents = asked.iter().filter(|seen| seen.target.contains("/blobs/"));
    assert_eq!(contents.count(), OciLimits::default().signatures_max);
    // as many keys would be as bad
    let keys = vec![&signer; 101];
    let error = scene.verify(&keyed(&keys)).await.unwrap_err();
    assert!(error.contains("(keys_max)"), "{error}");
    let identities = vec![NAMES; 101];
    let error = Identity::all(identities.into_iter()).unwrap_err();
    assert!(error.to_string().contains("(identities_max)"), "{error}");
    // few, and larger together than one may be
    let mut large = scene.registry.add_blob("", &vec![b' '; 6 << 20]);
    large
        .as_object_mut()
        .unwrap()
        .insert("mediaType".to_owned(), layer.get("mediaType").unwrap().clone());
    *many.pointer_mut("/layers").unwrap() = vec![large; 3].into();
    scene.registry.add_manifest("org/app", &tag, &many);
    let error = scene.verify(&keyed(&[&signer])).await.unwrap_err();
    assert!(error.contains("(blob_size_max)"), "{error}");
    let endless = Fault::EndlessBlob;
    scene.registry.add_manifest("org/app", &tag, &manifest);
    scene.registry.misbehave(endless);
    let error = scene.verify(&keyed(&[&signer])).await.unwrap_err();
    assert!(error.contains("the registry sent more bytes"), "{error}");
}

#[tokio::test]
async fn each_flaw_of_a_keyless_signature_is_enough() {
    let sigstore = Sigstore::new();
    let good = [("^https://issuer\\.example$", "^dev@shop\\.example$")];
    for (flaw, expected) in [
        (Flaw::None, ""),
        (Flaw::OtherDigest, "a signature is about another artifact"),
        (Flaw::OtherKey, "the certificate's key did not make the signature"),
        (Flaw::Expired, "the certificate is not one of the trusted root"),
        (Flaw::OtherUsage, "the certificate is not one of the trusted root"),
        (
            Flaw::NoPromiseOfCertificate,
            "no certificate log of the trusted root vouches",
        ),
        (
            Flaw::OtherCertificateLog,
            "no certificate log of the trusted root vouches",
        ),
        (Flaw::NoEntry, "a signature is in no transparency log"),
        (Flaw::NoPromise, "the "),
        (Flaw::OtherLog, "the transparency log did not sign this entry"),
        (Flaw::OtherEntry, "the log entry is about another signature"),
        (Flaw::BadProof, "the inclusion proof does not prove this entry"),
        (
            Flaw::BadCheckpoint,
            "the transparency log did not sign the checkpoint",
        ),
        (
            Flaw::OtherHint,
            "the transparency log did not sign the checkpoint",
        ),
    ] {
        let (old, new) = (Scene::new(), Scene::new());
        sigstore.sign(&old.registry, "org/app", &old.digest, NAMES, flaw);
        sigstore.sign_bundle(&new.registry, "org/app", &new.digest, NAMES, flaw);
        let by = keyless(&sigstore, &good);
        let (by_old, by_new) = (old.verify(&by).await, new.verify(&by).await);
        if flaw == Flaw::None {
            assert_eq!((by_old, by_new), (Ok(()), Ok(())));
            new.registry.keep_referrers_by_tag("org/app", &new.digest);
            assert_eq!(new.verify(&by).await, Ok(()), "a registry without referrers");
            continue;
        }
        // cosign 2 carries no inclusion proof
        if !matches!(flaw, Flaw::BadProof | Flaw::BadCheckpoint | Flaw::OtherHint) {
            let error = by_old.unwrap_err();
            assert!(error.contains(expected), "{flaw:?}: {error}");
        }
        let error = by_new.unwrap_err();
        assert!(error.contains(expected), "{flaw:?}: {error}");
    }
}

#[tokio::test]
async fn the_identity_must_match_and_the_root_must_be_the_right_one() {
    let (scene, sigstore) = (Scene::new(), Sigstore::new());
    sigstore.sign(&scene.registry, "org/app", &scene.digest, NAMES, Flaw::None);
    for (identities, is_good) in [
        (vec![], true),
        (vec![("issuer", "dev@")], true),
        (vec![("nobody", "dev@"), ("issuer", "shop")], true),
        (vec![("nobody", "dev@")], false),
        (vec![("issuer", "^ops@")], false),
        // as RE2 reads them: quoted, and by ASCII alone
        (vec![("issuer", r"^\Qdev@shop.example\E$")], true),
        (vec![("issuer", r"^\Qdev@shop.\Eex.mple$")], true),
        (vec![("issuer", r"^\Qdev@shop.ex.mple\E$")], false),
    ] {
        let verified = scene.verify(&keyless(&sigstore, &identities)).await;
        assert_eq!(verified.is_ok(), is_good, "{identities:?}: {verified:?}");
    }
    let error = scene.verify(&keyless(&Sigstore::new(), &[])).await.unwrap_err();
    assert!(
        error.contains("the transparency log is not one of the trusted root"),
        "{error}"
    );
    let empty = Cosign::Keyless {
        root: Box::new(TrustedRoot::parse(b"{}").unwrap()),
        identities: vec![],
    };
    assert!(scene.verify(&empty).await.is_err());
    for json in [
        "",
        "[]",
        r#"{"tlogs": [{}]}"#,
        r#"{"tlogs": [{"publicKey": {"rawBytes": "AAAA"}}]}"#,
        // a key of RSA in its own form is read where the root says so
        r#"{"tlogs": [{"publicKey": {"rawBytes": "MAYCAQMCAQM=", "validFor": {"start": "2020-01-01T00:00:00Z"}}}]}"#,
        // from when it was trusted is to be said
        r#"{"tlogs": [{"publicKey": {"rawBytes": "MAYCAQMCAQM=", "keyDetails": "PKCS1_RSA_PKCS1V5", "validFor": {"end": "2020-01-01T00:00:00Z"}}}]}"#,
        r#"{"timestampAuthorities": [{"certChain": {"certificates": [{"rawBytes": "?"}]}}]}"#,
    ] {
        assert!(TrustedRoot::parse(json.as_bytes()).is_err(), "{json}");
    }
    let json = r#"{"tlogs": [{"publicKey": {"rawBytes": "MAYCAQMCAQM=", "keyDetails": "PKCS1_RSA_PKCS1V5", "validFor": {"start": "2020-01-01T00:00:00Z"}}}]}"#;
    TrustedRoot::parse(json.as_bytes()).unwrap();
    assert!(Identity::new("(", "x").is_err());
    // a keyless signature is none of a given key, and the reverse
    let signer = Signer::new();
    assert!(scene.verify(&keyed(&[&signer])).await.is_err());
    let other = Scene::new();
    signer.sign(&other.registry, "org/app", &other.digest);
    let error = other.verify(&keyless(&sigstore, &[])).await.unwrap_err();
    assert!(
        error.contains("a signature was made with a key, and none is given"),
        "{error}"
    );
}

/// In the life of every certificate that a Sigstore gives here, and after it.
const IN_TIME: &str = "2026-01-01T12:00:00Z";
const LATE: &str = "2026-01-03T00:00:00Z";

const PLAIN: Logged = Logged {
    is_ed25519: true,
    is_dsse: false,
};

/// Makes the timestamps of a signature.
type Stamps = fn(&TimestampAuthority, &[u8]) -> Vec<Vec<u8>>;
/// What is done to a trusted root.
type Change<'a> = &'a dyn Fn(&mut serde_json::Value);

fn in_time(clock: &TimestampAuthority, signature: &[u8]) -> Vec<Vec<u8>> {
    vec![clock.stamp(signature, IN_TIME, TimestampFlaw::None)]
}

#[tokio::test]
async fn each_flaw_of_an_entry_without_a_time_is_enough() {
    let sigstore = Sigstore::new();
    let by = keyless(&sigstore, &[("issuer", "dev@")]);
    for is_ed25519 in [true, false] {
        for is_dsse in [true, false] {
            let logged = Logged { is_ed25519, is_dsse };
            for (flaw, expected) in [
                (LoggedFlaw::None, ""),
                (LoggedFlaw::Numbered, ""),
                (LoggedFlaw::Large, ""),
                (
                    LoggedFlaw::OtherSignature,
                    "the log entry is about another signature",
                ),
                (
                    LoggedFlaw::OtherMessage,
                    "the log entry is about another signature",
                ),
                (
                    LoggedFlaw::OtherCertificate,
                    "the log entry is about another signature",
                ),
                (LoggedFlaw::OtherHash, "the log entry is about another signature"),
                (LoggedFlaw::UnknownHash, "'SHA3_256' are not supported"),
                (
                    LoggedFlaw::BadProof,
                    "the inclusion proof does not prove this entry",
                ),
                (
                    LoggedFlaw::NoProof,
                    "neither a signed time nor an inclusion proof",
                ),
                (LoggedFlaw::OtherSize, "the checkpoint is of another tree"),
                (
                    LoggedFlaw::OtherKey,
                    "the transparency log did not sign the checkpoint",
                ),
                (LoggedFlaw::OtherOrigin, "the checkpoint is of another log"),
                (
                    LoggedFlaw::OtherName,
                    "the transparency log did not sign the checkpoint",
                ),
                (
                    LoggedFlaw::OtherHint,
                    "the transparency log did not sign the checkpoint",
                ),
                (
                    LoggedFlaw::OtherLog,
                    "the transparency log is not one of the trusted root",
                ),
            ] {
                let scene = Scene::new();
                sigstore.sign_logged(&scene.registry, "org/app", &scene.digest, (logged, flaw), in_time);
                let judged = scene.verify(&by).await;
                match expected {
                    "" => assert_eq!(judged, Ok(()), "{logged:?}"),
                    expected => {
                        let error = judged.unwrap_err();
                        assert!(error.contains(expected), "{logged:?}, {flaw:?}: {error}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_time_is_needed_and_all_that_are_known_must_be_good() {
    let sigstore = Sigstore::new();
    let by = keyless(&sigstore, &[]);
    let rows: [(&str, Stamps, &str); 12] = [
        ("none", |_, _| vec![], "the time of the signature is not known"),
        (
            "by a namesake",
            |_, signature| vec![TimestampAuthority::new().stamp(signature, IN_TIME, TimestampFlaw::None)],
            "names another certificate than its signer's",
        ),
        (
            "by somebody",
            |_, signature| {
                vec![TimestampAuthority::named("x").stamp(signature, IN_TIME, TimestampFlaw::None)]
            },
            "the time of the signature is not known",
        ),
        (
            "by somebody beside a good one",
            |clock, signature| {
                let other = TimestampAuthority::named("x").stamp(signature, LATE, TimestampFlaw::None);
                [in_time(clock, signature), vec![other]].concat()
            },
            "",
        ),
        (
            "bare",
            |clock, signature| vec![clock.stamp(signature, IN_TIME, TimestampFlaw::Bare)],
            "",
        ),
        (
            "another message",
            |clock, signature| vec![clock.stamp(signature, IN_TIME, TimestampFlaw::OtherMessage)],
            "the timestamp is of another signature",
        ),
        (
            "another signer",
            |clock, signature| vec![clock.stamp(signature, IN_TIME, TimestampFlaw::Revocable)],
            "names another certificate than its signer's",
        ),
        (
            "late",
            |clock, signature| vec![clock.stamp(signature, LATE, TimestampFlaw::None)],
            "the certificate is not one of the trusted root",
        ),
        (
            "late beside a good one",
            |clock, signature| {
                let late = clock.stamp(signature, LATE, TimestampFlaw::None);
                [in_time(clock, signature), vec![late]].concat()
            },
            "the certificate is not one of the trusted root",
        ),
        (
            "bad beside a good one",
            |clock, signature| {
                let bad = clock.stamp(signature, IN_TIME, TimestampFlaw::OtherKey);
                [in_time(clock, signature), vec![bad]].concat()
            },
            "the timestamp's signature is not good",
        ),
        (
            "no timestamp at all",
            |_, _| vec![b"nonsense".to_vec()],
            "the timestamp cannot be read",
        ),
        (
            "too many",
            |clock, signature| vec![clock.stamp(signature, IN_TIME, TimestampFlaw::None); 9],
            "the bundle has more than 8 timestamps",
        ),
    ];
    for (name, stamps, expected) in rows {
        let scene = Scene::new();
        let what = (PLAIN, LoggedFlaw::None);
        sigstore.sign_logged(&scene.registry, "org/app", &scene.digest, what, stamps);
        let judged = scene.verify(&by).await;
        match expected {
            "" => assert_eq!(judged, Ok(()), "{name}"),
            expected => {
                let error = judged.unwrap_err();
                assert!(error.contains(expected), "{name}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn authorities_and_logs_are_believed_while_the_root_says_so() {
    let sigstore = Sigstore::new();
    let scene = Scene::new();
    let what = (PLAIN, LoggedFlaw::None);
    sigstore.sign_logged(&scene.registry, "org/app", &scene.digest, what, in_time);
    let with = |change: Change<'_>| {
        let mut root: serde_json::Value = serde_json::from_str(&sigstore.trusted_root()).unwrap();
        change(&mut root);
        Cosign::Keyless {
            root: Box::new(TrustedRoot::parse(root.to_string().as_bytes()).unwrap()),
            identities: vec![],
        }
    };
    let until = serde_json::json!({ "start": "2020-01-01T00:00:00Z", "end": "2025-12-31T00:00:00Z" });
    assert_eq!(scene.verify(&with(&|_| ())).await, Ok(()));
    let unlogged = "the transparency log is not one of the trusted root, or was not trusted then";
    let rows: [(&str, Change<'_>, &str); 7] = [
        (
            "an authority of before",
            &|root| root["timestampAuthorities"][0]["validFor"] = until.clone(),
            "when its authority was not trusted",
        ),
        (
            "no authority",
            &|root| root["timestampAuthorities"] = serde_json::json!([]),
            "the time of the signature is not known",
        ),
        (
            "an authority without certificates",
            &|root| root["timestampAuthorities"][0]["certChain"]["certificates"] = serde_json::json!([]),
            "the time of the signature is not known",
        ),
        (
            "an authority whose signer is another",
            &|root| {
                let [other, _] = TimestampAuthority::named("x").chain();
                let certificates = &mut root["timestampAuthorities"][0]["certChain"]["certificates"];
                certificates[0]["rawBytes"] = STANDARD.encode(other).into();
            },
            "by another signer than the trusted root names",
        ),
        (
            "a log of before",
            &|root| root["tlogs"][1]["publicKey"]["validFor"] = until.clone(),
            unlogged,
        ),
        (
            "a log at another place",
            &|root| root["tlogs"][1]["baseUrl"] = "https://log3.example".into(),
            unlogged,
        ),
        (
            "a log at no place",
            &|root| root["tlogs"][1]["baseUrl"] = serde_json::Value::Null,
            unlogged,
        ),
    ];
    for (name, change, expected) in rows {
        let error = scene.verify(&with(change)).await.unwrap_err();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

fn policy(level: &str, identity: &str) -> String {
    serde_json::json!({ "version": "1.0", "trustPolicies": [{
        "name": "p", "registryScopes": ["*"], "signatureVerification": { "level": level },
        "trustStores": ["ca:shop"], "trustedIdentities": [identity],
    }] })
    .to_string()
}

#[tokio::test]
async fn notation_accepts_what_its_policy_trusts_and_nothing_else() {
    let notary = Notary::new();
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    let ask = async |scene: &Scene, notary: &Notary, level: &str, identity: &str| {
        let by = Notation::new(policy(level, identity).as_bytes(), &[notary.pem().into_bytes()]).unwrap();
        let digest = scene.digest.parse().unwrap();
        let verdict = by.verify(&scene.repository, &digest, now).await;
        verdict.map_err(|error| error.to_string())
    };
    let unsigned = Scene::new();
    let error = ask(&unsigned, &notary, "strict", "*").await.unwrap_err();
    assert!(error.starts_with("no signature is associated with"), "{error}");
    assert_eq!(ask(&unsigned, &notary, "skip", "*").await, Ok(Verdict::Ignored));
    for (flaw, strict, audit) in [
        (NotaryFlaw::None, "", Some(Verdict::Verified)),
        (
            NotaryFlaw::OtherDigest,
            "content descriptor mismatch (the signature is about another artifact)",
            None,
        ),
        (
            NotaryFlaw::OtherSize,
            "content descriptor mismatch (the signature says that the artifact has another media type or size)",
            None,
        ),
        (
            NotaryFlaw::OtherMediaType,
            "content descriptor mismatch (the signature says that the artifact has another media type or size)",
            None,
        ),
        (NotaryFlaw::Tampered, "signature is invalid. Error: ", None),
        (
            NotaryFlaw::UnknownCritical,
            "the critical header 'x.unknown' is not known",
            None,
        ),
        (
            NotaryFlaw::Plugin,
            "plugin unsupported due to nil verifier.pluginManager",
            None,
        ),
        (
            NotaryFlaw::NoAlgorithm,
            "signature algorithm 'none' is not supported",
            None,
        ),
        (
            NotaryFlaw::OldCertificate,
            "verification time is after certificate \"CN=dev,ST=WA,O=Shop,C=US\" validity period, it was expired at \"Fri, 01 Jan 2021 00:00:00 +0000\"",
            Some(Verdict::Verified),
        ),
        (
            NotaryFlaw::Expired,
            "digital signature has expired on \"Wed, 01 Jul 2020 00:00:00 +0000\"",
            Some(Verdict::Verified),
        ),
        (
            NotaryFlaw::Revocable,
            "signing certificate with subject \"CN=dev,ST=WA,O=Shop,C=US\" revocation status is unknown: CRL http://localhost:1/crl: ",
            Some(Verdict::Verified),
        ),
    ] {
        for form in [NotaryForm::Jws, NotaryForm::Cose] {
            let scene = Scene::new();
            notary.sign(&scene.registry, "org/app", &scene.digest, form, flaw);
            let judged = ask(&scene, &notary, "strict", "x509.subject: C=US, ST=WA, O=Shop").await;
            match strict {
                "" => assert_eq!(judged, Ok(Verdict::Verified), "{form:?}"),
                expected => {
                    let error = judged.unwrap_err();
                    assert!(error.contains(expected), "{form:?}, {flaw:?}: {error}");
                }
            }
            let judged = ask(&scene, &notary, "audit", "*").await;
            assert_eq!(judged.ok(), audit, "{form:?}, {flaw:?}");
        }
    }
    // of many signatures three are tried
    let scene = Scene::new();
    for flaw in [NotaryFlaw::OtherDigest; 4] {
        notary.sign(&scene.registry, "org/app", &scene.digest, NotaryForm::Jws, flaw);
    }
    let error = ask(&scene, &notary, "strict", "*").await.unwrap_err();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines[0],
        "signature evaluation stopped. The configured limit of 3 signatures to verify per artifact exceeded"
    );
    assert_eq!(lines.len(), 4, "{error}");
    // what the refusal of such a certificate advises
    let scene = Scene::new();
    notary.sign(
        &scene.registry,
        "org/app",
        &scene.digest,
        NotaryForm::Jws,
        NotaryFlaw::Revocable,
    );
    let skipping = r#""level":"strict","override":{"revocation":"skip"}"#;
    let skipping = policy("strict", "*").replace(r#""level":"strict""#, skipping);
    let by = Notation::new(skipping.as_bytes(), &[notary.pem().into_bytes()]).unwrap();
    let digest = scene.digest.parse().unwrap();
    assert_eq!(
        by.verify(&scene.repository, &digest, now).await,
        Ok(Verdict::Verified)
    );
    let scene = Scene::new();
    notary.sign(
        &scene.registry,
        "org/app",
        &scene.digest,
        NotaryForm::Jws,
        NotaryFlaw::None,
    );
    let error = ask(&scene, &notary, "strict", "x509.subject: C=US, ST=WA, O=Other")
        .await
        .unwrap_err();
    let expected = "signing certificate from the digital signature does not match the X.509 trusted identities [map[\"C\":\"US\" \"O\":\"Other\" \"ST\":\"WA\"]] defined in the trust policy \"p\" (it is that of \"CN=dev,ST=WA,O=Shop,C=US\")";
    assert!(error.ends_with(expected), "{error}");
    let (first, second) = error.split_once('\n').unwrap();
    assert_eq!(first, "signature verification failed");
    assert!(
        second.starts_with("failed to verify signature with digest sha256:"),
        "{error}"
    );
    let error = ask(&scene, &Notary::new(), "strict", "*").await.unwrap_err();
    assert!(
        error.contains("the signature's certificate chain does not contain any trusted certificate"),
        "{error}"
    );
    assert_eq!(
        ask(&scene, &Notary::new(), "audit", "*").await,
        Ok(Verdict::Ignored)
    );
}

#[tokio::test]
async fn notation_believes_an_authority_that_signs_for_others() {
    let notary = Notary::new();
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    let theirs = r#"["signingAuthority:shop"]"#;
    for (stores, flaw, expected) in [
        (theirs, NotaryFlaw::ByAuthority, ""),
        (
            theirs,
            NotaryFlaw::ByAuthorityOld,
            "was not valid when the digital signature was produced at \"Mon, 01 Jun 2020 00:00:00 +0000\"",
        ),
        (
            theirs,
            NotaryFlaw::ByAuthorityTimeless,
            "must have the header 'io.cncf.notary.authenticSigningTime'",
        ),
        (
            r#"["ca:shop"]"#,
            NotaryFlaw::ByAuthority,
            "names no trust store signingAuthority:NAME",
        ),
        (theirs, NotaryFlaw::None, "names no trust store ca:NAME"),
        (
            r#"["ca:shop"]"#,
            NotaryFlaw::OtherTime,
            "must have the header 'io.cncf.notary.authenticSigningTime'",
        ),
    ] {
        for form in [NotaryForm::Jws, NotaryForm::Cose] {
            let scene = Scene::new();
            notary.sign(&scene.registry, "org/app", &scene.digest, form, flaw);
            let policy = policy("strict", "*").replace(r#"["ca:shop"]"#, stores);
            let by = Notation::new(policy.as_bytes(), &[notary.pem().into_bytes()]).unwrap();
            let digest = scene.digest.parse().unwrap();
            let judged = by.verify(&scene.repository, &digest, now).await;
            match expected {
                "" => assert_eq!(judged, Ok(Verdict::Verified), "{form:?}"),
                expected => {
                    let error = judged.unwrap_err().to_string();
                    assert!(error.contains(expected), "{form:?}, {flaw:?}: {error}");
                }
            }
        }
    }
}

#[tokio::test]
async fn notation_asks_whether_a_certificate_was_revoked() {
    let lists = Canned::start();
    let notary = Notary::listing(&format!("{}crl", lists.base()));
    let stranger = Notary::listing(&format!("{}crl", lists.base()));
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    let sign = |notary: &Notary| {
        let scene = Scene::new();
        let flaw = NotaryFlaw::Revocable;
        notary.sign(&scene.registry, "org/app", &scene.digest, NotaryForm::Cose, flaw);
        scene
    };
    let ask = async |scene: &Scene, level: &str| {
        let by = Notation::new(policy(level, "*").as_bytes(), &[notary.pem().into_bytes()]).unwrap();
        let digest = scene.digest.parse().unwrap();
        let verdict = by.verify(&scene.repository, &digest, now).await;
        verdict.map_err(|error| error.to_string())
    };
    let scene = sign(&notary);
    lists.answer_bytes("GET /crl", 200, &[], &notary.revoked(false));
    assert_eq!(ask(&scene, "strict").await, Ok(Verdict::Verified));
    lists.answer_bytes("GET /crl", 200, &[], &notary.revoked(true));
    let error = ask(&scene, "strict").await.unwrap_err();
    assert!(
        error.ends_with("\"CN=dev,ST=WA,O=Shop,C=US\" is revoked"),
        "{error}"
    );
    assert_eq!(
        ask(&scene, "permissive").await,
        Ok(Verdict::Verified),
        "is logged"
    );
    assert_eq!(lists.take_asked().len(), 3);
    assert_eq!(ask(&sign(&stranger), "audit").await, Ok(Verdict::Ignored));
    assert!(
        lists.take_asked().is_empty(),
        "strangers' certificates send us nowhere"
    );
}

#[tokio::test]
async fn notation_believes_a_timestamp_where_the_policy_names_who_makes_them() {
    let (notary, clock) = (Notary::new(), TimestampAuthority::new());
    let now = "2026-06-01T00:00:00Z".parse().unwrap();
    // the certificates that are no longer valid are of the year 2020
    let (then, edge, after) = (
        "2020-06-01T00:00:00Z",
        "2021-01-01T00:00:00Z",
        "2022-01-01T00:00:00Z",
    );
    let both = r#"["ca:shop","tsa:clock"]"#;
    let (always, old) = (
        r#""verifyTimestamp":"always""#,
        r#""verifyTimestamp":"afterCertExpiry""#,
    );
    let skip = r#""verifyTimestamp":"always","override":{"revocation":"skip"}"#;
    let (fresh, expired) = (NotaryFlaw::None, NotaryFlaw::OldCertificate);
    let good = TimestampFlaw::None;
    for (stores, settings, certificate, stamp, expected) in [
        (both, always, expired, Some((then, good)), ""),
        (both, always, expired, Some((then, TimestampFlaw::Bare)), ""),
        (both, old, expired, Some((then, good)), ""),
        (both, always, fresh, Some((after, good)), ""),
        (both, old, fresh, None, ""),
        (both, old, fresh, Some((then, TimestampFlaw::OtherMessage)), ""),
        (
            both,
            always,
            fresh,
            None,
            "no timestamp countersignature was found in the signature envelope",
        ),
        (
            both,
            old,
            expired,
            None,
            "no timestamp countersignature was found in the signature envelope",
        ),
        (
            r#"["ca:shop"]"#,
            always,
            expired,
            Some((then, good)),
            "verification time is after certificate ",
        ),
        (
            r#"["tsa:clock"]"#,
            always,
            expired,
            Some((then, good)),
            "names no trust store ca:NAME",
        ),
        (
            both,
            always,
            expired,
            Some((after, good)),
            "timestamp can be after certificate ",
        ),
        // give or take a second it was later
        (
            both,
            always,
            expired,
            Some((edge, good)),
            "timestamp can be after certificate ",
        ),
        (
            both,
            always,
            fresh,
            Some((then, TimestampFlaw::OtherMessage)),
            "the timestamp is of another signature",
        ),
        (
            both,
            always,
            fresh,
            Some((then, TimestampFlaw::OtherPurpose)),
            "is not one for timestamps alone",
        ),
        (
            both,
            always,
            expired,
            Some((then, TimestampFlaw::Revocable)),
            "timestamping certificate with subject \"CN=clock\" revocation status is unknown: CRL http://localhost:1/crl: ",
        ),
        (both, skip, expired, Some((then, TimestampFlaw::Revocable)), ""),
    ] {
        let what = format!("{stores} {settings} {certificate:?} {stamp:?}");
        let policy = format!(
            r#"{{"version":"1.0","trustPolicies":[{{"name":"p","registryScopes":["*"],"signatureVerification":{{"level":"strict",{settings}}},"trustStores":{stores},"trustedIdentities":["*"]}}]}}"#
        );
        let certificates = [notary.pem().into_bytes(), clock.pem().into_bytes()];
        let by = Notation::new(policy.as_bytes(), &certificates).unwrap();
        for form in [NotaryForm::Jws, NotaryForm::Cose] {
            let scene = Scene::new();
            let make = |signature: &[u8]| stamp.map(|(at, flaw)| clock.stamp(signature, at, flaw));
            notary.sign_stamped(
                &scene.registry,
                "org/app",
                &scene.digest,
                (form, certificate),
                make,
            );
            let digest = scene.digest.parse().unwrap();
            let judged = by.verify(&scene.repository, &digest, now).await;
            match expected {
                "" => assert_eq!(judged, Ok(Verdict::Verified), "{form:?} {what}"),
                expected => {
                    let error = judged.unwrap_err().to_string();
                    assert!(error.contains(expected), "{form:?} {what}: {error}");
                }
            }
        }
    }
    // an authority that is not given; what is not insisted on is told to the log
    let scene = Scene::new();
    let stranger = TimestampAuthority::named("x");
    notary.sign_stamped(
        &scene.registry,
        "org/app",
        &scene.digest,
        (NotaryForm::Jws, expired),
        |signature| Some(stranger.stamp(signature, then, good)),
    );
    let digest = scene.digest.parse().unwrap();
    for (level, expected) in [("strict", "by no authority that is trusted"), ("permissive", "")] {
        let policy = policy(level, "*").replace(r#"["ca:shop"]"#, both);
        let certificates = [notary.pem().into_bytes(), clock.pem().into_bytes()];
        let by = Notation::new(policy.as_bytes(), &certificates).unwrap();
        match (by.verify(&scene.repository, &digest, now).await, expected) {
            (judged, "") => assert_eq!(judged, Ok(Verdict::Verified)),
            (judged, expected) => {
                let error = judged.unwrap_err().to_string();
                assert!(error.contains(expected), "{error}");
            }
        }
    }
}
