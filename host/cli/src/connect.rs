//! Which cluster to talk to, and as whom.

use anyhow::{Context, Result};
use clap::Args;
use kube::client::AuthError;
use kube::config::{AuthInfo, ExecConfig, KubeConfigOptions, Kubeconfig};
use sluice_apply::cluster::{KubeCluster, RetryPolicy};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The API server of this process, for what is told where it does not answer: nothing but scheme, host and port.
static SERVER: OnceLock<String> = OnceLock::new();

/// Who was asked, if anybody was.
pub(crate) fn server() -> Option<&'static str> {
    SERVER.get().map(String::as_str)
}

/// kubectl's own flags for the connection.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Connect {
    /// Path to the kubeconfig file; without it KUBECONFIG, ~/.kube/config, then the service account of the pod
    #[arg(long, global = true, value_name = "FILE", help_heading = "Cluster")]
    kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    context: Option<String>,
    /// The cluster of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    cluster: Option<String>,
    /// The user of the kubeconfig to use
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    user: Option<String>,
    /// The address of the API server, in place of the kubeconfig's
    #[arg(long, global = true, value_name = "URL", help_heading = "Cluster")]
    server: Option<String>,
    /// A bearer token, in place of the kubeconfig's credentials
    #[arg(long, global = true, value_name = "TOKEN", help_heading = "Cluster")]
    token: Option<String>,
    /// A client certificate in PEM, in place of the kubeconfig's credentials; --client-key is its key
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        requires = "client_key",
        help_heading = "Cluster"
    )]
    client_certificate: Option<PathBuf>,
    /// The key of --client-certificate in PEM
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        requires = "client_certificate",
        help_heading = "Cluster"
    )]
    client_key: Option<PathBuf>,
    /// Whose certificates the API server's is checked against, in PEM, in place of the kubeconfig's
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "insecure_skip_tls_verify",
        help_heading = "Cluster"
    )]
    certificate_authority: Option<PathBuf>,
    /// Do not check the API server's certificate: whoever is on the way can read and change everything
    #[arg(long, global = true, help_heading = "Cluster")]
    insecure_skip_tls_verify: bool,
    /// The name that the API server's certificate must have, in place of its address
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    tls_server_name: Option<String>,
    /// Ask for answers as they are, not compressed
    #[arg(long, global = true, help_heading = "Cluster")]
    disable_compression: bool,
    /// Act as this user
    #[arg(long = "as", global = true, value_name = "USER", help_heading = "Cluster")]
    impersonate: Option<String>,
    /// The UID of that user
    #[arg(long = "as-uid", global = true, value_name = "UID", help_heading = "Cluster")]
    impersonate_uid: Option<String>,
    /// Act as a member of this group, may be repeated
    #[arg(
        long = "as-group",
        global = true,
        value_name = "GROUP",
        help_heading = "Cluster"
    )]
    impersonate_groups: Vec<String>,
}

impl Connect {
    /// The configuration these flags and the environment give.
    pub(crate) async fn config(&self) -> Result<kube::Config> {
        let mut config = match self.configured().await {
            // who says where the server is needs no file that says it
            Err(_) if self.server.is_some() && self.kubeconfig.is_none() => {
                kube::Config::new(Default::default())
            }
            config => config?,
        };
        if let Some(server) = &self.server {
            config.cluster_url = server
                .parse()
                .with_context(|| format!("--server: {server:?} is no URL"))?;
        }
        if self.token.is_some() || self.client_certificate.is_some() {
            config.auth_info = AuthInfo {
                token: self.token.clone().map(Into::into),
                client_certificate: readable("--client-certificate", self.client_certificate.as_deref())?,
                client_key: readable("--client-key", self.client_key.as_deref())?,
                ..AuthInfo::default()
            };
        }
        if let Some(file) = readable("--certificate-authority", self.certificate_authority.as_deref())? {
            config.root_cert_file = Some(file.into());
            config.accept_invalid_certs = false;
        }
        if self.insecure_skip_tls_verify {
            config.accept_invalid_certs = true;
        }
        if self.tls_server_name.is_some() {
            config.tls_server_name.clone_from(&self.tls_server_name);
        }
        config.disable_compression |= self.disable_compression;
        if self.impersonate.is_some() {
            config.auth_info.impersonate.clone_from(&self.impersonate);
        }
        if self.impersonate_uid.is_some() {
            config.auth_info.impersonate_uid.clone_from(&self.impersonate_uid);
        }
        if !self.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(self.impersonate_groups.clone());
        }
        let url = &config.cluster_url;
        let scheme = url.scheme_str().unwrap_or("https");
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        SERVER.get_or_init(|| format!("{scheme}://{}{port}", url.host().unwrap_or_default()));
        Ok(config)
    }

    /// What kubeconfig or Pod say, before flags.
    async fn configured(&self) -> Result<kube::Config> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
        };
        let from_file = match self.file() {
            Ok(file) => kube::Config::from_custom_kubeconfig(file, &options)
                .await
                .context("the kubeconfig names no usable cluster"),
            Err(error) => Err(error),
        };
        match from_file {
            Err(error) if self.kubeconfig.is_none() => match kube::Config::incluster() {
                Ok(config) => Ok(config),
                Err(_) => Err(error).context("no cluster to talk to: no kubeconfig, and this is no pod"),
            },
            config => config,
        }
    }

    /// The kubeconfig: the one that is named, the files of KUBECONFIG, of which some may be missing, or `~/.kube/config`.
    fn file(&self) -> Result<Kubeconfig> {
        if let Some(path) = &self.kubeconfig {
            return Kubeconfig::read_from(path)
                .with_context(|| format!("cannot read the kubeconfig {}", path.display()));
        }
        let Some(paths) = std::env::var_os("KUBECONFIG").filter(|paths| !paths.is_empty()) else {
            return Ok(Kubeconfig::read()?);
        };
        let mut merged: Option<Kubeconfig> = None;
        for path in std::env::split_paths(&paths).filter(|path| path.exists()) {
            let next = Kubeconfig::read_from(path)?;
            merged = Some(match merged {
                Some(merged) => merged.merge(next)?,
                None => next,
            });
        }
        merged.with_context(|| format!("KUBECONFIG names no file that is there: {}", paths.display()))
    }

    /// Of a command whose own `--token` is another: nobody is told it as a credential.
    pub(crate) fn forget_token(&mut self) {
        self.token = None;
    }

    /// The namespace that the context of the kubeconfig names; none also where there is no kubeconfig.
    pub(crate) fn namespace(&self) -> Option<String> {
        let file = self.file().ok()?;
        let context = self.context.as_ref().or(file.current_context.as_ref())?;
        let named = file.contexts.iter().find(|named| named.name == *context)?;
        named.context.as_ref()?.namespace.clone()
    }

    /// The API server of that configuration, asked as the controller asks it.
    pub(crate) async fn api_server(&self) -> Result<KubeCluster> {
        let config = self.config().await?;
        let plugin = config.auth_info.exec.clone();
        KubeCluster::connect(config, RetryPolicy::default()).map_err(|error| naming(plugin, error))
    }

    /// A client for that configuration.
    pub(crate) async fn client(&self) -> Result<kube::Client> {
        let config = self.config().await?;
        let plugin = config.auth_info.exec.clone();
        kube::Client::try_from(config).map_err(|error| naming(plugin, error))
    }
}

