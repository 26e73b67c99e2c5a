//! Tokens of service accounts, for those who trust this cluster's.

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity, RequestError};
use sluice_object::{GroupVersionKind, ObjectId};
use std::time::Duration;
use zeroize::Zeroizing;

/// How long tokens are asked for, as Flux does.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A token, and how long it holds.
pub(super) struct Token {
    pub(super) text: Zeroizing<String>,
    pub(super) lifetime: Duration,
}

/// A token of an account (namespace and name), or of the controller's own where none is given.
pub(super) async fn request(
    cluster: &dyn Cluster,
    account: Option<(&str, &str)>,
    audiences: &[String],
) -> Result<Token, RequestError> {
    let (namespace, name) = match account {
        Some((namespace, name)) => (namespace.to_owned(), name.to_owned()),
        None => own_account(cluster).await?,
    };
    let id = ObjectId {
        gvk: GroupVersionKind::new("v1", "ServiceAccount"),
        namespace: Some(namespace),
        name,
    };
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": audiences, "expirationSeconds": LIFETIME.as_secs()},
    });
    let answer = cluster
        .create_in(&Identity::AsController, &id, "token", body)
        .await?;
    let text = answer
        .pointer("/status/token")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if text.is_empty() {
        return Err(RequestError::Transport(
            "the API server answered no token".to_owned(),
        ));
    }
    let expires = answer
        .pointer("/status/expirationTimestamp")
        .and_then(Value::as_str);
    let lifetime = expires
        .and_then(|expires| expires.parse::<Timestamp>().ok())
        .and_then(|at| Duration::try_from(at.duration_since(Timestamp::now())).ok());
    Ok(Token {
        text: Zeroizing::new(text.to_owned()),
        lifetime: lifetime.unwrap_or(LIFETIME),
    })
}

/// The account this process runs as, by what the API server says.
async fn own_account(cluster: &dyn Cluster) -> Result<(String, String), RequestError> {
    let gvk = GroupVersionKind::new("authentication.k8s.io/v1", "SelfSubjectReview");
    let id = ObjectId {
        gvk,
        namespace: None,
        name: String::new(),
    };
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer = cluster.create(&Identity::AsController, &id, body).await?;
    let user = answer
        .pointer("/status/userInfo/username")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let account = user
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'));
    account
        .map(|(namespace, name)| (namespace.to_owned(), name.to_owned()))
        .ok_or_else(|| {
            RequestError::NoUser(format!(
                "'{user}' is no service account: name one, tokens are made for no other users"
            ))
        })
}
