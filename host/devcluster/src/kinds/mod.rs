//! What the server serves: built-in kinds from the compiled tables, custom ones from CustomResourceDefinitions.

mod builtin;
mod convert;
mod custom;

pub(crate) use builtin::object_meta_schema;
pub(crate) use custom::{Custom, read_definition};

use serde_json::Value;
use sluice_schema::Node;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// One resource in one version.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) is_namespaced: bool,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) verbs: Vec<String>,
    pub(crate) subresources: Vec<Subresource>,
    pub(crate) schema: Arc<Node>,
    /// An object of this kind with nothing in it, as the typed server writes it.
    pub(crate) empty: Arc<Value>,
    /// Where its objects are stored; versions and twins of a resource share a table.
    pub(crate) table: String,
    pub(crate) custom: Option<Arc<Custom>>,
}

/// A subresource and the kind it speaks.
#[derive(Clone, Debug)]
pub(crate) struct Subresource {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) verbs: Vec<String>,
}

impl Kind {
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    pub(crate) fn has_subresource(&self, name: &str) -> bool {
        self.subresources
            .iter()
            .any(|subresource| subresource.name == name)
    }

    /// Whether this is the built-in resource `plural` of `group`.
    pub(crate) fn is(&self, group: &str, plural: &str) -> bool {
        self.custom.is_none() && self.group == group && self.plural == plural
    }

    /// The stored object as this version shows it.
    pub(crate) fn present(&self, stored: &Arc<Value>) -> Arc<Value> {
        let stored_version = crate::meta::api_version(stored);
        if stored_version == self.api_version() {
            return stored.clone();
        }
        let mut object = (**stored).clone();
        convert::to_version(&mut object, self);
        Arc::new(object)
    }

    /// The object as it is stored.
    pub(crate) fn to_stored(&self, mut object: Value) -> Value {
        convert::to_storage(&mut object, self);
        object
    }
}

/// The table of the built-in resource.
pub(crate) fn table(group: &str, plural: &str) -> String {
    // events are one resource under two groups
    if group == "events.k8s.io" {
        format!("/{plural}")
    } else {
        format!("{group}/{plural}")
    }
}

/// `v2` before `v1` before `v1beta2` before `v1beta1` before `v1alpha1` before anything else.
pub(crate) fn priority(version: &str) -> (u8, u64, u64, std::cmp::Reverse<String>) {
    let rest = version.strip_prefix('v').unwrap_or_default();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let (stage, minor) = match rest.get(digits.len()..).unwrap_or_default() {
        "" => (3, 0),
        beta if beta.starts_with("beta") => (2, beta.trim_start_matches("beta").parse().unwrap_or_default()),
        alpha if alpha.starts_with("alpha") => {
            (1, alpha.trim_start_matches("alpha").parse().unwrap_or_default())
        }
        _ => (0, 0),
    };
    match digits.parse() {
        Ok(major) => (stage, major, minor, std::cmp::Reverse(String::new())),
        Err(_) => (0, 0, 0, std::cmp::Reverse(version.to_owned())),
    }
}

type Versions = BTreeMap<String, Vec<Arc<Kind>>>;

/// All kinds that are served now.
#[derive(Default)]
pub(crate) struct Kinds {
    /// Custom kinds by the name of their definition.
    custom: RwLock<Versions>,
}

impl Kinds {
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.matching(group, version, |kind| kind.plural == plural)
    }

    pub(crate) fn by_kind(&self, group: &str, version: &str, name: &str) -> Option<Arc<Kind>> {
        self.matching(group, version, |kind| kind.kind == name)
    }

    fn matching(&self, group: &str, version: &str, is_it: impl Fn(&Kind) -> bool) -> Option<Arc<Kind>> {
        if let Some(kinds) = builtin::group_version(group, version)
            && let Some(kind) = kinds.iter().find(|kind| is_it(kind))
        {
            return Some(kind.clone());
        }
        let custom = self.custom.read().unwrap_or_else(PoisonError::into_inner);
        let mut kinds = custom.values().flatten();
        kinds
            .find(|kind| kind.group == group && kind.version == version && is_it(kind))
            .cloned()
    }

    /// Any version of a resource by group and kind, as owner references name it.
    pub(crate) fn by_group_kind(&self, group: &str, name: &str) -> Option<Arc<Kind>> {
        for group_version in sluice_schema::current::group_versions() {
            let (candidate, version) = group_version.split_once('/').unwrap_or(("", group_version));
            if candidate == group
                && let Some(kind) = self.by_kind(group, version, name)
            {
                return Some(kind);
            }
        }
        self.custom()
            .into_iter()
            .find(|kind| kind.group == group && kind.kind == name)
    }

    /// All custom kinds.
    pub(crate) fn custom(&self) -> Vec<Arc<Kind>> {
        self.custom
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .flatten()
            .cloned()
            .collect()
    }

    /// Serves what a definition defines, in place of what it defined before.
    pub(crate) fn define(&self, definition: &str, kinds: Vec<Arc<Kind>>) {
        self.custom
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(definition.to_owned(), kinds);
    }

    pub(crate) fn undefine(&self, definition: &str) {
        self.custom
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(definition);
    }

    /// Every served kind that has a table of its own, one version each: what garbage collection and namespaces walk.
    pub(crate) fn stored(&self) -> Vec<Arc<Kind>> {
        let mut seen = std::collections::BTreeSet::new();
        let builtin = sluice_schema::current::group_versions().flat_map(|group_version| {
            let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
            builtin::group_version(group, version)
                .map(|kinds| kinds.to_vec())
                .unwrap_or_default()
        });
        builtin
            .chain(self.custom())
            .filter(|kind| kind.verbs.iter().any(|verb| verb == "list") && seen.insert(kind.table.clone()))
            .collect()
    }
}
