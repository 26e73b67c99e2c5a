//! What is in files: certificates, keys and whom to trust.

use super::{given, said};
use crate::commands::create::Common;
use crate::commands::create::credentials::{Credentials, read};
use crate::tell::Several;
use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use sluice_source::verify::check_trust_policy;
use std::path::{Path, PathBuf};

/// Files with certificates and a key.
#[derive(Args, Debug)]
pub(super) struct Certificates {
    /// A client certificate in PEM
    #[arg(long, value_name = "FILE")]
    tls_crt_file: Option<PathBuf>,
    /// The key of --tls-crt-file in PEM
    #[arg(long, value_name = "FILE")]
    tls_key_file: Option<PathBuf>,
    /// Whose certificates the server's is checked against, in PEM
    #[arg(long, value_name = "FILE")]
    ca_crt_file: Option<PathBuf>,
}

impl Certificates {
    pub(super) fn authority(&self) -> Option<&Path> {
        given(&self.ca_crt_file)
    }

    /// Whether a client certificate is named, or its key.
    pub(super) fn has_pair(&self) -> bool {
        given(&self.tls_crt_file).or(given(&self.tls_key_file)).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.has_pair() && self.authority().is_none()
    }
}

/// The text of a file, none where it is empty.
fn text(file: Option<&Path>, what: &'static str) -> Result<Option<String>> {
    let text = file.map(|file| read(file, what)).transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// The Secret of certificates: a client's with its key, an authority's, or both.
pub(super) fn certificates(name: &str, files: &Certificates) -> Result<Credentials> {
    let authority = text(files.authority(), "unable to read TLS CA file")?;
    let certificate = text(given(&files.tls_crt_file), "failed to read cert file")?;
    let key = text(given(&files.tls_key_file), "failed to read key file")?;
    let mut secret = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let mut secret = Credentials::new(name.to_owned(), "kubernetes.io/tls");
            secret.say("tls.crt", certificate);
            secret.say("tls.key", key);
            secret
        }
        (Some(_), None) => bail!("found certificate but missing private key"),
        (None, Some(_)) => bail!("found private key but missing certificate"),
        (None, None) if authority.is_none() => bail!("no CA certificate or client certificate pair found"),
        (None, None) => Credentials::new(name.to_owned(), "Opaque"),
    };
    if let Some(authority) = authority {
        secret.say("ca.crt", authority);
    }
    Ok(secret)
}

#[derive(Args, Debug)]
pub(crate) struct Tls {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    files: Certificates,
}

impl Tls {
    pub(super) fn secret(&self) -> Result<Credentials> {
        certificates(self.common.name()?, &self.files)
    }
}

#[derive(Args, Debug)]
pub(crate) struct GithubApp {
    #[command(flatten)]
    pub(super) common: Common,
    /// The app's id
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// Whose repositories it is installed for: a user or an organization
    #[arg(long, value_name = "NAME")]
    app_installation_owner: Option<String>,
    /// The installation's id, in place of its owner
    #[arg(long, value_name = "ID")]
    app_installation_id: Option<String>,
    /// The app's private key in PEM
    #[arg(long, value_name = "FILE")]
    app_private_key: Option<PathBuf>,
    /// GitHub's own API, where that is not github.com's
    #[arg(long, value_name = "URL")]
    app_base_url: Option<String>,
}

impl GithubApp {
    pub(super) fn secret(&self) -> Result<Credentials> {
        let name = self.common.name()?;
        let file = self.app_private_key.as_deref().unwrap_or(Path::new(""));
        let key = read(file, "unable to read private key file")?;
        let id = said(&self.app_id).context("githubAppID is required")?;
        if key.is_empty() {
            bail!("githubAppPrivateKey is required");
        }
        let (owner, installation) = (
            said(&self.app_installation_owner),
            said(&self.app_installation_id),
        );
        if owner.is_some() == installation.is_some() {
            bail!("exactly one of githubAppInstallationOwner or githubAppInstallationID must be provided");
        }
        let mut secret = Credentials::new(name.to_owned(), "Opaque");
        secret.say("githubAppID", id);
        secret.say("githubAppPrivateKey", key);
        for (field, value) in [
            ("githubAppInstallationOwner", owner),
            ("githubAppInstallationID", installation),
            ("githubAppBaseURL", said(&self.app_base_url)),
        ] {
            if let Some(value) = value {
                secret.say(field, value);
            }
        }
        Ok(secret)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Notation {
    #[command(flatten)]
    pub(super) common: Common,
    /// The trust policy, in JSON
    #[arg(long, value_name = "FILE")]
    trust_policy_file: Option<PathBuf>,
    /// Whose certificates are trusted, a file that ends in .crt or .pem; may be repeated
    #[arg(long = "ca-cert-file", value_delimiter = ',', value_name = "FILE")]
    ca_cert_files: Vec<PathBuf>,
}

impl Notation {
    pub(super) fn secret(&self) -> Result<Credentials> {
        let name = self.common.name()?;
        if self.ca_cert_files.is_empty() {
            bail!("--ca-cert-file is required");
        }
        let Some(file) = given(&self.trust_policy_file) else {
            bail!("--trust-policy-file is required");
        };
        let policy = read(file, "unable to read trust policy file")?;
        check_policy(&policy, file)?;
        let mut secret = Credentials::untyped(name.to_owned());
        let mut failures = Vec::new();
        for file in &self.ca_cert_files {
            match certificate(file) {
                Ok((name, text)) => secret.say(&name, text),
                Err(failure) => failures.push(failure),
            }
        }
        if let Some(failure) = Several::of(failures) {
            return Err(failure);
        }
        secret.say("trustpolicy.json", policy);
        Ok(secret)
    }
}

/// Refuses what the controller would refuse.
fn check_policy(policy: &str, file: &Path) -> Result<()> {
    let Err(problem) = check_trust_policy(policy.as_bytes()) else {
        return Ok(());
    };
    let problem = problem.to_string();
    match problem.strip_prefix("error occurred while parsing trustpolicy.json: ") {
        Some(problem) => bail!("failed to unmarshal trust policy {}: {problem}", file.display()),
        None => bail!("invalid trust policy: {problem}"),
    }
}

/// The name and the text of a certificate of somebody who is trusted.
fn certificate(file: &Path) -> Result<(String, String)> {
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let extension = file.extension().and_then(|extension| extension.to_str());
    if !matches!(extension, Some("crt" | "pem")) {
        return Err(anyhow!("{name} must end with either .crt or .pem"));
    }
    Ok((name, read(file, "unable to read TLS CA file")?))
}
