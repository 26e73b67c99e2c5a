//! The order of the output.

use std::collections::HashMap;

use crate::{
    Text,
    error::{Error, Result},
    id::{Id, or},
    kustomization::SortOptions,
    object::Object,
    objects::Objects,
    schema::Schema,
};

/// Kinds that come first, in this order.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last, in this order.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The rank of a kind in the legacy order: negative first, zero for the many, positive last.
pub(crate) fn kind_rank(kind: &str) -> i32 {
    rank(
        FIRST.iter().position(|k| *k == kind),
        FIRST.len(),
        LAST.iter().position(|k| *k == kind),
    )
}

fn rank(first: Option<usize>, count: usize, last: Option<usize>) -> i32 {
    let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
    match (first, last) {
        (_, Some(at)) => number(at) + 1,
        (Some(at), None) => number(at) - number(count),
        (None, None) => 0,
    }
}

/// Sorts as `sortOptions` says.
pub(crate) fn sort(objects: &mut Objects, options: &SortOptions, schema: &Schema) -> Result<()> {
    match options.order.as_str() {
        "fifo" if options.legacy.is_some() => Err(Error::new(
            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
        )),
        "fifo" => Ok(()),
        "legacy" => {
            match &options.legacy {
                None => sort_legacy(objects, schema),
                Some((first, last)) => {
                    let place = |list: &[Text]| {
                        list.iter()
                            .enumerate()
                            .map(|(i, k)| (k.clone(), i))
                            .collect::<HashMap<_, _>>()
                    };
                    let (heads, tails) = (place(first), place(last));
                    sort_by_rank(objects, schema, |kind| {
                        rank(heads.get(kind).copied(), first.len(), tails.get(kind).copied())
                    });
                }
            }
            Ok(())
        }
        _ => Err(
            Error::new("the field 'sortOptions.order' must be one of [fifo, legacy]")
                .on_field("sortOptions.order"),
        ),
    }
}

/// The order of the command without flags.
pub(crate) fn sort_legacy(objects: &mut Objects, schema: &Schema) {
    sort_by_rank(objects, schema, kind_rank);
}

fn sort_by_rank(objects: &mut Objects, schema: &Schema, rank: impl Fn(&str) -> i32) {
    let mut list = objects.take();
    list.sort_by_cached_key(|object: &Object| {
        let id = object.id(schema);
        let rank = rank(&id.gvk.kind);
        // namespaces of Kubernetes come before what others call so; unranked kinds the original cannot order by that
        let is_other_namespace = rank != 0 && id.gvk.kind == "Namespace" && !id.gvk.group.is_empty();
        (rank, is_other_namespace, id.gvk.sort_text(), id_sort_text(&id))
    });
    objects.replace(list);
}

fn id_sort_text(id: &Id) -> String {
    format!("{}|{}|{}", id.gvk, or(&id.namespace, "~X"), or(&id.name, "~N"))
}
