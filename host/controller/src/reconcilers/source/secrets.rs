//! Reading the Secrets and service accounts that a source names. Always in the object's own namespace (compat/source.md 1.2).

use crate::runtime::Run;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sluice_apply::cluster::Identity;
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_source::SecretData;

/// Why a Secret or a service account could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Missing {
    /// It is not there. The API server's text, `secrets "x" not found`.
    NotFound(String),
    /// The API server gave an error, or the data is no Secret's.
    Failed(String),
}

impl Missing {
    /// As Flux's helpers say it: `secret 'ns/name' not found` where it is missing, the API server's text otherwise (11.2).
    pub(in super::super) fn by_helper(&self, what: &str, run: &Run, name: &str) -> String {
        match self {
            Self::NotFound(_) => format!("{what} '{}/{name}' not found", run.key.namespace),
            Self::Failed(text) => text.clone(),
        }
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotFound(text) | Self::Failed(text) => f.write_str(text),
        }
    }
}

/// The decoded data of a Secret.
pub(in super::super) async fn secret(run: &Run, name: &str) -> Result<SecretData, Missing> {
    let secret = get(run, "Secret", "secrets", name).await?;
    let data = secret.get("data").and_then(Value::as_object);
    let decoded = data.into_iter().flatten().map(|(key, value)| {
        let bytes = STANDARD.decode(value.as_str().unwrap_or_default());
        let bytes = bytes.map_err(|error| Missing::Failed(format!("key '{key}': {error}")))?;
        Ok((key.clone(), bytes))
    });
    decoded.collect()
}

/// A service account.
pub(in super::super) async fn service_account(run: &Run, name: &str) -> Result<Value, Missing> {
    get(run, "ServiceAccount", "serviceaccounts", name).await
}

async fn get(run: &Run, kind: &str, plural: &str, name: &str) -> Result<Value, Missing> {
    let id = ObjectId {
        gvk: GroupVersionKind::new("v1", kind),
        namespace: Some(run.key.namespace.to_string()),
        name: name.to_owned(),
    };
    let found = run.cx.cluster.get(&Identity::AsController, &id).await;
    found
        .map_err(|error| Missing::Failed(error.to_string()))?
        .ok_or_else(|| Missing::NotFound(format!("{plural} \"{name}\" not found")))
}
