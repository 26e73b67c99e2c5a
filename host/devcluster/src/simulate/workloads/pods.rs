use super::write::{self, event, with_condition};
use super::{Fate, Later, NODE};
use crate::cluster::Cluster;
use crate::kinds::table;
use crate::meta;
use crate::store::{Key, revision_of};
use serde_json::{Value, json};

/// A Pod's life: it is bound, started, and made ready or not; a deleted one ends at once.
pub(super) fn look(cluster: &Cluster, key: &Key, later: &mut Later) {
    let pods = table("", "pods");
    let Some(pod) = cluster.store.get(&pods, key) else {
        return;
    };
    if meta::is_deleted(&pod) {
        if meta::finalizers(&pod).is_empty() {
            let _ = cluster.store.remove(&pods, key, revision_of(&pod));
        }
        return;
    }
    let phase = pod
        .pointer("/status/phase")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if phase != "Pending" || pod.pointer("/status/startTime").is_some() {
        return;
    }
    bind(cluster, key);
    let fate = Fate::of(&pod);
    if let Fate::ReadyAfter(time) = fate {
        later.add(time, key.clone());
    }
    begin(cluster, key, fate);
}

/// The time of a Pod that becomes ready later has come.
pub(super) fn ripe(cluster: &Cluster, key: &Key) {
    begin(cluster, key, Fate::Ready);
}

fn bind(cluster: &Cluster, key: &Key) {
    write::change(
        cluster,
        &table("", "pods"),
        key,
        "kube-scheduler",
        "binding",
        |pod| {
            let mut new = pod.clone();
            let spec = meta::field_mut(&mut new, "spec");
            if spec.contains_key("nodeName") {
                return None;
            }
            spec.insert("nodeName".to_owned(), NODE.into());
            Some(new)
        },
    );
}

fn begin(cluster: &Cluster, key: &Key, fate: Fate) {
    let pods = table("", "pods");
    write::status(cluster, &pods, key, "kubelet", |pod| Some(status_of(pod, fate)));
    let Some(pod) = cluster.store.get(&pods, key) else {
        return;
    };
    let image = pod
        .pointer("/spec/containers/0/image")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let name = pod
        .pointer("/spec/containers/0/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    match fate {
        Fate::ImagePull => {
            let said = format!(
                "Failed to pull image \"{image}\": rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": not found"
            );
            event(cluster, &pod, "Warning", "Failed", &said, "kubelet");
            event(
                cluster,
                &pod,
                "Warning",
                "Failed",
                "Error: ErrImagePull",
                "kubelet",
            );
            event(
                cluster,
                &pod,
                "Normal",
                "BackOff",
                &format!("Back-off pulling image \"{image}\""),
                "kubelet",
            );
        }
        Fate::Crash => {
            let said = format!(
                "Back-off restarting failed container {name} in pod {}_{}({})",
                key.name,
                key.namespace,
                meta::uid(&pod)
            );
            event(cluster, &pod, "Warning", "BackOff", &said, "kubelet");
        }
        Fate::Never => {
            let has_probe = pod.pointer("/spec/containers/0/readinessProbe").is_some();
            if has_probe {
                event(
                    cluster,
                    &pod,
                    "Warning",
                    "Unhealthy",
                    "Readiness probe failed: HTTP probe failed with statuscode: 503",
                    "kubelet",
                );
            }
        }
        Fate::Ready | Fate::ReadyAfter(_) => {}
    }
}

