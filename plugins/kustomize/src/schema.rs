//! Which lists merge, and which kinds have a namespace: the built-in tables, and a schema that `openapi.path` names.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use sluice_schema::kustomize as builtin;
use sluice_yaml::Node;

use crate::{
    Text,
    error::{Error, Result},
    fields,
    id::Gvk,
    read,
};

/// The schema of one value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// From the built-in tables.
    Builtin(builtin::Shape),
    /// From a schema file: an index.
    Custom(usize),
    /// From a comment: an index.
    Written(usize),
    /// Known, but nothing below it merges.
    Opaque,
}

/// How the elements of a list are paired.
#[derive(Clone, Debug)]
pub(crate) struct MergeKeys(pub(crate) Vec<Text>);

/// What the original has of its built-in schema, which it reads late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Builtin {
    /// Nothing: beside a schema file it is not read any more.
    #[default]
    Unread,
    /// A scope was asked for, which it knows without: it is read after a schema file, and takes the place of what that has.
    Asked,
    /// It was read: a schema file takes the place of what it has.
    Read,
}

/// The schema of a build. Sub-kustomizations share it, as in the original.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    custom: RefCell<Option<Custom>>,
    written: RefCell<Vec<MergeKeys>>,
    is_set: Cell<bool>,
    /// As it was when the schema file came, if there is one.
    builtin: Cell<Builtin>,
    /// What is wrong with the schema file: nothing is said about it before the schema is used, as in the original.
    broken: RefCell<Option<Error>>,
    is_needed: Cell<bool>,
}

#[derive(Debug, Default)]
struct Custom {
    shapes: Vec<CustomShape>,
    definitions: HashMap<Text, usize>,
    /// The types of the built-in schema that it defines anew.
    redefined: HashMap<u16, usize>,
    kinds: HashMap<(Text, Text), usize>,
    namespaced: HashMap<(Text, Text), bool>,
}

#[derive(Debug, Default)]
struct CustomShape {
    reference: Option<Text>,
    fields: HashMap<Text, usize>,
    additional: Option<usize>,
    items: Option<usize>,
    is_list: bool,
    strategy: Option<Text>,
    keys: Vec<Text>,
}

impl Schema {
    /// With the built-in schema read already, or left for later.
    pub(crate) fn new(is_read: bool) -> Self {
        Self {
            builtin: Cell::new(if is_read { Builtin::Read } else { Builtin::Unread }),
            ..Self::default()
        }
    }

    pub(crate) fn is_cluster_scoped(&self, gvk: &Gvk) -> bool {
        if let Some(namespaced) = builtin::is_namespaced(&gvk.group, &gvk.version, &gvk.kind) {
            return !namespaced;
        }
        self.is_needed.set(true);
        match &*self.custom.borrow() {
            Some(custom) => custom.namespaced.get(&(gvk.api_version(), gvk.kind.clone())) == Some(&false),
            None => {
                if self.builtin.get() == Builtin::Unread {
                    self.builtin.set(Builtin::Asked);
                }
                false
            }
        }
    }

