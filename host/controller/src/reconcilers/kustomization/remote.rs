//! The cluster that `spec.kubeConfig` names (compat/kustomize.md 10).

use super::kubeconfig::{Allowances, sanitized};
use super::memory::Memory;
use super::references::{self, Unread};
use crate::config::gates::OBJECT_IDENTITY;
use crate::error_policy::Failure;
use crate::reconcilers::source::{Missing, service_account};
use crate::reconcilers::{tokens, workload};
use crate::runtime::{Remote, Run};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;
use sluice_api::{Kustomization, SecretKeyReference, reason};
use sluice_apply::cluster::{KubeCluster, RetryPolicy};
use sluice_apply::live::{Short, short};
use sluice_event::Redacted;
use sluice_source::credential::cloud::{Cloud, Clouds, Cluster, ClusterAccess};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A client made with a token is made anew when half of the token's life is over.
const TOKEN_LIFE_USED: u32 = 2;

/// The cluster a Kustomization is attached to.
#[derive(Clone)]
pub(super) struct Attached {
    digest: Short,
    remote: Arc<Remote>,
    renew_at: Option<Instant>,
}

/// Why a cluster cannot be reached.
#[derive(Debug)]
pub(super) enum Unattached {
    /// The Secret, ConfigMap or service account is not there: whoever deletes the Kustomization cannot wait for it.
    Missing(Failure),
    /// Anything else.
    Failed(Failure),
}

impl From<Unattached> for Failure {
    fn from(unattached: Unattached) -> Self {
        match unattached {
            Unattached::Missing(failure) | Unattached::Failed(failure) => failure,
        }
    }
}

/// The run with its objects in the cluster that `ks` names; none where it is this one. The cluster is kept in `memory` as
/// long as its kubeconfig stays the same.
pub(super) async fn attach(
    run: &Run,
    ks: &Kustomization,
    clouds: Option<&Clouds>,
    memory: &mut Memory,
) -> Result<Option<Run>, Unattached> {
    let Some(reference) = &ks.spec.kube_config else {
        memory.remote = None;
        return Ok(None);
    };
    let attached = match (&reference.secret_ref, &reference.config_map_ref) {
        (Some(secret), None) => by_secret(run, ks, secret).await?,
        (None, Some(config_map)) => {
            by_config_map(run, ks, &config_map.name, clouds, memory.remote.as_ref()).await?
        }
        _ => {
            let message =
                "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified";
            return Err(Unattached::Failed(Failure::stall(reason::INVALID_SPEC, message)));
        }
    };
    let elsewhere = run.towards(attached.remote.clone());
    memory.remote = Some(attached);
    Ok(Some(elsewhere))
}

async fn by_secret(
    run: &Run,
    ks: &Kustomization,
    secret: &SecretKeyReference,
) -> Result<Attached, Unattached> {
    let namespace = &*run.key.namespace;
    let subject = format!("{namespace}/{}", secret.name);
    let identity = references::reader(run, ks);
    let values = references::secret(run, &identity, namespace, &secret.name).await;
    let values = values.map_err(|error| {
        unread(
            format!("unable to read KubeConfig secret '{subject}' error: {error}"),
            &error,
        )
    })?;
    let key = secret.key.as_deref().filter(|key| !key.is_empty());
    let found = match key {
        Some(key) => values.get(key),
        None => values.get("value").or_else(|| values.get("value.yaml")),
    };
    let Some(text) = found else {
        let key = key.unwrap_or("value");
        let message =
            format!("KubeConfig secret '{subject}' does not contain a '{key}' key with a kubeconfig");
        return Err(failed(message));
    };
    let invalid = |why: &str| failed(format!("invalid KubeConfig in secret '{subject}': {why}"));
    let text = std::str::from_utf8(text).map_err(|_| invalid("the kubeconfig is no text"))?;
    let allowed = Allowances {
        insecure_tls: run.cx.config.insecure_kubeconfig_tls,
    };
    let kubeconfig = sanitized(text, allowed).map_err(|why| invalid(&why))?;
    let digest = short(format!("{allowed:?}{text}").as_bytes());
    open(run, kubeconfig, digest, None)
        .await
        .map_err(|why| invalid(&why))
}

