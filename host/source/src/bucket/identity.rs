//! Who we are to object stores: keys, and tokens that others give.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderValue},
};
use ring::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
    signature::RSA_PSS_SHA256,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use serde_json::json;
use sluice_event::Redacted;
use tokio::{sync::OnceCell, time::Instant};

use super::{
    azure::{AccountKey, Application},
    remote::Problem,
    xml::element,
};
use crate::{
    Transport,
    credential::{
        ServiceAccount,
        cloud::{Clouds, Key},
        jwt,
    },
    http::{Failure, Http, Reply, Request, shown},
};

/// Who we are to a store that speaks S3.
#[derive(Clone, Debug)]
pub enum S3Identity {
    /// Nobody in particular.
    Anonymous,
    /// Key and secret.
    Key(String, Redacted<String>),
    /// The controller's own role at Amazon; by the token service at this address where one is given.
    Role(Option<String>),
    /// Whoever a token service takes us for.
    Ldap(Box<Sts>),
}

/// A token service that asks a directory of people.
#[derive(Clone, Debug)]
pub struct Sts {
    /// Its address.
    pub endpoint: String,
    /// Who we are; both empty where nobody.
    pub username: String,
    /// Our password.
    pub password: Redacted<String>,
    /// Whom we trust there, and which way to go.
    pub transport: Transport,
}

/// Who we are to Google's store.
#[derive(Clone, Debug)]
pub enum GcpIdentity {
    /// The controller.
    Own,
    /// A service account.
    Account(ServiceAccount),
}

/// How a request says who asks.
pub(super) enum Identity {
    Anonymous,
    Key(KeySource),
    Bearer(TokenSource),
    /// Of a storage account of Microsoft.
    AccountKey(AccountKey),
}

/// Where a key of Amazon's kind comes from.
pub(super) enum KeySource {
    Fixed(Key),
    Role(Clouds, Option<String>),
    /// One for the life of a pass.
    Ldap(Http, Box<Sts>, OnceCell<Key>),
}

/// Where a token comes from.
pub(super) enum TokenSource {
    Own(Clouds),
    /// One for the life of a pass.
    Account(Box<ServiceAccount>, OnceCell<Redacted<String>>),
    /// The machine's or the workload's at Microsoft; which of the machine's where one is named.
    AzureMachine(Clouds, Option<String>),
    AzureClient(Box<Application>),
}

/// Longest answer of a token service, in bytes.
const ANSWER_SIZE_MAX: u64 = 64 << 10;

impl KeySource {
    pub(super) async fn key(&self, region: &str, deadline: Instant) -> Result<Key, Problem> {
        match self {
            KeySource::Fixed(key) => Ok(key.clone()),
            KeySource::Role(clouds, sts) => {
                let key = clouds.aws_key(region, sts.as_deref()).await;
                // Flux asks for it before anything else
                key.map_err(|error| Problem::Identity(format!("AWS authentication failed: {error}")))
            }
            KeySource::Ldap(http, sts, key) => {
                let key = key.get_or_try_init(|| assume(http, sts, deadline)).await;
                Ok(key.cloned()?)
            }
        }
    }
}

async fn assume(http: &Http, sts: &Sts, deadline: Instant) -> Result<Key, String> {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("Action", "AssumeRoleWithLDAPIdentity")
        .append_pair("Version", "2011-06-15")
        .append_pair("LDAPUsername", &sts.username)
        .append_pair("LDAPPassword", sts.password.reveal())
        .finish();
    let (at, text) = post(http, "STS endpoint", &sts.endpoint, form, deadline).await?;
    let part =
        |name| element(&text, name).ok_or_else(|| format!("STS endpoint {at}: the answer holds no key"));
    Ok(Key {
        id: part("AccessKeyId")?,
        secret: Redacted::new(part("SecretAccessKey")?),
        token: element(&text, "SessionToken").map(Redacted::new),
    })
}

