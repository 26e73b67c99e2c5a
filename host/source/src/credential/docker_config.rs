//! Docker's config file, as Secrets of type `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg` hold it.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::BoxFuture;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sluice_event::Redacted;

use super::{CredentialSource, Credentials, Error, SecretData};

/// Largest config that is read, in bytes: a Secret holds no more.
const SIZE_MAX: usize = 1 << 20;

/// The registries of one config and the credentials for each.
#[derive(Clone, Debug, Default)]
pub struct DockerConfig {
    /// `host[:port][/path]`, with `*` for a label of the host.
    entries: Vec<(Pattern, Credentials)>,
    helpers: Helpers,
}

/// Programs that keep credentials, by name: `NAME` stands for `docker-credential-NAME`.
#[derive(Clone, Debug, Default)]
struct Helpers {
    /// By the registry.
    by_host: BTreeMap<String, String>,
    /// For all others.
    store: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    host: String,
    path: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    auth: Option<String>,
    #[serde(default, rename = "identitytoken")]
    identity_token: Option<String>,
    #[serde(default, rename = "registrytoken")]
    registry_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: Option<BTreeMap<String, Entry>>,
    #[serde(default)]
    creds_store: Option<String>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
}

impl DockerConfig {
    /// Reads what a Secret holds; none where it is no Secret of that kind.
    pub fn from_secret(data: &SecretData) -> Option<Result<DockerConfig, Error>> {
        if let Some(json) = data.get(".dockerconfigjson") {
            return Some(DockerConfig::parse(json));
        }
        let json = data.get(".dockercfg")?;
        Some(read(json).and_then(DockerConfig::of_entries))
    }

    /// Reads a config file.
    pub fn parse(json: &[u8]) -> Result<DockerConfig, Error> {
        let file: File = read(json)?;
        let by_host = file.cred_helpers.unwrap_or_default().into_iter();
        Ok(DockerConfig {
            helpers: Helpers {
                by_host: by_host
                    .map(|(server, name)| (Pattern::parse(&server).host, name))
                    .collect(),
                store: file.creds_store.filter(|store| !store.is_empty()),
            },
            ..DockerConfig::of_entries(file.auths.unwrap_or_default())?
        })
    }

    /// The name of the program that the config leaves a registry's credentials to, `host[:port]`. It is for whoever may
    /// start programs: nothing of this crate does.
    pub fn helper(&self, host: &str) -> Option<&str> {
        let own = self.helpers.by_host.get(&host.to_ascii_lowercase());
        own.or(self.helpers.store.as_ref()).map(String::as_str)
    }

    fn of_entries(entries: BTreeMap<String, Entry>) -> Result<DockerConfig, Error> {
        let entries = entries.into_iter().map(|(server, entry)| {
            let credentials = entry.credentials().map_err(|problem| {
                // the name is the user's own word; the value is a secret
                Error(format!(
                    "docker config: entry '{}': {problem}",
                    server.escape_debug()
                ))
            });
            Ok((Pattern::parse(&server), credentials?))
        });
        Ok(DockerConfig {
            entries: entries.collect::<Result<_, Error>>()?,
            helpers: Helpers::default(),
        })
    }

    /// Whether there is anything for this repository, `host[:port]/path`.
    pub fn names(&self, repository: &str) -> bool {
        self.find(repository).is_some()
    }

    /// The credentials of the longest pattern that matches `host[:port]/path`.
    fn find(&self, repository: &str) -> Option<(usize, &Credentials)> {
        let matching = self
            .entries
            .iter()
            .filter(|(pattern, _)| pattern.matches(repository));
        matching
            .map(|(pattern, credentials)| (pattern.host.len() + pattern.path.len(), credentials))
            .max_by_key(|(length, _)| *length)
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Error> {
    if json.len() > SIZE_MAX {
        return Err(Error(format!("docker config: more than {SIZE_MAX} bytes")));
    }
    // the text of an error may quote the value: say only where it is
    serde_json::from_slice(json).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error(format!("docker config: not valid at line {line} column {column}"))
    })
}

