use super::accept::wants_aggregated;
use super::{Answer, bytes_answer, json};
use crate::cluster::Cluster;
use crate::kinds::{Kind, Subresource};
use serde_json::{Value, json as object};
use sluice_schema::current;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// What `/version` says: the release that the tables were recorded from.
pub(super) fn version() -> Value {
    let mut numbers = current::KUBERNETES_VERSION.trim_start_matches('v').split('.');
    object!({
        "major": numbers.next(), "minor": numbers.next(), "gitVersion": current::KUBERNETES_VERSION,
        "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "sluice-devcluster", "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

/// What `/` says.
pub(super) fn root() -> Value {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    for group_version in current::group_versions().filter(|group_version| group_version.contains('/')) {
        paths.push(format!("/apis/{group_version}"));
    }
    paths.extend(["/healthz", "/livez", "/openapi/v3", "/readyz", "/version"].map(str::to_owned));
    object!({"paths": paths})
}

/// `/api`, `/apis` and what lies below them but for resources.
pub(super) fn answer(cluster: &Cluster, path: &str, accept: &str) -> Option<Answer> {
    let path = path.trim_end_matches('/');
    if wants_aggregated(accept) && (path == "/api" || path == "/apis") {
        let bytes = serde_json::to_vec(&aggregated(cluster, path)).ok()?;
        return Some(bytes_answer(200, AGGREGATED, bytes));
    }
    let groups = groups(cluster);
    match path
        .trim_start_matches('/')
        .split('/')
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["api"] => Some(json(
            200,
            &object!({"kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ""}]}),
        )),
        ["api", "v1"] => resources(cluster, "", "v1"),
        ["apis"] => {
            let list: Vec<Value> = groups
                .iter()
                .map(|(name, versions)| group(name, versions))
                .collect();
            Some(json(
                200,
                &object!({"kind": "APIGroupList", "apiVersion": "v1", "groups": list}),
            ))
        }
        ["apis", name] => {
            let (_, versions) = groups.iter().find(|(group, _)| group == name)?;
            let mut one = group(name, versions);
            crate::meta::as_map(&mut one).extend([
                ("kind".to_owned(), "APIGroup".into()),
                ("apiVersion".to_owned(), "v1".into()),
            ]);
            Some(json(200, &one))
        }
        ["apis", group, version] => resources(cluster, group, version).or_else(|| {
            let is_known = groups.iter().any(|(name, _)| name == group);
            is_known.then(|| super::refusal(&crate::status::Status::no_such_resource()))
        }),
        _ => None,
    }
}

/// Named groups and their versions, built-in ones first, each in its order of preference.
fn groups(cluster: &Cluster) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |group: &str, version: &str| match groups.iter_mut().find(|(name, _)| name == group) {
        Some((_, versions)) if versions.iter().any(|known| known == version) => {}
        Some((_, versions)) => versions.push(version.to_owned()),
        None => groups.push((group.to_owned(), vec![version.to_owned()])),
    };
    for group_version in current::group_versions() {
        if let Some((group, version)) = group_version.split_once('/') {
            add(group, version);
        }
    }
    for (group, kinds) in custom_groups(cluster) {
        for version in versions(&kinds) {
            add(&group, &version);
        }
    }
    groups
}

fn custom_groups(cluster: &Cluster) -> BTreeMap<String, Vec<Arc<Kind>>> {
    let mut groups: BTreeMap<String, Vec<Arc<Kind>>> = BTreeMap::new();
    for kind in cluster.kinds.custom() {
        groups.entry(kind.group.clone()).or_default().push(kind);
    }
    groups
}

/// Versions of custom kinds, the most stable and newest first.
fn versions(kinds: &[Arc<Kind>]) -> Vec<String> {
    let mut versions: Vec<String> = kinds.iter().map(|kind| kind.version.clone()).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(crate::kinds::priority(version)));
    versions.dedup();
    versions
}

fn group(name: &str, versions: &[String]) -> Value {
    let list: Vec<Value> = versions
        .iter()
        .map(|version| object!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    object!({"name": name, "versions": list, "preferredVersion": list.first()})
}

fn kinds_of(cluster: &Cluster, group: &str, version: &str) -> Vec<Arc<Kind>> {
    let name = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    let mut kinds: Vec<Arc<Kind>> = current::table(&name)
        .into_iter()
        .flat_map(|table| &table.resources)
        .filter_map(|resource| cluster.kinds.find(group, version, &resource.name))
        .collect();
    kinds.extend(
        cluster
            .kinds
            .custom()
            .into_iter()
            .filter(|kind| kind.group == group && kind.version == version),
    );
    kinds
}

fn resources(cluster: &Cluster, group: &str, version: &str) -> Option<Answer> {
    let kinds = kinds_of(cluster, group, version);
    if kinds.is_empty() {
        return None;
    }
    let mut list = Vec::new();
    for kind in &kinds {
        list.push(resource(kind));
        list.extend(
            kind.subresources
                .iter()
                .map(|subresource| below(kind, subresource)),
        );
    }
    let name = kinds.first()?.api_version();
    Some(json(
        200,
        &object!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": list}),
    ))
}

fn resource(kind: &Kind) -> Value {
    let mut entry = object!({"name": kind.plural, "singularName": kind.singular, "namespaced": kind.is_namespaced,
        "kind": kind.kind, "verbs": kind.verbs});
    if kind.verbs.iter().any(|verb| verb == "list") {
        crate::meta::as_map(&mut entry).insert("storageVersionHash".to_owned(), hash(kind).into());
    }
    names(kind, &mut entry);
    entry
}

fn names(kind: &Kind, entry: &mut Value) {
    let map = crate::meta::as_map(entry);
    if !kind.short_names.is_empty() {
        map.insert("shortNames".to_owned(), kind.short_names.clone().into());
    }
    if !kind.categories.is_empty() {
        map.insert("categories".to_owned(), kind.categories.clone().into());
    }
}

fn hash(kind: &Kind) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let storage = kind
        .custom
        .as_ref()
        .map_or(kind.version.as_str(), |custom| custom.storage_version.as_str());
    let digest = sha2::Sha256::digest(format!("{}/{storage}/{}", kind.group, kind.kind));
    base64::engine::general_purpose::STANDARD.encode(digest.get(..8).unwrap_or_default())
}

fn below(kind: &Kind, subresource: &Subresource) -> Value {
    let mut entry = object!({"name": format!("{}/{}", kind.plural, subresource.name), "singularName": "",
        "namespaced": kind.is_namespaced, "kind": subresource.kind, "verbs": subresource.verbs});
    if subresource.group != kind.group || subresource.version != kind.version {
        crate::meta::as_map(&mut entry).extend([
            ("group".to_owned(), subresource.group.clone().into()),
            ("version".to_owned(), subresource.version.clone().into()),
        ]);
    }
    entry
}

/// `APIGroupDiscoveryList`: everything in one answer.
fn aggregated(cluster: &Cluster, path: &str) -> Value {
    static RECORDED: OnceLock<Value> = OnceLock::new();
    let recorded = RECORDED.get_or_init(current::discovery);
    let mut list = recorded
        .get(path.trim_start_matches('/'))
        .cloned()
        .unwrap_or_default();
    if path == "/apis" {
        let items = crate::meta::as_map(&mut list)
            .entry("items")
            .or_insert_with(|| object!([]));
        for (group, kinds) in custom_groups(cluster) {
            let versions: Vec<Value> = versions(&kinds)
                .into_iter()
                .map(|version| {
                    let resources: Vec<Value> = kinds
                        .iter()
                        .filter(|kind| kind.version == version)
                        .map(|kind| discovered(kind))
                        .collect();
                    object!({"version": version, "resources": resources, "freshness": "Current"})
                })
                .collect();
            if let Some(items) = items.as_array_mut() {
                items.push(
                    object!({"metadata": {"name": group, "creationTimestamp": null}, "versions": versions}),
                );
            }
        }
    }
    list
}

fn discovered(kind: &Kind) -> Value {
    let scope = if kind.is_namespaced {
        "Namespaced"
    } else {
        "Cluster"
    };
    let mut entry = object!({"resource": kind.plural, "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": scope, "singularResource": kind.singular, "verbs": kind.verbs});
    names(kind, &mut entry);
    if !kind.subresources.is_empty() {
        let below: Vec<Value> = kind
            .subresources
            .iter()
            .map(|sub| {
                object!({"subresource": sub.name, "verbs": sub.verbs,
                "responseKind": {"group": sub.group, "version": sub.version, "kind": sub.kind}})
            })
            .collect();
        crate::meta::as_map(&mut entry).insert("subresources".to_owned(), below.into());
    }
    entry
}
