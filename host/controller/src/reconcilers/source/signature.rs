//! A signature that is asked for must be good before anything of an artifact is used (compat/source.md 6.6; N29).

use super::{Pass, Trouble, secret};
use crate::runtime::Run;
use sluice_api::source::{Source, Verification, VerificationProvider};
use sluice_source::SecretData;
use sluice_source::oci::{ContentDigest, Repository};
use sluice_source::verify::{Cosign, Identity, Notation, PublicKey, TrustedRoot, Verdict};
use std::time::Duration;

/// The key of a trusted root in its Secret.
const TRUSTED_ROOT: &str = "trusted_root.json";

/// The key of Notation's policy in its Secret.
const TRUST_POLICY: &str = "trustpolicy.json";

/// Who looks at signatures.
pub(in crate::reconcilers) enum Verifier {
    Cosign(Box<Cosign>),
    Notation(Box<Notation>),
}

/// How messages call a provider: `cosign keyless`.
pub(in crate::reconcilers) fn provider_of(wanted: &Verification) -> &'static str {
    match (wanted.provider, &wanted.secret_ref) {
        (VerificationProvider::Cosign, None) => "cosign keyless",
        (VerificationProvider::Cosign, Some(_)) => "cosign",
        (VerificationProvider::Notation, _) => "notation",
    }
}

impl Verifier {
    /// Reads what the spec names. `artifact` is what is to be verified, for messages.
    pub(in crate::reconcilers) async fn of(
        run: &Run,
        wanted: &Verification,
        artifact: &str,
    ) -> Result<Self, String> {
        Ok(match wanted.provider {
            VerificationProvider::Cosign => Self::Cosign(Box::new(cosign(run, wanted).await?)),
            VerificationProvider::Notation => {
                Self::Notation(Box::new(notation(run, wanted, artifact).await?))
            }
        })
    }

    /// Looks at the signatures of what has this digest. The inner error says why it is not verified.
    pub(in crate::reconcilers) async fn check<K: Source>(
        &self,
        pass: &mut Pass<'_, K>,
        repository: &Repository,
        digest: &ContentDigest,
        timeout: Duration,
    ) -> Result<Result<Verdict, String>, Trouble> {
        let checking = async {
            match self {
                Self::Cosign(by) => {
                    let checked = by.verify(repository, digest).await;
                    checked
                        .map(|()| Verdict::Verified)
                        .map_err(|error| error.to_string())
                }
                Self::Notation(by) => {
                    let checked = by.verify(repository, digest, jiff::Timestamp::now()).await;
                    checked.map_err(|error| error.to_string())
                }
            }
        };
        let checked = pass.patiently(tokio::time::timeout(timeout, checking)).await?;
        Ok(checked.unwrap_or_else(|_| Err("context deadline exceeded".to_owned())))
    }
}

async fn cosign(run: &Run, wanted: &Verification) -> Result<Cosign, String> {
    if let Some(reference) = &wanted.secret_ref {
        let data = read(run, &reference.name).await?;
        return keys(&data, &run.beside(&reference.name)).map(Cosign::Keyed);
    }
    let root = trusted_root(run, wanted).await?;
    let identities = wanted.match_oidc_identity.iter();
    let identities = identities.map(|identity| (identity.issuer.as_str(), identity.subject.as_str()));
    Ok(Cosign::Keyless {
        root: Box::new(root),
        identities: Identity::all(identities).map_err(|error| error.to_string())?,
    })
}

/// The root that the spec names, or the one of this controller.
async fn trusted_root(run: &Run, wanted: &Verification) -> Result<TrustedRoot, String> {
    let Some(reference) = &wanted.trusted_root_secret_ref else {
        let json = run.cx.config.trusted_root.as_ref().ok_or(
            "no trusted root is given: name a Secret with the trusted_root.json of your Sigstore in spec.verify.trustedRootSecretRef of an OCIRepository, or give the file to the controller with --sigstore-trusted-root",
        )?;
        return TrustedRoot::parse(json)
            .map_err(|error| format!("failed to read --sigstore-trusted-root: {error}"));
    };
    let name = run.beside(&reference.name);
    let unreadable = |cause: String| format!("failed to read trusted root from secret '{name}': {cause}");
    let data = read(run, &reference.name).await.map_err(unreadable)?;
    let json = data
        .get(TRUSTED_ROOT)
        .ok_or_else(|| unreadable(format!("'{TRUSTED_ROOT}' not found in secret '{name}'")))?;
    TrustedRoot::parse(json).map_err(|error| error.to_string())
}

async fn notation(run: &Run, wanted: &Verification, artifact: &str) -> Result<Notation, String> {
    let Some(reference) = &wanted.secret_ref else {
        return Err(format!("verification secret cannot be empty: '{artifact}'"));
    };
    let name = run.beside(&reference.name);
    let data = read(run, &reference.name).await?;
    let policy = data
        .get(TRUST_POLICY)
        .ok_or_else(|| format!("'{TRUST_POLICY}' not found in secret '{name}'"))?;
    let is_certificate = |key: &str| key.ends_with(".crt") || key.ends_with(".pem");
    let certificates = data.iter().filter(|(key, _)| is_certificate(key));
    let certificates: Vec<Vec<u8>> = certificates.map(|(_, value)| value.clone()).collect();
    if certificates.is_empty() {
        return Err(format!("no certificates found in secret '{name}'"));
    }
    Notation::new(policy, &certificates).map_err(|error| error.to_string())
}

/// The keys of all entries that end in `.pub`. One that cannot be read spoils them all.
fn keys(data: &SecretData, name: &str) -> Result<Vec<PublicKey>, String> {
    let entries = data.iter().filter(|(key, _)| key.ends_with(".pub"));
    let keys = entries.map(|(key, pem)| {
        let read = PublicKey::from_pem(pem);
        read.map_err(|problem| format!("public key '{key}' of secret '{name}': {problem}"))
    });
    let keys: Vec<PublicKey> = keys.collect::<Result<_, _>>()?;
    if keys.is_empty() {
        return Err(format!(
            "no public keys found in secret '{name}' (a key's name must end in .pub)"
        ));
    }
    Ok(keys)
}

async fn read(run: &Run, name: &str) -> Result<SecretData, String> {
    secret(run, name).await.map_err(|missing| missing.to_string())
}
