use super::write;
use crate::cluster::Cluster;
use crate::kinds::table;
use crate::meta;
use crate::store::Key;
use serde_json::{Value, json};

/// A claim is bound at once, to a volume that nobody sees.
pub(super) fn claim(cluster: &Cluster, key: &Key) {
    let claims = table("", "persistentvolumeclaims");
    write::change(cluster, &claims, key, "kube-controller-manager", "", |claim| {
        if meta::is_deleted(claim) || claim.pointer("/spec/volumeName").is_some() {
            return None;
        }
        let mut new = claim.clone();
        meta::field_mut(&mut new, "spec").insert(
            "volumeName".to_owned(),
            format!("pvc-{}", meta::uid(claim)).into(),
        );
        Some(new)
    });
    write::status(cluster, &claims, key, "kube-controller-manager", |claim| {
        let spec = claim.get("spec")?;
        spec.get("volumeName")?;
        let storage = spec
            .pointer("/resources/requests/storage")
            .cloned()
            .unwrap_or_else(|| "1Gi".into());
        Some(
            json!({"phase": "Bound", "accessModes": spec.get("accessModes"), "capacity": {"storage": storage}}),
        )
    });
}

/// A load balancer gets an address at once.
pub(super) fn service(cluster: &Cluster, key: &Key) {
    write::status(
        cluster,
        &table("", "services"),
        key,
        "devcluster-load-balancer",
        |service| {
            let is_balanced = service.pointer("/spec/type").and_then(Value::as_str) == Some("LoadBalancer");
            let has_address = service.pointer("/status/loadBalancer/ingress/0").is_some();
            if !is_balanced || has_address {
                return None;
            }
            Some(json!({"loadBalancer": {"ingress": [{"ip": "127.0.0.1", "ipMode": "VIP"}]}}))
        },
    );
}
