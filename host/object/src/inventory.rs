//! The inventory's names of objects: `<namespace>_<name>_<group>_<kind>` (compat kustomize 7.1).

use crate::{GroupVersionKind, ObjectId};

/// Separates the parts of an id.
const SEPARATOR: char = '_';
/// Stands for a colon in the names of RBAC objects.
const COLON: &str = "__";

/// The inventory's name of an object. The version is kept beside it.
pub fn encode(id: &ObjectId) -> String {
    let namespace = id.namespace.as_deref().unwrap_or_default();
    let GroupVersionKind { group, kind, .. } = &id.gvk;
    let name = if may_have_colons(group, kind) {
        id.name.replace(':', COLON)
    } else {
        id.name.clone()
    };
    format!("{namespace}{SEPARATOR}{name}{SEPARATOR}{group}{SEPARATOR}{kind}")
}

/// The object of an entry; none where `text` is no such name.
pub fn decode(text: &str, version: &str) -> Option<ObjectId> {
    let (namespace, rest) = text.split_once(SEPARATOR)?;
    let (rest, kind) = rest.rsplit_once(SEPARATOR)?;
    let (name, group) = rest.rsplit_once(SEPARATOR)?;
    if name.is_empty() || kind.is_empty() {
        return None;
    }
    let name = if may_have_colons(group, kind) {
        name.replace(COLON, ":")
    } else {
        name.to_owned()
    };
    let gvk = GroupVersionKind {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
    };
    Some(ObjectId {
        gvk,
        namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        name,
    })
}

fn may_have_colons(group: &str, kind: &str) -> bool {
    group == "rbac.authorization.k8s.io"
        && matches!(
            kind,
            "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding"
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_flux_ids() {
        for (text, api_version, kind, namespace, name) in [
            (
                "apps_web_apps_Deployment",
                "apps/v1",
                "Deployment",
                Some("apps"),
                "web",
            ),
            (
                "apps_config__ConfigMap",
                "v1",
                "ConfigMap",
                Some("apps"),
                "config",
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
            let gvk = GroupVersionKind::new(api_version, kind);
            let version = gvk.version.clone();
            let id = ObjectId {
                gvk,
                namespace: namespace.map(str::to_owned),
                name: name.to_owned(),
            };
            assert_eq!(encode(&id), text);
            assert_eq!(decode(text, &version), Some(id));
        }
    }

    #[test]
    fn refuses_what_is_no_id() {
        for text in ["", "a", "a_b", "a_b_c", "a__b_C_", "___"] {
            assert_eq!(decode(text, "v1"), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn survives_a_round_trip(ns in "[a-z-]{0,5}", name in "[a-z.-]{1,9}(:[a-z]{1,3})?", rbac in any::<bool>()) {
            let gvk = if rbac { GroupVersionKind::new("rbac.authorization.k8s.io/v1", "Role") }
                else { GroupVersionKind::new("apps/v1", "Deployment") };
            let id = ObjectId { gvk, namespace: (!ns.is_empty()).then_some(ns), name };
            prop_assert_eq!(decode(&encode(&id), "v1"), Some(id));
        }

        #[test]
        fn never_panics(text in "\\PC{0,20}") {
            let _ = decode(&text, "v1");
        }
    }
}
