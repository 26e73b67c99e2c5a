use crate::{GroupKind, GroupVersionKind, Object, ObjectId};
use std::cmp::Ordering;

/// Kinds that are applied first, in this order; the group does not count.
const FIRST: &[&str] = &[
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that are applied last: a webhook answers only when what serves it runs.
const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// When an object is applied. All objects of one stage are applied before the first of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// CustomResourceDefinitions, Namespaces, ClusterRoles: waited for.
    Definitions,
    /// Kinds whose name ends in `Class`: waited for.
    Classes,
    /// Kinds the administrator named (`--custom-apply-stage-kinds`).
    Custom,
    /// Everything else.
    Rest,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Self; 4] = [Self::Definitions, Self::Classes, Self::Custom, Self::Rest];

    /// Which stage a kind belongs to. `custom`: those the administrator named.
    pub fn of(gvk: &GroupVersionKind, custom: &[GroupKind]) -> Self {
        let is = |kind: &str, group: &str| gvk.kind.eq_ignore_ascii_case(kind) && gvk.group == group;
        if is("CustomResourceDefinition", "apiextensions.k8s.io")
            || is("Namespace", "")
            || is("ClusterRole", "rbac.authorization.k8s.io")
        {
            Self::Definitions
        } else if gvk.kind.ends_with("Class") {
            Self::Classes
        } else if custom
            .iter()
            .any(|one| one.kind == gvk.kind && one.group == gvk.group)
        {
            Self::Custom
        } else {
            Self::Rest
        }
    }

    /// Whether the objects of this stage must be ready before the next begins.
    pub const fn is_waited_for(self) -> bool {
        matches!(self, Self::Definitions | Self::Classes)
    }
}

/// Which of two objects is applied first (compat kustomize 6.2): by kind, then group, namespace and name.
/// Objects that differ in version alone are equal.
pub fn apply_order(a: &ObjectId, b: &ObjectId) -> Ordering {
    rank(&a.gvk.kind)
        .cmp(&rank(&b.gvk.kind))
        .then_with(|| a.gvk.group.cmp(&b.gvk.group))
        .then_with(|| a.gvk.kind.cmp(&b.gvk.kind))
        .then_with(|| namespace(a).cmp(namespace(b)))
        .then_with(|| a.name.cmp(&b.name))
}

/// Sorts objects into apply order. Objects that are equal by it keep theirs.
pub fn sort_for_apply(objects: &mut [Object]) {
    objects.sort_by(|a, b| apply_order(a.id(), b.id()));
}

fn namespace(id: &ObjectId) -> &str {
    id.namespace.as_deref().unwrap_or_default()
}

fn rank(kind: &str) -> usize {
    let place = |kinds: &[&str]| kinds.iter().position(|known| *known == kind);
    place(FIRST).unwrap_or_else(|| FIRST.len() + place(LAST).map_or(0, |index| index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn id(api_version: &str, kind: &str, namespace: &str, name: &str) -> ObjectId {
        let namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
        ObjectId {
            gvk: GroupVersionKind::new(api_version, kind),
            namespace,
            name: name.to_owned(),
        }
    }

    #[test]
    fn stages_follow_the_kind() {
        let custom = [GroupKind {
            group: "acme.io".into(),
            kind: "Database".into(),
        }];
        for (api_version, kind, expected) in [
            (
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                Stage::Definitions,
            ),
            ("v1", "namespace", Stage::Definitions),
            ("acme.io/v1", "Namespace", Stage::Rest),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", Stage::Definitions),
            ("storage.k8s.io/v1", "StorageClass", Stage::Classes),
            ("acme.io/v1", "FooClass", Stage::Classes),
            ("acme.io/v1", "Database", Stage::Custom),
            ("apps/v1", "Deployment", Stage::Rest),
        ] {
            assert_eq!(
                Stage::of(&GroupVersionKind::new(api_version, kind), &custom),
                expected,
                "{kind}"
            );
        }
    }

    #[test]
    fn the_order_is_flux_order() {
        let mut ids = [
            id(
                "admissionregistration.k8s.io/v1",
                "ValidatingWebhookConfiguration",
                "",
                "a",
            ),
            id("acme.io/v1", "Zebra", "a", "a"),
            id("acme.io/v1", "Ant", "a", "a"),
            id("apps/v1", "Deployment", "b", "a"),
            id("apps/v1", "Deployment", "a", "z"),
            id("v1", "ConfigMap", "a", "a"),
            id("v1", "Namespace", "", "a"),
            id("batch/v1", "Job", "a", "a"),
            id(
                "admissionregistration.k8s.io/v1",
                "MutatingWebhookConfiguration",
                "",
                "a",
            ),
        ];
        ids.sort_by(apply_order);
        let order: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let expected = "Namespace/a ConfigMap/a/a Deployment/a/z Deployment/b/a Ant/a/a Zebra/a/a Job/a/a \
                        MutatingWebhookConfiguration/a ValidatingWebhookConfiguration/a";
        assert_eq!(order.join(" "), expected);
    }

    fn any_id() -> impl Strategy<Value = ObjectId> {
        let kinds = prop::sample::select(vec![
            "Namespace",
            "Secret",
            "Job",
            "Foo",
            "MutatingWebhookConfiguration",
        ]);
        let groups = prop::sample::select(vec!["v1", "a/v1", "b/v1"]);
        let names = prop::sample::select(vec!["", "a", "b"]);
        (groups, kinds, names.clone(), names)
            .prop_map(|(group, kind, namespace, name)| id(group, kind, namespace, name))
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in any_id(), b in any_id(), c in any_id()) {
            prop_assert_eq!(apply_order(&a, &b), apply_order(&b, &a).reverse());
            prop_assert_eq!(apply_order(&a, &b) == Ordering::Equal, a == b);
            if apply_order(&a, &b).is_le() && apply_order(&b, &c).is_le() {
                prop_assert!(apply_order(&a, &c).is_le());
            }
        }
    }
}
