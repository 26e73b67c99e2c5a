//! Columns of the built-in kinds that people look at.

use super::{age, human_duration};
use crate::kinds::Kind;
use crate::meta;
use jiff::Timestamp;
use serde_json::Value;

type Row = fn(&Value, Timestamp) -> Vec<Value>;

/// The cells of the kinds that people look at; all columns but the name, in the recorded order.
const PRINTERS: &[(&str, &str, Row)] = &[
    ("", "Pod", pod),
    ("apps", "Deployment", deployment),
    ("apps", "ReplicaSet", replica_set),
    ("apps", "StatefulSet", stateful_set),
    ("apps", "DaemonSet", daemon_set),
    ("batch", "Job", job),
    ("batch", "CronJob", cron_job),
    ("", "Service", service),
    ("", "ConfigMap", config_map),
    ("", "Secret", secret),
    ("", "Namespace", phase),
    ("", "Node", node),
    ("", "ServiceAccount", only_age),
    ("", "Event", event),
    ("events.k8s.io", "Event", event),
    ("", "PersistentVolumeClaim", claim),
    ("networking.k8s.io", "Ingress", ingress),
    ("networking.k8s.io", "NetworkPolicy", network_policy),
    ("rbac.authorization.k8s.io", "Role", created),
    ("rbac.authorization.k8s.io", "ClusterRole", created),
    ("rbac.authorization.k8s.io", "RoleBinding", binding),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", binding),
    ("coordination.k8s.io", "Lease", lease),
    ("apiextensions.k8s.io", "CustomResourceDefinition", created),
    ("", "LimitRange", created),
    ("storage.k8s.io", "StorageClass", storage_class),
    ("policy", "PodDisruptionBudget", budget),
];

fn printer(kind: &Kind) -> Option<Row> {
    PRINTERS
        .iter()
        .find(|(group, name, _)| *group == kind.group && *name == kind.kind)
        .map(|(.., row)| *row)
}

/// Whether a kind has more to show than its name and age.
pub(super) fn has_cells(kind: &Kind) -> bool {
    printer(kind).is_some()
}

pub(super) fn cells(kind: &Kind, item: &Value, now: Timestamp) -> Option<Vec<Value>> {
    printer(kind).map(|row| row(item, now))
}

fn number(item: &Value, pointer: &str) -> i64 {
    item.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

fn text<'v>(item: &'v Value, pointer: &str) -> &'v str {
    item.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn or_none(text: &str) -> Value {
    Value::from(if text.is_empty() { "<none>" } else { text })
}

fn born(item: &Value, now: Timestamp) -> Value {
    age(meta::text(item, "creationTimestamp"), now)
}

