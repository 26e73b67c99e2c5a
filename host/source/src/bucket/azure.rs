//! Microsoft's store: who we are to it, how its requests are signed, how its lists read (compat/source.md 9.2).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use reqwest::{Url, header::HeaderValue};
use ring::hmac;
use sluice_event::Redacted;
use tokio::{sync::OnceCell, time::Instant};

use super::{
    Error,
    identity::{Identity, TokenSource, ask_for_token, signed_by_certificate},
    remote::{Listed, Page, size},
    xml::walk,
};
use crate::{
    credential::cloud::{Clouds, encode},
    http::{Http, Request, secret_header},
};

/// Who we are to Microsoft's store.
#[derive(Clone, Debug)]
pub enum AzureIdentity {
    /// The controller.
    Own,
    /// One of the identities of the machine, by its client.
    Managed(String),
    /// An application.
    Client(Box<AzureClient>),
    /// The key of the storage account, in Base64.
    AccountKey(Redacted<String>),
    /// A shared access signature: parameters of a query.
    Sas(Redacted<String>),
}

/// An application that is registered with Microsoft Entra.
#[derive(Clone, Debug)]
pub struct AzureClient {
    /// Whose directory.
    pub tenant: String,
    /// Which application.
    pub client: String,
    /// How it proves that.
    pub proof: AzureProof,
    /// Where tokens are given; the public cloud's where nothing is said.
    pub authority: Option<String>,
}

/// What an application proves with who it is.
#[derive(Clone, Debug)]
pub enum AzureProof {
    /// A password.
    Secret(Redacted<String>),
    /// A certificate and its key, in PEM.
    Certificate {
        /// Both.
        pem: Redacted<String>,
        /// Whether the certificates are sent along.
        sends_chain: bool,
    },
}

/// The key of a storage account.
pub(super) struct AccountKey {
    account: String,
    key: hmac::Key,
}

/// What requests to a container begin with, and who asks.
pub(super) struct Container {
    /// `https://account.blob.core.windows.net/container`.
    pub(super) base: String,
    /// Parameters of every request, `sig=…&sv=…`.
    pub(super) query: String,
    pub(super) identity: Identity,
}

/// An application of the tenant: where it asks, and the token of this pass.
pub(super) struct Application {
    pub(super) client: Box<AzureClient>,
    address: String,
    token: OnceCell<Redacted<String>>,
}

/// The protocol's version: tokens and every list of today.
const VERSION: &str = "2021-12-02";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const SCOPE: &str = "https://storage.azure.com/.default";
/// Hosts of Microsoft's stores: the controller's own token goes to no other.
const HOSTS: &[&str] = &[
    ".blob.core.windows.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.cloudapi.de",
    ".blob.storage.azure.net",
];

/// The container `name` of the store at `endpoint`.
///
/// # Errors
/// [`Error::Unusable`]: the endpoint is no address, or the identity does not go with it.
pub(super) fn container(
    endpoint: &str,
    name: &str,
    identity: &AzureIdentity,
    clouds: &Clouds,
) -> Result<Container, Error> {
    let shown = endpoint
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .escape_debug();
    let unusable = |what: &str| Error::Unusable(format!("invalid endpoint '{shown}': {what}"));
    let url = Url::parse(endpoint).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.host_str().is_some() && url.username().is_empty()
    });
    let url = url.ok_or_else(|| unusable("write https://<account>.blob.core.windows.net"))?;
    let host = url.host_str().unwrap_or_default();
    let is_bearer = !matches!(identity, AzureIdentity::AccountKey(_) | AzureIdentity::Sas(_));
    if is_bearer && url.scheme() != "https" {
        return Err(unusable("tokens go over https only"));
    }
    let is_own = matches!(identity, AzureIdentity::Own | AzureIdentity::Managed(_));
    if is_own && !HOSTS.iter().any(|suffix| host.ends_with(suffix)) {
        return Err(unusable(
            "the controller's own token goes to Microsoft's stores only; give spec.secretRef",
        ));
    }
    let mut query = url.query().unwrap_or_default().to_owned();
    let identity = match identity {
        AzureIdentity::Own => Identity::Bearer(TokenSource::AzureMachine(clouds.clone(), None)),
        AzureIdentity::Managed(client) => {
            Identity::Bearer(TokenSource::AzureMachine(clouds.clone(), Some(client.clone())))
        }
        AzureIdentity::Client(client) => {
            Identity::Bearer(TokenSource::AzureClient(application(client, clouds)?))
        }
        AzureIdentity::AccountKey(key) => {
            Identity::AccountKey(account_key(host, key).map_err(Error::Unusable)?)
        }
        AzureIdentity::Sas(sas) => {
            query = merged(&query, sas.reveal().trim().trim_start_matches('?'));
            Identity::Anonymous
        }
    };
    let path = url.path().trim_end_matches('/');
    let address = format!("{}{path}", url.origin().ascii_serialization());
    let store = match url.scheme() {
        "https" => clouds
            .endpoint(&address)
            .map_err(|error| Error::Unusable(error.0))?,
        _ => address,
    };
    Ok(Container {
        base: format!("{store}/{name}"),
        query,
        identity,
    })
}

