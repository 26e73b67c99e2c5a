//! Which path and scope a kind has, learned from the API server's discovery, one group version at a time.

use super::RequestError;
use serde::Deserialize;
use sluice_object::GroupVersionKind;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// What a request needs to know of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// `/api/v1` or `/apis/group/version`.
    pub prefix: String,
    /// The plural name in the path.
    pub plural: String,
    /// Whether objects live in namespaces.
    pub is_namespaced: bool,
}

/// The part of discovery that is used.
#[derive(Debug, Deserialize)]
pub(super) struct ResourceList {
    #[serde(default)]
    pub(super) resources: Vec<Resource>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    pub(super) name: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) namespaced: bool,
}

/// Remembers what discovery said. A kind that is not there is asked for again, because CRDs come and go.
#[derive(Debug, Default)]
pub(super) struct Mapper(RwLock<HashMap<GroupVersionKind, Arc<Mapping>>>);

impl Mapper {
    pub(super) fn known(&self, gvk: &GroupVersionKind) -> Option<Arc<Mapping>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(gvk).cloned()
    }

    /// What discovery said of the group version of `gvk`, in the place of what it said before.
    pub(super) fn learn(&self, gvk: &GroupVersionKind, list: ResourceList) {
        let prefix = prefix(&gvk.api_version());
        let own = list
            .resources
            .into_iter()
            .filter(|resource| !resource.name.contains('/'));
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|kind, _| !is_beside(kind, gvk));
        known.extend(own.map(|resource| {
            let mapping = Mapping {
                prefix: prefix.clone(),
                plural: resource.name,
                is_namespaced: resource.namespaced,
            };
            let kind = GroupVersionKind {
                kind: resource.kind,
                ..gvk.clone()
            };
            (kind, Arc::new(mapping))
        }));
    }

    /// The API server answered 404 to a path of this group version: what is remembered of it may be old.
    pub(super) fn forget(&self, gvk: &GroupVersionKind) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|kind, _| !is_beside(kind, gvk));
    }
}

fn is_beside(one: &GroupVersionKind, other: &GroupVersionKind) -> bool {
    one.group == other.group && one.version == other.version
}

/// Path below which a group version is served.
pub(super) fn prefix(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

pub(super) fn no_match(gvk: &GroupVersionKind) -> RequestError {
    RequestError::NoMatch {
        kind: gvk.kind.clone(),
        api_version: gvk.api_version(),
    }
}
