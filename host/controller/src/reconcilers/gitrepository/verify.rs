//! A signature that is asked for must be good before anything of the commit is used (compat/source.md 5.6; N29).

use crate::error_policy::Failure;
use crate::reconcilers::aside::elsewhere;
use crate::reconcilers::source::{Pass, Trouble, secret};
use sluice_api::conditions::{self, SOURCE_VERIFIED};
use sluice_api::source::{GitRepositoryStatus, GitVerificationMode};
use sluice_api::{GitRepository, reason};
use sluice_source::verify::GitKeys;
use sluice_source::{Fetched, Reference};

/// Where no signature is asked for, nothing is said of one; who asks again has it looked at again.
pub(super) fn forget_unasked(pass: &mut Pass<'_, GitRepository>) {
    if pass.object.spec.verification.is_none() {
        pass.report.status.source_verification_mode = None;
        pass.report.verified(None);
    }
}

/// Whether signatures are looked at in each pass, by the keys that there are then: as in Flux, of a commit and of a range,
/// which are not compared before they are fetched.
pub(super) fn is_repeated(repository: &GitRepository, reference: &Reference) -> bool {
    repository.spec.verification.is_some() && !reference.is_compared()
}

/// Verifies what was fetched, and says in the status what was verified.
pub(super) async fn verify(pass: &mut Pass<'_, GitRepository>, fetched: &Fetched) -> Result<(), Trouble> {
    let Some(wanted) = &pass.object.spec.verification else {
        return Ok(());
    };
    let read = secret(pass.run, &wanted.secret_ref.name).await;
    let data = read.map_err(|missing| Trouble::Failed {
        condition: SOURCE_VERIFIED,
        failure: Failure::retry(
            reason::VERIFICATION_ERROR,
            format!("public keys secret error: {missing}"),
        ),
    })?;
    let (keys, mode, fetched) = (GitKeys::from_secret(&data), wanted.mode, fetched.clone());
    let now = jiff::Timestamp::now();
    let work = elsewhere(move || keys.verify(&fetched, mode, now));
    let verified = pass.patiently(work).await?.map_err(|broken| Trouble::Failed {
        condition: SOURCE_VERIFIED,
        failure: Failure::retry(reason::VERIFICATION_ERROR, format!("verification {broken}")),
    })?;
    let message = verified.map_err(|error| Trouble::of(&error))?;
    let said = conditions::get(&pass.report.status.conditions, SOURCE_VERIFIED);
    let is_new = said.is_none_or(|said| said.message != message);
    pass.report.status.source_verification_mode = Some(observed(mode).as_str().to_owned());
    pass.report.verified(Some(&message));
    if is_new {
        pass.report.trace(reason::SUCCEEDED, &message);
    }
    Ok(())
}

/// Whether what is stored was not verified in the way that is asked for now. New keys alone do not count where revisions are
/// compared, as in Flux.
pub(super) fn is_due(status: &GitRepositoryStatus, repository: &GitRepository) -> bool {
    let Some(wanted) = &repository.spec.verification else {
        return false;
    };
    let (head, tag) = (
        GitVerificationMode::Head.as_str(),
        GitVerificationMode::Tag.as_str(),
    );
    match status.source_verification_mode.as_deref() {
        None => true,
        Some(known) if known == head => observed(wanted.mode) != GitVerificationMode::Head,
        Some(known) if known == tag => observed(wanted.mode) != GitVerificationMode::Tag,
        Some(_) => false,
    }
}

/// The mode as the status names it.
fn observed(mode: GitVerificationMode) -> GitVerificationMode {
    match mode {
        GitVerificationMode::LegacyHead => GitVerificationMode::Head,
        other => other,
    }
}