impl Entry {
    fn credentials(self) -> Result<Credentials, String> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(token) = given(self.registry_token) {
            return Ok(Credentials::Bearer(Redacted::new(token)));
        }
        if let Some(token) = given(self.identity_token) {
            return Ok(Credentials::Refresh(Redacted::new(token)));
        }
        if let Some(auth) = given(self.auth) {
            let bytes = STANDARD.decode(auth.trim()).map_err(|_| "'auth' is no base64")?;
            let text = String::from_utf8(bytes).map_err(|_| "'auth' is no text")?;
            let (username, password) = text.split_once(':').ok_or("'auth' is not user:password")?;
            return Ok(Credentials::Basic {
                username: username.to_owned(),
                password: Redacted::new(password.trim_matches('\0').to_owned()),
            });
        }
        Ok(match (given(self.username), given(self.password)) {
            (None, None) => Credentials::None,
            (username, password) => Credentials::Basic {
                username: username.unwrap_or_default(),
                password: Redacted::new(password.unwrap_or_default()),
            },
        })
    }
}

impl Pattern {
    /// `https://index.docker.io/v1/` → `index.docker.io`; a path stays, an API version does not.
    fn parse(server: &str) -> Pattern {
        let server = server
            .strip_prefix("https://")
            .or_else(|| server.strip_prefix("http://"))
            .unwrap_or(server);
        let (host, path) = server.split_once('/').unwrap_or((server, ""));
        let path = path.trim_matches('/');
        let path = match path {
            "v1" | "v2" => "",
            path => path
                .strip_prefix("v1/")
                .or_else(|| path.strip_prefix("v2/"))
                .unwrap_or(path),
        };
        let host = match host {
            "docker.io" | "registry-1.docker.io" => "index.docker.io",
            host => host,
        };
        Pattern {
            host: host.to_ascii_lowercase(),
            path: path.to_owned(),
        }
    }

    fn matches(&self, repository: &str) -> bool {
        let (host, path) = repository.split_once('/').unwrap_or((repository, ""));
        let is_path = self.path.is_empty()
            || path == self.path
            || path
                .strip_prefix(&self.path)
                .is_some_and(|rest| rest.starts_with('/'));
        is_path && host_matches(&self.host, &host.to_ascii_lowercase())
    }
}

/// Label by label, ports equal; `*` within a label stands for any part of that label.
fn host_matches(pattern: &str, host: &str) -> bool {
    let port = |text: &str| {
        text.rsplit_once(':')
            .map_or(String::new(), |(_, port)| port.to_owned())
    };
    let name = |text: &str| {
        text.rsplit_once(':')
            .map_or(text.to_owned(), |(name, _)| name.to_owned())
    };
    if port(pattern) != port(host) {
        return false;
    }
    let (pattern, host) = (name(pattern), name(host));
    let (patterns, labels): (Vec<&str>, Vec<&str>) =
        (pattern.split('.').collect(), host.split('.').collect());
    patterns.len() == labels.len()
        && patterns
            .iter()
            .zip(labels)
            .all(|(pattern, label)| label_matches(pattern, label))
}

fn label_matches(pattern: &str, label: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == label;
    };
    let Some(rest) = label.strip_prefix(head) else {
        return false;
    };
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.any(|at| rest.get(at..).is_some_and(|rest| label_matches(tail, rest)))
}

/// Several configs as one: the longest match of all counts, the first of equal ones.
#[derive(Clone, Debug, Default)]
pub struct Keychain {
    configs: Vec<DockerConfig>,
    identity: [u8; 32],
}

impl Keychain {
    /// Of the Secrets of `secretRef` and of a service account, in that order.
    pub fn new(configs: Vec<DockerConfig>) -> Keychain {
        let mut hash = Sha256::new();
        for (pattern, credentials) in configs.iter().flat_map(|config| &config.entries) {
            hash.update((pattern.host.len() as u64).to_le_bytes());
            hash.update(&pattern.host);
            hash.update((pattern.path.len() as u64).to_le_bytes());
            hash.update(&pattern.path);
            hash.update(credentials.fingerprint());
        }
        Keychain {
            configs,
            identity: hash.finalize().into(),
        }
    }
}

