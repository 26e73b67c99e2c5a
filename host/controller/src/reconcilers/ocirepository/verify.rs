//! A signature that is asked for must be good before anything of the artifact is used (compat/source.md 6.6; N29).

use crate::error_policy::Failure;
use crate::reconcilers::source::{Pass, Trouble, secret};
use sluice_api::conditions::SOURCE_VERIFIED;
use sluice_api::source::{Verification, VerificationProvider};
use sluice_api::{OciRepository, reason};
use sluice_source::SecretData;
use sluice_source::oci::{Repository, Resolved};
use sluice_source::verify::{Cosign, Identity, Notation, PublicKey, TrustedRoot, Verdict};

/// The key of a trusted root in its Secret.
const TRUSTED_ROOT: &str = "trusted_root.json";

/// The key of Notation's policy in its Secret.
const TRUST_POLICY: &str = "trustpolicy.json";

/// Verifies what was resolved, unless the same was verified for the same spec before.
pub(super) async fn verify(
    pass: &mut Pass<'_, OciRepository>,
    repository: &Repository,
    resolved: &Resolved,
    is_new: bool,
) -> Result<(), Trouble> {
    let Some(wanted) = &pass.object.spec.verification else {
        pass.report.verified(None);
        return Ok(());
    };
    if !is_new && pass.report.is_verified() {
        return Ok(());
    }
    let failed = |error: String| failed(wanted, &error);
    let timeout = pass.object.spec.timeout.get();
    let digest = &resolved.digest;
    let checked = match wanted.provider {
        VerificationProvider::Cosign => {
            let by = cosign(pass, wanted).await.map_err(failed)?;
            let checking = async { by.verify(repository, digest).await.map(|()| Verdict::Verified) };
            pass.patiently(tokio::time::timeout(timeout, checking)).await?
        }
        VerificationProvider::Notation => {
            let reference = format!("{}@{digest}", repository.name());
            let by = notation(pass, wanted, &reference).await.map_err(failed)?;
            let checking = by.verify(repository, digest, jiff::Timestamp::now());
            pass.patiently(tokio::time::timeout(timeout, checking)).await?
        }
    };
    let message = format!("verified signature of revision {}", resolved.revision);
    match checked {
        Ok(Ok(Verdict::Verified)) => pass.report.verified(Some(&message)),
        // the policy lets it pass: then nothing is said of it
        Ok(Ok(Verdict::Ignored)) => pass.report.verified(None),
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Err(_) => return Err(failed("context deadline exceeded".to_owned())),
    }
    Ok(())
}

fn failed(wanted: &Verification, error: &str) -> Trouble {
    let provider = match (wanted.provider, &wanted.secret_ref) {
        (VerificationProvider::Cosign, None) => "cosign keyless",
        (VerificationProvider::Cosign, Some(_)) => "cosign",
        (VerificationProvider::Notation, _) => "notation",
    };
    let message = format!("failed to verify the signature using provider '{provider}': {error}");
    Trouble::Failed {
        condition: SOURCE_VERIFIED,
        failure: Failure::retry(reason::VERIFICATION_ERROR, message),
    }
}

async fn cosign(pass: &Pass<'_, OciRepository>, wanted: &Verification) -> Result<Cosign, String> {
    if let Some(reference) = &wanted.secret_ref {
        let data = read(pass, &reference.name).await?;
        return keys(&data, &format!("{}/{}", pass.run.key.namespace, reference.name)).map(Cosign::Keyed);
    }
    let Some(reference) = &wanted.trusted_root_secret_ref else {
        let text = "no trusted root is given: put the trusted_root.json of your Sigstore into a Secret and name it in spec.verify.trustedRootSecretRef";
        return Err(text.to_owned());
    };
    let name = format!("{}/{}", pass.run.key.namespace, reference.name);
    let unreadable = |cause: String| format!("failed to read trusted root from secret '{name}': {cause}");
    let data = read(pass, &reference.name).await.map_err(unreadable)?;
    let json = data
        .get(TRUSTED_ROOT)
        .ok_or_else(|| unreadable(format!("'{TRUSTED_ROOT}' not found in secret '{name}'")))?;
    let root = TrustedRoot::parse(json).map_err(|error| unreadable(error.to_string()))?;
    let identities = wanted.match_oidc_identity.iter();
    let identities = identities.map(|identity| Identity::new(&identity.issuer, &identity.subject));
    Ok(Cosign::Keyless {
        root: Box::new(root),
        identities: identities
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?,
    })
}

async fn notation(
    pass: &Pass<'_, OciRepository>,
    wanted: &Verification,
    artifact: &str,
) -> Result<Notation, String> {
    let Some(reference) = &wanted.secret_ref else {
        return Err(format!("verification secret cannot be empty: '{artifact}'"));
    };
    let name = format!("{}/{}", pass.run.key.namespace, reference.name);
    let data = read(pass, &reference.name).await?;
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

async fn read(pass: &Pass<'_, OciRepository>, name: &str) -> Result<SecretData, String> {
    secret(pass.run, name)
        .await
        .map_err(|missing| missing.to_string())
}
