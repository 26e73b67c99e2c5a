//! From a GitRepository and its Secrets to a request.

use crate::error_policy::Failure;
use crate::reconcilers::source::{Trouble, secret};
use crate::runtime::Run;
use sluice_api::{GitRepository, reason};
use sluice_source::{Credentials, GitRequest, Proxy, Reference, Tls};

/// All but reference and last revision.
pub(super) async fn request(run: &Run, repository: &GitRepository) -> Result<GitRequest, Trouble> {
    let spec = &repository.spec;
    let mut credentials = Credentials::None;
    let mut tls = Tls::default();
    if let Some(reference) = &spec.secret_ref {
        let name = format!("{}/{}", run.key.namespace, reference.name);
        let data = secret(run, &reference.name)
            .await
            .map_err(|cause| refused(format!("failed to get secret '{name}': {cause}")))?;
        if data.get("githubAppID").is_some_and(|id| !id.is_empty()) {
            let message = format!("secretRef '{name}' has github app data but provider is not set to github");
            return Err(Trouble::fetch(Failure::retry(
                reason::INVALID_PROVIDER_CONFIGURATION,
                message,
            )));
        }
        let scheme = spec.url.split("://").next().unwrap_or_default();
        credentials = Credentials::from_secret(&data, scheme)
            .map_err(|error| refused(format!("failed to configure authentication options: {error}")))?;
        if scheme == "https" {
            tls = Tls::from_git_secret(&data);
        }
    }
    let proxy = match &spec.proxy_secret_ref {
        None => None,
        Some(reference) => {
            let name = format!("{}/{}", run.key.namespace, reference.name);
            let failed = |cause: String| refused(format!("failed to configure proxy options: {cause}"));
            let data = secret(run, &reference.name)
                .await
                .map_err(|missing| failed(missing.by_helper("secret", run, &reference.name)))?;
            Some(Proxy::from_secret(&data, &name).map_err(|error| failed(error.to_string()))?)
        }
    };
    let (url, timeout) = (spec.url.clone(), spec.timeout.get());
    let reference = Reference::default();
    Ok(GitRequest {
        url,
        reference,
        credentials,
        tls,
        proxy,
        timeout,
        last_revision: None,
    })
}

fn refused(message: String) -> Trouble {
    Trouble::fetch(Failure::retry(reason::AUTHENTICATION_FAILED, message))
}
