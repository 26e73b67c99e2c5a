//! What of a GitRepository's spec is not understood yet is refused, never ignored.

use crate::ControllerConfig;
use crate::error_policy::Failure;
use crate::reconcilers::source::{OBJECT_IDENTITY, OBJECT_IDENTITY_OFF, Trouble};
use sluice_api::source::GitProvider;
use sluice_api::{GitRepository, reason};

pub(super) fn check(repository: &GitRepository, config: &ControllerConfig) -> Result<(), Trouble> {
    let spec = &repository.spec;
    let stall = |reason, message: String| Err(Trouble::fetch(Failure::stall(reason, message)));
    if spec.service_account_name.is_some() && !config.gate(OBJECT_IDENTITY) {
        return stall(reason::FEATURE_GATE_DISABLED, OBJECT_IDENTITY_OFF.to_owned());
    }
    if spec.provider() == GitProvider::GitHub && spec.secret_ref.is_none() {
        let message = "secretRef with github app data must be specified when provider is set to github";
        return stall(reason::INVALID_PROVIDER_CONFIGURATION, message.to_owned());
    }
    let refused = [
        (
            spec.provider() != GitProvider::Generic,
            "provider",
            "use provider generic with a token in spec.secretRef",
        ),
        (
            spec.verification.is_some(),
            "verify",
            "remove it to use the source unverified",
        ),
        (
            !spec.include.is_empty(),
            "include",
            "use a Kustomization a repository instead",
        ),
        (
            spec.recurse_submodules,
            "recurseSubmodules",
            "make a GitRepository for each submodule instead",
        ),
    ];
    match refused.into_iter().find(|(is_used, _, _)| *is_used) {
        Some((_, field, remedy)) => stall(
            reason::NOT_SUPPORTED,
            format!("spec.{field} is not supported yet: {remedy}"),
        ),
        None => Ok(()),
    }
}
