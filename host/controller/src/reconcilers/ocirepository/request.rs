//! From an OCIRepository and its Secrets to a request (compat/source.md 6.2).

use crate::reconcilers::source::{Missing, Pass, Trouble, read_as, registry_cloud, secret, service_account};
use crate::reconcilers::workload;
use serde_json::Value;
use sluice_api::{OciRepository, reason};
use sluice_source::credential::cloud::Clouds;
use sluice_source::oci::OciRequest;
use sluice_source::{
    Addresses, CredentialSource, Credentials, DockerConfig, Keychain, Proxy, SecretData, Tls, Transport,
};
use std::sync::Arc;

pub(super) async fn of(
    pass: &Pass<'_, OciRepository>,
    clouds: &Clouds,
    addresses: &Addresses,
) -> Result<OciRequest, Trouble> {
    let spec = &pass.object.spec;
    let configs = docker_configs(pass).await?;
    let proxy = spec.proxy_secret_ref.as_ref();
    let proxy = read_as(pass.run, proxy, "failed to get proxy address", Proxy::from_secret).await?;
    // an account with pull secrets is no identity: then the provider is not asked
    let credentials: Arc<dyn CredentialSource> = if !configs.is_empty() {
        Arc::new(Keychain::new(configs))
    } else if let Some(cloud) = registry_cloud(spec.provider) {
        let named = spec.service_account_name.as_deref();
        workload::allow(pass.run, named).map_err(Trouble::stalled)?;
        let clouds = workload::clouds_of(pass.run, clouds, named).await;
        let through = |clouds: Clouds| clouds.through(proxy.as_ref(), addresses).map_err(|error| error.0);
        let clouds = clouds
            .and_then(through)
            .map_err(|cause| Trouble::refused(format!("failed to get credential: {cause}")))?;
        clouds.registry(cloud)
    } else {
        Arc::new(Credentials::None)
    };
    let failed = format!("failed to generate transport for '{}'", spec.url);
    let tls = read_as(pass.run, spec.cert_secret_ref.as_ref(), &failed, Tls::from_secret).await?;
    let transport = Transport {
        tls: tls.unwrap_or_default(),
        proxy,
        ..Transport::default()
    };
    Ok(OciRequest {
        url: spec.url.clone(),
        credentials,
        transport,
        insecure: spec.insecure.into(),
        timeout: spec.timeout.get(),
    })
}

/// The docker configs of `secretRef` and of the service account's pull secrets; Secrets of other kinds are passed over.
async fn docker_configs(pass: &Pass<'_, OciRepository>) -> Result<Vec<DockerConfig>, Trouble> {
    let spec = &pass.object.spec;
    let failed = |cause: String| Trouble::refused(format!("failed to get credential: {cause}"));
    let mut secrets: Vec<SecretData> = Vec::new();
    if let Some(reference) = &spec.secret_ref {
        let name = &reference.name;
        let read = secret(pass.run, name).await;
        secrets.push(read.map_err(|missing| {
            if let Missing::NotFound(_) = missing {
                let message = format!("auth secret '{name}' not found");
                pass.report.trace(reason::AUTHENTICATION_FAILED, &message);
            }
            let place = pass.run.beside(name);
            failed(format!("failed to get secret '{place}': {missing}"))
        })?);
    }
    if let Some(account) = &spec.service_account_name {
        for name in pull_secrets(pass, account).await.map_err(failed)? {
            let read = secret(pass.run, &name).await;
            secrets.push(read.map_err(|missing| {
                let place = pass.run.beside(account);
                let cause = missing.by_helper("secret", pass.run, &name);
                failed(format!(
                    "failed to get image pull secret for serviceaccount '{place}': {cause}"
                ))
            })?);
        }
    }
    let configs = secrets.iter().filter_map(DockerConfig::from_secret);
    configs
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))
}

/// The names of a service account's `imagePullSecrets`.
async fn pull_secrets(pass: &Pass<'_, OciRepository>, account: &str) -> Result<Vec<String>, String> {
    let read = service_account(pass.run, account).await;
    let found = read.map_err(|missing| missing.by_helper("serviceaccount", pass.run, account))?;
    let listed = found.get("imagePullSecrets").and_then(Value::as_array);
    let names = listed
        .into_iter()
        .flatten()
        .filter_map(|reference| reference.get("name")?.as_str());
    Ok(names.map(str::to_owned).collect())
}
