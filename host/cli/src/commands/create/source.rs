//! `sluice create source`.

use super::credentials::{Credentials, read};
use super::{Common, Object, named, said, written};
use crate::args::{Global, duration};
use crate::commands::until;
use crate::kinds::{self, Kind, text};
use crate::tell;
use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Subcommand, Debug)]
pub(crate) enum Source {
    /// A GitRepository
    Git(Box<Git>),
    /// An OCIRepository
    Oci(Box<Oci>),
    /// A Bucket
    Bucket(Box<Bucket>),
    /// A HelmRepository
    Helm(Box<Helm>),
    /// A HelmChart
    Chart(Box<Chart>),
}

pub(super) async fn run(source: Source, global: &Global) -> Result<()> {
    match source {
        Source::Git(git) => git.run(global).await,
        Source::Oci(oci) => oci.run(global).await,
        Source::Bucket(bucket) => bucket.run(global).await,
        Source::Helm(helm) => helm.run(global).await,
        Source::Chart(chart) => chart.run(global).await,
    }
}

/// What every source is made with.
#[derive(Args, Debug)]
struct Fetched {
    #[command(flatten)]
    common: Common,
    /// How long a fetch may take
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    fetch_timeout: Option<Duration>,
}

impl Fetched {
    fn timeout(&self) -> Option<String> {
        let timeout = self.fetch_timeout.filter(|timeout| !timeout.is_zero());
        timeout.map(written)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Git {
    #[command(flatten)]
    fetched: Fetched,
    /// The address: http, https or ssh
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The head of this branch
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// This tag
    #[arg(long, value_name = "NAME")]
    tag: Option<String>,
    /// The newest tag in this range of versions
    #[arg(long, value_name = "RANGE")]
    tag_semver: Option<String>,
    /// This reference, as refs/heads/main
    #[arg(long, value_name = "NAME")]
    ref_name: Option<String>,
    /// This commit
    #[arg(long, value_name = "HASH")]
    commit: Option<String>,
    /// A user, whose password is put into a Secret with it
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// The password of --username
    #[arg(short, long, value_name = "PASSWORD")]
    password: Option<String>,
    /// The Secret with credentials
    #[arg(long, value_name = "NAME")]
    secret_ref: Option<String>,
    /// The Secret with the proxy's address and credentials
    #[arg(long, value_name = "NAME")]
    proxy_secret_ref: Option<String>,
    /// Whose server it is
    #[arg(long, value_parser = ["generic", "github", "aws", "azure"], value_name = "NAME")]
    provider: Option<String>,
    /// Whose certificates the server's is checked against, in PEM; put into a Secret
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Fetch submodules too
    #[arg(long)]
    recurse_submodules: bool,
    /// Accepted and not looked at: no deploy key is made, and nobody asked for it
    #[arg(short, long, hide = true)]
    #[allow(dead_code)] // read by the command line alone
    silent: bool,
    /// Files to leave out, may be repeated
    #[arg(long, value_delimiter = ',', value_name = "PATTERN")]
    ignore_paths: Vec<String>,
    /// Directories to check out, may be repeated
    #[arg(long, value_delimiter = ',', value_name = "DIR")]
    sparse_checkout_paths: Vec<String>,
}

impl Git {
    async fn run(&self, global: &Global) -> Result<()> {
        let common = &self.fetched.common;
        let name = common.name()?;
        let url = said(&self.url).context("url is required")?;
        let (scheme, _) = scheme_and_host(url);
        if !["ssh", "http", "https"].contains(&scheme) {
            bail!("git URL scheme '{scheme}' not supported, can be: ssh, http and https");
        }
        let Some(reference) = self.reference() else {
            bail!(
                "a Git ref is required, use one of the following: --branch, --tag, --commit, --ref-name or --tag-semver"
            );
        };
        if self.ca_file.is_some() && scheme == "ssh" {
            bail!("specifying a CA file is not supported for Git over SSH");
        }
        let spec = json!({
            "url": url,
            "interval": written(common.interval),
            "timeout": self.fetched.timeout(),
            "ref": reference,
            "recurseSubmodules": self.recurse_submodules.then_some(true),
            "ignore": lines(&self.ignore_paths),
            "sparseCheckout": (!self.sparse_checkout_paths.is_empty()).then_some(&self.sparse_checkout_paths),
            "secretRef": named(&self.secret_ref),
            "proxySecretRef": named(&self.proxy_secret_ref),
            "provider": said(&self.provider),
        });
        let object = common.object(kinds::GIT_REPOSITORY, spec, global)?;
        if common.export {
            return object.print();
        }
        let mut credentials = None;
        if said(&self.secret_ref).is_none() {
            if scheme == "ssh" {
                bail!(
                    "no key pair is made here: `create secret git` makes a Secret with one, which --secret-ref names then"
                );
            }
            if scheme == "http" {
                tell::warning("insecure configuration: credentials configured for an HTTP URL");
            }
            let mut secret = Credentials::new(name.to_owned(), "Opaque");
            if let (Some(username), Some(password)) = (said(&self.username), said(&self.password)) {
                secret.say("username", username.to_owned());
                secret.say("password", password.to_owned());
            }
            if let Some(file) = self.ca_file.as_ref().filter(|_| scheme == "https") {
                secret.say("ca.crt", read(file, "unable to read TLS CA file")?);
            }
            credentials = secret.if_any();
        }
        make(object, credentials, global).await
    }

    /// Which commit, where that is said.
    fn reference(&self) -> Option<Value> {
        let (branch, commit) = (said(&self.branch), said(&self.commit));
        let others = [
            ("name", said(&self.ref_name)),
            ("semver", said(&self.tag_semver)),
            ("tag", said(&self.tag)),
            ("branch", branch),
        ];
        if commit.is_some() {
            return Some(json!({ "branch": branch, "commit": commit }));
        }
        let (field, value) = others.into_iter().find(|(_, value)| value.is_some())?;
        Some(json!({ field: value }))
    }
}

#[derive(Args, Debug)]
pub(crate) struct Oci {
    #[command(flatten)]
    fetched: Fetched,
    /// The address: oci://REGISTRY/REPOSITORY
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// This tag
    #[arg(long, value_name = "NAME")]
    tag: Option<String>,
    /// The newest tag in this range of versions
    #[arg(long, value_name = "RANGE")]
    tag_semver: Option<String>,
    /// This digest
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// Whose registry it is
    #[arg(long, default_value = "generic", value_parser = PROVIDERS, value_name = "NAME")]
    provider: String,
    /// The Secret to pull with
    #[arg(long, value_name = "NAME")]
    secret_ref: Option<String>,
    /// The Secret with the proxy's address and credentials
    #[arg(long, value_name = "NAME")]
    proxy_secret_ref: Option<String>,
    /// The service account with Secrets to pull with
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// The Secret with certificates
    #[arg(long, value_name = "NAME")]
    cert_ref: Option<String>,
    #[command(flatten)]
    verify: Verify,
    /// Files to leave out, may be repeated
    #[arg(long, value_delimiter = ',', value_name = "PATTERN")]
    ignore_paths: Vec<String>,
    /// Speak plain http with the registry
    #[arg(long)]
    insecure: bool,
    /// Which layer, and whether it is extracted or copied
    #[arg(long, value_name = "MEDIATYPE:OPERATION")]
    layer_selector: Option<String>,
}

/// Whose registry or store it is.
const PROVIDERS: [&str; 4] = ["generic", "aws", "azure", "gcp"];

impl Oci {
    async fn run(&self, global: &Global) -> Result<()> {
        let common = &self.fetched.common;
        common.name()?;
        let url = said(&self.url).context("url is required")?;
        let (tag, semver, digest) = (said(&self.tag), said(&self.tag_semver), said(&self.digest));
        if tag.or(semver).or(digest).is_none() {
            bail!("--tag, --tag-semver or --digest is required");
        }
        let layer = said(&self.layer_selector).map(layer_selector).transpose()?;
        let spec = json!({
            "url": url,
            "provider": self.provider,
            "interval": written(common.interval),
            "timeout": self.fetched.timeout(),
            "ref": {"digest": digest, "semver": semver, "tag": tag},
            "insecure": self.insecure.then_some(true),
            "ignore": lines(&self.ignore_paths),
            "layerSelector": layer,
            "serviceAccountName": said(&self.service_account),
            "secretRef": named(&self.secret_ref),
            "proxySecretRef": named(&self.proxy_secret_ref),
            "certSecretRef": named(&self.cert_ref),
            "verify": self.verify.spec()?,
        });
        let object = common.object(kinds::OCI_REPOSITORY, spec, global)?;
        if common.export {
            return object.print();
        }
        make(object, None, global).await
    }
}

/// `mediatype:operation`.
fn layer_selector(text: &str) -> Result<Value> {
    let (media_type, operation) = text.split_once(':').unwrap_or_default();
    if media_type.is_empty() || operation.is_empty() {
        bail!("invalid --layer-selector {text:?}: must be in the format '<media-type>:<operation>'");
    }
    if !["extract", "copy"].contains(&operation) {
        bail!("invalid --layer-selector {text:?}: operation must be \"extract\" or \"copy\"");
    }
    Ok(json!({ "mediaType": media_type, "operation": operation }))
}

/// How signatures are verified.
#[derive(Args, Debug)]
struct Verify {
    /// How signatures are verified
    #[arg(long, value_parser = ["cosign", "notation"], value_name = "NAME")]
    verify_provider: Option<String>,
    /// The Secret with the keys
    #[arg(long, value_name = "NAME")]
    verify_secret_ref: Option<String>,
    /// Who must have signed, as a regular expression
    #[arg(long, value_name = "REGEX")]
    verify_subject: Option<String>,
    /// Who must have said who that was, as a regular expression
    #[arg(long, value_name = "REGEX")]
    verify_issuer: Option<String>,
}

impl Verify {
    fn spec(&self) -> Result<Option<Value>> {
        let (subject, issuer) = (said(&self.verify_subject), said(&self.verify_issuer));
        let has_identity = subject.or(issuer).is_some();
        let Some(provider) = said(&self.verify_provider) else {
            if said(&self.verify_secret_ref).is_some() {
                bail!("a verification provider must be specified when a secret is specified");
            }
            if has_identity {
                bail!("a verification provider must be specified when OIDC issuer/subject is specified");
            }
            return Ok(None);
        };
        let identity = json!([{
            "issuer": issuer.unwrap_or_default(),
            "subject": subject.unwrap_or_default(),
        }]);
        Ok(Some(json!({
            "provider": provider,
            "secretRef": named(&self.verify_secret_ref),
            "matchOIDCIdentity": has_identity.then_some(identity),
        })))
    }
}

#[derive(Args, Debug)]
pub(crate) struct Bucket {
    #[command(flatten)]
    fetched: Fetched,
    /// Whose store it is
    #[arg(long, default_value = "generic", value_parser = PROVIDERS, value_name = "NAME")]
    provider: String,
    /// The bucket's name
    #[arg(long, value_name = "NAME")]
    bucket_name: Option<String>,
    /// The store's address
    #[arg(long, value_name = "HOST")]
    endpoint: Option<String>,
    /// A key, put into a Secret with --secret-key
    #[arg(long, value_name = "KEY")]
    access_key: Option<String>,
    /// The secret of --access-key
    #[arg(long, value_name = "SECRET")]
    secret_key: Option<String>,
    /// The bucket's region
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// Speak plain http with the store
    #[arg(long)]
    insecure: bool,
    /// The Secret with credentials
    #[arg(long, value_name = "NAME")]
    secret_ref: Option<String>,
    /// The Secret with the proxy's address and credentials
    #[arg(long, value_name = "NAME")]
    proxy_secret_ref: Option<String>,
    /// Files to leave out, may be repeated
    #[arg(long, value_delimiter = ',', value_name = "PATTERN")]
    ignore_paths: Vec<String>,
}

impl Bucket {
    async fn run(&self, global: &Global) -> Result<()> {
        let common = &self.fetched.common;
        let name = common.name()?;
        let spec = json!({
            "bucketName": said(&self.bucket_name).context("bucket-name is required")?,
            "endpoint": said(&self.endpoint).context("endpoint is required")?,
            "provider": self.provider,
            "region": said(&self.region),
            "insecure": self.insecure.then_some(true),
            "interval": written(common.interval),
            "timeout": self.fetched.timeout(),
            "ignore": lines(&self.ignore_paths),
            "secretRef": named(&self.secret_ref),
            "proxySecretRef": named(&self.proxy_secret_ref),
        });
        let object = common.object(kinds::BUCKET, spec, global)?;
        if common.export {
            return object.print();
        }
        let mut secret = Credentials::new(format!("bucket-{name}"), "Opaque");
        secret.labels.clone_from(&object.labels);
        let keys = said(&self.access_key).zip(said(&self.secret_key));
        if let Some((access_key, secret_key)) = keys.filter(|_| said(&self.secret_ref).is_none()) {
            secret.say("accesskey", access_key.to_owned());
            secret.say("secretkey", secret_key.to_owned());
        }
        make(object, secret.if_any(), global).await
    }
}

#[derive(Args, Debug)]
pub(crate) struct Helm {
    #[command(flatten)]
    fetched: Fetched,
    /// The address: http, https or oci
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A user, whose password is put into a Secret with it
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// The password of --username
    #[arg(short, long, value_name = "PASSWORD")]
    password: Option<String>,
    /// A client certificate in PEM, put into a Secret with --key-file
    #[arg(long, value_name = "FILE")]
    cert_file: Option<PathBuf>,
    /// The key of --cert-file in PEM
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Whose certificates the server's is checked against, in PEM; put into a Secret
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// The Secret with credentials
    #[arg(long, value_name = "NAME")]
    secret_ref: Option<String>,
    /// Whose registry it is
    #[arg(long, value_name = "NAME")]
    oci_provider: Option<String>,
    /// Credentials go to other hosts that charts are fetched from
    #[arg(long)]
    pass_credentials: bool,
}

impl Helm {
    async fn run(&self, global: &Global) -> Result<()> {
        let common = &self.fetched.common;
        let name = common.name()?;
        let url = said(&self.url).context("url is required")?;
        let (scheme, host) = scheme_and_host(url);
        if !["http", "https", "oci"].contains(&scheme) {
            bail!("url scheme '{scheme}' not supported, can be: http, https and oci");
        }
        if host.is_empty() {
            bail!("url host is required");
        }
        let (is_oci, has_secret) = (scheme == "oci", said(&self.secret_ref).is_some());
        let provider = said(&self.oci_provider).filter(|_| is_oci);
        let pass_credentials = self.pass_credentials.then_some(true);
        let spec = json!({
            "url": url,
            "type": is_oci.then_some("oci"),
            "provider": provider,
            "interval": written(common.interval),
            "timeout": self.fetched.timeout(),
            "secretRef": named(&self.secret_ref),
            "passCredentials": pass_credentials.filter(|_| has_secret),
        });
        let object = common.object(kinds::HELM_REPOSITORY, spec, global)?;
        if common.export {
            return object.print();
        }
        let mut credentials = None;
        if !has_secret {
            credentials = self.credentials(format!("helm-{name}"))?.if_any();
        }
        if let Some(secret) = &mut credentials {
            secret.pass_credentials = pass_credentials;
        }
        make(object, credentials, global).await
    }

    /// A client certificate, or else a user and a password, either with an authority.
    fn credentials(&self, name: String) -> Result<Credentials> {
        let pair = self.cert_file.as_ref().zip(self.key_file.as_ref());
        let (username, password) = (said(&self.username), said(&self.password));
        let is_basic = username.or(password).is_some();
        let mut secret = match (pair, is_basic) {
            (Some((certificate, key)), _) => {
                let mut secret = Credentials::new(name, "kubernetes.io/tls");
                secret.say("tls.crt", read(certificate, "failed to read cert file")?);
                secret.say("tls.key", read(key, "failed to read key file")?);
                secret
            }
            (None, true) => {
                let mut secret = Credentials::new(name, "kubernetes.io/basic-auth");
                let username = username.context("username is required")?;
                let password = password.context("password is required")?;
                secret.say("username", username.to_owned());
                secret.say("password", password.to_owned());
                secret
            }
            (None, false) => Credentials::new(name, "Opaque"),
        };
        if let Some(file) = &self.ca_file {
            secret.say("ca.crt", read(file, "unable to read TLS CA file")?);
        }
        Ok(secret)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Chart {
    #[command(flatten)]
    fetched: Fetched,
    /// The source: HelmRepository, GitRepository or Bucket
    #[arg(long, value_name = "KIND/NAME")]
    source: Option<String>,
    /// The chart's name, or its path in the source
    #[arg(long, value_name = "NAME|PATH")]
    chart: Option<String>,
    /// The newest version in this range
    #[arg(long, value_name = "RANGE")]
    chart_version: Option<String>,
    /// What makes a new artifact: ChartVersion or Revision
    #[arg(long, default_value = "ChartVersion", value_name = "WHAT")]
    reconcile_strategy: String,
    #[command(flatten)]
    verify: Verify,
}

impl Chart {
    async fn run(&self, global: &Global) -> Result<()> {
        let common = &self.fetched.common;
        common.name()?;
        let source = said(&self.source).context("chart source is required")?;
        let spec = json!({
            "sourceRef": chart_source(source)?,
            "chart": said(&self.chart).context("chart name or path is required")?,
            "version": said(&self.chart_version),
            "reconcileStrategy": self.reconcile_strategy,
            "interval": written(common.interval),
            "verify": self.verify.spec()?,
        });
        let object = common.object(kinds::HELM_CHART, spec, global)?;
        if common.export {
            return object.print();
        }
        make(object, None, global).await
    }
}

/// `kind/name`.
fn chart_source(text: &str) -> Result<Value> {
    const KINDS: [&str; 3] = ["HelmRepository", "GitRepository", "Bucket"];
    let (asked, name) = match text.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => (kind, name),
        _ => bail!("invalid helm chart source '{text}', must be in format <kind>/<name>"),
    };
    let Some(kind) = KINDS.iter().find(|kind| kind.eq_ignore_ascii_case(asked)) else {
        bail!(
            "source kind '{asked}' is not supported, must be one of: {}",
            KINDS.join(", ")
        );
    };
    Ok(json!({ "kind": kind, "name": name }))
}

/// What a source is called while it is made, and what its creation is told as.
fn words(kind: Kind) -> (String, &'static str) {
    match kind.kind {
        "OCIRepository" => ("OCIRepository".to_owned(), "OCIRepository"),
        "GitRepository" => ("GitRepository source".to_owned(), "GitRepository source"),
        "Bucket" => ("Bucket source".to_owned(), "Bucket source"),
        kind => (format!("{kind} source"), "source"),
    }
}

/// Makes the source and what it needs, and waits until it was fetched.
async fn make(mut object: Object, credentials: Option<Credentials>, global: &Global) -> Result<()> {
    let deadline = Instant::now() + global.timeout;
    let client = global.connect.client().await?;
    let (what, made) = words(object.kind);
    let is_oci = object.kind.kind == kinds::OCI_REPOSITORY.kind;
    if !is_oci {
        tell::generate(&format!("generating {what}"));
    }
    if let Some(secret) = credentials {
        tell::action(match object.kind.kind {
            "Bucket" => "applying secret with the bucket credentials",
            _ => "applying secret with repository credentials",
        });
        until(deadline, secret.apply(&client, &global.namespace)).await?;
        let named = super::without_absent(json!({
            "secretRef": {"name": secret.name},
            "passCredentials": secret.pass_credentials,
        }));
        sluice_object::merge(&mut object.spec, named);
        tell::success("authentication configured");
    }
    tell::action(&format!("applying {what}"));
    let applied = until(deadline, object.apply(&client, global)).await?;
    tell::success(&format!("{made} {applied}"));
    tell::waiting(&format!("waiting for {what} reconciliation"));
    let ready = object.reconciled(&client, deadline).await?;
    tell::success(&format!("{what} reconciliation completed"));
    if kinds::is_static(object.kind, &ready) {
        return Ok(());
    }
    match text(&ready, "/status/artifact/revision") {
        Some(revision) => tell::success(&format!("fetched revision: {revision}")),
        None if is_oci => bail!("no artifact was found"),
        None => bail!("{what} reconciliation completed but no artifact was found"),
    }
    Ok(())
}

/// Patterns as the spec has them.
fn lines(patterns: &[String]) -> Option<String> {
    (!patterns.is_empty()).then(|| patterns.join("\n"))
}

/// The parts of a URL that are looked at here; empty ones of what is none.
pub(super) fn scheme_and_host(url: &str) -> (&str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (scheme, authority.rsplit('@').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_scheme_and_a_host() {
        for (url, expected) in [
            ("https://example.com/a", ("https", "example.com")),
            ("ssh://git@example.com:22/a", ("ssh", "example.com:22")),
            ("https:///a", ("https", "")),
            ("git@example.com:a/b", ("", "")),
        ] {
            assert_eq!(scheme_and_host(url), expected, "{url}");
        }
    }

    #[test]
    fn layers_are_named_by_type_and_operation() {
        let told = |text: &str| match layer_selector(text) {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            told("application/x:copy"),
            r#"{"mediaType":"application/x","operation":"copy"}"#
        );
        assert_eq!(
            told("copy"),
            "invalid --layer-selector \"copy\": must be in the format '<media-type>:<operation>'"
        );
        assert_eq!(
            told("a:b"),
            "invalid --layer-selector \"a:b\": operation must be \"extract\" or \"copy\""
        );
    }
}
