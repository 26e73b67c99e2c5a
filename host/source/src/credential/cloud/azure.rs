//! Microsoft: a token of the workload or the machine, changed into one of the registry.

use std::time::Duration;

use serde::Deserialize;
use sluice_event::Redacted;

use super::{
    Clouds, IDENTITY_LIFETIME,
    account::{AZURE_CLIENT, AZURE_TENANT, annotated, token_of},
    basic, read_token,
};
use crate::credential::{Credentials, Error};

/// Who one is to a registry that knows one by a token.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
/// What the registry's token is given for: Azure's management, as Azure's own library asks.
const RESOURCE: &str = "https://management.azure.com/";
/// Azure DevOps, as Azure names it.
const DEV_OPS: &str = "499b84ac-1321-427f-aa17-267ca6975798";
/// Blobs of every storage account.
const STORAGE: &str = "https://storage.azure.com/";
/// Whom tokens of service accounts are made for.
const AUDIENCE: &str = "api://AzureADTokenExchange";
const AUTHORITY: &str = "https://login.microsoftonline.com/";
/// The registry's tokens live three hours; the cloud's own, of which they are made, for an hour or more.
const LIFETIME: Duration = Duration::from_secs(3600);

const SUFFIXES: &[&str] = &[".azurecr.io", ".azurecr.cn", ".azurecr.de", ".azurecr.us"];

pub(super) fn check(host: &str) -> Result<(), Error> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    };
    match SUFFIXES
        .iter()
        .any(|suffix| host.strip_suffix(suffix).is_some_and(is_name))
    {
        true => Ok(()),
        false => Err(Error(format!(
            "invalid Azure registry: '{host}'. must match <name>.azurecr.io"
        ))),
    }
}

/// Azure DevOps takes such tokens, and nobody else may have one.
pub(super) fn check_git(host: &str) -> Result<(), Error> {
    let is_known =
        host == "dev.azure.com" || host.ends_with(".dev.azure.com") || host.ends_with(".visualstudio.com");
    match is_known {
        true => Ok(()),
        false => Err(Error(format!(
            "invalid Azure DevOps Git URL: '{host}'. must match dev.azure.com or *.visualstudio.com"
        ))),
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Exchanged {
    refresh_token: String,
}

impl Clouds {
    /// A token for Azure DevOps' Git.
    pub(super) async fn azure_git(&self) -> Result<(Credentials, Duration), Error> {
        let token = self.azure_token(DEV_OPS, None).await?;
        Ok((Credentials::Bearer(Redacted::new(token)), LIFETIME))
    }

    pub(super) async fn azure_login(&self, host: &str) -> Result<(Credentials, Duration), Error> {
        check(host)?;
        let token = self.azure_token(RESOURCE, None).await?;
        let form = [
            ("grant_type", "access_token"),
            ("service", host),
            ("access_token", token.as_str()),
        ];
        let request = self
            .shared
            .post_form(&format!("https://{host}/oauth2/exchange"), &form)?;
        let exchanged: Exchanged = self.ask("Azure Container Registry", request).await?;
        Ok((basic(NOBODY, &exchanged.refresh_token), LIFETIME))
    }

    /// A token for Microsoft's storage; of this identity of the machine where one is named.
    pub(super) async fn azure_storage(&self, client: Option<&str>) -> Result<(Credentials, Duration), Error> {
        let token = self.azure_token(STORAGE, client).await?;
        Ok((Credentials::Bearer(Redacted::new(token)), IDENTITY_LIFETIME))
    }

    /// Azure's management in the cloud that the authority belongs to.
    pub(super) fn azure_management(&self) -> &'static str {
        match self.shared.environment.azure_authority.as_deref() {
            Some(authority) if authority.contains("chinacloudapi.cn") => {
                "https://management.chinacloudapi.cn/"
            }
            Some(authority) if authority.contains("microsoftonline.us") => {
                "https://management.usgovcloudapi.net/"
            }
            _ => RESOURCE,
        }
    }

    pub(super) async fn azure_token(&self, resource: &str, of: Option<&str>) -> Result<String, Error> {
        if let Some(account) = &self.account {
            let is_id = |text: &str| {
                !text.is_empty()
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
            };
            let tenant = annotated(&**account, AZURE_TENANT, "the id of a tenant", is_id)?;
            let client = annotated(&**account, AZURE_CLIENT, "the id of an application", is_id)?;
            let assertion = token_of(&**account, AUDIENCE).await?;
            let proof = vouched(assertion.reveal());
            return self.azure_exchange((tenant, client), &proof, resource).await;
        }
        let environment = &self.shared.environment;
        if let Some((tenant, client, secret)) = environment.azure_secret.as_ref().filter(|_| of.is_none()) {
            let proof = [("client_secret", secret.reveal().as_str())];
            return self.azure_exchange((tenant, client), &proof, resource).await;
        }
        let federated = environment.azure_federated.as_ref().filter(|_| of.is_none());
        let Some((tenant, client, file)) = federated else {
            let resource: String = url::form_urlencoded::byte_serialize(resource.as_bytes()).collect();
            let client = of.or(environment.azure_client.as_deref()).map(|client| {
                let client: String = url::form_urlencoded::byte_serialize(client.as_bytes()).collect();
                format!("&client_id={client}")
            });
            let address = format!(
                "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource={resource}{}",
                client.unwrap_or_default()
            );
            let request = self.shared.get(&address, &[("metadata", "true")])?;
            return self
                .ask::<Token>("the machine's metadata service", request)
                .await
                .map(|token| token.access_token);
        };
        let assertion = read_token(file).await?;
        let proof = vouched(&assertion);
        self.azure_exchange((tenant, client), &proof, resource).await
    }

    /// A token for `resource`, for what proves that one is the application.
    async fn azure_exchange(
        &self,
        (tenant, client): (&str, &str),
        proof: &[(&str, &str)],
        resource: &str,
    ) -> Result<String, Error> {
        let authority = self.shared.environment.azure_authority.as_deref();
        let authority = authority.unwrap_or(AUTHORITY).trim_end_matches('/');
        let address = format!("{authority}/{tenant}/oauth2/v2.0/token");
        let scope = format!("{}/.default", resource.trim_end_matches('/'));
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("scope", &scope),
        ];
        form.extend(proof);
        let request = self.shared.post_form(&address, &form)?;
        let token: Token = self.ask("Microsoft Entra", request).await?;
        Ok(token.access_token)
    }
}

/// What a token of this cluster's is shown as, which Microsoft Entra trusts as an application's.
fn vouched(token: &str) -> [(&str, &str); 2] {
    [
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", token),
    ]
}
