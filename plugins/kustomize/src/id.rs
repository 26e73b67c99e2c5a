//! What names an object: group, version, kind, name, namespace.

use std::fmt;

use crate::{Text, schema::Schema};

/// Group, version, kind. As a selector, empty parts match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Gvk {
    pub(crate) group: Text,
    pub(crate) version: Text,
    pub(crate) kind: Text,
}

impl Gvk {
    pub(crate) fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = split_api_version(api_version);
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    pub(crate) fn api_version(&self) -> Text {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version).into()
        }
    }

    /// Whether every part that `selector` gives is the same here.
    pub(crate) fn is_selected(&self, selector: &Gvk) -> bool {
        selects(&selector.group, &self.group)
            && selects(&selector.version, &self.version)
            && selects(&selector.kind, &self.kind)
    }

    /// The text that sorts kinds of equal rank: `~G` stands for the core group.
    pub(crate) fn sort_text(&self) -> String {
        format!(
            "{}_{}_{}",
            or(&self.group, "~G"),
            or(&self.version, "~V"),
            or(&self.kind, "~K")
        )
    }
}

/// A text, or what stands for none.
pub(crate) fn or<'a>(text: &'a str, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

fn selects(wanted: &str, found: &str) -> bool {
    wanted.is_empty() || wanted == found
}

/// `apps/v1` is group `apps` and version `v1`; `v1` is the core group's.
pub(crate) fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]")
        )
    }
}

/// The namespace of objects that have none because their kind is cluster-scoped.
pub(crate) const NO_NAMESPACE: &str = "_non_namespaceable_";

/// The identity of one object. Equality ignores how the namespace is written: none and `default` are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Id {
    pub(crate) gvk: Gvk,
    pub(crate) name: Text,
    pub(crate) namespace: Text,
    pub(crate) cluster_scoped: bool,
}

impl Id {
    pub(crate) fn new(gvk: Gvk, name: Text, namespace: Text, schema: &Schema) -> Self {
        let cluster_scoped = schema.is_cluster_scoped(&gvk);
        Self {
            gvk,
            name,
            namespace,
            cluster_scoped,
        }
    }

    /// The namespace that counts: `default` for none, a word of its own for cluster-scoped kinds.
    pub(crate) fn effective_namespace(&self) -> Text {
        if self.cluster_scoped {
            Text::new_static(NO_NAMESPACE)
        } else if self.namespace.is_empty() {
            Text::new_static("default")
        } else {
            self.namespace.clone()
        }
    }

    pub(crate) fn same_namespace(&self, other: &Id) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    /// Equal apart from the namespace.
    pub(crate) fn same_name(&self, other: &Id) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    /// What an index is keyed by.
    pub(crate) fn key(&self) -> Key {
        Key {
            gvk: self.gvk.clone(),
            name: self.name.clone(),
            namespace: self.effective_namespace(),
        }
    }

    /// Whether every part that `selector` gives is the same here.
    pub(crate) fn is_selected_by(&self, selector: &Id) -> bool {
        selects(&selector.name, &self.name)
            && (selector.namespace.is_empty() || selector.same_namespace(self))
            && self.gvk.is_selected(&selector.gvk)
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.same_name(other) && self.same_namespace(other)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, namespace) = (or(&self.name, "[noName]"), or(&self.namespace, "[noNs]"));
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}

/// An identity with its effective namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    gvk: Gvk,
    name: Text,
    namespace: Text,
}