fn status_of(pod: &Value, fate: Fate) -> Value {
    let ends = pod.pointer("/spec/restartPolicy").and_then(Value::as_str) != Some("Always");
    let done = ends && fate == Fate::Ready;
    let failed = ends && fate == Fate::Crash;
    let ready = fate == Fate::Ready && !done;
    let names: Vec<&str> = containers(pod)
        .iter()
        .filter_map(|container| container.get("name")?.as_str())
        .collect();
    let unready = format!("containers with unready status: [{}]", names.join(" "));
    let started = pod
        .pointer("/status/startTime")
        .cloned()
        .unwrap_or_else(|| meta::now().into());
    let phase = match (fate, done, failed) {
        (_, true, _) => "Succeeded",
        (_, _, true) => "Failed",
        (Fate::ImagePull, ..) => "Pending",
        _ => "Running",
    };
    let condition = |kind: &str, holds: bool, reason: &str, message: &str| {
        let status = if holds { "True" } else { "False" };
        with_condition(
            pod,
            kind,
            status,
            if holds { "" } else { reason },
            if holds { "" } else { message },
            false,
        )
    };
    let (reason, said) = match phase {
        "Succeeded" => ("PodCompleted", ""),
        "Failed" => ("PodFailed", ""),
        _ => ("ContainersNotReady", unready.as_str()),
    };
    let address = address_of(meta::uid(pod));
    let mut conditions = vec![
        condition("PodReadyToStartContainers", !(done || failed), "", ""),
        condition("Initialized", true, "", ""),
        condition("Ready", ready, reason, said),
        condition("ContainersReady", ready, reason, said),
        condition("PodScheduled", true, "", ""),
    ];
    let generation = meta::generation(pod);
    for condition in &mut conditions {
        meta::as_map(condition).insert("observedGeneration".to_owned(), generation.into());
    }
    let statuses: Vec<Value> = containers(pod)
        .iter()
        .map(|container| container_status(pod, container, fate, &started, done, failed))
        .collect();
    json!({"phase": phase, "conditions": conditions, "hostIP": "127.0.0.1", "hostIPs": [{"ip": "127.0.0.1"}], "podIP": address,
        "podIPs": [{"ip": address}], "startTime": started, "qosClass": "BestEffort", "observedGeneration": generation,
        "containerStatuses": statuses})
}

fn containers(pod: &Value) -> &[Value] {
    pod.pointer("/spec/containers")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn container_status(
    pod: &Value,
    container: &Value,
    fate: Fate,
    started: &Value,
    done: bool,
    failed: bool,
) -> Value {
    let text = |field: &str| container.get(field).and_then(Value::as_str).unwrap_or_default();
    let (name, image) = (text("name"), text("image"));
    let id = format!("devcluster://{}/{name}", meta::uid(pod));
    let ended = |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": started, "containerID": id}});
    let (state, last, restarts) = match fate {
        _ if done => (ended(0, "Completed"), json!({}), 0),
        _ if failed => (ended(1, "Error"), json!({}), 0),
        Fate::ImagePull => {
            let said = format!(
                "Back-off pulling image \"{image}\": ErrImagePull: failed to pull and unpack image \"{image}\": not found"
            );
            (
                json!({"waiting": {"reason": "ImagePullBackOff", "message": said}}),
                json!({}),
                0,
            )
        }
        Fate::Crash => {
            let said = format!(
                "back-off 5m0s restarting failed container={name} pod={}_{}({})",
                meta::name(pod),
                meta::namespace(pod),
                meta::uid(pod)
            );
            (
                json!({"waiting": {"reason": "CrashLoopBackOff", "message": said}}),
                ended(1, "Error"),
                5,
            )
        }
        _ => (json!({"running": {"startedAt": started}}), json!({}), 0),
    };
    let running = state.get("running").is_some();
    json!({"name": name, "state": state, "lastState": last, "ready": fate == Fate::Ready && running, "restartCount": restarts,
        "image": image, "imageID": image, "containerID": if fate == Fate::ImagePull { String::new() } else { id }, "started": running})
}

fn address_of(uid: &str) -> String {
    let number = u32::from_str_radix(uid.get(..6).unwrap_or_default(), 16).unwrap_or_default();
    format!("10.244.{}.{}", (number >> 8) % 256, 1 + number % 254)
}
