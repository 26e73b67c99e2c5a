//! What a patch acts on, and putting it there.

use sluice_yaml::{Node, Position};

use crate::{
    Text,
    error::{Error, Result},
    fields,
    object::Object,
    objects::Objects,
    schema::Schema,
    selector::{Selector, SelectorArgs},
    transform::merge::{self, Outcome},
};

/// What a patch acts on. An expression that cannot be compiled is an error only when objects are looked for.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) args: SelectorArgs,
    selector: Result<Selector>,
}

impl Target {
    pub(super) fn new(args: &SelectorArgs, file: &str, at: Position) -> Self {
        Self {
            args: args.clone(),
            selector: Selector::new(args).map_err(|e| e.at(file, at)),
        }
    }

    pub(super) fn select(&self, objects: &mut Objects, schema: &Schema) -> Result<Vec<usize>> {
        objects.select(self.selector.as_ref().map_err(Error::clone)?, schema)
    }
}

/// Puts a patch on an object that its identity names.
pub(super) fn put_on(patch: &Object, objects: &mut Objects, at: usize, schema: &Schema) -> Result<()> {
    objects.modify(at, schema, |object| {
        let id = object.written_id();
        if patch.allow_name_change || patch.allow_kind_change {
            object.store_previous_id(schema)?;
        }
        let merged = object
            .risk_annotations(|node| merge::merge(node, &patch.node, schema))
            .map_err(|e| e.about(&id).at(&patch.source.file, patch.position()))?;
        match merged {
            // The original drops the result of `$patch: replace` on a whole object.
            Outcome::Kept | Outcome::Replaced(_) => {}
            Outcome::Cleared => object.node = Node::null(),
        }
        if fields::is_nil_or_empty(&object.node) {
            return Ok(());
        }
        if !patch.allow_kind_change {
            object.set_kind(&id.gvk.kind);
        }
        if !patch.allow_name_change {
            object.set_name(&id.name)?;
        }
        object.set_namespace(&id.namespace)
    })
}

/// Puts a patch on an object that a target or an identity has picked: labels and annotations become strings on the way.
pub(super) fn put_on_selected(
    patch: &Object,
    objects: &mut Objects,
    at: usize,
    schema: &Schema,
) -> Result<()> {
    let Some(object) = objects.get(at) else {
        return Ok(());
    };
    let mut own = patch.clone();
    own.set_labels(patch.labels())?;
    own.set_annotations(patch.annotations())?;
    own.set_name(&patch.name())?;
    own.set_namespace(&patch.namespace())?;
    fields::set_untyped(&mut own.node, "apiVersion", &Text::from(object.api_version()));
    put_on(&own, objects, at, schema)
}

pub(super) fn check_unique(objects: &mut Objects, schema: &Schema) -> Result<()> {
    let list = objects.take();
    objects.append(list, schema)
}
