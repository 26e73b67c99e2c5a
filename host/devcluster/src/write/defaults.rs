//! Fills in what a request leaves out.

use crate::meta;
use serde_json::{Value, json};
use sluice_schema::Node;

/// Fills in the schema's own `default`s, outermost first.
pub(crate) fn from_schema(node: &Node, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, field) in &node.properties {
                if let Some(default) = &field.default
                    && map
                        .get(name)
                        .is_none_or(|value| value.is_null() && !field.nullable)
                {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in map.iter_mut() {
                if let Some(field) = node.field(name) {
                    from_schema(field, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                items.iter_mut().for_each(|item| from_schema(node, item));
            }
        }
        _ => {}
    }
}

/// Fills in what the server's own code defaults, for the built-in kinds people use.
pub(crate) fn built_in(group: &str, kind: &str, object: &mut Value) {
    match (group, kind) {
        ("", "Pod") => {
            if let Some(spec) = object.get_mut("spec") {
                pod_spec(spec);
                set_missing(Some(spec), "enableServiceLinks", json!(true));
                for list in ["initContainers", "containers"] {
                    items_mut(spec, list).for_each(requests);
                }
            }
        }
        ("apps", "Deployment") => deployment(object),
        ("apps", "ReplicaSet") => {
            let spec = object.get_mut("spec");
            set_missing(spec, "replicas", json!(1));
            template(object);
        }
        ("apps", "StatefulSet") => stateful_set(object),
        ("apps", "DaemonSet") => daemon_set(object),
        ("batch", "Job") => {
            job_spec(object.get_mut("spec"));
            template(object);
        }
        ("batch", "CronJob") => cron_job(object),
        ("", "Service") => service(object),
        ("", "Secret") => set_missing(Some(object), "type", json!("Opaque")),
        ("", "Namespace") => {
            let name = meta::name(object).to_owned();
            if !name.is_empty() {
                let labels = meta::meta_mut(object)
                    .entry("labels")
                    .or_insert_with(|| json!({}));
                meta::as_map(labels).insert("kubernetes.io/metadata.name".to_owned(), name.into());
            }
        }
        ("", "PersistentVolumeClaim") => {
            set_missing(object.get_mut("spec"), "volumeMode", json!("Filesystem"))
        }
        ("", "PersistentVolume") => {
            set_missing(object.get_mut("spec"), "volumeMode", json!("Filesystem"));
            set_missing(
                object.get_mut("spec"),
                "persistentVolumeReclaimPolicy",
                json!("Retain"),
            );
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => role_binding(object),
        ("networking.k8s.io", "NetworkPolicy") => network_policy(object),
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler(object),
        ("", "LimitRange") => limits(object),
        ("storage.k8s.io", "StorageClass") => {
            set_missing(Some(object), "reclaimPolicy", json!("Delete"));
            set_missing(Some(object), "volumeBindingMode", json!("Immediate"));
        }
        ("scheduling.k8s.io", "PriorityClass") => {
            set_missing(Some(object), "preemptionPolicy", json!("PreemptLowerPriority"))
        }
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        (
            "admissionregistration.k8s.io",
            "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration",
        ) => webhooks(object),
        _ => {}
    }
}

/// Sets a field of a mapping that does not have it.
fn set_missing(value: Option<&mut Value>, field: &str, default: Value) {
    if let Some(Value::Object(map)) = value
        && map.get(field).is_none_or(Value::is_null)
    {
        map.insert(field.to_owned(), default);
    }
}

fn template(object: &mut Value) {
    if let Some(spec) = object.pointer_mut("/spec/template/spec") {
        pod_spec(spec);
    }
}

fn deployment(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    set_missing(Some(spec), "replicas", json!(1));
    set_missing(Some(spec), "revisionHistoryLimit", json!(10));
    set_missing(Some(spec), "progressDeadlineSeconds", json!(600));
    set_missing(Some(spec), "strategy", json!({}));
    let strategy = spec.get_mut("strategy");
    rolling(
        strategy,
        "RollingUpdate",
        &[("maxUnavailable", json!("25%")), ("maxSurge", json!("25%"))],
    );
    template(object);
}

fn rolling(strategy: Option<&mut Value>, kind: &str, fields: &[(&str, Value)]) {
    let Some(strategy) = strategy else { return };
    if strategy
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .is_empty()
    {
        meta::as_map(strategy).insert("type".to_owned(), kind.into());
    }
    if strategy.get("type").and_then(Value::as_str) == Some("RollingUpdate") {
        set_missing(Some(strategy), "rollingUpdate", json!({}));
        for (field, default) in fields {
            set_missing(strategy.get_mut("rollingUpdate"), field, default.clone());
        }
    }
}

fn stateful_set(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    set_missing(Some(spec), "replicas", json!(1));
    set_missing(Some(spec), "revisionHistoryLimit", json!(10));
    set_missing(Some(spec), "podManagementPolicy", json!("OrderedReady"));
    set_missing(Some(spec), "updateStrategy", json!({}));
    set_missing(Some(spec), "persistentVolumeClaimRetentionPolicy", json!({}));
    for field in ["whenDeleted", "whenScaled"] {
        set_missing(
            spec.get_mut("persistentVolumeClaimRetentionPolicy"),
            field,
            json!("Retain"),
        );
    }
    rolling(
        spec.get_mut("updateStrategy"),
        "RollingUpdate",
        &[("partition", json!(0))],
    );
    if let Some(Value::Array(claims)) = spec.get_mut("volumeClaimTemplates") {
        for claim in claims {
            set_missing(Some(claim), "apiVersion", json!("v1"));
            set_missing(Some(claim), "kind", json!("PersistentVolumeClaim"));
            set_missing(claim.get_mut("spec"), "volumeMode", json!("Filesystem"));
            set_missing(Some(claim), "status", json!({}));
            set_missing(claim.get_mut("status"), "phase", json!("Pending"));
        }
    }
    template(object);
}

fn daemon_set(object: &mut Value) {
    let annotations = meta::meta_mut(object)
        .entry("annotations")
        .or_insert_with(|| json!({}));
    meta::as_map(annotations)
        .entry("deprecated.daemonset.template.generation")
        .or_insert_with(|| "1".into());
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    set_missing(Some(spec), "revisionHistoryLimit", json!(10));
    set_missing(Some(spec), "updateStrategy", json!({}));
    let fields = [("maxUnavailable", json!(1)), ("maxSurge", json!(0))];
    rolling(spec.get_mut("updateStrategy"), "RollingUpdate", &fields);
    template(object);
}

fn job_spec(spec: Option<&mut Value>) {
    let Some(spec) = spec else { return };
    let parallel = spec.get("parallelism").is_none_or(Value::is_null)
        && spec.get("completions").is_none_or(Value::is_null);
    if parallel {
        set_missing(Some(spec), "completions", json!(1));
    }
    for (field, default) in [
        ("parallelism", json!(1)),
        ("backoffLimit", json!(6)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("manualSelector", json!(false)),
        ("podReplacementPolicy", json!("TerminatingOrFailed")),
    ] {
        set_missing(Some(spec), field, default);
    }
}

fn cron_job(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    for (field, default) in [
        ("concurrencyPolicy", json!("Allow")),
        ("suspend", json!(false)),
        ("successfulJobsHistoryLimit", json!(3)),
        ("failedJobsHistoryLimit", json!(1)),
    ] {
        set_missing(Some(spec), field, default);
    }
    if let Some(pod) = spec.pointer_mut("/jobTemplate/spec/template/spec") {
        pod_spec(pod);
    }
}

fn service(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    set_missing(Some(spec), "type", json!("ClusterIP"));
    set_missing(Some(spec), "sessionAffinity", json!("None"));
    let kind = spec
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if spec.get("sessionAffinity").and_then(Value::as_str) == Some("ClientIP") {
        set_missing(
            Some(spec),
            "sessionAffinityConfig",
            json!({"clientIP": {"timeoutSeconds": 10800}}),
        );
    }
    if kind == "NodePort" || kind == "LoadBalancer" {
        set_missing(Some(spec), "externalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        set_missing(Some(spec), "allocateLoadBalancerNodePorts", json!(true));
    }
    if kind != "ExternalName" {
        set_missing(Some(spec), "internalTrafficPolicy", json!("Cluster"));
    }
    for port in items_mut(spec, "ports") {
        set_missing(Some(port), "protocol", json!("TCP"));
        let number = port.get("port").cloned().unwrap_or_default();
        let target = port.get("targetPort");
        if target.is_none_or(|target| target.is_null() || *target == json!(0) || *target == json!("")) {
            meta::as_map(port).insert("targetPort".to_owned(), number);
        }
    }
}

fn role_binding(object: &mut Value) {
    set_missing(
        object.get_mut("roleRef"),
        "apiGroup",
        json!("rbac.authorization.k8s.io"),
    );
    for subject in items_mut(object, "subjects") {
        let kind = subject.get("kind").and_then(Value::as_str).unwrap_or_default();
        if kind == "User" || kind == "Group" {
            set_missing(Some(subject), "apiGroup", json!("rbac.authorization.k8s.io"));
        }
    }
}

fn network_policy(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    if spec
        .get("policyTypes")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        let mut types = vec![json!("Ingress")];
        if spec
            .get("egress")
            .and_then(Value::as_array)
            .is_some_and(|egress| !egress.is_empty())
        {
            types.push(json!("Egress"));
        }
        meta::as_map(spec).insert("policyTypes".to_owned(), Value::Array(types));
    }
    for (rules, peers) in [("ingress", "ports"), ("egress", "ports")] {
        for rule in items_mut(spec, rules) {
            for port in items_mut(rule, peers) {
                set_missing(Some(port), "protocol", json!("TCP"));
            }
        }
    }
}

fn autoscaler(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    set_missing(Some(spec), "minReplicas", json!(1));
    let bare = spec
        .get("metrics")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty);
    if bare && spec.get("targetCPUUtilizationPercentage").is_none() {
        let cpu = json!([{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 80}}}]);
        meta::as_map(spec).insert("metrics".to_owned(), cpu);
    }
}

