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
            None => match kube::Config::from_kubeconfig(&options).await {
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
