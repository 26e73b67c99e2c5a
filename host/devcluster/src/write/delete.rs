//! Deleting objects: finalizers, grace, and what happens to what they own.

use super::Write;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;
use crate::selector::Selector;
use crate::simulate::definitions;
use crate::status::{Named, Result, Status};
use crate::store::{Expect, Key, revision_of};
use serde_json::{Value, json};
use std::sync::Arc;

/// The finalizer that keeps an owner until its dependents are gone.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer that keeps an owner until its dependents have forgotten it.
pub(crate) const ORPHAN: &str = "orphan";

/// `DeleteOptions`, from the body or the query.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) grace_period: Option<i64>,
    pub(crate) propagation: Option<String>,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
    pub(crate) is_dry_run: bool,
    /// Both ways to say the same were used.
    pub(crate) is_ambiguous: bool,
}

impl DeleteOptions {
    pub(crate) fn read(body: &Value) -> Self {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let orphans = body.get("orphanDependents").and_then(Value::as_bool);
        let orphans = orphans.map(|orphans| if orphans { "Orphan" } else { "Background" }.to_owned());
        Self {
            is_ambiguous: orphans.is_some() && body.get("propagationPolicy").is_some(),
            grace_period: body.get("gracePeriodSeconds").and_then(Value::as_i64),
            propagation: text("/propagationPolicy").or(orphans),
            uid: text("/preconditions/uid"),
            resource_version: text("/preconditions/resourceVersion"),
            is_dry_run: body
                .get("dryRun")
                .and_then(Value::as_array)
                .is_some_and(|list| list.contains(&json!("All"))),
        }
    }
}

/// What a deletion answers: the object where it stays for now (or its kind is one that is given back), else a Status.
pub(crate) enum Deleted {
    Marked(Arc<Value>),
    Gone(Value),
}

/// DELETE of one object.
pub(crate) fn delete(cluster: &Cluster, write: &Write, options: &DeleteOptions) -> Result<Deleted> {
    let kind = &write.kind;
    let key = Key::new(&write.namespace, &write.name);
    if !matches!(
        options.propagation.as_deref(),
        None | Some("Background" | "Foreground" | "Orphan")
    ) {
        let policy = options.propagation.as_deref().unwrap_or_default();
        let message = format!(
            "Unsupported value: \"{policy}\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
        );
        let cause = crate::status::Cause::new("FieldValueNotSupported", message, "propagationPolicy");
        return Err(Status::invalid("meta.k8s.io", "DeleteOptions", "", vec![cause]));
    }
    if options.is_ambiguous {
        let policy = options.propagation.as_deref().unwrap_or_default();
        let message = format!(
            "Invalid value: \"{policy}\": orphanDependents and deletionPropagation cannot be both set"
        );
        let cause = crate::status::Cause::new("FieldValueInvalid", message, "propagationPolicy");
        return Err(Status::invalid("meta.k8s.io", "DeleteOptions", "", vec![cause]));
    }
    loop {
        let stored = cluster
            .store
            .get(&kind.table, &key)
            .ok_or_else(|| Status::not_found(&write.named()))?;
        check_preconditions(write, options, &stored)?;
        if kind.is("", "namespaces")
            && matches!(meta::name(&stored), "default" | "kube-system" | "kube-public")
        {
            return Err(Status::forbidden(
                &write.named(),
                "this namespace may not be deleted",
            ));
        }
        let mut object = (*stored).clone();
        let mut finalizers = finalizers_after(options, &meta::finalizers(&object));
        if kind.is("apiextensions.k8s.io", "customresourcedefinitions")
            && !finalizers.iter().any(|name| name == definitions::CLEANUP)
        {
            finalizers.push(definitions::CLEANUP.to_owned());
        }
        let grace = grace_of(kind, &object, options);
        let stays = !finalizers.is_empty() || grace > 0 || kind.is("", "namespaces");
        if !stays {
            if options.is_dry_run {
                return Ok(gone(kind, &stored, options));
            }
            if let Ok(last) = cluster.remove(kind, &key, revision_of(&stored)) {
                return Ok(gone(kind, &last, options));
            }
            continue;
        }
        if meta::is_deleted(&stored) && finalizers == meta::finalizers(&stored) {
            return Ok(Deleted::Marked(kind.present(&stored)));
        }
        meta::set_finalizers(&mut object, &finalizers);
        if !meta::is_deleted(&stored) {
            mark(kind, &mut object, grace);
        }
        if options.is_dry_run {
            return Ok(Deleted::Marked(kind.present(&Arc::new(object))));
        }
        if let Ok(stored) = cluster.put(kind, object, &Expect::Revision(revision_of(&stored))) {
            return Ok(Deleted::Marked(kind.present(&stored)));
        }
    }
}

