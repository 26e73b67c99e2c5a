//! Who we are to object stores, where that is not simply a key: temporary keys and tokens.

use std::{fmt, sync::Arc, time::Duration};

use object_store::{CredentialProvider, aws::AwsCredential, azure::AzureCredential, gcp::GcpCredential};
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderValue},
};
use sluice_event::Redacted;
use tokio::{sync::OnceCell, time::Instant};

use super::{client::Sts, error::element};
use crate::{
    credential::cloud::Clouds,
    http::{Http, Request, shown},
};

/// Who we are to Microsoft's store.
#[derive(Clone, Debug)]
pub enum AzureIdentity {
    /// Nobody in particular.
    Anonymous,
    /// The account's own key.
    AccountKey(Redacted<String>),
    /// A shared access signature: a query.
    Sas(Redacted<String>),
    /// An application with a secret.
    ClientSecret {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// Its secret.
        secret: Redacted<String>,
        /// Who gives tokens.
        authority: Option<String>,
    },
    /// The controller's own identity; which of the machine's, where that is said.
    Own(Option<String>),
}

/// An error of ours in the library's words.
fn failed(store: &'static str, text: String) -> object_store::Error {
    object_store::Error::Generic {
        store,
        source: text.into(),
    }
}

/// The controller's role at Amazon.
pub(super) struct AwsRole {
    clouds: Clouds,
    region: String,
    sts: Option<String>,
}

impl AwsRole {
    pub(super) fn new(clouds: Clouds, region: String, sts: Option<String>) -> AwsRole {
        AwsRole { clouds, region, sts }
    }
}

impl fmt::Debug for AwsRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsRole")
    }
}

#[async_trait::async_trait]
impl CredentialProvider for AwsRole {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let key = self.clouds.aws_key(&self.region, self.sts.as_deref()).await;
        let key = key.map_err(|error| failed("S3", error.0))?;
        Ok(Arc::new(AwsCredential {
            key_id: key.id,
            secret_key: key.secret.reveal().clone(),
            token: key.token.map(|token| token.reveal().clone()),
        }))
    }
}

/// A key that a token service gives to somebody of a directory. One for the life of a pass.
pub(super) struct Ldap {
    http: Http,
    sts: Sts,
    timeout: Duration,
    key: OnceCell<Arc<AwsCredential>>,
}

/// Longest answer of a token service, in bytes.
const ANSWER_SIZE_MAX: u64 = 64 << 10;

impl Ldap {
    pub(super) fn new(http: Http, sts: Sts, timeout: Duration) -> Ldap {
        let key = OnceCell::new();
        Ldap {
            http,
            sts,
            timeout,
            key,
        }
    }

    async fn ask(&self) -> Result<Arc<AwsCredential>, String> {
        let url = Url::parse(&self.sts.endpoint).map_err(|error| error.to_string())?;
        let at = shown(&url);
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", "AssumeRoleWithLDAPIdentity")
            .append_pair("Version", "2011-06-15")
            .append_pair("LDAPUsername", &self.sts.username)
            .append_pair("LDAPPassword", self.sts.password.reveal())
            .finish();
        let mut request = Request::new(Method::POST, url);
        request.body = Some(form.into());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(CONTENT_TYPE, form);
        let reply = self.http.send(request, Instant::now() + self.timeout).await;
        let failed =
            |failure: crate::http::Failure| format!("STS endpoint {at}: {failure} ({})", failure.hint());
        let reply = reply.and_then(crate::http::Reply::ok).map_err(failed)?;
        let body = reply
            .bytes("the answer", ANSWER_SIZE_MAX, "answer_size_max")
            .await;
        let text = String::from_utf8_lossy(&body.map_err(failed)?).into_owned();
        let part =
            |name| element(&text, name).ok_or_else(|| format!("STS endpoint {at}: the answer holds no key"));
        Ok(Arc::new(AwsCredential {
            key_id: part("AccessKeyId")?,
            secret_key: part("SecretAccessKey")?,
            token: element(&text, "SessionToken"),
        }))
    }
}

impl fmt::Debug for Ldap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ldap")
    }
}

#[async_trait::async_trait]
impl CredentialProvider for Ldap {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let key = self.key.get_or_try_init(|| self.ask()).await;
        key.cloned().map_err(|text| failed("S3", text))
    }
}

/// The controller's token at Google.
pub(super) struct GcpToken(pub(super) Clouds);

impl fmt::Debug for GcpToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GcpToken")
    }
}

#[async_trait::async_trait]
impl CredentialProvider for GcpToken {
    type Credential = GcpCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<GcpCredential>> {
        let token = self.0.gcp_storage_token().await;
        let token = token.map_err(|error| failed("GCS", error.0))?;
        let bearer = token.reveal().clone();
        Ok(Arc::new(GcpCredential { bearer }))
    }
}

/// The controller's token at Microsoft.
pub(super) struct AzureToken {
    clouds: Clouds,
    client: Option<String>,
}

impl AzureToken {
    pub(super) fn new(clouds: Clouds, client: Option<String>) -> AzureToken {
        AzureToken { clouds, client }
    }
}

impl fmt::Debug for AzureToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AzureToken")
    }
}

#[async_trait::async_trait]
impl CredentialProvider for AzureToken {
    type Credential = AzureCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AzureCredential>> {
        let token = self.clouds.azure_storage_token(self.client.as_deref()).await;
        let token = token.map_err(|error| failed("MicrosoftAzure", error.0))?;
        Ok(Arc::new(AzureCredential::BearerToken(token.reveal().clone())))
    }
}
