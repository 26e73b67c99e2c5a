//! Columns of the built-in kinds that people look at.

use super::{Column, age, column, duration};
use crate::kinds::Kind;
use crate::meta;
use jiff::Timestamp;
use serde_json::Value;

type Row = fn(&Value, Timestamp) -> Vec<Value>;

/// Column names with priority 1 begin with `+`; the rest of the definition follows from the name.
struct Printer {
    group: &'static str,
    kind: &'static str,
    columns: &'static [&'static str],
    row: Row,
}

const PRINTERS: &[Printer] = &[
    Printer {
        group: "",
        kind: "Pod",
        columns: &[
            "Ready",
            "Status",
            "Restarts",
            "Age",
            "+IP",
            "+Node",
            "+Nominated Node",
            "+Readiness Gates",
        ],
        row: pod,
    },
    Printer {
        group: "apps",
        kind: "Deployment",
        columns: &[
            "Ready",
            "#Up-to-date",
            "#Available",
            "Age",
            "+Containers",
            "+Images",
            "+Selector",
        ],
        row: deployment,
    },
    Printer {
        group: "apps",
        kind: "ReplicaSet",
        columns: &[
            "#Desired",
            "#Current",
            "#Ready",
            "Age",
            "+Containers",
            "+Images",
            "+Selector",
        ],
        row: replica_set,
    },
    Printer {
        group: "apps",
        kind: "StatefulSet",
        columns: &["Ready", "Age", "+Containers", "+Images"],
        row: stateful_set,
    },
    Printer {
        group: "apps",
        kind: "DaemonSet",
        columns: &[
            "#Desired",
            "#Current",
            "#Ready",
            "#Up-to-date",
            "#Available",
            "Node Selector",
            "Age",
            "+Containers",
            "+Images",
            "+Selector",
        ],
        row: daemon_set,
    },
    Printer {
        group: "batch",
        kind: "Job",
        columns: &[
            "Status",
            "Completions",
            "Duration",
            "Age",
            "+Containers",
            "+Images",
            "+Selector",
        ],
        row: job,
    },
    Printer {
        group: "batch",
        kind: "CronJob",
        columns: &[
            "Schedule",
            "Timezone",
            "Suspend",
            "#Active",
            "Last Schedule",
            "Age",
            "+Containers",
            "+Images",
            "+Selector",
        ],
        row: cron_job,
    },
    Printer {
        group: "",
        kind: "Service",
        columns: &["Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"],
        row: service,
    },
    Printer {
        group: "",
        kind: "ConfigMap",
        columns: &["#Data", "Age"],
        row: config_map,
    },
    Printer {
        group: "",
        kind: "Secret",
        columns: &["Type", "#Data", "Age"],
        row: secret,
    },
    Printer {
        group: "",
        kind: "Namespace",
        columns: &["Status", "Age"],
        row: phase,
    },
    Printer {
        group: "",
        kind: "Node",
        columns: &["Status", "Roles", "Age", "Version"],
        row: node,
    },
    Printer {
        group: "",
        kind: "ServiceAccount",
        columns: &["Age"],
        row: only_age,
    },
    Printer {
        group: "",
        kind: "Event",
        columns: &["Last Seen", "Type", "Reason", "Object", "Message"],
        row: event,
    },
    Printer {
        group: "events.k8s.io",
        kind: "Event",
        columns: &["Last Seen", "Type", "Reason", "Object", "Message"],
        row: event,
    },
    Printer {
        group: "",
        kind: "PersistentVolumeClaim",
        columns: &[
            "Status",
            "Volume",
            "Capacity",
            "Access Modes",
            "StorageClass",
            "VolumeAttributesClass",
            "Age",
        ],
        row: claim,
    },
    Printer {
        group: "networking.k8s.io",
        kind: "Ingress",
        columns: &["Class", "Hosts", "Address", "Ports", "Age"],
        row: ingress,
    },
    Printer {
        group: "rbac.authorization.k8s.io",
        kind: "RoleBinding",
        columns: &["Role", "Age"],
        row: binding,
    },
    Printer {
        group: "rbac.authorization.k8s.io",
        kind: "ClusterRoleBinding",
        columns: &["Role", "Age"],
        row: binding,
    },
    Printer {
        group: "coordination.k8s.io",
        kind: "Lease",
        columns: &["Holder", "Age"],
        row: lease,
    },
    Printer {
        group: "networking.k8s.io",
        kind: "NetworkPolicy",
        columns: &["Pod-Selector", "Age"],
        row: network_policy,
    },
];

fn printer(kind: &Kind) -> Option<&'static Printer> {
    PRINTERS
        .iter()
        .find(|printer| printer.group == kind.group && printer.kind == kind.kind)
}

pub(super) fn columns(kind: &Kind) -> Option<Vec<Column>> {
    let printer = printer(kind)?;
    Some(
        printer
            .columns
            .iter()
            .map(|name| {
                let (name, priority) = name.strip_prefix('+').map_or((*name, 0), |name| (name, 1));
                let (name, kind) = name
                    .strip_prefix('#')
                    .map_or((name, "string"), |name| (name, "integer"));
                column(name, kind, "", "", priority)
            })
            .collect(),
    )
}

pub(super) fn cells(kind: &Kind, item: &Value, now: Timestamp) -> Option<Vec<Value>> {
    printer(kind).map(|printer| (printer.row)(item, now))
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
        .map(|started| duration(ended.as_second() - started.as_second()))
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
    let suspend = if item.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        "True"
    } else {
        "False"
    };
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
    let ready = list(item, "/status/conditions")
        .iter()
        .any(|condition| text(condition, "/type") == "Ready" && text(condition, "/status") == "True");
    vec![
        if ready { "Ready" } else { "NotReady" }.into(),
        or_none(""),
        born(item, now),
        text(item, "/status/nodeInfo/kubeletVersion").into(),
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
    let seen = [
        "/lastTimestamp",
        "/deprecatedLastTimestamp",
        "/series/lastObservedTime",
        "/eventTime",
    ];
    let seen = seen
        .iter()
        .map(|pointer| text(item, pointer))
        .find(|time| !time.is_empty());
    let message = if item.get("message").is_some() {
        text(item, "/message")
    } else {
        text(item, "/note")
    };
    vec![
        age(seen.unwrap_or(meta::text(item, "creationTimestamp")), now),
        text(item, "/type").into(),
        text(item, "/reason").into(),
        format!(
            "{}/{}",
            text(&about, "/kind").to_lowercase(),
            text(&about, "/name")
        )
        .into(),
        message.trim().into(),
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
    vec![
        format!("{}/{}", text(item, "/roleRef/kind"), text(item, "/roleRef/name")).into(),
        born(item, now),
    ]
}

fn lease(item: &Value, now: Timestamp) -> Vec<Value> {
    vec![text(item, "/spec/holderIdentity").into(), born(item, now)]
}

fn network_policy(item: &Value, now: Timestamp) -> Vec<Value> {
    vec![labels(item, "/spec/podSelector/matchLabels"), born(item, now)]
}