impl CredentialSource for Keychain {
    fn credentials<'a>(&'a self, repository: &'a str) -> BoxFuture<'a, Result<Credentials, Error>> {
        let mut best: Option<(usize, &Credentials)> = None;
        for (length, credentials) in self.configs.iter().filter_map(|config| config.find(repository)) {
            if best.is_none_or(|(longest, _)| length > longest) {
                best = Some((length, credentials));
            }
        }
        let found = best.map_or(Credentials::None, |(_, credentials)| credentials.clone());
        Box::pin(std::future::ready(Ok(found)))
    }

    fn identity(&self) -> [u8; 32] {
        self.identity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(credentials: &Credentials) -> String {
        match credentials {
            Credentials::None => "none".to_owned(),
            Credentials::Basic { username, password } => format!("{username}:{}", password.reveal()),
            Credentials::Bearer(token) => format!("bearer {}", token.reveal()),
            Credentials::Refresh(token) => format!("refresh {}", token.reveal()),
        }
    }

    #[tokio::test]
    async fn the_longest_match_counts() {
        let json = format!(
            r#"{{"auths": {{
            "https://index.docker.io/v1/": {{"auth": "{}"}},
            "ghcr.io": {{"username": "a", "password": "1"}},
            "ghcr.io/org": {{"username": "b", "password": "2"}},
            "*.corp.example": {{"username": "c", "password": "3"}},
            "host:5000": {{"identitytoken": "i"}},
            "tok.example": {{"registrytoken": "r"}},
            "empty.example": {{}} }}}}"#,
            STANDARD.encode("hub:p:w")
        );
        let keychain = Keychain::new(vec![DockerConfig::parse(json.as_bytes()).unwrap()]);
        for (repository, expected) in [
            ("index.docker.io/library/nginx", "hub:p:w"),
            ("ghcr.io/other/app", "a:1"),
            ("ghcr.io/org/app", "b:2"),
            ("ghcr.io/organization/app", "a:1"),
            ("evil-ghcr.io/org/app", "none"),
            ("ghcr.io.evil.example/org/app", "none"),
            ("ghcr.io:444/org/app", "none"),
            ("reg.corp.example/x", "c:3"),
            ("a.reg.corp.example/x", "none"),
            ("host:5000/x", "refresh i"),
            ("host/x", "none"),
            ("tok.example/x", "bearer r"),
            ("empty.example/x", "none"),
        ] {
            let found = keychain.credentials(repository).await.unwrap();
            assert_eq!(shown(&found), expected, "{repository}");
        }
        let debug = format!("{keychain:?}");
        assert!(!debug.contains("p:w") && !debug.contains("\"3\""), "{debug}");
    }

    #[test]
    fn errors_never_quote_the_secret() {
        for json in [
            r#"{"auths": {"a": {"password": 31337}}}"#,
            r#"{"auths": {"a": {"auth": "s3cr3t!"}}}"#,
            r#"{"auths": {"a": {"auth": "czNjcjN0"}}}"#,
            r#"{"auths": "s3cr3t"}"#,
        ] {
            let error = DockerConfig::parse(json.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("docker config: "), "{error}");
            assert!(!error.contains("s3cr3t") && !error.contains("31337"), "{error}");
        }
        let old: SecretData = [(
            ".dockercfg".to_owned(),
            br#"{"a.example": {"username": "u"}}"#.to_vec(),
        )]
        .into();
        assert_eq!(DockerConfig::from_secret(&old).unwrap().unwrap().entries.len(), 1);
        assert!(DockerConfig::from_secret(&SecretData::new()).is_none());
    }

    proptest! {
        #[test]
        fn no_config_breaks_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300), server in ".{0,40}", repository in ".{0,40}") {
            let _any = DockerConfig::parse(&bytes);
            let pattern = Pattern::parse(&server);
            let _any = pattern.matches(&repository);
        }
    }
}