fn list<'v>(item: &'v Value, pointer: &str) -> &'v [Value] {
    item.pointer(pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn joined(item: &Value, pointer: &str, field: &str) -> Value {
    let texts: Vec<&str> = list(item, pointer)
        .iter()
        .map(|entry| text(entry, field))
        .collect();
    or_none(&texts.join(","))
}

fn labels(item: &Value, pointer: &str) -> Value {
    let pairs: Vec<String> = item
        .pointer(pointer)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    or_none(&pairs.join(","))
}

fn images(item: &Value, pods: &str) -> [Value; 2] {
    let containers = format!("{pods}/containers");
    [
        joined(item, &containers, "/name"),
        joined(item, &containers, "/image"),
    ]
}

fn pod(item: &Value, now: Timestamp) -> Vec<Value> {
    let statuses = list(item, "/status/containerStatuses");
    let ready = statuses
        .iter()
        .filter(|status| status.get("ready") == Some(&Value::Bool(true)))
        .count();
    let total = list(item, "/spec/containers").len();
    let restarts: i64 = statuses
        .iter()
        .map(|status| number(status, "/restartCount"))
        .sum();
    let waiting = statuses
        .iter()
        .map(|status| text(status, "/state/waiting/reason"))
        .find(|reason| !reason.is_empty());
    let ended = statuses
        .iter()
        .map(|status| text(status, "/state/terminated/reason"))
        .find(|reason| !reason.is_empty());
    let phase = if meta::is_deleted(item) {
        "Terminating"
    } else {
        waiting.or(ended).unwrap_or(text(item, "/status/phase"))
    };
    vec![
        format!("{ready}/{total}").into(),
        phase.into(),
        restarts.to_string().into(),
        born(item, now),
        or_none(text(item, "/status/podIP")),
        or_none(text(item, "/spec/nodeName")),
        or_none(""),
        or_none(""),
    ]
}

fn deployment(item: &Value, now: Timestamp) -> Vec<Value> {
    let mut row = vec![
        format!(
            "{}/{}",
            number(item, "/status/readyReplicas"),
            number(item, "/spec/replicas")
        )
        .into(),
        number(item, "/status/updatedReplicas").into(),
        number(item, "/status/availableReplicas").into(),
        born(item, now),
    ];
    row.extend(images(item, "/spec/template/spec"));
    row.push(labels(item, "/spec/selector/matchLabels"));
    row
}

fn replica_set(item: &Value, now: Timestamp) -> Vec<Value> {
    let mut row = vec![
        number(item, "/spec/replicas").into(),
        number(item, "/status/replicas").into(),
        number(item, "/status/readyReplicas").into(),
        born(item, now),
    ];
    row.extend(images(item, "/spec/template/spec"));
    row.push(labels(item, "/spec/selector/matchLabels"));
    row
}

fn stateful_set(item: &Value, now: Timestamp) -> Vec<Value> {
    let ready = format!(
        "{}/{}",
        number(item, "/status/readyReplicas"),
        number(item, "/spec/replicas")
    );
    let mut row = vec![ready.into(), born(item, now)];
    row.extend(images(item, "/spec/template/spec"));
    row
}

fn daemon_set(item: &Value, now: Timestamp) -> Vec<Value> {
    let mut row: Vec<Value> = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ]
    .iter()
    .map(|field| number(item, &format!("/status/{field}")).into())
    .collect();
    row.push(labels(item, "/spec/template/spec/nodeSelector"));
    row.push(born(item, now));
    row.extend(images(item, "/spec/template/spec"));
    row.push(labels(item, "/spec/selector/matchLabels"));
    row
}

fn job(item: &Value, now: Timestamp) -> Vec<Value> {
    let is = |kind: &str| {
        list(item, "/status/conditions")
            .iter()
            .any(|condition| text(condition, "/type") == kind && text(condition, "/status") == "True")
    };
    let status = if is("Complete") {
        "Complete"
    } else if is("Failed") {
        "Failed"
    } else if is("Suspended") {
        "Suspended"
    } else {
        "Running"
    };
    let started = text(item, "/status/startTime").parse::<Timestamp>().ok();
    let ended = text(item, "/status/completionTime")
        .parse::<Timestamp>()
        .unwrap_or(now);
    let lasted = started
        .map(|started| human_duration(ended.as_second() - started.as_second()))
        .unwrap_or_default();
    let mut row = vec![
        status.into(),
        format!(
            "{}/{}",
            number(item, "/status/succeeded"),
            number(item, "/spec/completions")
        )
        .into(),
        lasted.into(),
        born(item, now),
    ];
    row.extend(images(item, "/spec/template/spec"));
    row.push(labels(item, "/spec/selector/matchLabels"));
    row
}

fn cron_job(item: &Value, now: Timestamp) -> Vec<Value> {
    let suspend = item.pointer("/spec/suspend") == Some(&Value::Bool(true));
    let last = text(item, "/status/lastScheduleTime");
    let mut row = vec![
        text(item, "/spec/schedule").into(),
        or_none(text(item, "/spec/timeZone")),
        suspend.into(),
        Value::from(list(item, "/status/active").len()),
        if last.is_empty() {
            or_none("")
        } else {
            age(last, now)
        },
        born(item, now),
    ];
    row.extend(images(item, "/spec/jobTemplate/spec/template/spec"));
    row.push(labels(item, "/spec/jobTemplate/spec/selector/matchLabels"));
    row
}

