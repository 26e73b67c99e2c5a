//! `sluice build|push|pull|list|tag|diff artifact` (compat: cli, section 12).

mod archive;
pub(super) mod build;
pub(super) mod diff;
mod docker;
pub(super) mod list;
pub(super) mod pull;
pub(super) mod push;
pub(super) mod tag;

use crate::tell;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use sluice_source::credential::cloud::{Cloud, CloudEndpoints, CloudEnvironment, Clouds};
use sluice_source::oci::{OciLimits, OciReference, OciRequest, Repository, RepositoryName, Suffix};
use sluice_source::{Addresses, CredentialSource, Credentials, OciFetcher, Transport};
use std::path::{Path, PathBuf};
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

/// What of a directory is archived.
#[derive(Args, Debug)]
struct Ignored {
    /// What to leave out, in the format of .gitignore, instead of the usual
    #[arg(long, value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// What to leave out besides the usual
    #[arg(long, value_delimiter = ',')]
    add_ignore_paths: Vec<String>,
}

impl Ignored {
    fn patterns(&self) -> Vec<String> {
        let mut lines = match self.ignore_paths.is_empty() {
            true => archive::usual(),
            false => self.ignore_paths.clone(),
        };
        lines.extend(self.add_ignore_paths.iter().cloned());
        lines
    }
}

/// What of this machine becomes an artifact.
#[derive(Args, Debug)]
struct Content {
    #[command(flatten)]
    ignored: Ignored,
    /// Put in what symbolic links lead to, wherever it lies: of folders that are trusted
    #[arg(long)]
    resolve_symlinks: bool,
}

impl Content {
    /// Archives what is at a path; `what` could not be done where that fails.
    fn of_path(&self, path: &Path, what: &'static str) -> Result<archive::Layer> {
        let made = archive::of_path(path, &self.ignored.patterns(), self.resolve_symlinks);
        made.map_err(|error| archive::failing(error, what))
    }
}

/// What comes on standard input, where the path says so. Else nothing is read yet: what is at the path is looked for.
fn of_stdin(path: &Path) -> Result<Option<archive::Layer>> {
    match path.as_os_str() == "-" {
        true => archive::of_stdin(std::io::stdin()).map(Some),
        false => check_there(path).map(|()| None),
    }
}

/// The path that a command needs.
fn given(path: &Option<PathBuf>) -> Result<&Path> {
    let path = path.as_deref().filter(|path| !path.as_os_str().is_empty());
    path.context("invalid path \"\"")
}

/// Refuses a path at which nothing is.
fn check_there(path: &Path) -> Result<()> {
    let found = std::fs::metadata(path).map(|_| ());
    found.with_context(|| {
        format!(
            "invalid path '{}', must point to an existing directory or file",
            path.display()
        )
    })
}

/// Which registry, and who we are there.
#[derive(Args, Debug)]
pub(crate) struct Registry {
    /// User and password for the registry, user:password, or a token alone; with --provider generic only
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
    /// As the flag takes it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        }
    }

    fn cloud(self) -> Option<Cloud> {
        match self {
            Self::Generic => None,
            Self::Aws => Some(Cloud::Aws),
            Self::Azure => Some(Cloud::Azure),
            Self::Gcp => Some(Cloud::Gcp),
        }
    }
}

/// How much longer one question may take than the whole command: it is the command's time that is told to be over.
const QUESTION_LONGER: Duration = Duration::from_secs(1);

/// How long a cloud's login is used: no command runs longer.
const LOGIN_AGE_MAX: Duration = Duration::from_secs(3600);

/// An artifact or a repository, as the command line names it.
struct Reference {
    /// As the user wrote it, without the scheme: in this form it is repeated.
    text: String,
    name: RepositoryName,
    suffix: Suffix,
}

impl Reference {
    /// Reads `oci://…`.
    ///
    /// # Errors
    /// In Flux's words, and with what is wrong.
    fn parse(url: &str) -> Result<Self> {
        let Some(text) = url.strip_prefix("oci://") else {
            bail!("URL must be in format 'oci://<domain>/<org>/<repo>'");
        };
        let (name, suffix) = RepositoryName::with_suffix(text)
            .with_context(|| format!("'{url}' invalid URL: could not parse reference: {text}"))?;
        Ok(Self {
            text: text.to_owned(),
            name,
            suffix,
        })
    }

    /// The URL of the repository.
    fn repository(&self) -> String {
        format!("oci://{}", self.name)
    }

    /// Which artifact is asked for.
    fn wanted(&self) -> OciReference {
        let mut wanted = OciReference::default();
        match &self.suffix {
            Suffix::None => {}
            Suffix::Tag(tag) => wanted.tag = Some(tag.clone()),
            Suffix::Digest(digest) => wanted.digest = Some(digest.clone()),
        }
        wanted
    }
}

/// A repository, ready to be asked.
struct Asked {
    repository: Repository,
    _spool: tempfile::TempDir,
}

impl Registry {
    /// Makes ready to ask, for a command that ends after `timeout`.
    async fn open(&self, reference: &Reference, timeout: Duration) -> Result<Asked> {
        let spool = tempfile::tempdir().context("no temporary folder")?;
        // whoever runs this decides which machines it asks
        let fetcher = OciFetcher::new(spool.path(), OciLimits::default(), Addresses::any())?;
        let request = OciRequest {
            url: reference.repository(),
            credentials: self.login(reference).await?,
            transport: Transport::default(),
            insecure: self.insecure_registry.into(),
            timeout: timeout.saturating_add(QUESTION_LONGER),
        };
        Ok(Asked {
            repository: fetcher.repository(&request)?,
            _spool: spool,
        })
    }

    /// Who we are at the registry. As in Flux a cloud is asked before the registry is: what it refuses is told as that. Its
    /// answer is kept, so that it is asked once.
    async fn login(&self, reference: &Reference) -> Result<Arc<dyn CredentialSource>> {
        if let Some(cloud) = self.provider.cloud() {
            tell::action("logging in to registry with provider credentials");
            let environment = CloudEnvironment::read(|name| std::env::var(name).ok());
            let clouds = Clouds::new(environment, CloudEndpoints::default(), 1, LOGIN_AGE_MAX)?;
            let login = clouds.registry(cloud);
            let given = login.credentials(&reference.name.to_string()).await;
            given.with_context(|| {
                format!(
                    "error during login with provider: could not login to provider {} with url {}",
                    self.provider.as_str(),
                    reference.text
                )
            })?;
            return Ok(login);
        }
        let Some(creds) = self.creds.as_deref().filter(|creds| !creds.is_empty()) else {
            return Ok(Arc::new(docker::Docker::read()?));
        };
        tell::action("logging in to registry with credentials");
        Ok(Arc::new(match creds.split_once(':') {
            Some((username, password)) => Credentials::Basic {
                username: username.to_owned(),
                password: password.to_owned().into(),
            },
            None => Credentials::Bearer(creds.to_owned().into()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_repeated_and_what_is_meant_is_asked() {
        let reference = Reference::parse("oci://docker.io/org/app:1").unwrap();
        assert_eq!(reference.text, "docker.io/org/app:1");
        assert_eq!(reference.repository(), "oci://index.docker.io/org/app");
        assert_eq!(reference.suffix, Suffix::Tag("1".to_owned()));
    }
}