/// An error that names the credential plugin, where that did not start, with what the kubeconfig says of getting it.
fn naming(plugin: Option<ExecConfig>, error: kube::Error) -> anyhow::Error {
    match (plugin, &error) {
        (Some(plugin), kube::Error::Auth(AuthError::AuthExecStart(_))) => {
            let command = plugin.command.unwrap_or_default();
            let hint = plugin
                .install_hint
                .unwrap_or_else(|| "install it, or choose another --user".to_owned());
            let what = format!(
                "the credential plugin {command:?} of the kubeconfig ({})",
                hint.trim()
            );
            anyhow::Error::new(error).context(what)
        }
        _ => error.into(),
    }
}

/// The file that a flag names, as the client wants it; it would not say which one it cannot read.
fn readable(flag: &str, file: Option<&Path>) -> Result<Option<String>> {
    let Some(file) = file else { return Ok(None) };
    std::fs::File::open(file).with_context(|| format!("{flag} {}", file.display()))?;
    let file = file
        .to_str()
        .with_context(|| format!("{flag}: the path is not UTF-8"))?;
    Ok(Some(file.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KUBECONFIG: &str = "{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}},
        {name: b, context: {cluster: a, user: a, namespace: team-b}}],
        clusters: [{name: a, cluster: {server: 'https://a', insecure-skip-tls-verify: true}}],
        users: [{name: a, user: {token: secret}}]}";

    #[tokio::test]
    async fn flags_go_before_the_kubeconfig() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let mut connect = Connect {
            kubeconfig: file("kubeconfig", KUBECONFIG),
            impersonate_uid: Some("7".to_owned()),
            ..Connect::default()
        };
        assert_eq!(connect.namespace(), None);
        let config = connect.config().await.unwrap();
        assert!(config.accept_invalid_certs && config.auth_info.token.is_some());
        assert_eq!(config.auth_info.impersonate_uid.as_deref(), Some("7"));

        connect.context = Some("b".to_owned());
        connect.client_certificate = file("crt", "");
        connect.client_key = file("key", "");
        connect.certificate_authority = file("ca", "");
        assert_eq!(connect.namespace().as_deref(), Some("team-b"));
        let config = connect.config().await.unwrap();
        assert!(!config.accept_invalid_certs && config.auth_info.token.is_none());
        assert!(config.auth_info.client_certificate.unwrap().ends_with("crt"));
        assert!(config.auth_info.client_key.unwrap().ends_with("key"));
        assert_eq!(config.root_cert_file, connect.certificate_authority);

        connect.client_key = Some("/nowhere".into());
        let refused = connect.config().await.unwrap_err().to_string();
        assert_eq!(refused, "--client-key /nowhere");
    }
    #[tokio::test]
    async fn a_plugin_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kubeconfig");
        let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /nowhere/cloud-auth, interactiveMode: Never,
            installHint: get it from the cloud}";
        std::fs::write(&file, KUBECONFIG.replace("token: secret", exec)).unwrap();
        let connect = Connect {
            kubeconfig: Some(file),
            ..Connect::default()
        };
        let Err(refused) = connect.client().await else {
            panic!("there is no such plugin");
        };
        let told = crate::tell::whole(refused.as_ref());
        assert!(
            told.contains("\"/nowhere/cloud-auth\" of the kubeconfig (get it from the cloud): ")
                && told.ends_with("No such file or directory (os error 2)"),
            "{told}"
        );
    }
}
