//! What the server decides about built-in and custom objects: what a client may not set, what counts as a change of
//! the wish, and what may never change.

use crate::kinds::Kind;
use crate::meta;
use crate::status::Cause;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Built-in kinds whose `metadata.generation` counts changes of the spec.
const GENERATIONS: &[(&str, &str)] = &[
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
    ("", "Pod"),
    ("", "ReplicationController"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("networking.k8s.io", "IngressClass"),
];

/// The finalizer of a claim that may be in use.
pub(crate) const CLAIM_PROTECTION: &str = "kubernetes.io/pvc-protection";
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

fn set_annotation(object: &mut Value, key: &str, value: &str) {
    let annotations = meta::meta_mut(object)
        .entry("annotations")
        .or_insert_with(|| json!({}));
    meta::as_map(annotations).insert(key.to_owned(), value.into());
}

/// Whether the kind counts generations.
pub(crate) fn has_generation(kind: &Kind) -> bool {
    kind.custom.is_some() || GENERATIONS.contains(&(kind.group.as_str(), kind.kind.as_str()))
}

/// Whether a PUT without a resource version is taken.
pub(crate) fn allows_unconditional_update(kind: &Kind) -> bool {
    kind.custom.is_none()
        && !matches!(
            kind.kind.as_str(),
            "APIService" | "CustomResourceDefinition" | "Lease"
        )
}

/// Whether the status endpoint owns `.status`, so that other writes leave it alone.
pub(crate) fn status_is_apart(kind: &Kind) -> bool {
    kind.has_subresource("status")
}

/// What a new object gets that its sender does not decide.
pub(crate) fn prepare_create(kind: &Kind, object: &mut Value) {
    if status_is_apart(kind) {
        let empty = kind.empty.get("status").cloned();
        let map = meta::as_map(object);
        match empty {
            Some(empty) => drop(map.insert("status".to_owned(), empty)),
            None => drop(map.remove("status")),
        }
    }
    if has_generation(kind) {
        meta::set(object, "generation", 1);
    }
    if kind.custom.is_some() {
        // the status that was sent is gone; what the schema says of one that is not there still holds
        super::defaults::from_schema(&kind.schema, object);
        return;
    }
    match kind.kind.as_str() {
        "Namespace" => {
            let spec = meta::field_mut(object, "spec");
            spec.insert("finalizers".to_owned(), json!(["kubernetes"]));
            meta::field_mut(object, "status").insert("phase".to_owned(), "Active".into());
        }
        "Pod" => pod(object),
        "PersistentVolumeClaim" => {
            let mut finalizers = meta::finalizers(object);
            finalizers.push(CLAIM_PROTECTION.to_owned());
            meta::set_finalizers(object, &finalizers);
            meta::field_mut(object, "status").insert("phase".to_owned(), "Pending".into());
        }
        "PersistentVolume" => {
            drop(meta::field_mut(object, "status").insert("phase".to_owned(), "Pending".into()))
        }
        "Job" => job_selector(object),
        "CustomResourceDefinition" => {
            let versions = object
                .pointer("/spec/versions")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let storage = versions
                .iter()
                .find(|version| version.get("storage") == Some(&Value::Bool(true)));
            let stored: Vec<Value> = storage
                .and_then(|version| version.get("name"))
                .cloned()
                .into_iter()
                .collect();
            let status = meta::field_mut(object, "status");
            status.insert("storedVersions".to_owned(), Value::Array(stored));
            status.insert("conditions".to_owned(), Value::Null);
            status.insert("acceptedNames".to_owned(), json!({"kind": "", "plural": ""}));
        }
        _ => {}
    }
}

/// What admission and the strategy give to a new Pod.
fn pod(object: &mut Value) {
    let class = quality(object);
    let spec = meta::field_mut(object, "spec");
    spec.entry("priority").or_insert_with(|| json!(0));
    spec.entry("preemptionPolicy")
        .or_insert_with(|| json!("PreemptLowerPriority"));
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
    if let Some(list) = tolerations.as_array_mut() {
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            let has = |toleration: &Value| {
                let effect = toleration
                    .get("effect")
                    .and_then(Value::as_str)
                    .unwrap_or("NoExecute");
                let own = toleration.get("key").and_then(Value::as_str).unwrap_or(key);
                own == key && effect == "NoExecute"
            };
            if !list.iter().any(has) {
                list.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
            }
        }
    }
    let status = meta::field_mut(object, "status");
    status.insert("phase".to_owned(), "Pending".into());
    status.insert("qosClass".to_owned(), class.into());
}

