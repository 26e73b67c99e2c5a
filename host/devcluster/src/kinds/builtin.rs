use super::{Kind, Subresource, table};
use crate::write::{defaults, typed};
use serde_json::{Value, json};
use sluice_schema::{Node, current};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

type Cache = Mutex<HashMap<String, Arc<[Arc<Kind>]>>>;

/// The built-in kinds of a group version; unpacked when first asked for.
pub(super) fn group_version(group: &str, version: &str) -> Option<Arc<[Arc<Kind>]>> {
    static CACHE: OnceLock<Cache> = OnceLock::new();
    let name = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let mut cache = CACHE
        .get_or_init(Cache::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(kinds) = cache.get(&name) {
        return Some(kinds.clone());
    }
    let table = current::table(&name)?;
    let kinds: Arc<[Arc<Kind>]> = table
        .resources
        .iter()
        .map(|resource| Arc::new(of(resource, &table.group, &table.version)))
        .collect();
    cache.insert(name, kinds.clone());
    Some(kinds)
}

/// The schema of `metadata`, the same for every kind.
pub(crate) fn object_meta_schema() -> Arc<Node> {
    static META: OnceLock<Arc<Node>> = OnceLock::new();
    META.get_or_init(|| {
        let of_namespace =
            current::resource_of("v1", "Namespace").and_then(|resource| resource.schema.field("metadata"));
        of_namespace.cloned().unwrap_or_else(|| Arc::new(Node::deduced()))
    })
    .clone()
}

fn of(resource: &current::Resource, group: &str, version: &str) -> Kind {
    let api_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let mut empty = json!({"apiVersion": api_version, "kind": resource.kind});
    defaults::from_schema(&resource.schema, &mut empty);
    if let Err(why) = typed::round_trip(&mut empty) {
        tracing::warn!(
            kind = resource.kind,
            why,
            "the empty object of a built-in kind does not fit its own type"
        );
    }
    let subresources = resource.subresources.iter().map(|subresource| Subresource {
        name: subresource.name.clone(),
        group: subresource.group.clone(),
        version: subresource.version.clone(),
        kind: subresource.kind.clone(),
        verbs: subresource.verbs.clone(),
    });
    Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: resource.name.clone(),
        singular: resource.singular.clone(),
        kind: resource.kind.clone(),
        list_kind: format!("{}List", resource.kind),
        is_namespaced: resource.is_namespaced,
        short_names: resource.short_names.clone(),
        categories: resource.categories.clone(),
        verbs: resource.verbs.clone(),
        subresources: subresources.collect(),
        schema: resource.schema.clone(),
        empty: Arc::<Value>::new(empty),
        table: table(group, &resource.name),
        custom: None,
    }
}
