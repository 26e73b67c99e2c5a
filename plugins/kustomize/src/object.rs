//! One object on its way through a build: its tree, and what the build has to remember about it.

use sluice_yaml::{Node, Position, Value};

use crate::{
    Text,
    error::{Error, Result},
    fields,
    id::{Gvk, Id},
    schema::Schema,
};

/// Where an object was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Path in the tree; for generated objects the kustomization.
    pub file: Text,
    /// Which document of the file, from 0.
    pub index: u32,
    /// The line its document starts on, from 1; 0 where unknown.
    pub line: u32,
}

/// What a generator does where an object of this name exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behavior {
    #[default]
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Behavior {
    pub(crate) fn from_text(text: &str) -> Self {
        match text {
            "replace" => Self::Replace,
            "merge" => Self::Merge,
            "create" => Self::Create,
            _ => Self::Unspecified,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Merge => "merge",
        }
    }
}

/// One object. The original keeps the rest in annotations of the object; here it stands beside the tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) node: Node,
    pub(crate) source: Source,
    /// Earlier identities, oldest first. An empty text is not recorded, as in the original.
    previous_names: Vec<Text>,
    previous_namespaces: Vec<Text>,
    previous_kinds: Vec<Text>,
    pub(crate) prefixes: Vec<Text>,
    pub(crate) suffixes: Vec<Text>,
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
    pub(crate) needs_hash: bool,
    pub(crate) behavior: Behavior,
    pub(crate) is_generated: bool,
    /// The variables whose value this object holds.
    pub(crate) variables: Vec<Text>,
    /// Scalars that the original keeps once and shows in several places; see [`Object::share`].
    shared: Vec<Shared>,
    next_mark: u32,
}

/// A scalar in several places: its mark, and the text it had when the places were last made equal.
#[derive(Clone, Debug, PartialEq)]
struct Shared {
    mark: Text,
    text: Text,
}

const INTERNAL: &str = "internal.config.kubernetes.io/";

/// Annotations that a build uses for itself; they never reach the output.
const BUILD_ANNOTATIONS: [&str; 19] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    "internal.config.kubernetes.io/helm-generated",
];

impl Object {
    pub(crate) fn new(node: Node, source: Source) -> Self {
        let mut object = Self {
            node,
            source,
            ..Self::default()
        };
        object.take_internal_annotations();
        object
    }

    /// Input may carry the original's own annotations (its functions hand them around).
    fn take_internal_annotations(&mut self) {
        let annotations = self.annotations();
        for (key, value) in annotations.iter().filter(|(k, _)| k.starts_with(INTERNAL)) {
            let list = || value.split(',').map(Text::from).collect::<Vec<_>>();
            match key.strip_prefix(INTERNAL).unwrap_or_default() {
                "previousKinds" => self.previous_kinds = list(),
                "previousNames" => self.previous_names = list(),
                "previousNamespaces" => self.previous_namespaces = list(),
                "prefixes" => self.prefixes = list(),
                "suffixes" => self.suffixes = list(),
                "needsHashSuffix" => self.needs_hash = value == "enabled",
                "generatorBehavior" => self.behavior = Behavior::from_text(value),
                "allowNameChange" => self.allow_name_change = value == "enabled",
                "allowKindChange" => self.allow_kind_change = value == "enabled",
                _ => {}
            }
        }
    }

    /// Marks for scalars that may come to stand in several places.
    pub(crate) fn new_marks(&mut self, count: usize) -> Vec<Text> {
        let first = self.next_mark;
        self.next_mark += u32::try_from(count).unwrap_or(u32::MAX);
        (first..self.next_mark)
            .map(|number| format!("\0{number}").into())
            .collect()
    }

    /// Notes a scalar that stands in several places. Whoever changes it in one place changes it in all: so it is in the
    /// original, where a label that is new in metadata and in selectors is one node.
    pub(crate) fn share(&mut self, mark: Text, text: &Text) {
        self.shared.push(Shared {
            mark,
            text: text.clone(),
        });
    }

    /// Makes all places of shared scalars equal to the one that was changed.
    pub(crate) fn settle_shared(&mut self) {
        for shared in &mut self.shared {
            if let Some(changed) = find_marked(&self.node, &shared.mark, &shared.text) {
                shared.text = fields::shared(&changed);
                set_marked(&mut self.node, &shared.mark, &changed);
            }
        }
    }

    pub(crate) fn position(&self) -> Position {
        Position {
            line: self.source.line,
            column: 0,
        }
    }