/// A container's bounds follow from each other: what is not said about requests follows from limits, and limits from the maximum.
fn limits(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    for item in items_mut(spec, "limits") {
        if item.get("type").and_then(Value::as_str) != Some("Container") {
            continue;
        }
        for (from, to) in [
            ("max", "default"),
            ("default", "defaultRequest"),
            ("min", "defaultRequest"),
        ] {
            let given = item
                .get(from)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default();
            if !given.is_empty() {
                let target = meta::as_map(item).entry(to).or_insert_with(|| json!({}));
                for (name, quantity) in given {
                    meta::as_map(target).entry(name).or_insert(quantity);
                }
            }
        }
    }
}

fn webhooks(object: &mut Value) {
    let mutates = meta::kind(object).starts_with("Mutating");
    for hook in items_mut(object, "webhooks") {
        for (field, default) in [
            ("failurePolicy", json!("Fail")),
            ("matchPolicy", json!("Equivalent")),
            ("namespaceSelector", json!({})),
            ("objectSelector", json!({})),
            ("timeoutSeconds", json!(10)),
        ] {
            set_missing(Some(hook), field, default);
        }
        if mutates {
            set_missing(Some(hook), "reinvocationPolicy", json!("Never"));
        }
        for rule in items_mut(hook, "rules") {
            set_missing(Some(rule), "scope", json!("*"));
        }
        let service = hook.pointer_mut("/clientConfig/service");
        set_missing(service, "port", json!(443));
    }
}

