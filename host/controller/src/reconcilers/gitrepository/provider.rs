//! `spec.provider`: credentials that somebody gives for a while (compat/source.md 5.4).

use crate::error_policy::Failure;
use crate::reconcilers::source::Trouble;
use crate::reconcilers::workload;
use crate::runtime::Run;
use sluice_api::source::GitProvider;
use sluice_api::{GitRepository, reason};
use sluice_source::credential::Error as CredentialError;
use sluice_source::credential::GitHubApp;
use sluice_source::credential::cloud::{Cloud, Clouds};
use sluice_source::{Addresses, Credentials, SecretData, Transport};
use std::time::Duration;

const NO_APP: &str = "secretRef with github app data must be specified when provider is set to github";

/// Who gives credentials.
pub(super) struct Providers<'a> {
    pub(super) clouds: &'a Clouds,
    pub(super) addresses: &'a Addresses,
}

/// Refuses what cannot be meant, before anything is read.
pub(super) fn check(run: &Run, repository: &GitRepository) -> Result<(), Trouble> {
    let spec = &repository.spec;
    workload::allow(run, spec.service_account_name.as_deref()).map_err(Trouble::fetch)?;
    match (spec.provider(), &spec.secret_ref) {
        (GitProvider::GitHub, None) => {
            let failure = Failure::stall(reason::INVALID_PROVIDER_CONFIGURATION, NO_APP);
            Err(Trouble::fetch(failure))
        }
        _ => Ok(()),
    }
}

/// Credentials that are given for a while, and whose they are.
pub(super) struct Given {
    pub(super) credentials: Credentials,
    pub(super) identity: [u8; 32],
}

/// The credentials that the provider gives; none where the Secret holds them itself. `secret` is its `namespace/name`.
pub(super) async fn credentials(
    run: &Run,
    providers: &Providers<'_>,
    repository: &GitRepository,
    data: &SecretData,
    secret: &str,
    transport: &Transport,
) -> Result<Option<Given>, Trouble> {
    let app = GitHubApp::from_secret(data);
    let given = match (repository.spec.provider(), app) {
        (GitProvider::Generic, _) if data.get("githubAppID").is_some_and(|id| !id.is_empty()) => {
            let message =
                format!("secretRef '{secret}' has github app data but provider is not set to github");
            return Err(misconfigured(message));
        }
        (GitProvider::Generic, _) => return Ok(None),
        (GitProvider::GitHub, None) => return Err(misconfigured(NO_APP.to_owned())),
        (GitProvider::GitHub, Some(Err(error))) => Err((error.0, None)),
        (GitProvider::GitHub, Some(Ok(app))) => {
            let identity = app.identity();
            let clouds = providers.clouds.for_object(workload::user_of(run));
            let asking = clouds.github(&app, transport, providers.addresses);
            let given = asking.await.map(|credentials| Given {
                credentials,
                identity,
            });
            given.map_err(|refusal| (refusal.to_string(), refusal.retry_after()))
        }
        (GitProvider::Azure, _) => of_cloud(cloud(run, providers, repository, transport, Cloud::Azure).await),
        (GitProvider::Aws, _) => of_cloud(cloud(run, providers, repository, transport, Cloud::Aws).await),
    };
    given.map(Some).map_err(|(cause, after)| {
        let message = format!("failed to configure authentication options: {cause}");
        Trouble::fetch(Failure::retry(reason::AUTHENTICATION_FAILED, message).left_alone(after))
    })
}

/// Clouds do not say how long they want to be left alone.
fn of_cloud(given: Result<Given, CredentialError>) -> Result<Given, (String, Option<Duration>)> {
    given.map_err(|error| (error.0, None))
}

/// What a cloud gives to the account that the repository names, or to the controller.
async fn cloud(
    run: &Run,
    providers: &Providers<'_>,
    repository: &GitRepository,
    transport: &Transport,
    cloud: Cloud,
) -> Result<Given, CredentialError> {
    let named = repository.spec.service_account_name.as_deref();
    let clouds = workload::clouds_of(run, providers.clouds, named).await;
    let clouds = clouds.map_err(CredentialError)?;
    let clouds = clouds.through(transport.proxy.as_ref(), providers.addresses)?;
    Ok(Given {
        credentials: clouds.git(cloud, &repository.spec.url).await?,
        identity: clouds.identity(cloud),
    })
}

fn misconfigured(message: String) -> Trouble {
    Trouble::fetch(Failure::retry(reason::INVALID_PROVIDER_CONFIGURATION, message))
}
