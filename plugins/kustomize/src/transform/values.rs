//! ValueAddTransformer: a value put into paths of selected objects.

use sluice_yaml::Node;

use super::namespace::{NamespaceTransformer, Subjects};
use crate::{
    Text,
    build::Session,
    error::Result,
    fields::{self, Kind},
    object::Object,
    objects::Objects,
    selector::Selector,
};

/// One of the targets.
#[derive(Clone, Debug)]
pub(crate) struct ValueTarget {
    pub(crate) selector: Option<Selector>,
    pub(crate) field_path: Text,
    pub(crate) file_path_position: usize,
}

/// A configured ValueAddTransformer.
#[derive(Clone, Debug)]
pub(crate) struct ValueAddTransformer {
    pub(crate) value: Text,
    pub(crate) targets: Vec<ValueTarget>,
}

impl ValueAddTransformer {
    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        for target in &self.targets {
            let picked = match &target.selector {
                None => (0..objects.len()).collect(),
                Some(selector) => objects.select(selector, &session.schema)?,
            };
            for at in picked {
                objects.modify(at, &session.schema, |object| self.add(object, target, session))?;
            }
        }
        Ok(())
    }

    fn add(&self, object: &mut Object, target: &ValueTarget, session: &Session<'_>) -> Result<()> {
        if target.field_path == "metadata/namespace" {
            let transformer = NamespaceTransformer {
                namespace: self.value.clone(),
                places: Vec::new(),
                unset_only: false,
                subjects: Subjects::Default,
            };
            return transformer.set(object, session);
        }
        let parts = fields::split_path(&target.field_path, '/');
        let Some((last, parents)) = parts.split_last() else {
            return Ok(());
        };
        let mut node = &mut object.node;
        for part in parents {
            fields::expect_kind(node, Kind::Mapping)?;
            node = node.get_or_insert_with(part, || Node::mapping(Vec::new()));
        }
        fields::expect_kind(node, Kind::Mapping)?;
        let field = node.get_or_insert_with(last, || Node::plain(""));
        fields::expect_kind(field, Kind::Scalar)?;
        let value = match target.file_path_position {
            0 => self.value.clone(),
            position => insert_path_part(fields::raw(field), position - 1, &self.value).into(),
        };
        if !value.is_empty() {
            fields::assign_untyped(field, &value);
        }
        Ok(())
    }
}

/// `value` put into a file path, at a position.
fn insert_path_part(path: &str, position: usize, value: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    parts.insert(position.min(parts.len()), value);
    let joined = parts.join("/");
    if is_absolute { format!("/{joined}") } else { joined }
}
