//! From a GitRepository and its Secrets to a request.

use super::report::Trouble;
use crate::error_policy::Failure;
use crate::runtime::Run;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sluice_api::{GitRepository, reason};
use sluice_apply::cluster::Identity;
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_source::{Credentials, GitRequest, Proxy, Reference, SecretData, Tls};

/// All but reference and last revision.
pub(super) async fn request(run: &Run, repository: &GitRepository) -> Result<GitRequest, Trouble> {
    let spec = &repository.spec;
    let mut credentials = Credentials::None;
    let mut tls = Tls::default();
    if let Some(secret) = &spec.secret_ref {
        let name = format!("{}/{}", run.key.namespace, secret.name);
        let data = read(run, &secret.name)
            .await
            .map_err(|cause| refused(format!("failed to get secret '{name}': {cause}")))?;
        if data.get("githubAppID").is_some_and(|id| !id.is_empty()) {
            let message = format!("secretRef '{name}' has github app data but provider is not set to github");
            return Err(Trouble::fetch_failure(Failure::retry(
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
        Some(secret) => {
            let name = format!("{}/{}", run.key.namespace, secret.name);
            let failed = |cause: String| refused(format!("failed to configure proxy options: {cause}"));
            let data = read(run, &secret.name).await.map_err(|cause| {
                let is_missing = cause.ends_with("not found");
                failed(if is_missing {
                    format!("secret '{name}' not found")
                } else {
                    cause
                })
            })?;
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
    Trouble::fetch_failure(Failure::retry(reason::AUTHENTICATION_FAILED, message))
}

/// The data of a Secret in the object's namespace; the error is the API server's text.
async fn read(run: &Run, name: &str) -> Result<SecretData, String> {
    let id = ObjectId {
        gvk: GroupVersionKind::new("v1", "Secret"),
        namespace: Some(run.key.namespace.to_string()),
        name: name.to_owned(),
    };
    let secret = run
        .cx
        .cluster
        .get(&Identity::AsController, &id)
        .await
        .map_err(|error| error.to_string())?;
    let secret = secret.ok_or_else(|| format!("secrets \"{name}\" not found"))?;
    let data = secret
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    data.map(|(key, value)| {
        let bytes = STANDARD.decode(value.as_str().unwrap_or_default());
        Ok((
            key.clone(),
            bytes.map_err(|error| format!("key '{key}': {error}"))?,
        ))
    })
    .collect()
}
