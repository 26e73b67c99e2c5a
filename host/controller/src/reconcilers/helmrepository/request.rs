//! From a HelmRepository and its Secrets to a request (compat/source.md 7.2).

use crate::error_policy::Failure;
use crate::reconcilers::source::{Pass, Trouble, secret};
use sluice_api::{HelmRepository, reason};
use sluice_event::Redacted;
use sluice_source::helm::HelmRequest;
use sluice_source::{Credentials, SecretData, Tls, Transport};
use std::time::Duration;

/// How long an operation may take where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(60);

pub(super) async fn of(pass: &Pass<'_, HelmRepository>) -> Result<HelmRequest, Trouble> {
    let spec = &pass.object.spec;
    let mut tls = Tls::default();
    if let Some(reference) = &spec.cert_secret_ref {
        let name = format!("{}/{}", pass.run.key.namespace, reference.name);
        let data = secret(pass.run, &reference.name).await.map_err(|cause| {
            refused(format!(
                "failed to get TLS authentication secret '{name}': {cause}"
            ))
        })?;
        tls = Tls::from_secret(&data, &name)
            .map_err(|error| refused(format!("failed to construct Helm client's TLS config: {error}")))?;
    }
    let mut credentials = Credentials::None;
    if let Some(reference) = &spec.secret_ref {
        let name = format!("{}/{}", pass.run.key.namespace, reference.name);
        let data = secret(pass.run, &reference.name)
            .await
            .map_err(|cause| refused(format!("failed to get authentication secret '{name}': {cause}")))?;
        credentials = basic(&data, &name)
            .map_err(|problem| refused(format!("failed to detect authentication methods: {problem}")))?;
        if spec.cert_secret_ref.is_none() && holds_certificates(&data) {
            tls = Tls::from_secret(&data, &name)
                .map_err(|error| refused(format!("failed to construct Helm client's TLS config: {error}")))?;
        }
    }
    Ok(HelmRequest {
        url: spec.url.clone(),
        credentials,
        transport: Transport {
            tls,
            ..Transport::default()
        },
        timeout: spec.timeout.map_or(TIMEOUT, |timeout| timeout.get()),
    })
}

fn refused(message: String) -> Trouble {
    Trouble::fetch(Failure::retry(reason::AUTHENTICATION_FAILED, message))
}

/// User and password, both or neither. Empty ones are not sent.
fn basic(data: &SecretData, name: &str) -> Result<Credentials, String> {
    let text = |key: &str| {
        let value = data.get(key).map(|value| String::from_utf8(value.clone()));
        value
            .transpose()
            .map_err(|_| format!("secret '{name}': the value of '{key}' is not text"))
    };
    let half =
        |has, lacks| format!("secret '{name}': malformed basic auth - has '{has}' but missing '{lacks}'");
    match (text("username")?, text("password")?) {
        (None, None) => Ok(Credentials::None),
        (Some(_), None) => Err(half("username", "password")),
        (None, Some(_)) => Err(half("password", "username")),
        (Some(username), Some(password)) if username.is_empty() || password.is_empty() => {
            Ok(Credentials::None)
        }
        (Some(username), Some(password)) => Ok(Credentials::Basic {
            username,
            password: Redacted::new(password),
        }),
    }
}

fn holds_certificates(data: &SecretData) -> bool {
    let keys = ["tls.crt", "tls.key", "ca.crt", "certFile", "keyFile", "caFile"];
    keys.iter()
        .any(|key| data.get(*key).is_some_and(|value| !value.is_empty()))
}
