//! Credentials that clouds give to workloads, for their own services (compat/source.md 11.4). Plain HTTPS, no SDK.
//!
//! ```text
//! token file or metadata service ─▶ the cloud's token ─▶ the registry's login
//! ```

mod account;
mod aws;
mod aws_files;
mod azure;
mod cluster;
mod gcp;
mod gcp_file;
mod signature;

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use reqwest::{
    Method, Url,
    header::{HeaderName, HeaderValue},
};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use sluice_event::Redacted;
use tokio::time::Instant;

use super::{
    CredentialSource, Credentials, Error, GitHubApp, GitHubRefusal, GitHubTokens, Proxy, TokenCache,
    TokenUser,
};
use crate::http::{Addresses, Clients, Http, Request, Transport, secret_header};
pub use account::Account;
pub use aws_files::AwsFiles;
pub use cluster::{Cluster, ClusterAccess};
pub(crate) use signature::{Key, Scope, encode, sign};

/// Whose registry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// Amazon's: Elastic Container Registry, private and public.
    Aws,
    /// Microsoft's: Container Registry.
    Azure,
    /// Google's: Artifact Registry and its predecessor.
    Gcp,
}

/// What the environment of this process says of its identity. Read once, at the edge.
#[derive(Clone, Debug, Default)]
pub struct CloudEnvironment {
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    pub aws_key: Option<(String, Redacted<String>, Option<Redacted<String>>)>,
    /// `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`.
    pub aws_role: Option<(String, PathBuf)>,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI` and `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    pub aws_container: Option<(String, Option<PathBuf>)>,
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`: where this process is.
    pub aws_region: Option<String>,
    /// The files of Amazon's own programs.
    pub aws_files: AwsFiles,
    /// `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`.
    pub azure_secret: Option<(String, String, Redacted<String>)>,
    /// `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE`.
    pub azure_federated: Option<(String, String, PathBuf)>,
    /// `AZURE_AUTHORITY_HOST`.
    pub azure_authority: Option<String>,
    /// `AZURE_CLIENT_ID` where no token is federated: which of a machine's identities.
    pub azure_client: Option<String>,
    /// `GOOGLE_APPLICATION_CREDENTIALS`.
    pub gcp_file: Option<PathBuf>,
    /// Where `gcloud auth application-default login` leaves credentials, whether it did or not.
    pub gcp_login_file: Option<PathBuf>,
}

impl CloudEnvironment {
    /// Reads the variables with `get`, [`std::env::var`] in a program.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> CloudEnvironment {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let path = |name: &str| get(name).map(PathBuf::from);
        let secret = |name: &str| get(name).map(Redacted::new);
        let pair = |name: &str, file: &str| Some((get(name)?, path(file)?));
        let client = get("AZURE_CLIENT_ID");
        let federated = || {
            Some((
                get("AZURE_TENANT_ID")?,
                client.clone()?,
                path("AZURE_FEDERATED_TOKEN_FILE")?,
            ))
        };
        let key = || {
            Some((
                get("AWS_ACCESS_KEY_ID")?,
                secret("AWS_SECRET_ACCESS_KEY")?,
                secret("AWS_SESSION_TOKEN"),
            ))
        };
        let relative = || {
            Some(format!(
                "http://169.254.170.2{}",
                get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")?
            ))
        };
        let container = get("AWS_CONTAINER_CREDENTIALS_FULL_URI").or_else(relative);
        let azure_secret = || {
            Some((
                get("AZURE_TENANT_ID")?,
                client.clone()?,
                secret("AZURE_CLIENT_SECRET")?,
            ))
        };
        let at_home = |place: &str| path("HOME").map(|home| home.join(place));
        let gcloud = path("CLOUDSDK_CONFIG").or_else(|| at_home(".config/gcloud"));
        CloudEnvironment {
            aws_key: key(),
            aws_role: pair("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
            aws_container: container.map(|url| (url, path("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))),
            aws_region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")),
            aws_files: AwsFiles {
                credentials: path("AWS_SHARED_CREDENTIALS_FILE").or_else(|| at_home(".aws/credentials")),
                config: path("AWS_CONFIG_FILE").or_else(|| at_home(".aws/config")),
                profile: get("AWS_PROFILE"),
            },
            azure_secret: azure_secret(),
            azure_federated: federated(),
            azure_authority: get("AZURE_AUTHORITY_HOST"),
            azure_client: client,
            gcp_file: path("GOOGLE_APPLICATION_CREDENTIALS"),
            gcp_login_file: gcloud.map(|folder| folder.join("application_default_credentials.json")),
        }
    }
}

/// Where the clouds' services are; tests put them on this machine.
#[derive(Clone, Debug, Default)]
pub struct CloudEndpoints {
    /// In place of every service: the service's own host is the first part of the path.
    pub emulator: Option<Url>,
}

impl CloudEndpoints {
    /// Whether it is a service elsewhere that is asked, with TLS, and not one beside this process.
    fn is_remote(&self, url: &Url) -> bool {
        match &self.emulator {
            None => url.scheme() == "https",
            Some(_) => !url.path().starts_with("/169.254."),
        }
    }

    fn url(&self, address: &str) -> Result<Url, Error> {
        let parse = |text: &str| Url::parse(text).map_err(|error| Error(format!("'{text}': {error}")));
        let Some(emulator) = &self.emulator else {
            return parse(address);
        };
        let path = address.split_once("://").map_or(address, |(_, path)| path);
        parse(&format!("{}{path}", emulator.as_str()))
    }
}

/// Gives credentials for services of clouds, and keeps them while they last. Clones share what is kept.
#[derive(Clone)]
pub struct Clouds {
    shared: Arc<Shared>,
    /// Who asks; none for the controller.
    account: Option<Arc<dyn Account>>,
    /// For which object, where it is for one.
    user: Option<TokenUser>,
    /// The way to the clouds' services where it is not the usual one.
    way: Option<Http>,
}

struct Shared {
    environment: CloudEnvironment,
    endpoints: CloudEndpoints,
    /// Asks the fixed addresses of clouds, metadata services among them; no user chooses what it asks.
    http: Http,
    /// Those that go through proxies of users.
    ways: Clients<Http>,
    tokens: TokenCache<(Cloud, String), Credentials>,
    /// Keys for services of Amazon, by region and token service.
    keys: TokenCache<(String, Option<String>), Key>,
    apps: GitHubTokens,
}

/// How long a key or token of this process's identity is used: its life is an hour or more, and is not always told.
const IDENTITY_LIFETIME: Duration = Duration::from_secs(900);

/// Clients that go through proxies, before the oldest are forgotten.
const WAYS_MAX: usize = 64;

/// How long one question to a cloud may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest answer, in bytes: tokens are a few thousand.
const ANSWER_SIZE_MAX: u64 = 1 << 20;

impl Clouds {
    /// Keeps at most `tokens_max` logins (`--token-cache-max-size`), each for at most `age_max`
    /// (`--token-cache-max-duration`).
    pub fn new(
        environment: CloudEnvironment,
        endpoints: CloudEndpoints,
        tokens_max: usize,
        age_max: Duration,
    ) -> Result<Clouds, Error> {
        let http = Http::new(&Transport::default(), &Addresses::any()).map_err(Error)?;
        Ok(Clouds {
            shared: Arc::new(Shared {
                environment,
                endpoints,
                http,
                ways: Clients::new(WAYS_MAX),
                tokens: TokenCache::counted(tokens_max, age_max),
                keys: TokenCache::counted(tokens_max, age_max),
                apps: TokenCache::counted(tokens_max, age_max),
            }),
            account: None,
            user: None,
            way: None,
        })
    }

    /// The same, whose services are asked through a proxy, which is one of `addresses`. Who is asked without TLS is on this
    /// machine, and is asked straight: nobody in between may read what it says.
    ///
    /// # Errors
    /// The proxy cannot be used.
    pub fn through(&self, proxy: Option<&Proxy>, addresses: &Addresses) -> Result<Clouds, Error> {
        let Some(proxy) = proxy else {
            return Ok(self.clone());
        };
        let transport = Transport {
            proxy: Some(proxy.clone()),
            ..Transport::default()
        };
        let make = |transport: &Transport| Http::new(transport, addresses);
        let way = self.shared.ways.get(&transport, make).map_err(Error)?;
        Ok(Clouds {
            way: Some(way),
            ..self.clone()
        })
    }

    /// The same; metrics name the object.
    #[must_use]
    pub fn for_object(&self, user: TokenUser) -> Clouds {
        Clouds {
            user: Some(user),
            ..self.clone()
        }
    }

    fn token<'a>(
        &'a self,
        name: &'a (Cloud, String),
        make: impl Future<Output = Result<(Credentials, Duration), Error>> + 'a,
    ) -> impl Future<Output = Result<Credentials, Error>> + 'a {
        self.shared.tokens.get_for(self.user.as_ref(), name, make)
    }

    /// The controller's own identity at the registries of a cloud.
    pub fn registry(&self, cloud: Cloud) -> Arc<dyn CredentialSource> {
        let clouds = self.clone();
        Arc::new(RegistryLogin { clouds, cloud })
    }

    /// The controller's own identity at a cloud's Git servers, for the repository at `url`. It goes to no other server.
    ///
    /// # Errors
    /// Where the URL is not one of that cloud's servers over https, or the cloud gives nothing.
    pub async fn git(&self, cloud: Cloud, url: &str) -> Result<Credentials, Error> {
        let url = Url::parse(url).map_err(|error| Error(error.to_string()))?;
        let host = url.host_str().unwrap_or_default();
        let path = url.path();
        if url.scheme() != "https" || url.port().is_some() {
            return Err(Error(
                "an identity at a cloud goes over https, at the usual port, only".to_owned(),
            ));
        }
        match cloud {
            Cloud::Aws => aws::code_commit(host).map(|_| ())?,
            Cloud::Azure => azure::check_git(host)?,
            Cloud::Gcp => return Err(Error("Google has no Git server for spec.provider".to_owned())),
        }
        let make = async {
            match cloud {
                Cloud::Aws => self.aws_git(host, path).await,
                Cloud::Azure | Cloud::Gcp => self.azure_git().await,
            }
        };
        let name = (cloud, self.kept(&format!("git {host}{path}")));
        self.token(&name, make).await
    }

    /// Equal for credentials of one identity at one cloud; nothing can be read from it.
    pub fn identity(&self, cloud: Cloud) -> [u8; 32] {
        let who = self.kept("this controller");
        Sha256::digest(format!("{cloud:?} of {who}")).into()
    }

    /// A token of a GitHub App, kept while it lasts. Its API is asked over `transport`, at `addresses` only.
    ///
    /// # Errors
    /// Where GitHub does not give one.
    pub async fn github(
        &self,
        app: &GitHubApp,
        transport: &Transport,
        addresses: &Addresses,
    ) -> Result<Credentials, GitHubRefusal> {
        let tokens = &self.shared.apps;
        app.credentials(transport, addresses, tokens, self.user.as_ref())
            .await
    }
}

impl Clouds {
    /// The controller's own key for services of Amazon in a region; `sts` in place of the region's token service.
    pub(crate) async fn aws_key(&self, region: &str, sts: Option<&str>) -> Result<Key, Error> {
        let make = async {
            let key = self.aws_key_at(region, sts).await?;
            Ok((key, IDENTITY_LIFETIME))
        };
        let name = (self.kept(region), sts.map(str::to_owned));
        self.shared.keys.get_for(self.user.as_ref(), &name, make).await
    }

    /// The controller's own token for Google's storage.
    pub(crate) async fn gcp_storage_token(&self) -> Result<Redacted<String>, Error> {
        let name = (Cloud::Gcp, self.kept("storage"));
        let login = self.token(&name, self.gcp_login()).await?;
        match login {
            Credentials::Basic { password, .. } => Ok(password),
            _ => Err(Error("the machine's metadata service gave no token".to_owned())),
        }
    }

    /// The controller's own token for Microsoft's storage; of this identity of the machine where one is named.
    pub(crate) async fn azure_storage_token(&self, client: Option<&str>) -> Result<Redacted<String>, Error> {
        let name = self.kept(&format!("storage {}", client.unwrap_or_default()));
        let name = (Cloud::Azure, name);
        let make = self.azure_storage(client);
        match self.token(&name, make).await? {
            Credentials::Bearer(token) => Ok(token),
            _ => Err(Error("Microsoft gave no token".to_owned())),
        }
    }

    /// Where a service of a cloud is: on this machine in tests.
    pub(crate) fn endpoint(&self, address: &str) -> Result<String, Error> {
        let url = self.shared.endpoints.url(address)?;
        Ok(url.as_str().trim_end_matches('/').to_owned())
    }
}

struct RegistryLogin {
    clouds: Clouds,
    cloud: Cloud,
}

impl std::fmt::Debug for RegistryLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RegistryLogin({:?})", self.cloud)
    }
}

impl CredentialSource for RegistryLogin {
    fn credentials<'a>(&'a self, repository: &'a str) -> BoxFuture<'a, Result<Credentials, Error>> {
        Box::pin(async move {
            let clouds = &self.clouds;
            let host = repository.split('/').next().unwrap_or_default();
            // looked at before anything is sent: a token must not reach a registry that is not the cloud's
            match self.cloud {
                Cloud::Aws => drop(aws::Registry::of(host)?),
                Cloud::Azure => azure::check(host)?,
                Cloud::Gcp => gcp::check(host)?,
            }
            let make = async {
                match self.cloud {
                    Cloud::Aws => clouds.aws_login(host).await,
                    Cloud::Azure => clouds.azure_login(host).await,
                    Cloud::Gcp => clouds.gcp_login().await,
                }
            };
            let name = (self.cloud, clouds.kept(host));
            clouds.token(&name, make).await
        })
    }

    fn identity(&self) -> [u8; 32] {
        self.clouds.identity(self.cloud)
    }
}

impl Clouds {
    /// Asks a service, and reads its answer. Errors name the service, never what was sent or answered.
    async fn ask<T: DeserializeOwned>(&self, service: &str, request: Request) -> Result<T, Error> {
        let body = self.text(service, request).await?;
        serde_json::from_slice(&body).map_err(|_| Error(format!("{service}: the answer cannot be read")))
    }

    async fn text(&self, service: &str, request: Request) -> Result<Vec<u8>, Error> {
        let failed = |failure: crate::http::Failure| Error(format!("{service}: {failure}"));
        let deadline = Instant::now() + TIMEOUT;
        let way = self
            .way
            .as_ref()
            .filter(|_| self.shared.endpoints.is_remote(&request.url));
        let way = way.unwrap_or(&self.shared.http);
        let reply = way.send(request, deadline).await.map_err(failed)?;
        let reply = reply.ok().map_err(failed)?;
        reply
            .bytes("the answer", ANSWER_SIZE_MAX, "answer_size_max")
            .await
            .map_err(failed)
    }
}

impl Shared {
    fn get(&self, address: &str, headers: &[(&'static str, &str)]) -> Result<Request, Error> {
        let mut request = Request::new(Method::GET, self.endpoints.url(address)?);
        for (name, value) in headers {
            let value =
                HeaderValue::from_str(value).map_err(|_| Error(format!("header {name} cannot be sent")))?;
            request.headers.insert(HeaderName::from_static(name), value);
        }
        Ok(request)
    }

    fn post_form(&self, address: &str, form: &[(&str, &str)]) -> Result<Request, Error> {
        let mut request = Request::new(Method::POST, self.endpoints.url(address)?);
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        request.body = Some(body.into());
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert("content-type", form);
        Ok(request)
    }
}

/// A projected token: renewed by the kubelet, so it is read each time.
async fn read_token(path: &std::path::Path) -> Result<String, Error> {
    let read = tokio::fs::read_to_string(path).await;
    let text = read.map_err(|error| Error(format!("token file {}: {error}", path.display())))?;
    Ok(text.trim().to_owned())
}

/// The value of an `Authorization` header with a token.
fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let value = secret_header(&format!("Bearer {token}"));
    value.map_err(|_| Error("the cloud's token cannot be sent".to_owned()))
}

fn basic(username: &str, password: &str) -> Credentials {
    Credentials::Basic {
        username: username.to_owned(),
        password: Redacted::new(password.to_owned()),
    }
}