/// The quality-of-service class that requests and limits of CPU and memory give.
fn quality(pod: &Value) -> &'static str {
    let lists = ["/spec/initContainers", "/spec/containers"];
    let containers = lists
        .iter()
        .filter_map(|list| pod.pointer(list)?.as_array())
        .flatten();
    let (mut some, mut guaranteed) = (false, true);
    for container in containers {
        for resource in ["cpu", "memory"] {
            let of = |kind: &str| container.pointer(&format!("/resources/{kind}/{resource}"));
            some |= of("requests").is_some() || of("limits").is_some();
            guaranteed &=
                of("limits").is_some() && (of("requests").is_none() || of("requests") == of("limits"));
        }
    }
    match (some, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// What an update carries over from the stored object.
pub(crate) fn prepare_update(kind: &Kind, old: &Value, new: &mut Value) {
    if status_is_apart(kind) {
        carry(old, new, "status");
    }
    if kind.custom.is_none() {
        match kind.kind.as_str() {
            "Namespace" => {
                let finalizers = old.pointer("/spec/finalizers").cloned().unwrap_or_default();
                meta::field_mut(new, "spec").insert("finalizers".to_owned(), finalizers);
            }
            "Service" => carry_addresses(old, new),
            "DaemonSet" => {
                let changed = old.pointer("/spec/template") != new.pointer("/spec/template");
                let count = meta::annotation(old, TEMPLATE_GENERATION)
                    .and_then(|text| text.parse::<i64>().ok())
                    .unwrap_or(1);
                set_annotation(
                    new,
                    TEMPLATE_GENERATION,
                    &(count + i64::from(changed)).to_string(),
                );
            }
            "ServiceAccount" if new.get("secrets").is_none() => carry(old, new, "secrets"),
            _ => {}
        }
    }
    bump_generation(kind, old, new);
}

/// What an update of a namespace's finalizers carries over.
pub(crate) fn prepare_finalize(old: &Value, new: &mut Value) {
    carry(old, new, "status");
    let spec = meta::field_mut(new, "spec");
    if spec
        .get("finalizers")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        spec.remove("finalizers");
    }
}

/// What an update of the status endpoint carries over from the stored object: everything else.
pub(crate) fn prepare_status_update(kind: &Kind, old: &Value, new: &mut Value) {
    if kind.custom.is_some() {
        let status = new.get("status").cloned();
        let managed = new.pointer("/metadata/managedFields").cloned();
        let sent_version = meta::resource_version(new).to_owned();
        *new = old.clone();
        match status {
            Some(status) => drop(meta::as_map(new).insert("status".to_owned(), status)),
            None => drop(meta::as_map(new).remove("status")),
        }
        match managed {
            Some(managed) => meta::set(new, "managedFields", managed),
            None => drop(meta::remove(new, "managedFields")),
        }
        meta::set(new, "resourceVersion", sent_version);
    } else {
        let names: Vec<String> = old
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect();
        for name in names
            .iter()
            .filter(|name| !matches!(name.as_str(), "metadata" | "status"))
        {
            carry(old, new, name);
        }
        meta::carry(old, new, "labels");
    }
    meta::carry(old, new, "generation");
}

fn carry(old: &Value, new: &mut Value, field: &str) {
    let map = meta::as_map(new);
    match old.get(field) {
        Some(value) => drop(map.insert(field.to_owned(), value.clone())),
        None => drop(map.remove(field)),
    }
}

fn bump_generation(kind: &Kind, old: &Value, new: &mut Value) {
    if !has_generation(kind) {
        meta::carry(old, new, "generation");
        return;
    }
    meta::carry(old, new, "generation");
    let status_counts = !status_is_apart(kind);
    let wish = |object: &Value| {
        let mut wish = object.clone();
        let map = meta::as_map(&mut wish);
        map.remove("metadata");
        map.remove("apiVersion");
        if !status_counts {
            map.remove("status");
        }
        if kind.is("apps", "deployments") {
            // a Deployment's annotations are part of its wish
            let annotations = object
                .pointer("/metadata/annotations")
                .cloned()
                .unwrap_or_default();
            map.insert("annotations".to_owned(), annotations);
        }
        wish
    };
    let changed = wish(old) != wish(new);
    meta::set(new, "generation", meta::generation(old) + i64::from(changed));
}

