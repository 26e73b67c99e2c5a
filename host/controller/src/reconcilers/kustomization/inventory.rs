//! The inventory in Flux's form: `<namespace>_<name>_<group>_<kind>` and a version (compat/kustomize.md 7.1).

use sluice_api::kustomize::ResourceRef;
use sluice_object::{GroupVersionKind, ObjectId};
use std::collections::HashSet;

/// Separates the parts of an id.
const SEPARATOR: char = '_';
/// Stands for a colon in names of RBAC kinds.
const COLON: &str = "__";

/// The entry of an object.
pub(super) fn entry(id: &ObjectId) -> ResourceRef {
    let namespace = id.namespace.as_deref().unwrap_or_default();
    let name = if id.gvk.group == "rbac.authorization.k8s.io" {
        id.name.replace(':', COLON)
    } else {
        id.name.clone()
    };
    ResourceRef {
        id: format!("{namespace}_{name}_{}_{}", id.gvk.group, id.gvk.kind),
        v: id.gvk.version.clone(),
    }
}

/// The object of an entry; none for what is no inventory id.
pub(super) fn id(entry: &ResourceRef) -> Option<ObjectId> {
    let (namespace, rest) = entry.id.split_once(SEPARATOR)?;
    let (rest, kind) = rest.rsplit_once(SEPARATOR)?;
    let (name, group) = rest.rsplit_once(SEPARATOR)?;
    let name = if group == "rbac.authorization.k8s.io" {
        name.replace(COLON, ":")
    } else {
        name.to_owned()
    };
    if name.is_empty() || kind.is_empty() {
        return None;
    }
    Some(ObjectId {
        gvk: GroupVersionKind {
            group: group.to_owned(),
            version: entry.v.clone(),
            kind: kind.to_owned(),
        },
        namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        name,
    })
}

/// All objects of an inventory, in its order.
pub(super) fn ids(entries: &[ResourceRef]) -> Vec<ObjectId> {
    entries.iter().filter_map(id).collect()
}

/// `new`, then what is only in `old`: nothing we made is ever forgotten while a reconcile goes on.
pub(super) fn union(new: &[ResourceRef], old: &[ResourceRef]) -> Vec<ResourceRef> {
    let known: HashSet<&str> = new.iter().map(|entry| entry.id.as_str()).collect();
    new.iter()
        .chain(old.iter().filter(|entry| !known.contains(entry.id.as_str())))
        .cloned()
        .collect()
}

/// What is in `old` and not in `new`, by id: a version alone never makes an object stale.
pub(super) fn stale(new: &[ResourceRef], old: &[ResourceRef]) -> Vec<ResourceRef> {
    let known: HashSet<&str> = new.iter().map(|entry| entry.id.as_str()).collect();
    old.iter()
        .filter(|entry| !known.contains(entry.id.as_str()))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_flux_s_and_come_back() {
        for (id_text, api_version, kind, namespace, name) in [
            (
                "apps_web_apps_Deployment",
                "apps/v1",
                "Deployment",
                Some("apps"),
                "web",
            ),
            (
                "apps_my_config__ConfigMap",
                "v1",
                "ConfigMap",
                Some("apps"),
                "my_config",
            ),
            ("_apps__Namespace", "v1", "Namespace", None, "apps"),
            (
                "_system__a__b_rbac.authorization.k8s.io_ClusterRole",
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                None,
                "system:a:b",
            ),
        ] {
            let object = ObjectId {
                gvk: GroupVersionKind::new(api_version, kind),
                namespace: namespace.map(str::to_owned),
                name: name.to_owned(),
            };
            assert_eq!(entry(&object).id, id_text);
            assert_eq!(id(&entry(&object)), Some(object));
        }
    }

    #[test]
    fn union_keeps_and_stale_tells() {
        let entry = |id: &str, v: &str| ResourceRef {
            id: id.to_owned(),
            v: v.to_owned(),
        };
        let (new, old) = (
            [entry("a", "v1"), entry("b", "v2")],
            [entry("b", "v1"), entry("c", "v1")],
        );
        let ids = |entries: Vec<ResourceRef>| {
            entries
                .into_iter()
                .map(|entry| entry.id + &entry.v)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(union(&new, &old)), ["av1", "bv2", "cv1"]);
        assert_eq!(ids(stale(&new, &old)), ["cv1"]);
    }
}