/// Stamps the time of deletion.
fn mark(kind: &Kind, object: &mut Value, grace: i64) {
    meta::set(object, "deletionTimestamp", meta::now_plus(grace));
    meta::set(object, "deletionGracePeriodSeconds", grace);
    if meta::generation(object) > 0 {
        meta::set(object, "generation", meta::generation(object) + 1);
    }
    if kind.is("apiextensions.k8s.io", "customresourcedefinitions") {
        definitions::mark(object);
    }
    if kind.is("", "namespaces") {
        meta::remove(object, "deletionGracePeriodSeconds");
        meta::field_mut(object, "status").insert("phase".to_owned(), "Terminating".into());
    }
}

fn check_preconditions(write: &Write, options: &DeleteOptions, stored: &Value) -> Result<()> {
    let uid = meta::uid(stored);
    if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != uid) {
        let why = format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have been deleted and then recreated"
        );
        return Err(Status::conflict(&by_kind(write), &why));
    }
    let version = meta::resource_version(stored);
    if let Some(wanted) = options
        .resource_version
        .as_deref()
        .filter(|wanted| *wanted != version)
    {
        let why = format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). The object might have been modified"
        );
        return Err(Status::conflict(&by_kind(write), &why));
    }
    Ok(())
}

/// Deletion names the kind where everything else names the resource.
fn by_kind(write: &Write) -> Named<'_> {
    Named {
        group: &write.kind.group,
        resource: &write.kind.kind,
        name: &write.name,
    }
}

fn finalizers_after(options: &DeleteOptions, present: &[String]) -> Vec<String> {
    let wanted = match options.propagation.as_deref() {
        Some("Foreground") => Some(FOREGROUND),
        Some("Orphan") => Some(ORPHAN),
        Some(_) => None,
        None => return present.to_vec(),
    };
    let mut finalizers: Vec<String> = present
        .iter()
        .filter(|name| *name != FOREGROUND && *name != ORPHAN)
        .cloned()
        .collect();
    finalizers.extend(wanted.map(str::to_owned));
    finalizers
}

/// Pods that run on a node get time to end; everything else goes at once.
fn grace_of(kind: &Kind, object: &Value, options: &DeleteOptions) -> i64 {
    if !kind.is("", "pods") {
        return 0;
    }
    let scheduled = object
        .pointer("/spec/nodeName")
        .and_then(Value::as_str)
        .is_some_and(|node| !node.is_empty());
    let phase = object
        .pointer("/status/phase")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !scheduled || matches!(phase, "Succeeded" | "Failed") {
        return 0;
    }
    let own = object
        .pointer("/spec/terminationGracePeriodSeconds")
        .and_then(Value::as_i64);
    options.grace_period.or(own).unwrap_or(30)
}

fn gone(kind: &Kind, last: &Arc<Value>, options: &DeleteOptions) -> Deleted {
    const GIVEN_BACK: [(&str, &str); 12] = [
        ("", "pods"),
        ("", "services"),
        ("", "serviceaccounts"),
        ("", "persistentvolumeclaims"),
        ("", "persistentvolumes"),
        ("", "podtemplates"),
        ("", "resourcequotas"),
        ("storage.k8s.io", "storageclasses"),
        ("storage.k8s.io", "csidrivers"),
        ("storage.k8s.io", "csinodes"),
        ("storage.k8s.io", "csistoragecapacities"),
        ("storage.k8s.io", "volumeattachments"),
    ];
    if kind.is("", "pods") && options.grace_period == Some(0) {
        let mut last = (**last).clone();
        meta::set(&mut last, "deletionTimestamp", meta::now());
        meta::set(&mut last, "deletionGracePeriodSeconds", 0);
        return Deleted::Marked(kind.present(&Arc::new(last)));
    }
    if GIVEN_BACK.iter().any(|(group, plural)| kind.is(group, plural)) {
        return Deleted::Marked(kind.present(last));
    }
    let mut details = json!({"name": meta::name(last), "kind": kind.plural, "uid": meta::uid(last)});
    if !kind.group.is_empty() {
        meta::as_map(&mut details).insert("group".to_owned(), kind.group.clone().into());
    }
    Deleted::Gone(
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}),
    )
}

/// DELETE of a collection; gives what was deleted.
pub(crate) fn delete_collection(
    cluster: &Cluster,
    write: &Write,
    selector: &Selector,
    options: &DeleteOptions,
) -> Result<Vec<Arc<Value>>> {
    let namespace = (!write.namespace.is_empty()).then_some(write.namespace.as_str());
    let mut deleted = Vec::new();
    for object in cluster.store.list(&write.kind.table, namespace).objects {
        let shown = write.kind.present(&object);
        if !selector.matches(&shown) {
            continue;
        }
        let one = Write {
            namespace: meta::namespace(&object).to_owned(),
            name: meta::name(&object).to_owned(),
            ..write.clone()
        };
        match delete(cluster, &one, options) {
            Ok(Deleted::Marked(object)) => deleted.push(object),
            Ok(Deleted::Gone(_)) => deleted.push(shown),
            Err(status) if status.code == 404 => {}
            Err(status) => return Err(status),
        }
    }
    Ok(deleted)
}
