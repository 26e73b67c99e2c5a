//! Which cluster to talk to, and as whom.

use anyhow::{Context, Result};
use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use sluice_apply::cluster::{KubeCluster, RetryPolicy};
use std::path::PathBuf;

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
    /// The name that the API server's certificate must have, in place of its address
    #[arg(long, global = true, value_name = "NAME", help_heading = "Cluster")]
    tls_server_name: Option<String>,
    /// Act as this user
    #[arg(long = "as", global = true, value_name = "USER", help_heading = "Cluster")]
    impersonate: Option<String>,
    /// Act as a member of this group, may be repeated
    #[arg(
        long = "as-group",
        global = true,
        value_name = "GROUP",
        help_heading = "Cluster"
    )]
    impersonate_groups: Vec<String>,
}

/// The files of KUBECONFIG, of which some may be missing, or `~/.kube/config`.
async fn from_environment(options: &KubeConfigOptions) -> Result<kube::Config> {
    let Some(paths) = std::env::var_os("KUBECONFIG") else {
        return Ok(kube::Config::from_kubeconfig(options).await?);
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in std::env::split_paths(&paths).filter(|path| path.exists()) {
        let next = Kubeconfig::read_from(path)?;
        merged = Some(match merged {
            Some(merged) => merged.merge(next)?,
            None => next,
        });
    }
    let merged =
        merged.with_context(|| format!("KUBECONFIG names no file that is there: {}", paths.display()))?;
    Ok(kube::Config::from_custom_kubeconfig(merged, options).await?)
}

impl Connect {
    /// The configuration these flags and the environment give.
    pub(crate) async fn config(&self) -> Result<kube::Config> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            cluster: self.cluster.clone(),
            user: self.user.clone(),
        };
        let mut config = match &self.kubeconfig {
            Some(path) => {
                let kubeconfig = Kubeconfig::read_from(path)
                    .with_context(|| format!("cannot read the kubeconfig {}", path.display()))?;
                kube::Config::from_custom_kubeconfig(kubeconfig, &options)
                    .await
                    .context("the kubeconfig names no usable cluster")?
            }
            None => match from_environment(&options).await {
                Ok(config) => config,
                Err(no_kubeconfig) => match kube::Config::incluster() {
                    Ok(config) => config,
                    Err(_) => {
                        return Err(no_kubeconfig)
                            .context("no cluster to talk to: no kubeconfig, and this is no pod");
                    }
                },
            },
        };
        if let Some(server) = &self.server {
            config.cluster_url = server
                .parse()
                .with_context(|| format!("--server: {server:?} is no URL"))?;
        }
        if let Some(token) = &self.token {
            config.auth_info = kube::config::AuthInfo {
                token: Some(token.clone().into()),
                ..kube::config::AuthInfo::default()
            };
        }
        if self.tls_server_name.is_some() {
            config.tls_server_name.clone_from(&self.tls_server_name);
        }
        if self.impersonate.is_some() {
            config.auth_info.impersonate.clone_from(&self.impersonate);
        }
        if !self.impersonate_groups.is_empty() {
            config.auth_info.impersonate_groups = Some(self.impersonate_groups.clone());
        }
        Ok(config)
    }

    /// The API server of that configuration, asked as the controller asks it.
    pub(crate) async fn api_server(&self) -> Result<KubeCluster> {
        Ok(KubeCluster::connect(
            self.config().await?,
            RetryPolicy::default(),
        )?)
    }

    /// A client for that configuration.
    pub(crate) async fn client(&self) -> Result<kube::Client> {
        Ok(kube::Client::try_from(self.config().await?)?)
    }
}