fn service(item: &Value, now: Timestamp) -> Vec<Value> {
    let ports: Vec<String> = list(item, "/spec/ports")
        .iter()
        .map(|port| match number(port, "/nodePort") {
            0 => format!("{}/{}", number(port, "/port"), text(port, "/protocol")),
            node => format!("{}:{node}/{}", number(port, "/port"), text(port, "/protocol")),
        })
        .collect();
    let external = match text(item, "/spec/type") {
        "LoadBalancer" => match list(item, "/status/loadBalancer/ingress").first() {
            Some(first) => text(first, "/ip").into(),
            None => Value::from("<pending>"),
        },
        "ExternalName" => text(item, "/spec/externalName").into(),
        _ => or_none(""),
    };
    vec![
        text(item, "/spec/type").into(),
        or_none(text(item, "/spec/clusterIP")),
        external,
        or_none(&ports.join(",")),
        born(item, now),
        labels(item, "/spec/selector"),
    ]
}

fn count(item: &Value, field: &str) -> usize {
    item.get(field)
        .and_then(Value::as_object)
        .map_or(0, serde_json::Map::len)
}

fn config_map(item: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        (count(item, "data") + count(item, "binaryData")).into(),
        born(item, now),
    ]
}

fn secret(item: &Value, now: Timestamp) -> Vec<Value> {
    vec![
        text(item, "/type").into(),
        count(item, "data").into(),
        born(item, now),
    ]
}

fn phase(item: &Value, now: Timestamp) -> Vec<Value> {
    vec![text(item, "/status/phase").into(), born(item, now)]
}

