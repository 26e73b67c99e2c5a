//! `spec.provider`: credentials that somebody gives for a while (compat/source.md 5.4).

use crate::error_policy::Failure;
use crate::reconcilers::source::Trouble;
use crate::runtime::Run;
use sluice_api::source::GitProvider;
use sluice_api::{GitRepository, reason};
use sluice_source::credential::GitHubApp;
use sluice_source::credential::cloud::{Cloud, Clouds};
use sluice_source::{Addresses, Credentials, SecretData, Transport};

/// The feature gate of identities that belong to objects.
const OBJECT_IDENTITY: &str = "ObjectLevelWorkloadIdentity";
const NO_APP: &str = "secretRef with github app data must be specified when provider is set to github";

/// Who gives credentials.
pub(super) struct Providers<'a> {
    pub(super) clouds: &'a Clouds,
    pub(super) addresses: &'a Addresses,
}

/// Refuses what cannot be meant, before anything is read.
pub(super) fn check(run: &Run, repository: &GitRepository) -> Result<(), Trouble> {
    let spec = &repository.spec;
    let stall = |reason, message: &str| Err(Trouble::fetch(Failure::stall(reason, message)));
    if spec.service_account_name.is_some() {
        return match run.cx.config.gate(OBJECT_IDENTITY) {
            false => stall(
                reason::FEATURE_GATE_DISABLED,
                "to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller",
            ),
            true => stall(
                reason::NOT_SUPPORTED,
                "spec.serviceAccountName as an identity at spec.provider is not supported yet: remove it to use the controller's own",
            ),
        };
    }
    match (spec.provider(), &spec.secret_ref) {
        (GitProvider::GitHub, None) => stall(reason::INVALID_PROVIDER_CONFIGURATION, NO_APP),
        _ => Ok(()),
    }
}

/// The credentials that the provider gives; none where the Secret holds them itself. `secret` is its `namespace/name`.
pub(super) async fn credentials(
    providers: &Providers<'_>,
    repository: &GitRepository,
    data: &SecretData,
    secret: &str,
    transport: &Transport,
) -> Result<Option<Credentials>, Trouble> {
    let url = &repository.spec.url;
    let app = GitHubApp::from_secret(data);
    let given = match (repository.spec.provider(), app) {
        (GitProvider::Generic, _) if data.get("githubAppID").is_some_and(|id| !id.is_empty()) => {
            let message =
                format!("secretRef '{secret}' has github app data but provider is not set to github");
            return Err(misconfigured(message));
        }
        (GitProvider::Generic, _) => return Ok(None),
        (GitProvider::GitHub, None) => return Err(misconfigured(NO_APP.to_owned())),
        (GitProvider::GitHub, Some(Err(error))) => Err(error),
        (GitProvider::GitHub, Some(Ok(app))) => {
            providers
                .clouds
                .github(&app, transport, providers.addresses)
                .await
        }
        (GitProvider::Azure, _) => providers.clouds.git(Cloud::Azure, url).await,
        (GitProvider::Aws, _) => providers.clouds.git(Cloud::Aws, url).await,
    };
    given.map(Some).map_err(|error| {
        let message = format!("failed to configure authentication options: {error}");
        Trouble::fetch(Failure::retry(reason::AUTHENTICATION_FAILED, message))
    })
}

fn misconfigured(message: String) -> Trouble {
    Trouble::fetch(Failure::retry(reason::INVALID_PROVIDER_CONFIGURATION, message))
}