    /// The schema of a kind.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Shape> {
        self.is_needed.set(true);
        let built_in = || {
            let index = builtin::type_of(api_version, kind)?;
            Some(index.map_or(Shape::Opaque, |i| Shape::Builtin(builtin::Shape::Type(i))))
        };
        let custom = self.custom.borrow();
        let Some(custom) = &*custom else {
            self.builtin.set(Builtin::Read);
            return built_in();
        };
        let written = || {
            let index = custom.kinds.get(&(api_version.into(), kind.into()))?;
            Some(Shape::Custom(*index))
        };
        match self.builtin.get() {
            Builtin::Unread => written(),
            Builtin::Asked => built_in().or_else(written),
            Builtin::Read => written().or_else(built_in),
        }
    }

    /// The schema of a field.
    pub(crate) fn field(&self, shape: Shape, name: &str) -> Option<Shape> {
        match shape {
            Shape::Opaque | Shape::Written(_) => Some(Shape::Opaque),
            Shape::Builtin(builtin::Shape::Type(index)) => {
                self.below_builtin(builtin::Type::get(index).and_then(|t| t.field(name)))
            }
            Shape::Builtin(builtin::Shape::Map { of }) => self.below_builtin(Some(of)),
            Shape::Builtin(builtin::Shape::List { .. }) => None,
            Shape::Custom(index) => {
                let custom = self.custom.borrow();
                let custom = custom.as_ref()?;
                let shape = custom.shapes.get(index)?;
                let next = shape.fields.get(name).copied().or(shape.additional)?;
                custom.resolve(next, self.builtin.get())
            }
        }
    }

    /// The schema of a list's elements.
    pub(crate) fn element(&self, shape: Shape) -> Option<Shape> {
        match shape {
            Shape::Builtin(builtin::Shape::List { of, .. }) => self.below_builtin(of),
            Shape::Custom(index) => {
                let custom = self.custom.borrow();
                let custom = custom.as_ref()?;
                let shape = custom.shapes.get(index)?;
                custom.resolve(shape.items.filter(|_| shape.is_list)?, self.builtin.get())
            }
            Shape::Written(_) => Some(Shape::Opaque),
            _ => None,
        }
    }

    /// What the built-in schema has below one of its types. All definitions are one map in the original, so that what a
    /// schema file defines anew counts here too.
    fn below_builtin(&self, shape: Option<&builtin::Shape>) -> Option<Shape> {
        let Some(shape) = shape else {
            return Some(Shape::Opaque);
        };
        let custom = self.custom.borrow();
        if let (builtin::Shape::Type(index), Some(custom), Builtin::Read) =
            (shape, &*custom, self.builtin.get())
            && let Some(redefined) = custom.redefined.get(index)
        {
            return custom.resolve(*redefined, Builtin::Read);
        }
        Some(Shape::Builtin(*shape))
    }

    /// The schema that a comment at a list writes down.
    pub(crate) fn written(&self, list: &Node) -> Option<Shape> {
        let comment = list.comments()?.line.trim_start_matches('#').to_owned();
        let schema = sluice_yaml::parse_document(comment, &sluice_yaml::ParseOptions::default())
            .ok()??
            .root;
        let strategy = schema.get("x-kubernetes-patch-strategy").map(fields::shared)?;
        if !strategy.split(',').any(|s| s == "merge") {
            return Some(Shape::Opaque);
        }
        let keys = match schema.get("x-kubernetes-list-map-keys") {
            Some(keys) => keys.items().iter().map(fields::shared).collect(),
            None => schema
                .get("x-kubernetes-patch-merge-key")
                .map(fields::shared)
                .into_iter()
                .collect(),
        };
        let mut written = self.written.borrow_mut();
        written.push(MergeKeys(keys));
        Some(Shape::Written(written.len() - 1))
    }

    /// How a list merges; none where it is replaced.
    pub(crate) fn merge_keys(&self, shape: Shape) -> Option<MergeKeys> {
        match shape {
            Shape::Written(index) => self.written.borrow().get(index).cloned(),
            Shape::Builtin(builtin::Shape::List {
                merge: true, keys, ..
            }) => Some(MergeKeys(keys.iter().map(|k| Text::new_static(k)).collect())),
            Shape::Custom(index) => {
                let custom = self.custom.borrow();
                let shape = custom.as_ref()?.shapes.get(index)?;
                let merges = shape.strategy.as_ref()?.split(',').any(|s| s == "merge");
                merges.then(|| MergeKeys(shape.keys.clone()))
            }
            _ => None,
        }
    }

    /// Fails where a schema was asked for that cannot be read.
    pub(crate) fn check(&self) -> Result<()> {
        match &*self.broken.borrow() {
            Some(error) if self.is_needed.get() => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Takes the `openapi` field of a kustomization. Only the first one that says something counts.
    pub(crate) fn set(
        &self,
        version: Option<&str>,
        document: Option<Result<Node>>,
        is_top: bool,
    ) -> Result<()> {
        if self.is_set.get() && !is_top {
            return Ok(());
        }
        if let Some(document) = document {
            if version.is_some() {
                return Err(
                    Error::new("builtin version and custom schema provided, cannot use both")
                        .help("keep either openapi.version or openapi.path"),
                );
            }
            let (custom, broken) = match document {
                Ok(document) => (Custom::read(&document), None),
                Err(error) => (Custom::default(), Some(error)),
            };
            *self.custom.borrow_mut() = Some(custom);
            *self.broken.borrow_mut() = broken;
            self.is_needed.set(false);
            self.is_set.set(true);
            return Ok(());
        }
        match version {
            None | Some("") => Ok(()),
            Some("v1.21.2") => {
                self.is_set.set(true);
                Ok(())
            }
            Some(_) => Err(Error::new("the specified OpenAPI version is not built in")
                .help("only v1.21.2 is; name a file with openapi.path instead")),
        }
    }
}

/// The document of a schema file.
///
/// # Errors
/// It is no JSON, no YAML, or no OpenAPI document.
pub(crate) fn document(bytes: &[u8], file: &str) -> Result<Node> {
    const GO_TYPE: &str = "json: cannot unmarshal Go value of type spec.Swagger";
    let mut document =
        read::document_json(bytes, file, &format!("{GO_TYPE}: unexpected EOF")).map_err(|e| {
            e.reword(|text| {
                text.trim_start_matches("error converting YAML to JSON: ")
                    .to_owned()
            })
        })?;
    read::keep_last(&mut document);
    let wrong = |node: &Node, found: &str, wanted: &str| {
        Error::new(format!(
            "{GO_TYPE}: json: cannot unmarshal JSON {found} into Go value of type {wanted}"
        ))
        .at(file, node.position)
        .help("a schema file is an OpenAPI document, with `definitions:`")
    };
    let kind = |node: &Node| match fields::kind(node) {
        fields::Kind::Sequence => "array",
        fields::Kind::Mapping => "object",
        fields::Kind::Scalar => "string",
    };
    if bytes.trim_ascii().is_empty() {
        return Err(Error::new("json: unable to unmarshal Go value of type spec.Swagger: EOF").in_file(file));
    }
    if !document.is_mapping() && !document.is_null() {
        return Err(wrong(
            &document,
            kind(&document),
            "struct { spec.Extensions; spec.SwaggerProps }",
        ));
    }
    match document.get("definitions") {
        Some(node) if !node.is_mapping() && !node.is_null() => {
            Err(wrong(node, kind(node), "spec.Definitions"))
        }
        _ => Ok(document),
    }
}

impl Custom {
    fn read(document: &Node) -> Self {
        let mut custom = Self::default();
        for (name, definition) in document.get("definitions").map(Node::entries).unwrap_or_default() {
            let index = custom.add(definition);
            if let Some(built_in) = builtin::definition(fields::raw(name)) {
                custom.redefined.insert(built_in, index);
            }
            custom.definitions.insert(fields::shared(name), index);
            for kind in definition
                .get("x-kubernetes-group-version-kind")
                .map(Node::items)
                .unwrap_or_default()
            {
                custom.kinds.insert(kind_key(kind), index);
            }
        }
        for (path, operations) in document.get("paths").map(Node::entries).unwrap_or_default() {
            if let Some(kind) = operations.get_path(&["get", "x-kubernetes-group-version-kind"]) {
                let namespaced = fields::raw(path).contains("namespaces/{namespace}");
                let known = custom.namespaced.entry(kind_key(kind)).or_insert(namespaced);
                *known |= namespaced;
            }
        }
        custom
    }

    fn add(&mut self, schema: &Node) -> usize {
        let index = self.shapes.len();
        self.shapes.push(CustomShape::default());
        let text = |name: &str| schema.get(name).map(fields::shared);
        let keys = match schema.get("x-kubernetes-list-map-keys") {
            Some(keys) => keys.items().iter().map(fields::shared).collect(),
            None => text("x-kubernetes-patch-merge-key").into_iter().collect(),
        };
        let mut shape = CustomShape {
            reference: text("$ref").map(|r| r.rsplit('/').next().unwrap_or_default().into()),
            strategy: text("x-kubernetes-patch-strategy"),
            is_list: text("type").as_deref() == Some("array"),
            keys,
            ..CustomShape::default()
        };
        for (name, field) in schema.get("properties").map(Node::entries).unwrap_or_default() {
            shape.fields.insert(fields::shared(name), self.add(field));
        }
        shape.items = schema
            .get("items")
            .filter(|s| s.is_mapping())
            .map(|s| self.add(s));
        shape.additional = schema
            .get("additionalProperties")
            .filter(|s| s.is_mapping())
            .map(|s| self.add(s));
        if let Some(slot) = self.shapes.get_mut(index) {
            *slot = shape;
        }
        index
    }

    /// Follows `$ref`, which may lead into the built-in schema; none where it leads nowhere or in a circle.
    fn resolve(&self, mut index: usize, built_in: Builtin) -> Option<Shape> {
        for _ in 0..64 {
            let Some(name) = &self.shapes.get(index)?.reference else {
                return Some(Shape::Custom(index));
            };
            let written = self.definitions.get(name).copied();
            let other = match (built_in, written) {
                (Builtin::Unread, _) | (Builtin::Read, Some(_)) => None,
                _ => builtin::definition(name),
            };
            if let Some(other) = other {
                return Some(Shape::Builtin(builtin::Shape::Type(other)));
            }
            index = written?;
        }
        None
    }
}

fn kind_key(kind: &Node) -> (Text, Text) {
    let text = |name: &str| kind.get(name).map(fields::shared).unwrap_or_default();
    let gvk = Gvk {
        group: text("group"),
        version: text("version"),
        kind: text("kind"),
    };
    (gvk.api_version(), gvk.kind)
}
