//! Service accounts as identities at clouds: Flux's object-level workload identity (compat/source.md 11.4).

use super::source::{Missing, service_account};
use super::tokens;
use crate::config::gates::OBJECT_IDENTITY;
use crate::error_policy::Failure;
use crate::runtime::Run;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use sluice_api::reason;
use sluice_apply::cluster::Cluster;
use sluice_event::Redacted;
use sluice_source::credential::cloud::{Account, Clouds};
use sluice_source::credential::{Error as CredentialError, TokenUser};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What is said where `--default-service-account` is not there: who wrote the object has not named it, and cannot mend it.
const LOCKED_DOWN: &str = "the specified default service account does not exist in the object namespace. your cluster is subject to multi-tenant workload identity lockdown, reach out to your cluster administrator for help";

/// What is said of `spec.serviceAccountName` while the gate of identities that belong to objects is closed.
const OBJECT_IDENTITY_OFF: &str = "to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller";

/// An account of the object's namespace.
struct Workload {
    cluster: Arc<dyn Cluster>,
    namespace: String,
    name: String,
    annotations: BTreeMap<String, String>,
}

impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Workload({}/{})", self.namespace, self.name)
    }
}

impl Account for Workload {
    fn place(&self) -> (&str, &str) {
        (&self.namespace, &self.name)
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(String::as_str)
    }

    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Redacted<String>, CredentialError>> {
        async move {
            let account = Some((self.namespace.as_str(), self.name.as_str()));
            let token = tokens::request(&*self.cluster, account, &[audience.to_owned()]).await;
            let token = token.map_err(|error| CredentialError(error.to_string()))?;
            Ok(Redacted::new(token.text.to_string()))
        }
        .boxed()
    }
}

/// Whether a source may name an account that is its identity.
///
/// # Errors
/// It names one, and the gate is closed.
pub(super) fn allow(run: &Run, named: Option<&str>) -> Result<(), Failure> {
    match named {
        Some(_) if !run.cx.config.gate(OBJECT_IDENTITY) => {
            Err(Failure::stall(reason::FEATURE_GATE_DISABLED, OBJECT_IDENTITY_OFF))
        }
        _ => Ok(()),
    }
}

/// The clouds as a source asks them: as the account it names, else as `--default-service-account` where accounts may be
/// identities, else as the controller.
///
/// # Errors
/// The account is not there, or cannot be read.
pub(super) async fn clouds_of(run: &Run, clouds: &Clouds, named: Option<&str>) -> Result<Clouds, String> {
    let config = &run.cx.config;
    let default = config.default_service_account.as_deref();
    match default.filter(|_| named.is_none() && config.gate(OBJECT_IDENTITY)) {
        Some(name) => acting_as(run, clouds, name, LOCKED_DOWN).await,
        None => clouds_as(run, clouds, named).await,
    }
}

/// The clouds as an account of the object's namespace asks them, or the controller where none is given.
///
/// # Errors
/// The account is not there, or cannot be read.
pub(super) async fn clouds_as(run: &Run, clouds: &Clouds, account: Option<&str>) -> Result<Clouds, String> {
    match account {
        Some(name) => acting_as(run, clouds, name, &format!("ServiceAccount \"{name}\" not found")).await,
        None => Ok(clouds.for_object(user_of(run))),
    }
}

/// The clouds as this account asks them; `absent` is said where it is not there.
async fn acting_as(run: &Run, clouds: &Clouds, name: &str, absent: &str) -> Result<Clouds, String> {
    let namespace = run.key.namespace.to_string();
    let found = service_account(run, name).await;
    let found = found.map_err(|missing| {
        let cause = match &missing {
            Missing::NotFound(_) => absent,
            Missing::Failed(text) => text.as_str(),
        };
        format!("failed to get service account '{namespace}/{name}': {cause}")
    })?;
    let annotations = found.pointer("/metadata/annotations").and_then(Value::as_object);
    let annotations = annotations.into_iter().flatten();
    let annotations = annotations
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    let clouds = clouds.for_object(user_of(run));
    Ok(clouds.as_account(Arc::new(Workload {
        cluster: run.cx.cluster.clone(),
        namespace,
        name: name.to_owned(),
        annotations,
    })))
}

/// The object whose tokens these are, for metrics.
pub(super) fn user_of(run: &Run) -> TokenUser {
    TokenUser::new(run.key.kind, &run.key.namespace, &run.key.name)
}