/// Rewrites what has two spellings.
pub(crate) fn normalize(kind: &Kind, object: &mut Value) {
    if kind.kind == "Secret" && kind.group.is_empty() {
        let Some(Value::Object(plain)) = meta::as_map(object).remove("stringData") else {
            return;
        };
        let data = meta::field_mut(object, "data");
        for (key, text) in plain {
            data.insert(key, STANDARD.encode(text.as_str().unwrap_or_default()).into());
        }
    }
}

/// A Job without a selector selects its own Pods by its uid.
fn job_selector(object: &mut Value) {
    if object.pointer("/spec/manualSelector") == Some(&Value::Bool(true)) {
        return;
    }
    let (uid, name) = (meta::uid(object).to_owned(), meta::name(object).to_owned());
    let spec = meta::field_mut(object, "spec");
    spec.insert(
        "selector".to_owned(),
        json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}),
    );
    let template = meta::as_map(spec.entry("template").or_insert_with(|| json!({})));
    let template = meta::as_map(template.entry("metadata").or_insert_with(|| json!({})));
    let labels = meta::as_map(template.entry("labels").or_insert_with(|| json!({})));
    for (key, value) in [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ] {
        labels.insert(key.to_owned(), value.clone().into());
    }
    // a Job without labels wears those of its Pods
    let labels = labels.clone();
    if object
        .pointer("/metadata/labels")
        .and_then(Value::as_object)
        .is_none_or(serde_json::Map::is_empty)
    {
        meta::set(object, "labels", labels);
    }
}

fn carry_families(old: &Value, new: &mut Value) {
    let spec = meta::field_mut(new, "spec");
    for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
        if let Some(value) = old.pointer(&format!("/spec/{field}")) {
            spec.entry(field).or_insert_with(|| value.clone());
        }
    }
}

/// Addresses and ports that were given stay given.
fn carry_addresses(old: &Value, new: &mut Value) {
    let external =
        |object: &Value| object.pointer("/spec/type").and_then(Value::as_str) == Some("ExternalName");
    if external(new) {
        return;
    }
    let old_spec = old.get("spec").cloned().unwrap_or_default();
    let keeps_ports = |object: &Value| {
        matches!(
            object.pointer("/spec/type").and_then(Value::as_str),
            Some("NodePort" | "LoadBalancer")
        )
    };
    if keeps_ports(old) && !keeps_ports(new) {
        let spec = meta::field_mut(new, "spec");
        spec.remove("externalTrafficPolicy");
        spec.remove("allocateLoadBalancerNodePorts");
        for port in spec
            .get_mut("ports")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            meta::as_map(port).remove("nodePort");
        }
        carry_families(old, new);
        return;
    }
    let spec = meta::field_mut(new, "spec");
    for field in [
        "clusterIP",
        "clusterIPs",
        "ipFamilies",
        "ipFamilyPolicy",
        "healthCheckNodePort",
    ] {
        if spec
            .get(field)
            .is_none_or(|value| value.is_null() || *value == json!("") || *value == json!([]))
            && let Some(value) = old_spec.get(field)
        {
            spec.insert(field.to_owned(), value.clone());
        }
    }
    let old_ports = old_spec
        .get("ports")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let same =
            |old: &&Value| old.get("port") == port.get("port") && old.get("protocol") == port.get("protocol");
        if port.get("nodePort").is_none_or(Value::is_null)
            && let Some(node_port) = old_ports
                .iter()
                .find(same)
                .and_then(|old| old.get("nodePort"))
                .cloned()
        {
            meta::as_map(port).insert("nodePort".to_owned(), node_port);
        }
    }
}

