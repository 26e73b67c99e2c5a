//! Watches every request a process makes and says which invariant it breaks (field/reliability.md 4.3).
//!
//! | invariant | where |
//! |---|---|
//! | I2 nothing is deleted that is not in the inventory, with the UID that was looked at | [`Judge::asks`] |
//! | I3 whatever is made is in the inventory before | [`Judge::asks`] |
//! | I5 nobody writes after a newer leader has | [`Judge::after`] |
//! | I7 observedGeneration and applied revision never go back | [`Judge::after`] |
//! | I9 a tenant's objects are touched in the tenant's name only | [`Judge::asks`] |
//! | I11 no secret value in events and conditions, and nothing encrypted is applied | [`Judge::asks`] |
//! | I12 equal inputs give equal bytes, whoever renders them | [`Judge::asks`] |
//! | I1, I8, I10 | `schedule.rs`, at the end |

use crate::wire::Asked;
use serde_json::Value;
use sluice_devcluster::DevCluster;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The namespace of every story.
pub(crate) const NAMESPACE: &str = "sim";
/// A text that is only in Secrets.
pub(crate) const SECRET_TEXT: &str = "hunter2-the-secret";
/// Objects of this prefix belong to a tenant, whose account is `tenant`.
pub(crate) const TENANT_PREFIX: &str = "tenant-";

const KUSTOMIZATIONS: &str = "kustomize.toolkit.fluxcd.io/kustomizations";
const LABELS: &str = "/metadata/labels/kustomize.toolkit.fluxcd.io~1";

/// What was seen so far, and what was wrong with it.
pub(crate) struct Judge {
    server: Arc<DevCluster>,
    violations: Vec<String>,
    /// Processes in the order of their first writes.
    writers: Vec<u32>,
    /// UID of a Kustomization → the highest observedGeneration and the number of the last applied revision.
    progress: BTreeMap<String, (i64, u64)>,
    /// What was applied for an object at a generation and revision of its owner.
    bodies: BTreeMap<String, String>,
    /// Writes that changed something, Leases and Events aside.
    writes: usize,
    /// The revision that a source was put back to.
    rewound: Option<u64>,
    /// How many events there were of each object.
    told: BTreeMap<String, usize>,
}

/// What starts every encrypted value of SOPS.
const ENCRYPTED: &str = "ENC[AES256_GCM";

impl Judge {
    pub(crate) fn new(server: Arc<DevCluster>) -> Self {
        Self {
            server,
            violations: Vec::new(),
            writers: Vec::new(),
            progress: BTreeMap::new(),
            bodies: BTreeMap::new(),
            writes: 0,
            rewound: None,
            told: BTreeMap::new(),
        }
    }

    pub(crate) fn violations(&self) -> &[String] {
        &self.violations
    }

    /// Writes so far that changed something, Leases and Events aside.
    pub(crate) fn writes(&self) -> usize {
        self.writes
    }

    /// How many events there were of an object (R34).
    pub(crate) fn told(&self, name: &str) -> usize {
        self.told.get(name).copied().unwrap_or_default()
    }

    /// A source goes back to an older revision: from now on that may be applied after a newer one (R32).
    pub(crate) fn rewound(&mut self, number: u64) {
        self.rewound = Some(number);
    }

    fn broken(&mut self, invariant: &str, what: String) {
        self.violations.push(format!("{invariant}: {what}"));
    }

    /// The version of what a request is about.
    fn version(&self, asked: &Asked) -> Option<String> {
        let object = self
            .server
            .object(&asked.resource, &asked.namespace, &asked.name)?;
        object
            .pointer("/metadata/resourceVersion")?
            .as_str()
            .map(str::to_owned)
    }

    /// A request is about to reach the server. Answers with the version of what it is about.
    pub(crate) fn before(&mut self, asked: &Asked, body: &[u8]) -> Option<String> {
        self.asks(asked, body);
        self.version(asked)
    }

    fn asks(&mut self, asked: &Asked, body: &[u8]) {
        let subject = format!(
            "{} {} {}/{}",
            asked.verb, asked.resource, asked.namespace, asked.name
        );
        let is_secret_told = body
            .windows(SECRET_TEXT.len())
            .any(|bytes| bytes == SECRET_TEXT.as_bytes());
        if is_secret_told && (asked.resource == "/events" || asked.subresource == "status") {
            self.broken("I11", format!("{subject} tells a secret"));
        }
        if asked.name.starts_with(TENANT_PREFIX)
            && asked.user.as_deref() != Some("system:serviceaccount:sim:tenant")
        {
            self.broken("I9", format!("{subject} as {:?}", asked.user));
        }
        if asked.resource == "/events" && asked.is_write() {
            let event: Value = serde_json::from_slice(body).unwrap_or_default();
            let name = event.pointer("/involvedObject/name").and_then(Value::as_str);
            *self.told.entry(name.unwrap_or_default().to_owned()).or_default() += 1;
        }
        if asked.resource == "/events"
            || asked.resource.starts_with("coordination.k8s.io/")
            || asked.resource == KUSTOMIZATIONS
        {
            return;
        }
        match asked.verb {
            "delete" => self.deletes(asked, body, &subject),
            "apply" if !asked.is_dry_run => self.applies(asked, body, &subject),
            _ => {}
        }
    }

