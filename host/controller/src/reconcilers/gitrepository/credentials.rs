//! From a GitRepository and its Secrets to a request (compat/source.md 5.3, 11).

use super::provider::{self, Providers};
use crate::reconcilers::source::{Pass, Trouble, read_as, secret};
use sluice_api::GitRepository;
use sluice_source::{
    Credentials, CredentialsError, GitRequest, Proxy, Reference, SecretData, SshIdentity, Tls, Transport,
};

/// All but reference and last revision.
pub(super) async fn request(
    pass: &mut Pass<'_, GitRepository>,
    providers: &Providers<'_>,
) -> Result<GitRequest, Trouble> {
    let spec = &pass.object.spec;
    let (reference, failed) = (
        spec.proxy_secret_ref.as_ref(),
        "failed to configure proxy options",
    );
    let proxy = read_as(pass.run, reference, failed, Proxy::from_secret).await?;
    let scheme = spec.url.split("://").next().unwrap_or_default();
    let (data, name) = data(pass).await?;
    let invalid = |error: CredentialsError| {
        Trouble::refused(match error {
            CredentialsError::EncryptedSsh => format!("{error} in the secret '{name}'"),
            error => format!("failed to configure authentication options: {error}"),
        })
    };
    let (mut credentials, mut identity) = (Credentials::None, None);
    let (mut ssh, mut tls) = (None, Tls::default());
    match scheme {
        "ssh" => ssh = Some(SshIdentity::from_secret(&data).map_err(invalid)?),
        _ => credentials = Credentials::from_secret(&data, &spec.url).map_err(invalid)?,
    }
    if scheme == "https" {
        tls = Tls::from_git_secret(&data);
    }
    let transport = Transport {
        tls: tls.clone(),
        proxy: proxy.clone(),
        ..Transport::default()
    };
    let repository = pass.object;
    let asking = provider::credentials(pass.run, providers, repository, &data, &name, &transport);
    if let Some(given) = pass.patiently(asking).await?? {
        credentials = given.credentials;
        identity = Some(given.identity);
    }
    Ok(GitRequest {
        url: spec.url.clone(),
        reference: Reference::default(),
        credentials,
        identity,
        ssh,
        tls,
        proxy,
        timeout: spec.timeout.get(),
        last_revision: None,
        recurse_submodules: false,
    })
}

/// What the Secret holds, nothing where there is none; its `namespace/name`.
async fn data(pass: &Pass<'_, GitRepository>) -> Result<(SecretData, String), Trouble> {
    let Some(reference) = &pass.object.spec.secret_ref else {
        return Ok((SecretData::new(), String::new()));
    };
    let name = pass.run.beside(&reference.name);
    let read = secret(pass.run, &reference.name).await;
    let data = read.map_err(|cause| Trouble::refused(format!("failed to get secret '{name}': {cause}")))?;
    Ok((data, name))
}