/// The parameters of both; those of `sas` win.
fn merged(query: &str, sas: &str) -> String {
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
    let named: Vec<String> = sas.split('&').map(name).collect();
    let kept = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !named.contains(&name(pair)));
    kept.chain(sas.split('&')).collect::<Vec<_>>().join("&")
}

fn account_key(host: &str, key: &Redacted<String>) -> Result<AccountKey, String> {
    let mut labels = host.split('.');
    let account = labels.next().unwrap_or_default();
    if labels.count() < 2 {
        return Err(format!(
            "the host '{host}' of spec.endpoint does not begin with the account of 'accountKey'"
        ));
    }
    let key = STANDARD.decode(key.reveal().trim());
    let key = key.map_err(|_| "'accountKey' is no key of a storage account: it is not Base64".to_owned())?;
    Ok(AccountKey {
        account: account.to_owned(),
        key: hmac::Key::new(hmac::HMAC_SHA256, &key),
    })
}

fn application(client: &AzureClient, clouds: &Clouds) -> Result<Box<Application>, Error> {
    let authority = client
        .authority
        .as_deref()
        .filter(|text| !text.is_empty())
        .unwrap_or(AUTHORITY);
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
    };
    if !authority.starts_with("https://") || !is_name(&client.tenant) {
        let text = "'authorityHost' must begin with https://, and 'tenantId' be a name or an id";
        return Err(Error::Unusable(text.to_owned()));
    }
    let address = format!(
        "{}/{}/oauth2/v2.0/token",
        authority.trim_end_matches('/'),
        client.tenant
    );
    Ok(Box::new(Application {
        client: Box::new(client.clone()),
        address: clouds
            .endpoint(&address)
            .map_err(|error| Error::Unusable(error.0))?,
        token: OnceCell::new(),
    }))
}

impl Application {
    /// The token of this pass.
    pub(super) async fn token(&self, http: &Http, deadline: Instant) -> Result<Redacted<String>, String> {
        let token = self.token.get_or_try_init(|| self.ask(http, deadline)).await;
        token.cloned()
    }

    async fn ask(&self, http: &Http, deadline: Instant) -> Result<Redacted<String>, String> {
        let client = &self.client;
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", client.client.clone()),
            ("scope", SCOPE.to_owned()),
        ];
        match &client.proof {
            AzureProof::Secret(secret) => form.push(("client_secret", secret.reveal().clone())),
            AzureProof::Certificate { pem, sends_chain } => {
                let assertion =
                    signed_by_certificate(&client.client, &self.address, pem.reveal(), *sends_chain)?;
                let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
                form.push(("client_assertion_type", kind.to_owned()));
                form.push(("client_assertion", assertion));
            }
        }
        ask_for_token(http, "Microsoft Entra", &self.address, &form, deadline).await
    }
}

/// What every request says, whoever asks.
pub(super) fn set_version(request: &mut Request) {
    request
        .headers
        .insert("x-ms-version", HeaderValue::from_static(VERSION));
}