    pub(crate) fn api_version(&self) -> &str {
        self.node.get("apiVersion").map(fields::raw).unwrap_or_default()
    }

    pub(crate) fn kind(&self) -> &str {
        self.node.get("kind").map(fields::raw).unwrap_or_default()
    }

    pub(crate) fn gvk(&self) -> Gvk {
        Gvk::new(self.api_version(), self.kind())
    }

    fn metadata(&self) -> Option<&Node> {
        fields::present(&self.node, "metadata")
    }

    fn metadata_text(&self, field: &str) -> Text {
        self.metadata()
            .and_then(|m| fields::present(m, field))
            .map(fields::shared)
            .unwrap_or_default()
    }

    pub(crate) fn name(&self) -> Text {
        self.metadata_text("name")
    }

    pub(crate) fn namespace(&self) -> Text {
        self.metadata_text("namespace")
    }

    /// The identity it has now.
    pub(crate) fn id(&self, schema: &Schema) -> Id {
        Id::new(self.gvk(), self.name(), self.namespace(), schema)
    }

    /// The identities it had, oldest first.
    pub(crate) fn previous_ids(&self) -> Vec<Id> {
        if self.previous_names.is_empty() {
            return Vec::new();
        }
        let gvk = self.gvk();
        let rest = self.previous_namespaces.iter().zip(&self.previous_kinds);
        self.previous_names
            .iter()
            .zip(rest)
            .map(|(name, (namespace, kind))| Id {
                gvk: Gvk {
                    kind: kind.clone(),
                    ..gvk.clone()
                },
                name: name.clone(),
                namespace: namespace.clone(),
                cluster_scoped: false,
            })
            .collect()
    }

    /// The identity it was read with.
    pub(crate) fn original_id(&self, schema: &Schema) -> Id {
        self.previous_ids()
            .into_iter()
            .next()
            .unwrap_or_else(|| self.id(schema))
    }

    /// The kind it was read with: all that most selections ask of the original identity.
    pub(crate) fn original_gvk(&self) -> Gvk {
        let mut gvk = self.gvk();
        if !self.previous_names.is_empty()
            && let Some(kind) = self.previous_kinds.first()
        {
            gvk.kind = kind.clone();
        }
        gvk
    }

    /// Whether the original would keep something about it in its annotations.
    pub(crate) fn has_memory(&self) -> bool {
        !self.previous_kinds.is_empty()
            || !self.prefixes.is_empty()
            || !self.suffixes.is_empty()
            || self.needs_hash
            || self.is_generated
            || self.allow_name_change
            || self.allow_kind_change
    }

    /// Whether it ever had another identity.
    pub(crate) fn was_renamed(&self) -> bool {
        !self.previous_names.is_empty()
    }

    /// A number that changes with every recorded identity.
    pub(crate) fn generation(&self) -> usize {
        self.previous_kinds.len()
    }

    /// Remembers the present identity before a change.
    ///
    /// # Errors
    /// An object without a name cannot be remembered; the original panics on it later.
    pub(crate) fn store_previous_id(&mut self, schema: &Schema) -> Result<()> {
        let id = self.id(schema);
        let push = |list: &mut Vec<Text>, text: &Text| {
            if !text.is_empty() {
                list.push(text.clone());
            }
        };
        push(&mut self.previous_names, &id.name);
        push(&mut self.previous_namespaces, &id.effective_namespace());
        push(&mut self.previous_kinds, &id.gvk.kind);
        if !self.previous_names.is_empty()
            && (self.previous_names.len() != self.previous_namespaces.len()
                || self.previous_names.len() != self.previous_kinds.len())
        {
            return Err(Error::new(
                "number of previous names, number of previous namespaces, number of previous kinds not equal",
            )
            .about(&id)
            .at(&self.source.file, self.position())
            .help("give the object a name before a transformer renames it"));
        }
        Ok(())
    }

    /// Takes the memory of the object that this one replaces.
    pub(crate) fn inherit(&mut self, old: &Object) {
        self.previous_names = old.previous_names.clone();
        self.previous_namespaces = old.previous_namespaces.clone();
        self.previous_kinds = old.previous_kinds.clone();
        self.prefixes = old.prefixes.clone();
        self.suffixes = old.suffixes.clone();
        self.allow_name_change = old.allow_name_change;
        self.allow_kind_change = old.allow_kind_change;
        self.needs_hash &= old.needs_hash;
        self.behavior = old.behavior;
        self.is_generated = old.is_generated;
        self.variables = old.variables.clone();
    }

