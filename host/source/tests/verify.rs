//! Signatures: good ones are accepted, and each flaw alone is enough to refuse (N29).
#![allow(clippy::unwrap_used, clippy::panic)]

use crate::support::oci::request;

use sluice_source::{
    Addresses, OciFetcher,
    oci::{OciLimits, Repository},
    verify::{Cosign, Identity, Notation, PublicKey, TrustedRoot, Verdict},
};
use sluice_testkit::registry::{Fault, Flaw, Notary, NotaryFlaw, NotaryForm, Registry, Signer, Sigstore};

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
        if !matches!(flaw, Flaw::BadProof | Flaw::BadCheckpoint) {
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
    ] {
        assert!(TrustedRoot::parse(json.as_bytes()).is_err(), "{json}");
    }
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
            "the signature is about another artifact",
            None,
        ),
        (NotaryFlaw::Tampered, "the envelope's signature is not good", None),
        (
            NotaryFlaw::UnknownCritical,
            "the critical header 'x.unknown' is not known",
            None,
        ),
        (
            NotaryFlaw::NoAlgorithm,
            "signature algorithm 'none' is not supported",
            None,
        ),
        (
            NotaryFlaw::OldCertificate,
            "is not valid now",
            Some(Verdict::Verified),
        ),
        (
            NotaryFlaw::Expired,
            "the signature has expired",
            Some(Verdict::Verified),
        ),
        (
            NotaryFlaw::Revocable,
            "set signatureVerification.override.revocation to skip",
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
    assert!(error.contains("is not one of the trusted identities"), "{error}");
    let error = ask(&scene, &Notary::new(), "strict", "*").await.unwrap_err();
    assert!(
        error.contains("the signing certificate is not of the trust store"),
        "{error}"
    );
    assert_eq!(
        ask(&scene, &Notary::new(), "audit", "*").await,
        Ok(Verdict::Ignored)
    );
}
