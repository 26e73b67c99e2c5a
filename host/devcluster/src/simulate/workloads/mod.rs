//! Workloads that become ready without a node to run on, or fail on request.
//!
//! The annotation [`READY`] on a workload, its Pod template or a Pod says what becomes of its Pods: see [`Fate`].

mod claims;
mod jobs;
mod pods;
mod replicas;
mod rolling;
mod sets;
mod write;

use crate::cluster::Cluster;
use crate::kinds::table;
use crate::meta;
use crate::store::{Change, ChangeKind, Key};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// `never`, `crash`, `image-pull`, or a time after which Pods are ready (`5s`).
pub(super) const READY: &str = "devcluster.sluice.dev/ready";
/// The one node of the cluster.
pub(super) const NODE: &str = "devcluster";

/// What becomes of a Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It runs and is ready at once.
    Ready,
    /// It runs and becomes ready later.
    ReadyAfter(Duration),
    /// It runs and never becomes ready.
    Never,
    /// Its container ends with an error, again and again.
    Crash,
    /// Its image cannot be pulled.
    ImagePull,
}

impl Fate {
    pub(super) fn of(pod: &Value) -> Self {
        match meta::annotation(pod, READY) {
            None | Some("" | "true" | "now") => Self::Ready,
            Some("never" | "false") => Self::Never,
            Some("crash") => Self::Crash,
            Some("image-pull") => Self::ImagePull,
            Some(text) => seconds(text).map_or(Self::Ready, Self::ReadyAfter),
        }
    }
}

/// `500ms`, `5s`, `2m`.
fn seconds(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.saturating_mul(60))),
        _ => None,
    }
}

/// Pods that become ready later.
#[derive(Default)]
pub(crate) struct Later {
    due: BTreeMap<Instant, Vec<Key>>,
}

impl Later {
    fn add(&mut self, after: Duration, pod: Key) {
        self.due.entry(Instant::now() + after).or_default().push(pod);
    }

    /// Returns when something is due; never where nothing is.
    pub(crate) async fn due(&self) {
        match self.due.first_key_value() {
            Some((at, _)) => tokio::time::sleep_until(*at).await,
            None => std::future::pending().await,
        }
    }

    /// Makes ready what is due.
    pub(crate) fn ripe(&mut self, cluster: &Cluster) {
        if let Some((_, keys)) = self.due.pop_first() {
            for key in keys {
                pods::ripe(cluster, &key);
            }
        }
    }
}

/// The node that everything runs on.
pub(crate) fn bootstrap(cluster: &Cluster) {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"}}});
    if cluster
        .create_own("kube-controller-manager", "", "v1", "nodes", "", node)
        .is_none()
    {
        return;
    }
    let status = json!({
        "capacity": {"cpu": "64", "memory": "256Gi", "pods": "100000"},
        "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "100000"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status",
            "lastHeartbeatTime": meta::now(), "lastTransitionTime": meta::now()}],
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": NODE}],
        "nodeInfo": {"kubeletVersion": sluice_schema::current::KUBERNETES_VERSION, "operatingSystem": "linux", "architecture": "amd64",
            "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "", "osImage": "", "containerRuntimeVersion": "", "kubeProxyVersion": ""},
    });
    write::status(
        cluster,
        &table("", "nodes"),
        &Key::new("", NODE),
        "kubelet",
        |_| Some(status.clone()),
    );
}

/// Lets every controller look at a change.
pub(crate) fn look(cluster: &Cluster, change: &Change, later: &mut Later) {
    let (object, is_gone) = (&change.object, change.kind == ChangeKind::Deleted);
    let (group, plural) = change.table.split_once('/').unwrap_or_default();
    match (group, plural) {
        ("", "pods") => {
            if !is_gone {
                pods::look(cluster, &change.key, later);
            }
            owner_looks(cluster, object);
        }
        ("apps", "replicasets") => {
            if !is_gone {
                replicas::replica_set(cluster, &change.key);
            }
            owner_looks(cluster, object);
        }
        _ if is_gone => {}
        ("apps", "deployments") => replicas::deployment(cluster, &change.key),
        ("apps", "statefulsets") => sets::stateful_set(cluster, &change.key),
        ("apps", "daemonsets") => sets::daemon_set(cluster, &change.key),
        ("batch", "jobs") => jobs::job(cluster, &change.key),
        ("", "persistentvolumeclaims") => claims::claim(cluster, &change.key),
        ("", "services") => claims::service(cluster, &change.key),
        _ => {}
    }
}

/// The controller of an object looks at its own object again.
fn owner_looks(cluster: &Cluster, object: &Value) {
    let Some((kind, name)) = write::controller_of(object) else {
        return;
    };
    let key = Key::new(meta::namespace(object), name);
    match kind {
        "ReplicaSet" => replicas::replica_set(cluster, &key),
        "Deployment" => replicas::deployment(cluster, &key),
        "StatefulSet" => sets::stateful_set(cluster, &key),
        "DaemonSet" => sets::daemon_set(cluster, &key),
        "Job" => jobs::job(cluster, &key),
        _ => {}
    }
}
