//! Field specs: finding, and where asked making, the fields that a transformer sets.

use sluice_yaml::{CollectionStyle, Node, ScalarStyle, Value};

use crate::{
    Text,
    error::{Error, Result},
    fields::{self, Kind},
    id::Gvk,
    kustomization::FieldSpec,
    object::Object,
};

/// A field spec with its path split.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) spec: FieldSpec,
    path: Vec<String>,
}

impl Place {
    pub(crate) fn new(spec: &FieldSpec) -> Self {
        Self {
            spec: spec.clone(),
            path: fields::split_path(&spec.path, '/'),
        }
    }

    pub(crate) fn all(specs: &[FieldSpec]) -> Vec<Self> {
        specs.iter().map(Self::new).collect()
    }

    /// Calls `set` on every field of this place in `object`. `create` is the kind of a field to be made, where the spec asks for it.
    pub(crate) fn visit(
        &self,
        object: &mut Object,
        gvk: &Gvk,
        create: Option<Kind>,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        if !gvk.is_selected(&self.spec.gvk) {
            return Ok(());
        }
        if self.path.first().is_some_and(|part| part == "metadata")
            && self.path.get(1).is_some_and(|part| part == "annotations")
        {
            object.make_annotations_of_memory()?;
        }
        let create = create.filter(|_| self.spec.create);
        self.walk(&mut object.node, &self.path, create, set)
            .map_err(|error| self.explain(error, object))
    }

    fn explain(&self, error: Error, object: &Object) -> Error {
        let id = object.written_id();
        error
            .wrap(format!("considering field '{}' of object {id}", self.spec.path))
            .on_field(self.spec.path.replace('/', "."))
            .about(&id)
            .at(&object.source.file, object.position())
    }

    fn walk(
        &self,
        node: &mut Node,
        path: &[String],
        create: Option<Kind>,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let Some((part, rest)) = path.split_first() else {
            return set(node);
        };
        if node.is_null() {
            return Ok(());
        }
        match &mut node.value {
            Value::Sequence(items, _) => items
                .iter_mut()
                .try_for_each(|item| self.walk(item, path, create, set))
                .map_err(|e| e.wrap(format!("visit traversal on path: [{}]", path.join(" ")))),
            Value::Mapping(..) => self.walk_mapping(node, part, rest, create, set),
            _ => Err(Error::new("expected sequence or mapping node")),
        }
    }

    fn walk_mapping(
        &self,
        node: &mut Node,
        part: &str,
        rest: &[String],
        create: Option<Kind>,
        set: &mut dyn FnMut(&mut Node) -> Result<()>,
    ) -> Result<()> {
        let name = part.strip_suffix("[]").unwrap_or(part);
        let is_list = name.len() != part.len();
        if name.is_empty() {
            return Err(Error::new("cannot set or create an empty field name"));
        }
        if name == "*" {
            return Err(Error::new("wildcard is not supported in PathGetter").wrap("fieldName: *"));
        }
        if fields::is_element(name) {
            return fields::expect_kind(node, Kind::Sequence)
                .map_err(|e| e.wrap(format!("fieldName: {name}")));
        }
        let make = match create {
            Some(_) if is_list => None,
            Some(last) if rest.is_empty() => Some(last),
            Some(_) => Some(Kind::Mapping),
            None => None,
        };
        if let Some(kind) = make
            && node.get(name).is_none()
            && let Some(entries) = node.entries_mut()
        {
            entries.push((Node::plain(name), empty(kind)));
        }
        let Some(field) = node.get_mut(name) else {
            return Ok(());
        };
        let turn_into = if is_list { Some(Kind::Sequence) } else { make };
        if let Some(kind) = turn_into
            && field.is_null()
        {
            turn(field, kind);
        }
        self.walk(field, rest, create, set)
    }
}

/// Makes another kind of a null. As in the original a scalar keeps its text, and is a string then: the word `null`.
fn turn(null: &mut Node, kind: Kind) {
    let is_word = kind == Kind::Scalar && !fields::raw(null).is_empty();
    if is_word {
        null.set_tag(Some(Text::new_static("!!str")));
    } else {
        let position = null.position;
        *null = empty(kind).at(position);
    }
}

fn empty(kind: Kind) -> Node {
    Node::new(match kind {
        Kind::Scalar => Value::Scalar(Text::default(), ScalarStyle::Plain),
        Kind::Sequence => Value::Sequence(Vec::new(), CollectionStyle::Block),
        Kind::Mapping => Value::Mapping(Vec::new(), CollectionStyle::Block),
    })
}
