//! Which path and scope a kind has, learned from the API server's discovery, one group version at a time.

use super::RequestError;
use serde::Deserialize;
use sluice_object::GroupVersionKind;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};

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

type Kinds = HashMap<String, Mapping>;

/// Remembers what discovery said. A kind that is not there is asked for again, because CRDs come and go.
#[derive(Debug, Default)]
pub(super) struct Mapper {
    versions: RwLock<HashMap<String, Arc<Kinds>>>,
}

impl Mapper {
    pub(super) fn known(&self, gvk: &GroupVersionKind) -> Option<Mapping> {
        let versions = self
            .versions
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        versions.get(&gvk.api_version())?.get(&gvk.kind).cloned()
    }

    pub(super) fn learn(&self, api_version: &str, list: ResourceList) {
        let prefix = prefix(api_version);
        let own = list
            .resources
            .into_iter()
            .filter(|resource| !resource.name.contains('/'));
        let kinds = own
            .map(|resource| {
                let mapping = Mapping {
                    prefix: prefix.clone(),
                    plural: resource.name,
                    is_namespaced: resource.namespaced,
                };
                (resource.kind, mapping)
            })
            .collect();
        self.replace(api_version, Arc::new(kinds));
    }

    /// The API server answered 404 to a path of this group version: what is remembered may be old.
    pub(super) fn forget(&self, api_version: &str) {
        self.versions
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .remove(api_version);
    }

    fn replace(&self, api_version: &str, kinds: Arc<Kinds>) {
        self.versions
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(api_version.to_owned(), kinds);
    }
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
