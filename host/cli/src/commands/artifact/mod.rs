//! `sluice push|pull|list|tag artifact` (compat: cli, section 12).

mod archive;
pub(super) mod list;
pub(super) mod pull;
pub(super) mod push;
pub(super) mod tag;

use crate::tell;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use sluice_source::oci::{OciLimits, OciRequest, Repository, RepositoryName, Suffix};
use sluice_source::{
    Addresses, CredentialSource, Credentials, DockerConfig, Keychain, OciFetcher, Transport,
};
use std::path::PathBuf;
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
    /// User and password for the registry, user:password, or a token alone; the docker config's where absent
    #[arg(
        long,
        value_name = "CREDENTIALS",
        env = "SLUICE_REGISTRY_CREDS",
        hide_env_values = true
    )]
    creds: Option<String>,
    /// Whose registry it is
    #[arg(long, value_enum, default_value = "generic")]
    provider: Provider,
    /// Ask without TLS, or whatever certificate the registry has
    #[arg(long)]
    insecure_registry: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Provider {
    /// Credentials of --creds or of the docker config
    Generic,
    /// Amazon's
    Aws,
    /// Microsoft's
    Azure,
    /// Google's
    Gcp,
}

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
        if self.provider != Provider::Generic {
            bail!(
                "only --provider generic is supported yet: use --creds with a token of your cloud's command line"
            );
        }
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
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
        let folder = folder.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker")));
        let file = folder.map(|folder| folder.join("config.json"));
        let Some(file) = file else {
            return Ok(Arc::new(Credentials::None));
        };
        match std::fs::read(&file) {
            Ok(json) => {
                let config =
                    DockerConfig::parse(&json).with_context(|| format!("cannot use {}", file.display()))?;
                if config.names_helpers() {
                    tell::warning(&format!(
                        "the credential helpers that {} names are not asked: use --creds",
                        file.display()
                    ));
                }
                Ok(Arc::new(Keychain::new(vec![config])))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Arc::new(Credentials::None)),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }
}
