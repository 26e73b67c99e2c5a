//! Reading the Secrets and service accounts that a source names. Always in the object's own namespace (compat/source.md 1.2).

use super::Trouble;
use crate::runtime::Run;
use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine as _};
use serde_json::Value;
use sluice_api::LocalObjectReference;
use sluice_apply::cluster::Identity;
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_source::{CredentialsError, SecretData};

/// Why a Secret or a service account could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcilers) enum Missing {
    /// It is not there. The API server's text, `secrets "x" not found`.
    NotFound(String),
    /// The API server gave an error, or the data is no Secret's.
    Failed(String),
}

impl Missing {
    /// As Flux's helpers say it: `secret 'ns/name' not found` where it is missing, and around the API server's text otherwise
    /// (11.2).
    pub(in crate::reconcilers) fn by_helper(&self, what: &str, run: &Run, name: &str) -> String {
        let place = format!("{what} '{}'", run.beside(name));
        match self {
            Self::NotFound(_) => format!("{place} not found"),
            Self::Failed(text) => format!("failed to get {place}: {text}"),
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
pub(in crate::reconcilers) async fn secret(run: &Run, name: &str) -> Result<SecretData, Missing> {
    let secret = get(run, "Secret", "secrets", name).await?;
    let odd = |(key, error)| Missing::Failed(format!("key '{key}': {error}"));
    values(&secret).map(|value| value.map_err(odd)).collect()
}

/// The decoded values of a Secret by their keys; the key of one that is not base64, and why it is not.
pub(in crate::reconcilers) fn values(
    secret: &Value,
) -> impl Iterator<Item = Result<(String, Vec<u8>), (String, DecodeError)>> {
    let data = secret.get("data").and_then(Value::as_object);
    data.into_iter().flatten().map(
        |(key, value)| match STANDARD.decode(value.as_str().unwrap_or_default()) {
            Ok(bytes) => Ok((key.clone(), bytes)),
            Err(error) => Err((key.clone(), error)),
        },
    )
}

/// What `read` finds in the Secret that is named, if one is. What fails begins with `failed`, and goes on as in Flux's helpers.
pub(in crate::reconcilers) async fn read_as<T>(
    run: &Run,
    reference: Option<&LocalObjectReference>,
    failed: &str,
    read: impl FnOnce(&SecretData, &str) -> Result<T, CredentialsError>,
) -> Result<Option<T>, Trouble> {
    let Some(LocalObjectReference { name }) = reference else {
        return Ok(None);
    };
    let failed = |cause: String| Trouble::refused(format!("{failed}: {cause}"));
    let data = secret(run, name).await;
    let data = data.map_err(|missing| failed(missing.by_helper("secret", run, name)))?;
    let found = read(&data, &run.beside(name));
    found.map(Some).map_err(|error| failed(error.to_string()))
}

/// A service account.
pub(in crate::reconcilers) async fn service_account(run: &Run, name: &str) -> Result<Value, Missing> {
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