fn definition(object: &mut Value) {
    let Some(spec) = object.get_mut("spec") else {
        return;
    };
    set_missing(Some(spec), "conversion", json!({"strategy": "None"}));
    if let Some(names) = spec.get_mut("names") {
        let kind = names
            .get("kind")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        set_missing(Some(names), "listKind", json!(format!("{kind}List")));
        set_missing(Some(names), "singular", json!(kind.to_lowercase()));
    }
}

fn items_mut<'v>(value: &'v mut Value, field: &str) -> impl Iterator<Item = &'v mut Value> {
    value
        .get_mut(field)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn pod_spec(spec: &mut Value) {
    for (field, default) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
    ] {
        set_missing(Some(spec), field, default);
    }
    if let Some(account) = spec
        .get("serviceAccountName")
        .filter(|account| account.as_str() != Some(""))
        .cloned()
    {
        meta::as_map(spec).insert("serviceAccount".to_owned(), account);
    } else if let Some(account) = spec
        .get("serviceAccount")
        .filter(|account| account.as_str() != Some(""))
        .cloned()
    {
        meta::as_map(spec).insert("serviceAccountName".to_owned(), account);
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for each in items_mut(spec, list) {
            container(each);
        }
    }
    for each in items_mut(spec, "volumes") {
        volume(each);
    }
}

