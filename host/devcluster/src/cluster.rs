//! The server's state: objects, kinds, and what watches over both.

use crate::audit::Audit;
use crate::faults::Faults;
use crate::kinds::{Kind, Kinds, table};
use crate::meta;
use crate::request::WriteOptions;
use crate::simulate;
use crate::store::{Expect, Journal, Key, Stale, Store};
use crate::write::{Write, create};
use serde_json::{Value, json};
use std::sync::Arc;

/// Namespaces that a cluster always has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// Everything that requests and controllers share.
pub(crate) struct Cluster {
    pub(crate) store: Store,
    pub(crate) kinds: Kinds,
    pub(crate) audit: Audit,
    pub(crate) faults: Faults,
    /// How many changes a slow watcher may be behind before it is dropped.
    pub(crate) watch_backlog: usize,
}

impl Cluster {
    pub(crate) fn new(
        history_max: usize,
        watch_backlog: usize,
        journal: Option<Journal>,
        faults: Faults,
    ) -> Arc<Self> {
        let cluster = Arc::new(Self {
            store: Store::new(history_max, journal),
            kinds: Kinds::default(),
            audit: Audit::default(),
            faults,
            watch_backlog,
        });
        cluster.bootstrap();
        cluster
    }

    /// What a fresh cluster has; what was restored is taken up.
    fn bootstrap(&self) {
        let definitions = table("apiextensions.k8s.io", "customresourcedefinitions");
        for definition in self.store.list(&definitions, None).objects {
            simulate::definitions::serve(self, &definition);
        }
        for name in NAMESPACES {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            self.create_own("kube-apiserver", "", "v1", "namespaces", "", namespace);
        }
        let api = json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "kubernetes", "namespace": "default", "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {"clusterIP": "10.0.0.1", "ports": [{"name": "https", "port": 443, "targetPort": 6443, "protocol": "TCP"}]}});
        self.create_own("kube-apiserver", "", "v1", "services", "default", api);
    }

    /// Creates an object on the server's own account; one that is there stays.
    pub(crate) fn create_own(
        &self,
        manager: &str,
        group: &str,
        version: &str,
        plural: &str,
        namespace: &str,
        object: Value,
    ) -> Option<Arc<Value>> {
        let kind = self.kinds.find(group, version, plural)?;
        let write = Write {
            kind,
            namespace: namespace.to_owned(),
            name: String::new(),
            subresource: String::new(),
            options: WriteOptions {
                manager: manager.to_owned(),
                ..WriteOptions::default()
            },
        };
        create::create(self, &write, object)
            .ok()
            .map(|written| written.object)
    }

    /// Stores an object; definitions take effect at once.
    pub(crate) fn put(&self, kind: &Kind, object: Value, expect: &Expect) -> Result<Arc<Value>, Stale> {
        let stored = self.store.put(&kind.table, object, expect)?;
        if kind.is("apiextensions.k8s.io", "customresourcedefinitions") {
            simulate::definitions::serve(self, &stored);
        }
        Ok(stored)
    }

    pub(crate) fn remove(&self, kind: &Kind, key: &Key, expected: u64) -> Result<Arc<Value>, Stale> {
        let last = self.store.remove(&kind.table, key, expected)?;
        if kind.is("apiextensions.k8s.io", "customresourcedefinitions") {
            self.kinds.undefine(&key.name);
        }
        Ok(last)
    }

    /// Gives a Service the addresses and ports that it does not have yet.
    pub(crate) fn allocate(&self, kind: &Kind, object: &mut Value) {
        if !kind.is("", "services") {
            return;
        }
        let service_type = object
            .pointer("/spec/type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if service_type == "ExternalName" {
            return;
        }
        let wanted = object
            .pointer("/spec/clusterIP")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let seed = number_of(meta::uid(object));
        let address = if wanted.is_empty() {
            format!(
                "10.{}.{}.{}",
                96 + seed % 16,
                (seed >> 8) % 256,
                1 + (seed >> 16) % 254
            )
        } else {
            wanted
        };
        let spec = meta::field_mut(object, "spec");
        spec.insert("clusterIP".to_owned(), address.clone().into());
        spec.insert("clusterIPs".to_owned(), json!([address.clone()]));
        // a headless Service without a selector may be filled in with addresses of either family
        let is_open = address == "None"
            && spec
                .get("selector")
                .and_then(Value::as_object)
                .is_none_or(serde_json::Map::is_empty);
        let (families, policy) = if is_open {
            (json!(["IPv4", "IPv6"]), "RequireDualStack")
        } else {
            (json!(["IPv4"]), "SingleStack")
        };
        spec.entry("ipFamilies").or_insert(families);
        spec.entry("ipFamilyPolicy").or_insert_with(|| policy.into());
        if service_type == "NodePort" || service_type == "LoadBalancer" {
            for (index, port) in spec
                .get_mut("ports")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
                .enumerate()
            {
                let port_number = 30_000 + (seed.wrapping_add(index as u64 * 7) % 2768);
                meta::as_map(port)
                    .entry("nodePort")
                    .or_insert_with(|| port_number.into());
            }
        }
    }
}

/// A number that a uid stands for: the same object always gets the same address.
fn number_of(uid: &str) -> u64 {
    u64::from_str_radix(&uid.replace('-', "").chars().take(12).collect::<String>(), 16).unwrap_or_default()
}