/// What an update may not change.
pub(crate) fn immutable(kind: &Kind, old: &Value, new: &Value) -> Vec<Cause> {
    if kind.custom.is_some() {
        return Vec::new();
    }
    const SAID: &str = "field is immutable";
    let mut causes = Vec::new();
    let mut check = |pointer: &str, path: &str| {
        let (old, new) = (old.pointer(pointer), new.pointer(pointer));
        if old != new && old.is_some() {
            let shown = new.map_or_else(|| "null".to_owned(), Value::to_string);
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: {shown}: {SAID}"),
                path,
            ));
        }
    };
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("apps", "Deployment" | "ReplicaSet" | "DaemonSet") => check("/spec/selector", "spec.selector"),
        ("batch", "Job") => {
            check("/spec/selector", "spec.selector");
            check("/spec/completions", "spec.completions");
            check("/spec/completionMode", "spec.completionMode");
            check("/spec/template", "spec.template");
        }
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding")
            if old.get("roleRef") != new.get("roleRef") =>
        {
            let field = |key: &str| {
                new.pointer(&format!("/roleRef/{key}"))
                    .cloned()
                    .unwrap_or_default()
            };
            let shown = format!(
                "{{\"APIGroup\":{},\"Kind\":{},\"Name\":{}}}",
                field("apiGroup"),
                field("kind"),
                field("name")
            );
            causes.push(Cause::new(
                "FieldValueInvalid",
                format!("Invalid value: {shown}: cannot change roleRef"),
                "roleRef",
            ));
        }
        ("", "Secret") => {
            check("/type", "type");
            causes.extend(sealed(old, new));
        }
        ("", "ConfigMap") => causes.extend(sealed(old, new)),
        ("", "Pod") => causes.extend(fixed_pod(old, new)),
        ("storage.k8s.io", "StorageClass") => {
            check("/provisioner", "provisioner");
            check("/volumeBindingMode", "volumeBindingMode");
        }
        ("scheduling.k8s.io", "PriorityClass") if old.get("value") != new.get("value") => {
            causes.push(Cause::new(
                "FieldValueForbidden",
                "Forbidden: may not be changed in an update.",
                "value",
            ));
        }
        ("", "Service") => {
            let external = new.pointer("/spec/type").and_then(Value::as_str) == Some("ExternalName");
            let given = |object: &Value| {
                object
                    .pointer("/spec/clusterIP")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            if !external && !given(old).is_empty() && given(old) != given(new) {
                let message = format!("Invalid value: [\"{}\"]: may not change once set", given(new));
                causes.push(Cause::new("FieldValueInvalid", message, "spec.clusterIPs[0]"));
            }
        }
        ("apps", "StatefulSet") => {
            const MUTABLE: [&str; 8] = [
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
                "volumeClaimTemplatesUpdate",
            ];
            let rest = |object: &Value| {
                let mut spec = object.get("spec").cloned().unwrap_or_default();
                meta::as_map(&mut spec).retain(|field, _| !MUTABLE.contains(&field.as_str()));
                spec
            };
            if rest(old) != rest(new) {
                causes.push(Cause::new("FieldValueForbidden", "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden", "spec"));
            }
        }
        ("", "PersistentVolumeClaim") => {
            let rest = |object: &Value| {
                let mut spec = object.get("spec").cloned().unwrap_or_default();
                meta::as_map(&mut spec).retain(|field, _| {
                    !matches!(
                        field.as_str(),
                        "resources" | "volumeAttributesClassName" | "volumeName"
                    )
                });
                spec
            };
            if rest(old) != rest(new) {
                causes.push(Cause::new("FieldValueForbidden", "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims", "spec"));
            }
        }
        _ => {}
    }
    causes
}

/// `immutable: true` of ConfigMaps and Secrets.
fn sealed(old: &Value, new: &Value) -> Vec<Cause> {
    if old.get("immutable") != Some(&Value::Bool(true)) {
        return Vec::new();
    }
    let said = |field: &str| {
        Cause::new(
            "FieldValueForbidden",
            "Forbidden: field is immutable when `immutable` is set",
            field,
        )
    };
    let fields = ["immutable", "data", "binaryData"];
    let changed = fields.into_iter().filter(|field| {
        let empty = |value: Option<&Value>| {
            value.is_none_or(|value| value.as_object().is_some_and(serde_json::Map::is_empty))
        };
        old.get(*field) != new.get(*field) && !(empty(old.get(*field)) && empty(new.get(*field)))
    });
    changed.map(said).collect()
}

/// All of a Pod's spec but a few fields stays as it was made.
fn fixed_pod(old: &Value, new: &Value) -> Option<Cause> {
    let fixed = |pod: &Value| {
        let mut spec = pod.get("spec").cloned().unwrap_or_default();
        let map = meta::as_map(&mut spec);
        for field in [
            "activeDeadlineSeconds",
            "tolerations",
            "terminationGracePeriodSeconds",
            "schedulingGates",
        ] {
            map.remove(field);
        }
        for list in ["containers", "initContainers"] {
            for container in map
                .get_mut(list)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                meta::as_map(container).remove("image");
                meta::as_map(container).remove("resources"); // in-place resizing has an endpoint of its own
            }
        }
        spec
    };
    let message = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    (fixed(old) != fixed(new)).then(|| Cause::new("FieldValueForbidden", message, "spec"))
}