fn container(container: &mut Value) {
    set_missing(
        Some(container),
        "terminationMessagePath",
        json!("/dev/termination-log"),
    );
    set_missing(Some(container), "terminationMessagePolicy", json!("File"));
    if container
        .get("imagePullPolicy")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .is_empty()
    {
        let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
        let policy = if is_latest(image) {
            "Always"
        } else {
            "IfNotPresent"
        };
        meta::as_map(container).insert("imagePullPolicy".to_owned(), policy.into());
    }
    for port in items_mut(container, "ports") {
        set_missing(Some(port), "protocol", json!("TCP"));
    }
    for env in items_mut(container, "env") {
        set_missing(env.pointer_mut("/valueFrom/fieldRef"), "apiVersion", json!("v1"));
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(name).filter(|probe| !probe.is_null()) {
            probe_defaults(probe);
        }
    }
    for hook in ["/lifecycle/postStart/httpGet", "/lifecycle/preStop/httpGet"] {
        http_get(container.pointer_mut(hook));
    }
}

/// A limit without a request asks for the limit.
fn requests(container: &mut Value) {
    let limits = container
        .pointer("/resources/limits")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    if !limits.is_empty() {
        let requests = meta::field_mut(container, "resources")
            .entry("requests")
            .or_insert_with(|| json!({}));
        for (name, limit) in limits {
            meta::as_map(requests).entry(name).or_insert(limit);
        }
    }
}

fn probe_defaults(probe: &mut Value) {
    for (field, default) in [
        ("timeoutSeconds", json!(1)),
        ("periodSeconds", json!(10)),
        ("successThreshold", json!(1)),
        ("failureThreshold", json!(3)),
    ] {
        if probe.get(field).and_then(Value::as_i64).unwrap_or_default() == 0 {
            meta::as_map(probe).insert(field.to_owned(), default);
        }
    }
    http_get(probe.get_mut("httpGet"));
    set_missing(probe.get_mut("grpc"), "service", json!(""));
}

fn http_get(action: Option<&mut Value>) {
    let Some(action) = action else { return };
    set_missing(Some(action), "path", json!("/"));
    set_missing(Some(action), "scheme", json!("HTTP"));
}

/// Whether an image names no tag, or the tag `latest`.
fn is_latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn volume(volume: &mut Value) {
    let has_source = volume
        .as_object()
        .is_some_and(|map| map.keys().any(|key| key != "name"));
    if !has_source {
        set_missing(Some(volume), "emptyDir", json!({}));
    }
    for source in ["secret", "configMap", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(source) {
            set_missing(Some(source), "defaultMode", json!(420));
        }
    }
    set_missing(volume.get_mut("hostPath"), "type", json!(""));
    if let Some(sources) = volume.pointer_mut("/projected") {
        for source in items_mut(sources, "sources") {
            set_missing(
                source.get_mut("serviceAccountToken"),
                "expirationSeconds",
                json!(3600),
            );
            for item in source
                .get_mut("downwardAPI")
                .into_iter()
                .flat_map(|api| items_mut(api, "items"))
            {
                set_missing(item.get_mut("fieldRef"), "apiVersion", json!("v1"));
            }
        }
    }
    for item in volume
        .get_mut("downwardAPI")
        .into_iter()
        .flat_map(|api| items_mut(api, "items"))
    {
        set_missing(item.get_mut("fieldRef"), "apiVersion", json!("v1"));
    }
}
