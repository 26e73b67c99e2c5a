//! The signature of what was resolved (compat/source.md 6.6).

use crate::error_policy::Failure;
use crate::reconcilers::source::{Pass, Trouble, Verifier, provider_of};
use sluice_api::conditions::SOURCE_VERIFIED;
use sluice_api::source::VerificationProvider;
use sluice_api::{OciRepository, reason};
use sluice_source::oci::{Repository, Resolved};
use sluice_source::verify::Verdict;

/// Verifies what was resolved, unless the same was verified for the same spec before.
pub(super) async fn verify(
    pass: &mut Pass<'_, OciRepository>,
    repository: &Repository,
    resolved: &mut Resolved,
    is_new: bool,
) -> Result<(), Trouble> {
    let Some(wanted) = &pass.object.spec.verification else {
        pass.report.verified(None);
        return Ok(());
    };
    if !is_new && pass.report.is_verified() {
        return Ok(());
    }
    let failed = |error: String| {
        let provider = provider_of(wanted);
        let message = format!("failed to verify the signature using provider '{provider}': {error}");
        Trouble::Failed {
            condition: SOURCE_VERIFIED,
            failure: Failure::retry(reason::VERIFICATION_ERROR, message),
        }
    };
    if (wanted.provider, &wanted.secret_ref) == (VerificationProvider::Cosign, &None) {
        tracing::info!("no secret reference is provided, trying to verify the image using keyless method");
    }
    let digest = resolved.digest.clone();
    let reference = format!("{}@{digest}", repository.name());
    let verifier = Verifier::of(pass.run, wanted, &reference).await.map_err(failed)?;
    let timeout = pass.object.spec.timeout.get();
    let message = format!("verified signature of revision {}", resolved.revision);
    match verifier
        .check(pass, repository, &digest, timeout)
        .await?
        .map_err(failed)?
    {
        Verdict::Verified => {
            let checked = pass.patiently(repository.check_version(resolved)).await?;
            checked.map_err(|error| failed(error.to_string()))?;
            pass.report.verified(Some(&message));
        }
        // the policy lets it pass: then nothing is said of it
        Verdict::Ignored => pass.report.verified(None),
    }
    Ok(())
}