    pub(crate) fn set_name(&mut self, name: &Text) -> Result<()> {
        if self.node.is_null() {
            return Ok(()); // a patch has emptied it
        }
        fields::set_untyped(fields::mapping_field(&mut self.node, "metadata")?, "name", name);
        Ok(())
    }

    pub(crate) fn set_namespace(&mut self, namespace: &Text) -> Result<()> {
        if self.node.is_null() {
            return Ok(()); // a patch has emptied it
        }
        if namespace.is_empty() {
            if let Some(metadata) = self.node.get_mut("metadata") {
                metadata.remove("namespace");
            }
            return Ok(());
        }
        fields::set_untyped(
            fields::mapping_field(&mut self.node, "metadata")?,
            "namespace",
            namespace,
        );
        Ok(())
    }

    pub(crate) fn set_kind(&mut self, kind: &Text) {
        fields::set_untyped(&mut self.node, "kind", kind);
    }

    fn map_in_metadata(&self, field: &str) -> Vec<(Text, Text)> {
        let entries = self
            .metadata()
            .and_then(|m| m.get(field))
            .map(Node::entries)
            .unwrap_or_default();
        entries
            .iter()
            .map(|(k, v)| (fields::shared(k), fields::shared(v)))
            .collect()
    }

    pub(crate) fn labels(&self) -> Vec<(Text, Text)> {
        self.map_in_metadata("labels")
    }

    pub(crate) fn annotations(&self) -> Vec<(Text, Text)> {
        self.map_in_metadata("annotations")
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<Text> {
        self.metadata()?.get("annotations")?.get(key).map(fields::shared)
    }

    fn set_map_in_metadata(&mut self, field: &str, entries: Vec<(Text, Text)>) -> Result<()> {
        if self.node.is_null() {
            return Ok(()); // a patch has emptied it
        }
        let metadata = fields::mapping_field(&mut self.node, "metadata")?;
        metadata.remove(field);
        if !entries.is_empty() && metadata.is_mapping() {
            metadata.set(
                field,
                Node::mapping(
                    entries
                        .into_iter()
                        .map(|(k, v)| (Node::plain(k), fields::string_node(v)))
                        .collect(),
                ),
            );
        }
        Ok(())
    }

    /// Sets all labels, as strings; none removes the field.
    pub(crate) fn set_labels(&mut self, labels: Vec<(Text, Text)>) -> Result<()> {
        self.set_map_in_metadata("labels", labels)
    }

    /// Sets all annotations, as strings; none removes the field.
    pub(crate) fn set_annotations(&mut self, annotations: Vec<(Text, Text)>) -> Result<()> {
        self.set_map_in_metadata("annotations", annotations)
    }

    /// Sets one annotation.
    pub(crate) fn set_annotation(&mut self, key: &str, value: &Text) -> Result<()> {
        let mut annotations = self.annotations();
        match annotations.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value.clone(),
            None => annotations.push((key.into(), value.clone())),
        }
        self.set_annotations(annotations)
    }

    /// Drops the annotations that a build uses for itself and those that the caller names; what is left becomes strings.
    pub(crate) fn finish_annotations(&mut self, also: &[&str]) -> Result<()> {
        let mut annotations = self.annotations();
        annotations.retain(|(k, _)| !BUILD_ANNOTATIONS.contains(&k.as_str()) && !also.contains(&k.as_str()));
        self.set_annotations(annotations)
    }
}

/// A scalar with this mark and another text.
fn find_marked(node: &Node, mark: &str, text: &str) -> Option<Node> {
    match &node.value {
        Value::Mapping(entries, _) => entries
            .iter()
            .find_map(|(_, value)| find_marked(value, mark, text)),
        Value::Sequence(items, _) => items.iter().find_map(|item| find_marked(item, mark, text)),
        _ => (node.anchor() == Some(mark) && fields::raw(node) != text).then(|| node.clone()),
    }
}

fn set_marked(node: &mut Node, mark: &str, new: &Node) {
    let is_marked = node.is_scalar() && node.anchor() == Some(mark);
    match &mut node.value {
        Value::Mapping(entries, _) => entries
            .iter_mut()
            .for_each(|(_, value)| set_marked(value, mark, new)),
        Value::Sequence(items, _) => items.iter_mut().for_each(|item| set_marked(item, mark, new)),
        _ if is_marked => {
            let position = node.position;
            *node = new.clone().at(position);
        }
        _ => {}
    }
}
