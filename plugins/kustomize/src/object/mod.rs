//! One object on its way through a build: its tree, and what the build has to remember about it.

mod metadata;
mod shared;

use sluice_yaml::{Node, Position};

use self::shared::Shared;
pub(crate) use self::shared::unshare;

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

const INTERNAL: &str = "internal.config.kubernetes.io/";

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

    /// All that its identity is made of: apiVersion, kind, name and namespace, as they are written.
    pub(crate) fn identity(&self) -> [Text; 4] {
        let top = |field| self.node.get(field).map(fields::shared).unwrap_or_default();
        [top("apiVersion"), top("kind"), self.name(), self.namespace()]
    }

    /// The identity it has now.
    pub(crate) fn id(&self, schema: &Schema) -> Id {
        Id::new(self.gvk(), self.name(), self.namespace(), schema)
    }

    /// The identity it has now, as it is written: its scope does not count.
    pub(crate) fn written_id(&self) -> Id {
        Id {
            gvk: self.gvk(),
            name: self.name(),
            namespace: self.namespace(),
            cluster_scoped: false,
        }
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

    /// Forgets what the original keeps in annotations.
    fn forget(&mut self) {
        self.previous_names.clear();
        self.previous_namespaces.clear();
        self.previous_kinds.clear();
        self.prefixes.clear();
        self.suffixes.clear();
        self.allow_name_change = false;
        self.allow_kind_change = false;
        self.needs_hash = false;
        self.behavior = Behavior::default();
        self.is_generated = false;
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
}
