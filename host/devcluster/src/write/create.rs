//! Creating objects.

use super::{Write, Written, owners, read, strategy, validate};
use crate::cluster::Cluster;
use crate::meta;
use crate::status::{Cause, Details, Named, Result, Status};
use crate::store::{Expect, Key};
use serde_json::Value;
use std::sync::Arc;

/// POST to a collection.
pub(crate) fn create(cluster: &Cluster, write: &Write, mut body: Value) -> Result<Written> {
    let mut warnings = Vec::new();
    read(write, &mut body, &mut warnings)?;
    let manager = write.options.manager.clone();
    place(write, &mut body)?;
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        meta::remove(&mut body, field);
    }
    generate_name(&mut body);
    owners::note_update(&write.kind, None, &mut body, &manager, "");
    let object = finish(cluster, write, body)?;
    Ok(Written {
        object,
        is_new: true,
        warnings,
    })
}

/// A name for an object that asks for one; the owner of fields does not see it.
fn generate_name(object: &mut Value) {
    let prefix = meta::text(object, "generateName").to_owned();
    if meta::name(object).is_empty() && !prefix.is_empty() {
        let prefix: String = prefix.chars().take(58).collect();
        meta::set(object, "name", format!("{prefix}{}", meta::random_suffix(5)));
    }
}

/// Checks the body's name and namespace against the path's.
pub(crate) fn place(write: &Write, object: &mut Value) -> Result<()> {
    let sent = meta::namespace(object);
    if write.kind.is_namespaced {
        if !sent.is_empty() && sent != write.namespace {
            return Err(Status::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        meta::set(object, "namespace", write.namespace.clone());
    } else {
        meta::remove(object, "namespace");
    }
    if !write.name.is_empty() && meta::name(object) != write.name {
        if meta::name(object).is_empty() {
            return Err(Status::bad_request(format!(
                "the name of the object ({} based on URL) was undeterminable: name must be provided",
                write.name
            )));
        } else {
            return Err(Status::bad_request(format!(
                "the name of the object ({}) does not match the name on the URL ({})",
                meta::name(object),
                write.name
            )));
        }
    }
    Ok(())
}

/// Stores a new object that is read and has its owners.
pub(crate) fn finish(cluster: &Cluster, write: &Write, mut object: Value) -> Result<Arc<Value>> {
    let kind = &write.kind;
    check_namespace(cluster, write, meta::name(&object))?;
    if !meta::resource_version(&object).is_empty() {
        return Err(Status::new(
            500,
            "",
            "resourceVersion should not be set on objects to be created",
        ));
    }
    meta::set(&mut object, "uid", meta::new_uid());
    meta::set(&mut object, "creationTimestamp", meta::now());
    write.admit(cluster, &mut object)?;
    strategy::prepare_create(kind, &mut object);
    cluster.allocate(kind, &mut object);
    validate(write, None, &object)?;
    let name = meta::name(&object).to_owned();
    let named = Named {
        group: &kind.group,
        resource: &kind.plural,
        name: &name,
    };
    let stored = kind.to_stored(object);
    if write.options.is_dry_run {
        return match cluster.store.get(&kind.table, &Key::of(&stored)) {
            Some(found) => Err(taken(&named, &found)),
            None => Ok(kind.present(&Arc::new(stored))),
        };
    }
    let key = Key::of(&stored);
    let stored = cluster.put(kind, stored, &Expect::Absent).map_err(|_| {
        match cluster.store.get(&kind.table, &key) {
            Some(found) => taken(&named, &found),
            None => Status::already_exists(&named),
        }
    })?;
    Ok(kind.present(&stored))
}

fn taken(named: &Named<'_>, found: &Value) -> Status {
    if meta::is_deleted(found) {
        Status::still_going(named)
    } else {
        Status::already_exists(named)
    }
}

/// Nothing is created in a namespace that is not there or is going away.
fn check_namespace(cluster: &Cluster, write: &Write, name: &str) -> Result<()> {
    if !write.kind.is_namespaced {
        return Ok(());
    }
    let namespace = write.namespace.as_str();
    let table = crate::kinds::table("", "namespaces");
    let Some(found) = cluster.store.get(&table, &Key::new("", namespace)) else {
        return Err(Status::not_found(&Named {
            group: "",
            resource: "namespaces",
            name: namespace,
        }));
    };
    if !meta::is_deleted(&found) || write.kind.kind == "Event" {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let cause = Cause::new(
        "NamespaceTerminating",
        format!("namespace {namespace} is being terminated"),
        "metadata.namespace",
    );
    let mut status = Status::forbidden(
        &Named {
            name,
            ..write.named()
        },
        &why,
    );
    status.details = Some(Box::new(Details {
        causes: vec![cause],
        ..status.details.map(|details| *details).unwrap_or_default()
    }));
    Err(status)
}
