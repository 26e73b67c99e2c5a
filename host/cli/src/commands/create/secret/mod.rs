//! `sluice create secret`: what Flux's objects are let in with, in the form they look for.

mod files;
mod git;
mod logins;
mod receiver;

use super::credentials::Credentials;
use super::{Common, said};
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

pub(super) async fn run(secret: Secret, global: &Global) -> Result<()> {
    match secret {
        Secret::Git(git) => git.run(global).await,
        Secret::Githubapp(app) => {
            let secret = app.secret()?;
            make("githubapp secret", &app.common, secret, global).await
        }
        Secret::Helm(helm) => {
            let secret = helm.secret()?;
            make("helm secret", &helm.common, secret, global).await
        }
        Secret::Notation(notation) => {
            let secret = notation.secret()?;
            make("notation configuration secret", &notation.common, secret, global).await
        }
        Secret::Oci(oci) => {
            let secret = oci.secret()?;
            make("oci secret", &oci.common, secret, global).await
        }
        Secret::Proxy(proxy) => {
            let secret = proxy.secret()?;
            make("proxy secret", &proxy.common, secret, global).await
        }
        Secret::Receiver(receiver) => {
            let secret = receiver.secret(global)?;
            make("receiver secret", &receiver.common, secret, global).await
        }
        Secret::Tls(tls) => {
            let secret = tls.secret()?;
            make("tls secret", &tls.common, secret, global).await
        }
    }
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
