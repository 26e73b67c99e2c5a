//! `sluice push|pull|list|tag artifact` (compat: cli, section 12).

mod archive;
mod docker;
pub(super) mod list;
pub(super) mod pull;
pub(super) mod push;
pub(super) mod tag;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use sluice_source::credential::cloud::{Cloud, CloudEndpoints, CloudEnvironment, Clouds};
use sluice_source::oci::{OciLimits, OciRequest, Repository, RepositoryName, Suffix};
use sluice_source::{Addresses, CredentialSource, Credentials, OciFetcher, Transport};
use std::sync::Arc;
use std::time::Duration;

#[derive(Subcommand, Debug)]
pub(crate) enum Push {
    /// A directory as an OCI artifact
    Artifact(push::PushArtifact),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Pull {
    /// The files of an OCI artifact
    Artifact(pull::PullArtifact),
}

#[derive(Subcommand, Debug)]
pub(crate) enum List {
    /// The artifacts of a repository
    #[command(visible_alias = "artifact")]
    Artifacts(list::ListArtifacts),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Tag {
    /// Gives an OCI artifact more tags
    Artifact(tag::TagArtifact),
}

/// Which registry, and who we are there.
#[derive(Args, Debug)]
pub(crate) struct Registry {
    /// User and password for the registry, user:password, or a token alone; those of --provider where absent
    #[arg(
        long,
        value_name = "CREDENTIALS",
        env = "SLUICE_REGISTRY_CREDS",
        hide_env_values = true
    )]
    creds: Option<String>,
    /// Whose registry it is, and who we are there: its cloud's identity of this machine, or what the docker config says
    #[arg(long, value_enum, default_value = "generic")]
    provider: Provider,
    /// Ask without TLS, or whatever certificate the registry has
    #[arg(long)]
    insecure_registry: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Provider {
    /// Credentials of --creds or of the docker config and its helpers
    Generic,
    /// Amazon's
    Aws,
    /// Microsoft's
    Azure,
    /// Google's
    Gcp,
}

impl Provider {
    fn cloud(self) -> Option<Cloud> {
        match self {
            Self::Generic => None,
            Self::Aws => Some(Cloud::Aws),
            Self::Azure => Some(Cloud::Azure),
            Self::Gcp => Some(Cloud::Gcp),
        }
    }
}

/// How long a cloud's login is used: no command runs longer.
const LOGIN_AGE_MAX: Duration = Duration::from_secs(3600);

/// A repository, ready to be asked, and what followed its name.
struct Asked {
    repository: Repository,
    url: String,
    suffix: Suffix,
    _spool: tempfile::TempDir,
}

impl Registry {
    fn open(&self, url: &str, timeout: Duration) -> Result<Asked> {
        let Some(reference) = url.strip_prefix("oci://") else {
            bail!("URL must be in format 'oci://<domain>/<org>/<repo>:<tag>'");
        };
        let (name, suffix) = RepositoryName::with_suffix(reference)?;
        let url = format!("oci://{name}");
        let spool = tempfile::tempdir().context("no temporary folder")?;
        // whoever runs this decides which machines it asks
        let fetcher = OciFetcher::new(spool.path(), OciLimits::default(), Addresses::any())?;
        let request = OciRequest {
            url: url.clone(),
            credentials: self.credentials()?,
            transport: Transport::default(),
            insecure: self.insecure_registry.into(),
            timeout,
        };
        Ok(Asked {
            repository: fetcher.repository(&request)?,
            url,
            suffix,
            _spool: spool,
        })
    }

    fn credentials(&self) -> Result<Arc<dyn CredentialSource>> {
        if let Some(creds) = &self.creds {
            return Ok(Arc::new(match creds.split_once(':') {
                Some((username, password)) => Credentials::Basic {
                    username: username.to_owned(),
                    password: password.to_owned().into(),
                },
                None => Credentials::Bearer(creds.clone().into()),
            }));
        }
        Ok(match self.provider.cloud() {
            None => Arc::new(docker::Docker::read()?),
            Some(cloud) => {
                let environment = CloudEnvironment::read(|name| std::env::var(name).ok());
                let clouds = Clouds::new(environment, CloudEndpoints::default(), 1, LOGIN_AGE_MAX)?;
                clouds.registry(cloud)
            }
        })
    }
}
