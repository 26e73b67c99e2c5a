//! `sluice create secret`: what Flux's objects are let in with, in the form they look for.

mod files;
mod git;
mod logins;
mod receiver;

use super::credentials::Credentials;
use super::{Common, given, said};
use crate::args::Global;
use crate::commands::until;
use crate::tell;
use anyhow::{Context as _, Result};
use clap::Subcommand;
use tokio::time::Instant;

#[derive(Subcommand, Debug)]
pub(crate) enum Secret {
    /// For a Git server: a user with a password, a token, or an SSH key
    Git(Box<git::Git>),
    /// For GitHub, as an app that is installed there
    Githubapp(files::GithubApp),
    /// For a chart repository: a user with a password, or a client certificate
    Helm(logins::Helm),
    /// Whose signatures of Notation are trusted
    Notation(files::Notation),
    /// For a registry: a user with a password, as an image pull secret
    Oci(logins::Oci),
    /// A proxy's address, and a user with a password
    Proxy(logins::Proxy),
    /// What a webhook is called with, and its URL
    Receiver(receiver::Receiver),
    /// Certificates, and a key
    Tls(files::Tls),
}

pub(super) async fn run(secret: &Secret, global: &Global) -> Result<()> {
    let (what, common, secret) = match secret {
        Secret::Git(git) => ("git secret", &git.common, git.secret().await?),
        Secret::Githubapp(app) => ("githubapp secret", &app.common, app.secret()?),
        Secret::Helm(helm) => ("helm secret", &helm.common, helm.secret()?),
        Secret::Notation(notation) => {
            let what = "notation configuration secret";
            (what, &notation.common, notation.secret()?)
        }
        Secret::Oci(oci) => ("oci secret", &oci.common, oci.secret()?),
        Secret::Proxy(proxy) => ("proxy secret", &proxy.common, proxy.secret()?),
        Secret::Receiver(receiver) => ("receiver secret", &receiver.common, receiver.secret(global)?),
        Secret::Tls(tls) => ("tls secret", &tls.common, tls.secret()?),
    };
    make(what, common, secret, global).await
}

/// Prints the Secret, or makes it; `what` is what it is told as.
async fn make(what: &str, common: &Common, mut secret: Credentials, global: &Global) -> Result<()> {
    secret.labels = common.labels()?;
    if common.export {
        return secret.print(&global.namespace);
    }
    let deadline = Instant::now() + global.timeout;
    let client = global.connect.client().await?;
    until(deadline, secret.apply(&client, &global.namespace)).await?;
    tell::action(&format!(
        "{what} '{}' created in '{}' namespace",
        secret.name, global.namespace
    ));
    Ok(())
}

/// A user with a password, neither of which may be missing.
fn basic(name: &str, username: Option<&str>, password: Option<&str>) -> Result<Credentials> {
    let mut secret = Credentials::new(name.to_owned(), "kubernetes.io/basic-auth");
    secret.say("username", username.context("username is required")?);
    secret.say("password", password.context("password is required")?);
    Ok(secret)
}
