//! A Kustomization that cannot be read: it alone suffers, it says so, and it can be deleted.

use super::conclude::not_written;
use super::memory::Memory;
use super::report::Report;
use crate::error_policy::Failure;
use crate::runtime::{Park, Run};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sluice_api::{Kustomization, decode};
use sluice_event::Severity;
use sluice_event::events::ObjectMalformed;
use std::sync::Arc;

/// Says what cannot be read. Nothing changes that but an edit.
pub(super) async fn tell(run: &Run, object: &Arc<Value>, error: &str) -> Park {
    ObjectMalformed { error }.emit();
    let mut report = Report::of(
        run,
        object.clone(),
        &part(object, "metadata"),
        part(object, "status"),
    );
    report.failed(&Failure::malformed(error), None);
    match report.close().await {
        Ok(true) => {
            report.tell(Severity::Error, &format!("the object cannot be read: {error}"));
            Park::For(None)
        }
        Ok(false) => Park::For(None),
        Err(error) => not_written(&mut Memory::default(), &error),
    }
}

/// Whether it is being deleted.
pub(super) fn is_deleted(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

/// What decides over its objects when it is deleted.
const DECIDING: [&str; 5] = [
    "prune",
    "deletionPolicy",
    "suspend",
    "serviceAccountName",
    "kubeConfig",
];

/// What its end needs of an object that cannot be read as a whole. Where a field that decides is among what cannot be
/// read, its objects stay: a guess would delete too much, elsewhere, or in another name.
pub(super) fn end_of(run: &Run, object: &Arc<Value>, error: &str) -> Kustomization {
    if let Some(ks) = readable(object) {
        return ks;
    }
    ObjectMalformed { error }.emit();
    let metadata = part(object, "metadata");
    let report = Report::of(run, object.clone(), &metadata, part(object, "status"));
    report.tell(
        Severity::Error,
        &format!(
            "unable to prune objects: the object cannot be read: {error}. They stay: delete them by hand"
        ),
    );
    let spec = serde_json::from_value(spec(&Value::Null)).expect("invariant: the least spec is one");
    let mut ks = Kustomization::new("", "", spec);
    ks.metadata = metadata;
    ks
}

fn readable(object: &Value) -> Option<Kustomization> {
    let given = object.get("spec")?;
    let wanted = |fields: &[&str]| {
        let fields = fields.iter();
        fields
            .filter_map(|field| Some(((*field).to_owned(), given.get(field)?.clone())))
            .collect::<Value>()
    };
    let read = |fields: Value| {
        let mut object = object.clone();
        *object.get_mut("spec")? = spec(&fields);
        decode(&object).ok()
    };
    // how long an end is waited for is no reason not to come to it
    let with_times = [DECIDING.as_slice(), &["timeout", "interval"]].concat();
    read(wanted(&with_times)).or_else(|| read(wanted(&DECIDING)))
}

/// The least that is a spec, and `fields`. It deletes nothing unless they say so.
fn spec(fields: &Value) -> Value {
    let mut spec =
        json!({ "interval": "1m", "prune": false, "sourceRef": { "kind": "GitRepository", "name": "" } });
    if let (Some(spec), Some(fields)) = (spec.as_object_mut(), fields.as_object()) {
        spec.extend(fields.clone());
    }
    spec
}

/// A part of the object, empty where it cannot be read.
fn part<T: DeserializeOwned + Default>(object: &Value, name: &str) -> T {
    let part = object.get(name).cloned().unwrap_or_default();
    serde_json::from_value(part).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_what_cannot_be_read_is_read_where_nothing_is_guessed() {
        let read = |mut spec: Value| {
            let object = spec.as_object_mut().unwrap();
            object.insert("interval".into(), json!("9999999999h"));
            object.entry("prune").or_insert(json!(true));
            readable(&json!({ "metadata": { "name": "a", "namespace": "b" }, "spec": spec }))
        };
        let ks = read(json!({ "serviceAccountName": "deployer", "timeout": "5m" })).unwrap();
        assert!(ks.spec.deletes_inventory());
        assert_eq!(ks.spec.service_account_name.as_deref(), Some("deployer"));
        assert!(
            !read(json!({ "deletionPolicy": "Orphan" }))
                .unwrap()
                .spec
                .deletes_inventory()
        );
        for unread in [
            json!({ "prune": "perhaps" }),
            json!({ "deletionPolicy": "Sometimes" }),
            json!({ "serviceAccountName": 7 }),
            json!({ "kubeConfig": "elsewhere" }),
            json!({ "suspend": "no" }),
        ] {
            assert!(read(unread.clone()).is_none(), "{unread}");
        }
        let ks = read(json!({ "sourceRef": 1, "dependsOn": "all", "timeout": "soon" })).unwrap();
        assert!(ks.spec.deletes_inventory());
        assert!(readable(&json!({ "spec": { "prune": true }, "status": "none" })).is_none());
    }
}