/// Sends a form; the address as it may be shown, and the answer.
async fn post(
    http: &Http,
    what: &str,
    address: &str,
    form: String,
    deadline: Instant,
) -> Result<(String, String), String> {
    let url = Url::parse(address).map_err(|error| format!("{what}: {error}"))?;
    let at = shown(&url);
    let mut request = Request::new(Method::POST, url);
    request.body = Some(form.into());
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers.insert(CONTENT_TYPE, form);
    let failed = |failure: Failure| format!("{what} {at}: {failure} ({})", failure.hint());
    let reply = http
        .send(request, deadline)
        .await
        .and_then(Reply::ok)
        .map_err(failed)?;
    let body = reply
        .bytes("the answer", ANSWER_SIZE_MAX, "answer_size_max")
        .await;
    let text = String::from_utf8_lossy(&body.map_err(failed)?).into_owned();
    Ok((at, text))
}

impl TokenSource {
    pub(super) async fn token(&self, http: &Http, deadline: Instant) -> Result<Redacted<String>, String> {
        match self {
            TokenSource::Own(clouds) => clouds.gcp_storage_token().await.map_err(|error| error.0),
            TokenSource::Account(account, token) => {
                let token = token.get_or_try_init(|| exchange(http, account, deadline)).await;
                token.cloned()
            }
            TokenSource::AzureMachine(clouds, client) => {
                let token = clouds.azure_storage_token(client.as_deref()).await;
                token.map_err(|error| match clouds.is_account() {
                    true => error.to_string(),
                    false => format!("no token of the controller's own identity: {error}"),
                })
            }
            TokenSource::AzureClient(application) => application.token(http, deadline).await,
        }
    }
}

/// What a token for Google's store is good for.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_only";

/// A statement signed with the account's key, changed into a token.
async fn exchange(
    http: &Http,
    account: &ServiceAccount,
    deadline: Instant,
) -> Result<Redacted<String>, String> {
    let form = account.form(SCOPE)?;
    ask_for_token(http, "token service", &account.token_uri, &form, deadline).await
}

/// Sends a form to a service that answers with a token.
pub(super) async fn ask_for_token(
    http: &Http,
    what: &str,
    address: &str,
    form: &[(&str, String)],
    deadline: Instant,
) -> Result<Redacted<String>, String> {
    #[derive(Deserialize)]
    struct Token {
        access_token: String,
    }
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let (at, text) = post(http, what, address, form, deadline).await?;
    let token: Token =
        serde_json::from_str(&text).map_err(|_| format!("{what} {at}: the answer holds no token"))?;
    Ok(Redacted::new(token.access_token))
}

/// How long an application of Microsoft's vouches for itself, in seconds.
const STATEMENT_SECONDS: i64 = 600;

/// What `client` says of itself to the service at `audience`, signed with the key beside its certificate.
pub(super) fn signed_by_certificate(
    client: &str,
    audience: &str,
    pem: &str,
    sends_chain: bool,
) -> Result<String, String> {
    let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .filter_map(Result::ok)
        .collect();
    let first = certificates
        .first()
        .ok_or("'clientCertificate' holds no certificate in PEM")?;
    let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, first));
    let mut header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
    if let (true, Some(header)) = (sends_chain, header.as_object_mut()) {
        let chain: Vec<String> = certificates
            .iter()
            .map(|certificate| STANDARD.encode(certificate))
            .collect();
        header.insert("x5c".to_owned(), chain.into());
    }
    let now = Timestamp::now().as_second();
    let mut id = [0; 16];
    SystemRandom::new()
        .fill(&mut id)
        .map_err(|_| "the system gives no random bytes".to_owned())?;
    let claims = json!({
        "iss": client, "sub": client, "aud": audience, "jti": hex::encode(id), "nbf": now, "exp": now + STATEMENT_SECONDS,
    });
    jwt::signed(&header, &RSA_PSS_SHA256, &claims, pem)
        .ok_or_else(|| "the private key of 'clientCertificate' cannot be used".to_owned())
}
