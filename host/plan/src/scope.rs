//! Objects that live in no namespace, whatever they say. The API server takes the namespace off them; whoever notes, looks for
//! or compares them must use the name that they have there.

use crate::inventory::entry;
use crate::prepare::without_repetitions;
use crate::{PrepareError, StagedObjects};
use sluice_api::kustomize::ResourceRef;
use sluice_object::{GroupKind, GroupVersionKind, Object, ObjectId, inventory, sort_for_apply};
use std::collections::{HashMap, HashSet};

/// The kinds that CustomResourceDefinitions among `objects` define, and whether their objects live in namespaces.
pub fn defined<'o>(objects: impl IntoIterator<Item = &'o Object>) -> HashMap<GroupKind, bool> {
    let definitions = objects
        .into_iter()
        .filter(|object| object.gvk().kind == "CustomResourceDefinition");
    let kinds = definitions.filter_map(|object| {
        let kind = GroupKind {
            group: object.text(&["spec", "group"])?.to_owned(),
            kind: object.text(&["spec", "names", "kind"])?.to_owned(),
        };
        Some((kind, object.text(&["spec", "scope"]) != Some("Cluster")))
    });
    kinds.collect()
}

/// Takes the namespace off the objects of kinds that live in none. Whether there was one.
///
/// # Errors
/// Two objects differ in nothing but that namespace: they are one.
pub fn place(
    stages: &mut [StagedObjects],
    is_cluster_scoped: impl Fn(&GroupVersionKind) -> bool,
) -> Result<bool, PrepareError> {
    let is_misplaced = |object: &Object| object.id().namespace.is_some() && is_cluster_scoped(object.gvk());
    let mut is_changed = false;
    for staged in stages {
        if !staged.objects.iter().any(is_misplaced) {
            continue;
        }
        is_changed = true;
        let mut objects = std::mem::take(&mut staged.objects);
        for object in objects.iter_mut().filter(|object| is_misplaced(object)) {
            let (id, origin) = (object.id().clone(), object.origin().cloned());
            let unplaced = object.edit(|body| {
                if let Some(metadata) = body.get_mut("metadata").and_then(|value| value.as_object_mut()) {
                    metadata.remove("namespace");
                }
            });
            unplaced.map_err(|cause| PrepareError::Invalid { id, cause, origin })?;
        }
        sort_for_apply(&mut objects);
        staged.objects = without_repetitions(objects)?;
    }
    Ok(is_changed)
}

/// The entries of an inventory, which others may have written, with the names that the API server knows.
pub fn placed_entries(
    entries: &[ResourceRef],
    is_cluster_scoped: impl Fn(&GroupVersionKind) -> bool,
) -> Vec<ResourceRef> {
    let mut known = HashSet::new();
    let placed = entries
        .iter()
        .map(|written| match inventory::decode(&written.id, &written.v) {
            Some(id) if id.namespace.is_some() && is_cluster_scoped(&id.gvk) => entry(&ObjectId {
                namespace: None,
                ..id
            }),
            _ => written.clone(),
        });
    placed.filter(|entry| known.insert(entry.id.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sluice_object::Stage;

    fn is_role(gvk: &GroupVersionKind) -> bool {
        gvk.kind == "ClusterRole"
    }

    fn role(namespace: &str) -> Object {
        let metadata = json!({ "name": "r", "namespace": namespace });
        Object::new(
            json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata }),
        )
        .unwrap()
    }

    #[test]
    fn what_lives_in_no_namespace_has_none() {
        let map =
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c", "namespace": "a" } });
        let objects = vec![role("somewhere"), Object::new(map).unwrap()];
        let stage = Stage::Rest;
        let mut stages = [StagedObjects { stage, objects }];
        assert_eq!(place(&mut stages, is_role), Ok(true));
        let names: Vec<String> = stages[0]
            .objects
            .iter()
            .map(|object| object.id().to_string())
            .collect();
        assert_eq!(names, ["ClusterRole/r", "ConfigMap/a/c"]);
        assert_eq!(place(&mut stages, is_role), Ok(false), "nothing is left to do");

        let objects = vec![role("one"), role("other")];
        let twice = place(&mut [StagedObjects { stage, objects }], is_role);
        assert!(matches!(twice, Err(PrepareError::Twice { .. })), "{twice:?}");
    }

    #[test]
    fn an_inventory_that_says_otherwise_is_read_as_the_server_would() {
        let entry = |id: &str| ResourceRef {
            id: id.to_owned(),
            v: "v1".to_owned(),
        };
        let group = "rbac.authorization.k8s.io_ClusterRole";
        let given = [
            "a_c__ConfigMap",
            "no id",
            &format!("x_r_{group}"),
            &format!("_r_{group}"),
        ]
        .map(entry);
        let expected = ["a_c__ConfigMap", "no id", &format!("_r_{group}")].map(entry);
        assert_eq!(placed_entries(&given, is_role), expected);
    }

    #[test]
    fn definitions_say_where_their_objects_live() {
        let definition = |kind: &str, scope: &str| {
            let spec = json!({ "group": "example.com", "names": { "kind": kind }, "scope": scope });
            let metadata = json!({ "name": kind });
            Object::new(json!({ "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec }))
                .unwrap()
        };
        let kinds = defined(&[definition("Planet", "Cluster"), definition("Lamp", "Namespaced")]);
        let is_namespaced = |kind: &str| {
            let (group, kind) = ("example.com".to_owned(), kind.to_owned());
            kinds.get(&GroupKind { group, kind }).copied()
        };
        assert_eq!(
            ["Planet", "Lamp", "Other"].map(is_namespaced),
            [Some(false), Some(true), None]
        );
    }
}
