use std::fmt;
use std::sync::Arc;

/// Names one object the runtime knows: a custom resource it reconciles, or one such a resource waits for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Kind, CamelCase; unique among the kinds of this process.
    pub kind: &'static str,
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

impl Key {
    /// A key of its parts.
    pub fn new(kind: &'static str, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Kind, namespace and name, as happenings name an object.
    pub(crate) fn parts(&self) -> (&str, &str, &str) {
        (self.kind, &self.namespace, &self.name)
    }
}

/// `Kind/namespace/name`, Flux's subject.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