/// A cluster that trusts tokens of this one (provider `generic`), or one of a cloud that knows us.
async fn by_config_map(
    run: &Run,
    ks: &Kustomization,
    name: &str,
    clouds: Option<&Clouds>,
    attached: Option<&Attached>,
) -> Result<Attached, Unattached> {
    let namespace = &*run.key.namespace;
    let subject = format!("{namespace}/{name}");
    let identity = references::reader(run, ks);
    let values = references::config_map(run, &identity, namespace, name).await;
    let values =
        values.map_err(|error| unread(format!("failed to get configmap {subject}: {error}"), &error))?;
    let invalid = |why: String| failed(format!("KubeConfig configmap '{subject}': {why}"));
    let provider = text(&values, "provider");
    let cloud = cloud_of(provider, &subject)?;
    let named = Some(text(&values, "serviceAccountName")).filter(|name| !name.is_empty());
    if named.is_some() && !run.cx.config.gate(OBJECT_IDENTITY) {
        return Err(failed(format!(
            "{NO_TOKEN}: {OBJECT_IDENTITY} feature gate is not enabled; serviceAccountName of KubeConfig configmap \
             '{subject}' needs it"
        )));
    }
    let account = named.or(run.cx.config.default_kubeconfig_service_account.as_deref());
    let never = |why: &str| {
        let message = format!("KubeConfig configmap '{subject}': provider '{provider}': {why}");
        Unattached::Failed(Failure::stall(reason::INVALID_SPEC, message))
    };
    // whoever writes the ConfigMap says to which server the token goes, and for which audiences it is made
    if account.is_none() && run.cx.config.read_references_as_tenant {
        return Err(never(
            "the locked profile lends the controller's own identity to nobody: name a serviceAccountName",
        ));
    }
    let digest = short(json!([values, account, namespace]).to_string().as_bytes());
    if let Some(attached) = attached.filter(|attached| {
        attached.digest == digest && attached.renew_at.is_some_and(|at| at > Instant::now())
    }) {
        return Ok(attached.clone());
    }
    let asked_at = Instant::now();
    let access = match cloud {
        None => by_our_token(run, &values, account).await?,
        Some(cloud) => {
            let clouds = clouds.ok_or_else(|| never("this process has no identity at a cloud"))?;
            by_cloud(run, &values, cloud, clouds, account).await?
        }
    };
    let address = canonical(&access.address).map_err(failed)?;
    let renew_at = asked_at + access.lifetime / TOKEN_LIFE_USED;
    let kubeconfig = kubeconfig(&address, &access).map_err(invalid)?;
    open(run, kubeconfig, digest, Some(renew_at))
        .await
        .map_err(invalid)
}

/// The cloud that knows the cluster; none for a cluster that trusts tokens of this one.
fn cloud_of(provider: &str, subject: &str) -> Result<Option<Cloud>, Unattached> {
    match provider {
        "generic" => Ok(None),
        "aws" => Ok(Some(Cloud::Aws)),
        "azure" => Ok(Some(Cloud::Azure)),
        "gcp" => Ok(Some(Cloud::Gcp)),
        other => Err(failed(format!(
            "provider '{other}' not implemented; KubeConfig configmap '{subject}' must name one of aws, azure, gcp, generic"
        ))),
    }
}

/// A kubeconfig that says no more than how a cluster is reached.
fn kubeconfig(address: &str, access: &ClusterAccess) -> Result<Kubeconfig, String> {
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "default",
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
        "clusters": [{"name": "default", "cluster": {"server": address, "certificate-authority-data": encoded(&access.ca)}}],
        "users": [{"name": "default", "user": {"token": access.token.reveal()}}],
    });
    sanitized(&kubeconfig.to_string(), Allowances::default())
}

/// Access as a cloud gives it to an account, or to the controller where none is named.
async fn by_cloud(
    run: &Run,
    values: &BTreeMap<String, String>,
    cloud: Cloud,
    clouds: &Clouds,
    account: Option<&str>,
) -> Result<ClusterAccess, Unattached> {
    let clouds = match workload::clouds_as(run, clouds, account).await {
        Ok(clouds) => clouds,
        Err(why) => return Err(without_account(run, account, why).await),
    };
    let cluster = Cluster {
        name: text(values, "cluster"),
        address: text(values, "address"),
        ca: text(values, "ca.crt"),
    };
    let access = clouds.cluster(cloud, cluster).await;
    access.map_err(|error| failed(error.to_string()))
}

/// What Flux says where no token can be had.
const NO_TOKEN: &str = "failed to get access token for cluster";

/// A cloud cannot be asked as an account: because it is not there, or for another reason.
async fn without_account(run: &Run, account: Option<&str>, why: String) -> Unattached {
    let unattached = failed(format!("{NO_TOKEN}: {why}"));
    let Some(name) = account else {
        return unattached;
    };
    match service_account(run, name).await {
        Err(Missing::NotFound(_)) => missing(unattached),
        _ => unattached,
    }
}

/// Access by a token of this cluster that the other one trusts.
async fn by_our_token(
    run: &Run,
    values: &BTreeMap<String, String>,
    account: Option<&str>,
) -> Result<ClusterAccess, Unattached> {
    let address = canonical(text(values, "address")).map_err(failed)?;
    let account = account.map(|name| (&*run.key.namespace, name));
    let token = tokens::request(&*run.cx.cluster, account, &audiences(values)).await;
    let token = token.map_err(|error| {
        let what = match account {
            Some((namespace, name)) if error.is_not_found() => {
                format!("failed to get service account '{namespace}/{name}'")
            }
            Some((namespace, name)) => {
                format!("failed to create kubernetes token for service account '{namespace}/{name}'")
            }
            None => "failed to create provider access token for the controller".to_owned(),
        };
        let unattached = unreached(format!("{NO_TOKEN}: {what}: {error}"), error.is_transient());
        match error.is_not_found() {
            true => missing(unattached),
            false => unattached,
        }
    })?;
    Ok(ClusterAccess {
        address,
        ca: text(values, "ca.crt").to_owned(),
        token: Redacted::new(token.text.to_string()),
        lifetime: token.lifetime,
    })
}