fn node(item: &Value, now: Timestamp) -> Vec<Value> {
    let is_ready =
        |condition: &Value| text(condition, "/type") == "Ready" && text(condition, "/status") == "True";
    let ready = list(item, "/status/conditions").iter().any(is_ready);
    let address = |kind: &str| {
        let found = list(item, "/status/addresses")
            .iter()
            .find(|address| text(address, "/type") == kind);
        or_none(found.map(|found| text(found, "/address")).unwrap_or_default())
    };
    let info = |field: &str| Value::from(text(item, &format!("/status/nodeInfo/{field}")));
    vec![
        if ready { "Ready" } else { "NotReady" }.into(),
        or_none(""),
        born(item, now),
        info("kubeletVersion"),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

fn only_age(item: &Value, now: Timestamp) -> Vec<Value> {
    vec![born(item, now)]
}

fn event(item: &Value, now: Timestamp) -> Vec<Value> {
    let about = item
        .get("involvedObject")
        .or_else(|| item.get("regarding"))
        .cloned()
        .unwrap_or_default();
    let first_of = |pointers: &[&str]| {
        pointers
            .iter()
            .map(|pointer| text(item, pointer))
            .find(|text| !text.is_empty())
            .unwrap_or_default()
            .to_owned()
    };
    let since = |pointers: &[&str]| match first_of(pointers) {
        time if time.is_empty() => born(item, now),
        time => age(&time, now),
    };
    let count = number(item, "/count")
        .max(number(item, "/deprecatedCount"))
        .max(number(item, "/series/count"));
    vec![
        since(&[
            "/series/lastObservedTime",
            "/lastTimestamp",
            "/deprecatedLastTimestamp",
            "/eventTime",
        ]),
        text(item, "/type").into(),
        text(item, "/reason").into(),
        format!(
            "{}/{}",
            text(&about, "/kind").to_lowercase(),
            text(&about, "/name")
        )
        .into(),
        text(&about, "/fieldPath").into(),
        first_of(&[
            "/source/component",
            "/deprecatedSource/component",
            "/reportingComponent",
            "/reportingController",
        ])
        .into(),
        first_of(&["/message", "/note"]).trim().into(),
        since(&["/firstTimestamp", "/deprecatedFirstTimestamp", "/eventTime"]),
        count.max(1).to_string().into(),
        meta::name(item).into(),
    ]
}

fn claim(item: &Value, now: Timestamp) -> Vec<Value> {
    let modes: Vec<&str> = list(item, "/status/accessModes")
        .iter()
        .filter_map(Value::as_str)
        .map(|mode| match mode {
            "ReadWriteOnce" => "RWO",
            "ReadOnlyMany" => "ROX",
            "ReadWriteMany" => "RWX",
            "ReadWriteOncePod" => "RWOP",
            other => other,
        })
        .collect();
    vec![
        text(item, "/status/phase").into(),
        text(item, "/spec/volumeName").into(),
        text(item, "/status/capacity/storage").into(),
        modes.join(",").into(),
        text(item, "/spec/storageClassName").into(),
        "<unset>".into(),
        born(item, now),
        text(item, "/spec/volumeMode").into(),
    ]
}

fn ingress(item: &Value, now: Timestamp) -> Vec<Value> {
    let hosts: Vec<&str> = list(item, "/spec/rules")
        .iter()
        .map(|rule| text(rule, "/host"))
        .filter(|host| !host.is_empty())
        .collect();
    let hosts = if hosts.is_empty() {
        "*".to_owned()
    } else {
        hosts.join(",")
    };
    let ports = if list(item, "/spec/tls").is_empty() {
        "80"
    } else {
        "80, 443"
    };
    let addresses: Vec<&str> = list(item, "/status/loadBalancer/ingress")
        .iter()
        .map(|entry| text(entry, "/ip"))
        .collect();
    vec![
        or_none(text(item, "/spec/ingressClassName")),
        hosts.into(),
        addresses.join(",").into(),
        ports.into(),
        born(item, now),
    ]
}

fn binding(item: &Value, now: Timestamp) -> Vec<Value> {
    let named = |kind: &str| {
        let subjects = list(item, "/subjects")
            .iter()
            .filter(|subject| text(subject, "/kind") == kind);
        let names: Vec<String> = subjects
            .map(|subject| match text(subject, "/namespace") {
                "" => text(subject, "/name").to_owned(),
                namespace => format!("{namespace}/{}", text(subject, "/name")),
            })
            .collect();
        Value::from(names.join(", "))
    };
    let role = format!("{}/{}", text(item, "/roleRef/kind"), text(item, "/roleRef/name"));
    vec![
        role.into(),
        born(item, now),
        named("User"),
        named("Group"),
        named("ServiceAccount"),
    ]
}

fn lease(item: &Value, now: Timestamp) -> Vec<Value> {
    vec![text(item, "/spec/holderIdentity").into(), born(item, now)]
}

fn network_policy(item: &Value, now: Timestamp) -> Vec<Value> {
    vec![labels(item, "/spec/podSelector/matchLabels"), born(item, now)]
}

fn created(item: &Value, _: Timestamp) -> Vec<Value> {
    vec![meta::text(item, "creationTimestamp").into()]
}

fn storage_class(item: &Value, now: Timestamp) -> Vec<Value> {
    let expands = item.get("allowVolumeExpansion") == Some(&Value::Bool(true));
    vec![
        text(item, "/provisioner").into(),
        text(item, "/reclaimPolicy").into(),
        text(item, "/volumeBindingMode").into(),
        expands.to_string().into(),
        born(item, now),
    ]
}

fn budget(item: &Value, now: Timestamp) -> Vec<Value> {
    let bound = |pointer: &str| match item.pointer(pointer) {
        Some(Value::String(text)) => Value::from(text.clone()),
        Some(number) => number.to_string().into(),
        None => "N/A".into(),
    };
    let allowed = number(item, "/status/disruptionsAllowed");
    vec![
        bound("/spec/minAvailable"),
        bound("/spec/maxUnavailable"),
        allowed.into(),
        born(item, now),
    ]
}
