//! What Kustomize 5.8.1 has built in: its Kubernetes 1.21.2 schema and its default transformer configuration.
//!
//! The tables are static data (`tables.rs`, made by `host/schema/kustomize-tables`), so that a guest pays nothing to load them.
//!
//! **Invariant:** a field that is missing from a [`Type`] is one below which a strategic merge replaces lists.

mod tables;

pub use tables::{
    COMMON_ANNOTATIONS, COMMON_LABELS, IMAGES, NAME_PREFIX, NAME_REFERENCES, NAME_SUFFIX, NAMESPACE,
    REPLICAS, TEMPLATE_LABELS, VAR_REFERENCE,
};

/// One place in the objects of one kind; empty group, version and kind match all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// API group.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Fields joined by `/`; `[]` after a field says that it is a list.
    pub path: &'static str,
    /// Whether a missing field is made.
    pub create: bool,
}

const fn spec(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    path: &'static str,
    create: bool,
) -> FieldSpec {
    FieldSpec {
        group,
        version,
        kind,
        path,
        create,
    }
}

/// The fields that hold names of objects of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameReference {
    /// Group of the object referred to.
    pub group: &'static str,
    /// Version of the object referred to.
    pub version: &'static str,
    /// Kind of the object referred to.
    pub kind: &'static str,
    /// Where its name stands.
    pub referrers: &'static [FieldSpec],
}

/// What a field is, as far as a strategic merge asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// An object of the type with this index.
    Type(u16),
    /// A mapping with free keys.
    Map {
        /// What its values are.
        of: &'static Shape,
    },
    /// A list.
    List {
        /// What its elements are; none where nothing below them merges.
        of: Option<&'static Shape>,
        /// Whether elements merge; else the list is replaced.
        merge: bool,
        /// The fields that name an element; none for a set of scalars.
        keys: &'static [&'static str],
    },
}

/// One type of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    fields: &'static [(&'static str, Shape)],
}

impl Type {
    /// The type with an index from [`Shape::Type`].
    pub fn get(index: u16) -> Option<&'static Type> {
        tables::TYPES.get(usize::from(index))
    }

    /// What a field is.
    pub fn field(&self, name: &str) -> Option<&'static Shape> {
        let at = self.fields.binary_search_by(|(n, _)| (*n).cmp(name)).ok()?;
        self.fields.get(at).map(|(_, shape)| shape)
    }
}

struct TypeOf {
    api_version: &'static str,
    kind: &'static str,
    index: Option<u16>,
}

struct Scope {
    api_version: &'static str,
    kind: &'static str,
    namespaced: bool,
}

impl Scope {
    fn group_version(&self) -> (&'static str, &'static str) {
        self.api_version.split_once('/').unwrap_or(("", self.api_version))
    }
}

/// The type of a kind: none where the schema does not know it, `Some(None)` where nothing in it merges.
pub fn type_of(api_version: &str, kind: &str) -> Option<Option<u16>> {
    let at = tables::KINDS
        .binary_search_by(|k| (k.api_version, k.kind).cmp(&(api_version, kind)))
        .ok()?;
    tables::KINDS.get(at).map(|k| k.index)
}

/// The type that a definition of the schema makes, by its name: none where the schema has no such definition, or nothing in
/// it merges.
pub fn definition(name: &str) -> Option<u16> {
    let at = tables::DEFINITIONS
        .binary_search_by(|(n, _)| (*n).cmp(name))
        .ok()?;
    tables::DEFINITIONS.get(at).map(|(_, index)| *index)
}

/// Whether objects of a kind have a namespace; none where the schema does not know it.
pub fn is_namespaced(group: &str, version: &str, kind: &str) -> Option<bool> {
    // asked more than anything else: most kinds are told apart by their length
    let at = tables::SCOPES
        .binary_search_by(|s| {
            let by_kind = s.kind.len().cmp(&kind.len()).then_with(|| s.kind.cmp(kind));
            by_kind.then_with(|| s.group_version().cmp(&(group, version)))
        })
        .ok()?;
    tables::SCOPES.get(at).map(|s| s.namespaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_merge_by_name() {
        let Some(Some(deployment)) = type_of("apps/v1", "Deployment") else {
            panic!("no Deployment")
        };
        let mut shape = Shape::Type(deployment);
        for field in ["spec", "template", "spec", "containers"] {
            let Shape::Type(index) = shape else {
                panic!("{field} below {shape:?}")
            };
            shape = *Type::get(index).unwrap().field(field).unwrap();
        }
        assert!(
            matches!(
                shape,
                Shape::List {
                    merge: true,
                    keys: ["name"],
                    ..
                }
            ),
            "{shape:?}"
        );
        assert_eq!(type_of("apps/v9", "Deployment"), None);
    }

    #[test]
    fn definitions() {
        for (name, index) in tables::DEFINITIONS {
            assert_eq!(definition(name), Some(*index));
            assert!(Type::get(*index).is_some(), "{name}");
        }
        assert_eq!(tables::DEFINITIONS.len(), tables::TYPES.len());
        let template = definition("io.k8s.api.core.v1.PodTemplateSpec").and_then(Type::get);
        assert!(template.is_some_and(|t| t.field("spec").is_some()));
        assert_eq!(definition("io.k8s.api.core.v1.ConfigMapVolumeSource"), None);
    }

    #[test]
    fn scopes() {
        for scope in tables::SCOPES {
            let (group, version) = scope.group_version();
            assert_eq!(is_namespaced(group, version, scope.kind), Some(scope.namespaced));
        }
        assert_eq!(is_namespaced("", "v1", "Namespace"), Some(false));
        assert_eq!(is_namespaced("", "v1", "ConfigMap"), Some(true));
        assert_eq!(is_namespaced("example.com", "v1", "Thing"), None);
    }
}