/// For whom a token is made: those that are listed, else the address, as it is written.
fn audiences(values: &BTreeMap<String, String>) -> Vec<String> {
    match text(values, "audiences") {
        "" => vec![text(values, "address").to_owned()],
        lines => lines
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

fn text<'v>(values: &'v BTreeMap<String, String>, key: &str) -> &'v str {
    values.get(key).map_or("", |text| text.trim())
}

fn encoded(ca: &str) -> Option<String> {
    use base64::Engine as _;
    (!ca.is_empty()).then(|| base64::engine::general_purpose::STANDARD.encode(ca))
}

/// `https://host:443`. What is wrong is said in Flux's words.
fn canonical(address: &str) -> Result<String, String> {
    if address.is_empty() {
        return Err("cluster address is required to create a REST config".to_owned());
    }
    let full = if address.contains("://") {
        address.to_owned()
    } else {
        format!("https://{address}")
    };
    let odd = |why: &str| format!("failed to parse cluster address {address}: {why}");
    let no_url = || odd(&format!("failed to parse Kubernetes API server address '{full}'"));
    let url: http::Uri = full.parse().map_err(|_| no_url())?;
    if url.scheme_str() != Some("https") {
        let why = format!("the Kubernetes API server address '{full}' must use https scheme");
        return Err(odd(&why));
    }
    let host = url.host().filter(|host| !host.is_empty()).ok_or_else(no_url)?;
    let path = url.path().trim_end_matches('/');
    Ok(format!("https://{host}:{}{path}", url.port_u16().unwrap_or(443)))
}

async fn open(
    run: &Run,
    kubeconfig: Kubeconfig,
    digest: Short,
    renew_at: Option<Instant>,
) -> Result<Attached, String> {
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options);
    // the text of the error may quote a key
    let mut config = config.await.map_err(
        |_| "the kubeconfig cannot be used: an address, a certificate or a key in it is malformed",
    )?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    // a client that holds a token of its own is shared with nobody
    let shared = match renew_at {
        None => digest,
        Some(at) => short(format!("{digest:?}{}{at:?}", run.key).as_bytes()),
    };
    let remote = run.cx.remote(shared, || {
        KubeCluster::connect(config, RetryPolicy::default()).map_err(|_| {
            "no client can be made of the kubeconfig: a certificate or a key in it is malformed".to_owned()
        })
    })?;
    Ok(Attached {
        digest,
        remote,
        renew_at,
    })
}

/// A cluster that does not answer a connection attempt within this is not reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

fn failed(message: String) -> Unattached {
    unreached(message, false)
}

fn unreached(message: String, is_transient: bool) -> Unattached {
    let failure = Failure {
        // Flux tells of it with these words before, and keeps them out of the condition
        told: Some(format!("failed to build kube client: {message}")),
        ..Failure::retry(reason::RECONCILIATION_FAILED, message)
    };
    Unattached::Failed(failure.back_off_if(is_transient))
}

fn unread(message: String, error: &Unread) -> Unattached {
    let unattached = unreached(message, error.is_transient());
    match error {
        Unread::Missing(_) => missing(unattached),
        _ => unattached,
    }
}

/// The same because something is not there.
fn missing(unattached: Unattached) -> Unattached {
    Unattached::Missing(unattached.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_made_for_whom_they_are_listed_or_for_the_address_as_it_is_written() {
        let of = |address: &str, audiences: Option<&str>| {
            let given = [("address", Some(address)), ("audiences", audiences)];
            let given = given
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
            self::audiences(&given.collect())
        };
        for address in [
            "https://one.example",
            "https://one.example:443",
            "one.example:6443",
        ] {
            assert_eq!(of(address, None), [address]);
            assert_eq!(of(address, Some(" \n")), [address]);
        }
        assert_eq!(of("one.example", Some("a\n\n  b \n")), ["a", "b"]);
    }

    #[test]
    fn an_address_is_that_of_a_server() {
        for (address, expected) in [
            ("one.example", Ok("https://one.example:443")),
            ("one.example:6443", Ok("https://one.example:6443")),
            ("https://one.example/", Ok("https://one.example:443")),
            (
                "https://one.example/k8s/one",
                Ok("https://one.example:443/k8s/one"),
            ),
            ("", Err("cluster address is required to create a REST config")),
            (
                "http://one.example",
                Err(
                    "failed to parse cluster address http://one.example: the Kubernetes API server address \
                     'http://one.example' must use https scheme",
                ),
            ),
            (
                "one example",
                Err(
                    "failed to parse cluster address one example: failed to parse Kubernetes API server address \
                     'https://one example'",
                ),
            ),
        ] {
            let found = canonical(address);
            let found = found.as_deref().map_err(String::as_str);
            assert_eq!(found, expected, "{address}");
        }
    }
}
