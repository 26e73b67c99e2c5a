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
        let Some(field) = make_field(&mut object.node, &fields::split_path(&target.field_path, '/'))? else {
            return Ok(());
        };
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

/// The field at a path, made where it is missing; none below what is null, nor where an element of a list is missing.
fn make_field<'a>(node: &'a mut Node, path: &[String]) -> Result<Option<&'a mut Node>> {
    let mut node = node;
    let mut parts = path.iter().map(|p| p.trim()).filter(|p| !p.is_empty()).peekable();
    while let Some(part) = parts.next() {
        if fields::is_element(part) || part == "*" {
            fields::lookup(node, &[part])?;
            let Some(element) = fields::lookup_mut(node, &[part]) else {
                return Ok(None);
            };
            node = element;
        } else {
            fields::expect_kind(node, Kind::Mapping)?;
            node = node.get_or_insert_with(part, || match parts.peek() {
                None => Node::plain(""),
                Some(next) if fields::is_element(next) => Node::sequence(Vec::new()),
                Some(_) => Node::mapping(Vec::new()),
            });
        }
        if node.is_null() && parts.peek().is_some() {
            return Ok(None);
        }
    }
    Ok(Some(node))
}

/// `value` put into a file path, at a position.
fn insert_path_part(path: &str, position: usize, value: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    parts.insert(position.min(parts.len()), value);
    let joined = parts.join("/");
    if is_absolute { format!("/{joined}") } else { joined }
}
