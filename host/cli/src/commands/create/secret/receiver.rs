//! What a webhook is called with.

use super::said;
use crate::args::Global;
use crate::commands::create::Common;
use crate::commands::create::credentials::Credentials;
use anyhow::{Result, bail};
use clap::Args;
use std::fmt::Write as _;

/// Where the URL is told.
const WEBHOOK: &str = "notification.toolkit.fluxcd.io/webhook";

const TYPES: [&str; 12] = [
    "generic",
    "generic-hmac",
    "github",
    "gitlab",
    "bitbucket",
    "harbor",
    "dockerhub",
    "quay",
    "gcr",
    "nexus",
    "acr",
    "cdevents",
];

#[derive(Args, Debug)]
pub(crate) struct Receiver {
    #[command(flatten)]
    pub(super) common: Common,
    /// Who calls
    #[arg(long = "type", value_parser = TYPES, value_name = "NAME")]
    of_type: Option<String>,
    /// What the call proves itself with; a random one where none is given
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// The host of the webhook's URL, as flux.example.com
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// The account that calls, where that is gcr
    #[arg(long, value_name = "EMAIL")]
    email_claim: Option<String>,
    /// Whom its tokens are for, where that is gcr; the webhook's URL unless given
    #[arg(long, value_name = "AUDIENCE")]
    audience_claim: Option<String>,
}

impl Receiver {
    pub(super) fn secret(&self, global: &Global) -> Result<Credentials> {
        let name = self.common.name()?;
        let Some(of_type) = said(&self.of_type) else {
            bail!("--type is required");
        };
        let Some(hostname) = said(&self.hostname) else {
            bail!("--hostname is required");
        };
        let is_gcr = of_type == "gcr";
        let email = said(&self.email_claim).filter(|_| is_gcr);
        if is_gcr && email.is_none() {
            bail!("--email-claim is required for gcr receiver type");
        }
        let token = match said(&self.token) {
            Some(token) => token.to_owned(),
            None => random()?,
        };
        let url = url(hostname, &token, name, &global.namespace);
        let mut secret = Credentials::untyped(name.to_owned());
        if let Some(email) = email {
            secret.say("email", email);
            secret.say("audience", said(&self.audience_claim).unwrap_or(&url));
        }
        secret.say("token", token);
        secret.annotations.insert(WEBHOOK.to_owned(), url);
        Ok(secret)
    }
}

/// Where the notification controller listens for a Receiver of that name with that token.
fn url(hostname: &str, token: &str, name: &str, namespace: &str) -> String {
    let digest = sluice_object::digest(format!("{token}{name}{namespace}"));
    let digest = digest.strip_prefix("sha256:").unwrap_or(&digest);
    format!("https://{hostname}/hook/{digest}")
}

/// 32 random bytes as text.
fn random() -> Result<String> {
    let mut bytes = [0; 32];
    let provider = rustls::crypto::ring::default_provider();
    if provider.secure_random.fill(&mut bytes).is_err() {
        bail!("failed to generate random token");
    }
    let mut text = String::with_capacity(64);
    for byte in bytes {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_tokens_are_not_the_same() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
