//! Google: the token of the workload, which its registries take as a password.

use std::time::Duration;

use serde::Deserialize;

use super::{Shared, basic};
use crate::credential::{Credentials, Error};

/// Who one is to a registry that knows one by a token.
const USER: &str = "oauth2accesstoken";
const TOKEN: &str =
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";

pub(super) fn check(host: &str) -> Result<(), Error> {
    let is_known = host == "gcr.io"
        || host.ends_with(".gcr.io")
        || host.ends_with("-docker.pkg.dev")
        || host == "docker.s3nsregistry.fr"
        || host.ends_with("-docker.s3nsregistry.fr");
    match is_known {
        true => Ok(()),
        false => Err(Error(format!(
            "invalid GCP registry: '{host}'. must match gcr.io, *.gcr.io or *-docker.pkg.dev"
        ))),
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: u64,
}

impl Shared {
    pub(super) async fn gcp_login(&self) -> Result<(Credentials, Duration), Error> {
        let (token, lifetime) = self.gcp_token().await?;
        Ok((basic(USER, &token), lifetime))
    }

    /// The workload's token, and how long it is still good for.
    pub(super) async fn gcp_token(&self) -> Result<(String, Duration), Error> {
        let request = self.get(TOKEN, &[("metadata-flavor", "Google")])?;
        let token: Token = self.ask("the machine's metadata service", request).await?;
        Ok((token.access_token, Duration::from_secs(token.expires_in)))
    }
}
