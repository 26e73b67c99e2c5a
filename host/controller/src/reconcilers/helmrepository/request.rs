//! From a HelmRepository and its Secrets to a request (compat/source.md 7.2, 8.3).

use crate::error_policy::Failure;
use crate::reconcilers::source::{registry_cloud, secret};
use crate::runtime::Run;
use sluice_api::reason;
use sluice_api::source::HelmRepositorySpec;
use sluice_event::Redacted;
use sluice_source::credential::cloud::Clouds;
use sluice_source::helm::HelmRequest;
use sluice_source::oci::{Insecure, OciRequest, RepositoryName};
use sluice_source::{CredentialSource, Credentials, DockerConfig, Keychain, SecretData, Tls, Transport};
use std::sync::Arc;
use std::time::Duration;

/// How long an operation may take where nothing is said.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long an operation may take.
pub(in crate::reconcilers) fn timeout(spec: &HelmRepositorySpec) -> Duration {
    spec.timeout.map_or(TIMEOUT, |timeout| timeout.get())
}

/// The request to a repository that is an index.
pub(in crate::reconcilers) async fn index(
    run: &Run,
    spec: &HelmRepositorySpec,
) -> Result<HelmRequest, Failure> {
    let (tls, secret) = secrets(run, spec).await?;
    let credentials = match &secret {
        None => Credentials::None,
        Some((name, data)) => user(data, name)?,
    };
    Ok(HelmRequest {
        url: spec.url.clone(),
        credentials,
        passes_credentials: spec.pass_credentials,
        transport: Transport {
            tls,
            ..Transport::default()
        },
        timeout: timeout(spec),
    })
}

/// The request to the repository of a registry at `url`.
pub(in crate::reconcilers) async fn registry(
    run: &Run,
    spec: &HelmRepositorySpec,
    url: &str,
    clouds: &Clouds,
) -> Result<OciRequest, Failure> {
    let (tls, secret) = secrets(run, spec).await?;
    if let Some((name, data)) = &secret {
        // half of a user is told first, as in Flux
        user(data, name)?;
    }
    let credentials: Arc<dyn CredentialSource> = match (&secret, registry_cloud(spec.provider)) {
        (Some((name, data)), _) => login(url, name, data).map_err(|problem| {
            refused(format!(
                "failed to configure OCI registry authentication: {problem}"
            ))
        })?,
        (None, Some(cloud)) => clouds.registry(cloud),
        (None, None) => Arc::new(Credentials::None),
    };
    Ok(OciRequest {
        url: url.to_owned(),
        credentials,
        transport: Transport {
            tls,
            ..Transport::default()
        },
        insecure: if spec.insecure {
            Insecure::Plain
        } else {
            Insecure::No
        },
        timeout: timeout(spec),
    })
}

/// The certificates of `certSecretRef`, or of `secretRef` where that is not given; and `secretRef` by its name.
async fn secrets(
    run: &Run,
    spec: &HelmRepositorySpec,
) -> Result<(Tls, Option<(String, SecretData)>), Failure> {
    let mut tls = Tls::default();
    if let Some(reference) = &spec.cert_secret_ref {
        let name = run.beside(&reference.name);
        let data = secret(run, &reference.name).await.map_err(|cause| {
            refused(format!(
                "failed to get TLS authentication secret '{name}': {cause}"
            ))
        })?;
        let read = Tls::from_secret(&data, &name);
        tls =
            read.map_err(|error| refused(format!("failed to construct Helm client's TLS config: {error}")))?;
    }
    let Some(reference) = &spec.secret_ref else {
        return Ok((tls, None));
    };
    let name = run.beside(&reference.name);
    let data = secret(run, &reference.name)
        .await
        .map_err(|cause| refused(format!("failed to get authentication secret '{name}': {cause}")))?;
    if holds_certificates(&data) {
        // half of an identity is told, whichever Secret is asked for it
        let found = Tls::from_secret(&data, &name)
            .map_err(|error| refused(format!("failed to detect authentication methods: {error}")))?;
        if spec.cert_secret_ref.is_none() {
            tracing::info!(
                "warning: specifying TLS authentication data via `.spec.secretRef` is deprecated, please use `.spec.certSecretRef` instead"
            );
            tls = found;
        }
    }
    Ok((tls, Some((name, data))))
}

fn refused(message: String) -> Failure {
    Failure::retry(reason::AUTHENTICATION_FAILED, message)
}

fn user(data: &SecretData, name: &str) -> Result<Credentials, Failure> {
    basic(data, name)
        .map_err(|problem| refused(format!("failed to detect authentication methods: {problem}")))
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

/// Who we are to a registry: by a docker config, which must name it, or by user and password.
fn login(url: &str, name: &str, data: &SecretData) -> Result<Arc<dyn CredentialSource>, String> {
    let secret = name.rsplit('/').next().unwrap_or(name);
    if !data.contains_key(".dockerconfigjson") {
        let text = |key: &str| data.get(key).is_some_and(|value| !value.is_empty());
        if text("username") != text("password") {
            return Err(format!(
                "invalid '{secret}' secret data: required fields 'username' and 'password'"
            ));
        }
        return Ok(Arc::new(basic(data, name)?));
    }
    let config = DockerConfig::from_secret(data).transpose();
    let config =
        config.map_err(|error| format!("unable to load Docker config from Secret '{secret}': {error}"))?;
    let config = config.unwrap_or_default();
    let registry = RepositoryName::from_url(url).map_err(|error| error.to_string())?;
    if !config.names(&registry.to_string()) {
        return Err(format!(
            "no auth config for '{}' in the docker-registry Secret '{secret}'",
            registry.registry()
        ));
    }
    Ok(Arc::new(Keychain::new(vec![config])))
}

fn holds_certificates(data: &SecretData) -> bool {
    let keys = ["tls.crt", "tls.key", "ca.crt", "certFile", "keyFile", "caFile"];
    keys.iter()
        .any(|key| data.get(*key).is_some_and(|value| !value.is_empty()))
}