impl AccountKey {
    /// Signs a request without a body, as `SharedKey` has it.
    pub(super) fn sign(&self, request: &mut Request) -> Result<(), String> {
        let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut pairs: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
        pairs.sort();
        let query: String = pairs
            .iter()
            .map(|(name, value)| format!("\n{}:{value}", name.to_lowercase()))
            .collect();
        let text = format!(
            "{}\n{}x-ms-date:{date}\nx-ms-version:{VERSION}\n/{}{}{query}",
            request.method,
            "\n".repeat(11),
            self.account,
            request.url.path()
        );
        let signature = STANDARD.encode(hmac::sign(&self.key, text.as_bytes()));
        let unusable = |_| "the account's name holds characters that HTTP cannot carry".to_owned();
        let header = secret_header(&format!("SharedKey {}:{signature}", self.account)).map_err(unusable)?;
        request
            .headers
            .insert("x-ms-date", HeaderValue::from_str(&date).map_err(unusable)?);
        request.authorization = Some(header);
        Ok(())
    }
}

/// The query for the next page of keys that begin with `prefix`.
pub(super) fn page_query(prefix: Option<&str>, after: Option<&str>) -> String {
    let mut query = "restype=container&comp=list".to_owned();
    for (name, value) in [("marker", after), ("prefix", prefix)] {
        if let Some(value) = value {
            query.push_str(&format!("&{name}={}", encode(value, b"")));
        }
    }
    query
}

/// Reads `EnumerationResults`. Etags are as the head of a download has them, in quotes: revisions are made of those.
pub(super) fn read_page(xml: &[u8]) -> Result<Page, String> {
    let mut page = Page::default();
    let (mut object, mut is_directory) = (Listed::default(), false);
    walk(xml, |names, start, text| {
        match names {
            [_, "Blobs", "Blob", "Name"] => {
                let encoded = start
                    .try_get_attribute("Encoded")
                    .map_err(|error| error.to_string())?;
                object.key = match encoded.is_some_and(|value| value.value.as_ref() == b"true") {
                    true => decoded(text),
                    false => std::mem::take(text),
                };
            }
            [_, "Blobs", "Blob", "Properties", "Etag"] => {
                object.etag = format!("\"{}\"", text.trim_matches('"'));
            }
            [_, "Blobs", "Blob", "Properties", "Content-Length"] => object.size = size(text)?,
            [_, "Blobs", "Blob", "Properties", "ResourceType"] => is_directory = text == "directory",
            [_, "Blobs", "Blob"] => {
                let listed = std::mem::take(&mut object);
                if !std::mem::take(&mut is_directory) {
                    page.objects.push(listed);
                }
            }
            [_, "NextMarker"] if !text.is_empty() => page.next = Some(std::mem::take(text)),
            _ => {}
        }
        Ok(())
    })?;
    Ok(page)
}

/// A name in whose XML a character cannot be.
fn decoded(text: &str) -> String {
    // as the value of a form, in which a plus and the signs between values mean themselves
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_azure_are_read() {
        let xml = br#"<?xml version="1.0"?><EnumerationResults ContainerName="c"><Blobs><Blob><Name>a &amp; b/e.yaml</Name><Properties><Etag>0x8D1</Etag><Content-Length>3</Content-Length></Properties></Blob><Blob><Name>dir</Name><Properties><Content-Length>0</Content-Length><ResourceType>directory</ResourceType></Properties></Blob><Blob><Name Encoded="true">x%EF%BF%BE</Name><Properties><Etag>"0x8D2"</Etag><Content-Length>1</Content-Length></Properties></Blob></Blobs><NextMarker>m+1</NextMarker></EnumerationResults>"#;
        let page = read_page(xml).unwrap();
        let listed = |key: &str, etag: &str, size| Listed {
            key: key.to_owned(),
            etag: etag.to_owned(),
            size,
        };
        assert_eq!(
            page.objects,
            [
                listed("a & b/e.yaml", "\"0x8D1\"", 3),
                listed("x\u{fffe}", "\"0x8D2\"", 1)
            ]
        );
        assert_eq!(page.next.as_deref(), Some("m+1"));
        for xml in ["<EnumerationResults><Blobs>", "<a>&xxe;</a>", "<a></b>"] {
            assert!(read_page(xml.as_bytes()).is_err(), "{xml}");
        }
        assert_eq!(merged("sv=1&x=2", "sv=3&sig=a%2B"), "x=2&sv=3&sig=a%2B");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_the_reader_of_azure(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _any = read_page(&bytes);
        }
    }
}
