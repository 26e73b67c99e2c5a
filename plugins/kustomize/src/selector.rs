//! Which objects a patch or a replacement acts on.

use sluice_yaml::Node;

use crate::{
    Text,
    error::Result,
    fields,
    id::{Gvk, Id},
    object::Object,
    pattern::Pattern,
    requirements::Requirements,
    schema::Schema,
};

/// A selector as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SelectorArgs {
    pub(crate) group: Text,
    pub(crate) version: Text,
    pub(crate) kind: Text,
    pub(crate) name: Text,
    pub(crate) namespace: Text,
    pub(crate) annotations: Text,
    pub(crate) labels: Text,
}

impl SelectorArgs {
    /// The identity part; messages print it.
    pub(crate) fn id(&self) -> Id {
        let gvk = Gvk {
            group: self.group.clone(),
            version: self.version.clone(),
            kind: self.kind.clone(),
        };
        Id {
            gvk,
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            cluster_scoped: false,
        }
    }

    /// As the original prints it in messages.
    pub(crate) fn to_node(&self) -> Node {
        let parts = [
            ("group", &self.group),
            ("version", &self.version),
            ("kind", &self.kind),
            ("name", &self.name),
            ("namespace", &self.namespace),
            ("annotationSelector", &self.annotations),
            ("labelSelector", &self.labels),
        ];
        let written = parts.into_iter().filter(|(_, text)| !text.is_empty());
        Node::map(written.map(|(name, text)| (name, fields::string_node(text.clone()))))
    }

    /// Whether no part of the identity is given.
    pub(crate) fn has_no_id(&self) -> bool {
        [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ]
        .iter()
        .all(|t| t.is_empty())
    }
}

/// A selector, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    annotations: Requirements,
    labels: Requirements,
}

impl Selector {
    pub(crate) fn new(args: &SelectorArgs) -> Result<Self> {
        Ok(Self {
            group: Pattern::anchored(&args.group)?,
            version: Pattern::anchored(&args.version)?,
            kind: Pattern::anchored(&args.kind)?,
            name: Pattern::anchored(&args.name)?,
            namespace: Pattern::anchored(&args.namespace)?,
            annotations: Requirements::parse(&args.annotations),
            labels: Requirements::parse(&args.labels),
        })
    }

    pub(crate) fn literal_name(&self) -> Option<&Text> {
        self.name.literal()
    }

    /// Whether a patch with this target acts on `object`: by its first or its present name and namespace.
    pub(crate) fn picks(&self, object: &Object, schema: &Schema) -> Result<bool> {
        let gvk = object.gvk();
        if !self.matches_gvk(&gvk) {
            return Ok(false);
        }
        let now = object.id(schema);
        let first = object.previous_ids().into_iter().next();
        let either = |test: &dyn Fn(&Id) -> bool| first.as_ref().is_some_and(test) || test(&now);
        if !either(&|id| self.namespace.matches(&id.effective_namespace()))
            || !either(&|id| self.name.matches(&id.name))
        {
            return Ok(false);
        }
        Ok(self.labels.match_all(|| object.labels())?
            && self.annotations.match_all(|| object.annotations())?)
    }

    pub(crate) fn matches_gvk(&self, gvk: &Gvk) -> bool {
        self.group.matches(&gvk.group) && self.version.matches(&gvk.version) && self.kind.matches(&gvk.kind)
    }

    /// Whether one identity fits, the namespace as written.
    pub(crate) fn matches_id(&self, id: &Id) -> bool {
        self.matches_gvk(&id.gvk) && self.name.matches(&id.name) && self.namespace.matches(&id.namespace)
    }

    /// Whether its labels and annotations can be read.
    pub(crate) fn is_readable(&self) -> bool {
        self.annotations.is_readable() && self.labels.is_readable()
    }

    /// Replacements ask for the annotations first, and then for the labels in any case.
    pub(crate) fn matches_metadata(&self, object: &Object) -> Result<bool> {
        let is_annotated = self.annotations.match_all(|| object.annotations())?;
        Ok(self.labels.match_all(|| object.labels())? && is_annotated)
    }
}
