use std::fmt;

/// Group and kind, without the version: what makes two objects the same across API versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// The API group, empty for the core group.
    pub group: String,
    /// The kind, CamelCase.
    pub kind: String,
}

/// Text that is no group and kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not GROUP/KIND: write batch/Job, or /ConfigMap for a kind of the core group")]
pub struct InvalidGroupKind(String);

/// `batch/Job`; of the core group `/ConfigMap`.
impl std::str::FromStr for GroupKind {
    type Err = InvalidGroupKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((group, kind)) if !kind.is_empty() && !kind.contains('/') => Ok(Self {
                group: group.to_owned(),
                kind: kind.to_owned(),
            }),
            _ => Err(InvalidGroupKind(text.to_owned())),
        }
    }
}

/// Group, version and kind of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupVersionKind {
    /// The API group, empty for the core group.
    pub group: String,
    /// The API version, `v1`.
    pub version: String,
    /// The kind, CamelCase.
    pub kind: String,
}

impl GroupVersionKind {
    /// Splits `apiVersion` at its slash; without one the group is the core group.
    pub fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The same without the version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind {
            group: self.group.clone(),
            kind: self.kind.clone(),
        }
    }
}

/// Names one Kubernetes object. `namespace` is none for cluster-scoped objects and for those that do not say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    /// Group, version and kind.
    pub gvk: GroupVersionKind,
    /// The namespace, if any.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// Flux's subject: `Kind/namespace/name`, or `Kind/name` without a namespace.
impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{}/{}/{}", self.gvk.kind, namespace, self.name),
            None => write!(f, "{}/{}", self.gvk.kind, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_and_a_kind_have_one_slash_between_them() {
        let read = |text: &str| {
            let read = text.parse::<GroupKind>().ok();
            read.map(|kind| (kind.group, kind.kind))
        };
        let pair = |group: &str, kind: &str| Some((group.to_owned(), kind.to_owned()));
        assert_eq!(read("batch/Job"), pair("batch", "Job"));
        assert_eq!(read("/ConfigMap"), pair("", "ConfigMap"));
        for wrong in ["", "Nope", "batch/", "batch/v1/Job"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
