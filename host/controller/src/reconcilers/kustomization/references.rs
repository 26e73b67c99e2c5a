//! Reading the Secrets and ConfigMaps that a Kustomization names, in whose name its administrator wants it.

use super::gate;
use crate::reconcilers::source;
use crate::runtime::Run;
use serde_json::Value;
use sluice_api::Kustomization;
use sluice_apply::cluster::{Identity, RequestError};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Why a reference cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Unread {
    /// It is not there. The text is the API server's.
    #[error("{0} not found")]
    Missing(String),
    /// The API server refused, or was not reached.
    #[error("{0}")]
    Request(RequestError),
    /// A value of a Secret is not what the API server lets in.
    #[error("the value of {0} is not base64")]
    NotBase64(String),
}

impl Unread {
    /// Whether asking again can help.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Request(error) if error.is_transient())
    }
}

/// In whose name references are read: the controller's as in Flux, the tenant's in the locked profile.
pub(super) fn reader(run: &Run, ks: &Kustomization) -> Identity {
    if run.cx.config.read_references_as_tenant {
        gate::identity(ks, &run.cx.config)
    } else {
        Identity::AsController
    }
}

/// The values of a Secret, decoded. Whoever reads it is woken when it changes.
pub(super) async fn secret(
    run: &Run,
    identity: &Identity,
    namespace: &str,
    name: &str,
) -> Result<BTreeMap<String, Zeroizing<Vec<u8>>>, Unread> {
    let object = object(run, identity, "Secret", namespace, name).await?;
    let values = source::values(&object).map(|value| match value {
        Ok((key, bytes)) => Ok((key, Zeroizing::new(bytes))),
        Err((key, _)) => Err(Unread::NotBase64(key)),
    });
    values.collect()
}

/// The values of a ConfigMap. Whoever reads it is woken when it changes.
pub(super) async fn config_map(
    run: &Run,
    identity: &Identity,
    namespace: &str,
    name: &str,
) -> Result<BTreeMap<String, String>, Unread> {
    let object = object(run, identity, "ConfigMap", namespace, name).await?;
    let data = object.get("data").and_then(Value::as_object);
    let values = data.into_iter().flatten();
    let values = values.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()));
    Ok(values.collect())
}

async fn object(
    run: &Run,
    identity: &Identity,
    kind: &'static str,
    namespace: &str,
    name: &str,
) -> Result<Value, Unread> {
    match run.read(identity, kind, namespace, name).await {
        Ok(Some(object)) => Ok(object),
        Ok(None) => Err(Unread::Missing(format!("{}s \"{name}\"", kind.to_lowercase()))),
        Err(error) => Err(Unread::Request(error)),
    }
}
