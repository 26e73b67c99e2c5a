//! Service accounts whose identity is used in the place of the controller's: Flux's object-level workload identity.

use std::sync::Arc;

use futures::future::BoxFuture;
use sluice_event::Redacted;

use super::Clouds;
use crate::credential::Error;

/// The role of Amazon that a service account is.
pub(super) const AWS_ROLE: &str = "eks.amazonaws.com/role-arn";
/// The application of Microsoft's that a service account is.
pub(super) const AZURE_CLIENT: &str = "azure.workload.identity/client-id";
/// And whose application that is.
pub(super) const AZURE_TENANT: &str = "azure.workload.identity/tenant-id";
/// The account of Google that a service account may act as.
pub(super) const GCP_ACCOUNT: &str = "iam.gke.io/gcp-service-account";
/// Whom Google trusts for a service account of a cluster that is not Google's.
pub(super) const GCP_PROVIDER: &str = "gcp.auth.fluxcd.io/workload-identity-provider";

/// A service account of this cluster, as clouds get to know it.
pub trait Account: Send + Sync + std::fmt::Debug {
    /// Namespace and name.
    fn place(&self) -> (&str, &str);
    /// An annotation of it.
    fn annotation(&self, name: &str) -> Option<&str>;
    /// A token of it that `audience` trusts.
    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Redacted<String>, Error>>;
}

impl Clouds {
    /// The same, but asked as `account` and not as the controller. What is kept for one is given to no other.
    #[must_use]
    pub fn as_account(&self, account: Arc<dyn Account>) -> Clouds {
        Clouds {
            shared: Arc::clone(&self.shared),
            account: Some(account),
            user: self.user.clone(),
            way: self.way.clone(),
        }
    }

    /// Whether they are asked as an account, and not as the controller.
    pub(crate) fn is_account(&self) -> bool {
        self.account.is_some()
    }

    /// Who is asked as, and what for: the name of something that is kept.
    pub(super) fn kept(&self, what: &str) -> String {
        let Some(account) = &self.account else {
            return what.to_owned();
        };
        let (namespace, name) = account.place();
        let known = [AWS_ROLE, AZURE_CLIENT, AZURE_TENANT, GCP_ACCOUNT, GCP_PROVIDER];
        let known = known.map(|annotation| account.annotation(annotation).unwrap_or_default());
        format!("{what} as {namespace}/{name} {known:?}")
    }
}

impl std::fmt::Debug for Clouds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clouds(as {:?})", self.account)
    }
}

/// An annotation that must be there, and look like one.
pub(super) fn annotated<'a>(
    account: &'a dyn Account,
    name: &str,
    pattern: &str,
    is_good: impl Fn(&str) -> bool,
) -> Result<&'a str, Error> {
    let value = account.annotation(name).unwrap_or_default();
    if is_good(value) {
        return Ok(value);
    }
    let (namespace, account) = account.place();
    Err(Error(format!(
        "service account '{namespace}/{account}': invalid {name} annotation: '{value}'. must match {pattern}"
    )))
}

/// A token of an account for an audience; the error says whose.
pub(super) async fn token_of(account: &dyn Account, audience: &str) -> Result<Redacted<String>, Error> {
    let (namespace, name) = account.place();
    account.token(audience).await.map_err(|error| {
        Error(format!(
            "failed to create kubernetes token for service account '{namespace}/{name}': {error}"
        ))
    })
}