    fn deletes(&mut self, asked: &Asked, body: &[u8], subject: &str) {
        let Some(live) = self.server.object(&asked.resource, &asked.namespace, &asked.name) else {
            return;
        };
        let options: Value = serde_json::from_slice(body).unwrap_or_default();
        let uid = options.pointer("/preconditions/uid").and_then(Value::as_str);
        let Some(uid) = uid else {
            return self.broken("I2", format!("{subject} without a UID"));
        };
        if live.pointer("/metadata/uid").and_then(Value::as_str) == Some(uid)
            && !self.is_in_inventory(&live, asked)
        {
            self.broken("I2", format!("{subject} is in nobody's inventory"));
        }
    }

    fn applies(&mut self, asked: &Asked, body: &[u8], subject: &str) {
        let desired: Value = serde_json::from_slice(body).unwrap_or_default();
        let live = self.server.object(&asked.resource, &asked.namespace, &asked.name);
        if live.is_none() && !self.is_in_inventory(&desired, asked) {
            self.broken("I3", format!("{subject} is made before it is in the inventory"));
        }
        if desired.to_string().contains(ENCRYPTED) {
            self.broken("I11", format!("{subject} is applied encrypted"));
        }
        let Some(owner) = self.owner(&desired) else {
            return;
        };
        // only what was applied whole once can be compared: before, an older specification may be under way,
        // and variables are inputs that are not looked at here
        let observed = owner.pointer("/status/observedGeneration");
        if observed != owner.pointer("/metadata/generation") || owner.pointer("/spec/postBuild").is_some() {
            return;
        }
        // what is beside the metadata says of which revision it is: then the metadata, and every byte, must be as before
        let generation = owner.pointer("/metadata/generation").map(Value::to_string);
        let mut payload = desired.clone();
        if let Some(fields) = payload.as_object_mut() {
            fields.remove("metadata");
        }
        let uid = owner.pointer("/metadata/uid").map(Value::to_string);
        let key = format!(
            "{subject} {} {} {payload}",
            uid.unwrap_or_default(),
            generation.unwrap_or_default()
        );
        let body = String::from_utf8_lossy(body).into_owned();
        let before = self.bodies.entry(key).or_insert_with(|| body.clone());
        if *before != body {
            let what = format!("{subject} was {before}, is {body}");
            self.broken("I12", what);
        }
    }

    /// The Kustomization that an object's labels name.
    fn owner(&self, object: &Value) -> Option<Arc<Value>> {
        let label = |name: &str| object.pointer(&format!("{LABELS}{name}")).and_then(Value::as_str);
        self.server
            .object(KUSTOMIZATIONS, label("namespace")?, label("name")?)
    }

    fn is_in_inventory(&self, object: &Value, asked: &Asked) -> bool {
        let kind = object
            .pointer("/kind")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let (group, _) = asked.resource.split_once('/').unwrap_or_default();
        let id = format!("{}_{}_{group}_{kind}", asked.namespace, asked.name);
        let Some(owner) = self.owner(object) else {
            return false;
        };
        let entries = owner
            .pointer("/status/inventory/entries")
            .and_then(Value::as_array);
        entries.into_iter().flatten().any(|entry| entry["id"] == *id)
    }

    /// A request was answered by the server; `version` as it was [`before`](Self::before).
    pub(crate) fn after(&mut self, process: u32, asked: &Asked, code: u16, version: Option<String>) {
        if !asked.is_write()
            || code >= 400
            || asked.resource == "/events"
            || asked.resource.starts_with("coordination.k8s.io/")
        {
            return;
        }
        // the only object of a stage is applied without a dry run before it; as long as it is as it should, nothing changes
        self.writes += usize::from(self.version(asked) != version);
        if !self.writers.contains(&process) {
            self.writers.push(process);
        }
        if let Some(newest) = self.writers.last().copied().filter(|newest| *newest != process) {
            self.broken(
                "I5",
                format!(
                    "#{process} {} {} after #{newest} has written",
                    asked.verb, asked.name
                ),
            );
        }
        if asked.resource == KUSTOMIZATIONS {
            self.progressed(asked);
        }
    }

    fn progressed(&mut self, asked: &Asked) {
        let Some(ks) = self.server.object(KUSTOMIZATIONS, &asked.namespace, &asked.name) else {
            return;
        };
        let uid = ks
            .pointer("/metadata/uid")
            .map(Value::to_string)
            .unwrap_or_default();
        let observed = ks
            .pointer("/status/observedGeneration")
            .and_then(Value::as_i64)
            .unwrap_or(-1);
        let applied = ks
            .pointer("/status/lastAppliedRevision")
            .and_then(Value::as_str)
            .map_or(0, number);
        let (observed_before, applied_before) =
            self.progress.insert(uid, (observed, applied)).unwrap_or((-1, 0));
        if observed < observed_before {
            self.broken(
                "I7",
                format!(
                    "{}: observedGeneration {observed_before} → {observed}",
                    asked.name
                ),
            );
        }
        if applied < applied_before && self.rewound != Some(applied) {
            self.broken(
                "I7",
                format!(
                    "{}: lastAppliedRevision r{applied_before} → r{applied}",
                    asked.name
                ),
            );
        }
    }
}

/// `main@sha1:r12` → 12.
pub(crate) fn number(revision: &str) -> u64 {
    revision
        .rsplit('r')
        .next()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}
