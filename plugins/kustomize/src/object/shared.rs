//! Scalars that stand in several places of an object and stay equal.

use sluice_yaml::{Node, Value};

use super::Object;
use crate::{Text, fields};

/// A scalar in several places: its mark, and the text it had when the places were last made equal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shared {
    mark: Text,
    text: Text,
}

impl Object {
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
            if let Some(changed) = find_marked(&self.node, &shared.mark, &shared.text).cloned() {
                shared.text = fields::shared(&changed);
                set_marked(&mut self.node, &shared.mark, &changed);
            }
        }
    }
}

/// Makes a copy for another place: what it shares with others stays behind.
pub(crate) fn unshare(node: &mut Node) {
    if node.anchor().is_some_and(is_mark) {
        node.set_anchor(None);
    }
    match &mut node.value {
        Value::Mapping(entries, _) => entries.iter_mut().for_each(|(_, value)| unshare(value)),
        Value::Sequence(items, _) => items.iter_mut().for_each(unshare),
        _ => {}
    }
}

/// Whether an anchor is a mark of [`Object::new_marks`].
fn is_mark(anchor: &str) -> bool {
    anchor.strip_prefix('\0').is_some_and(|number| !number.is_empty())
}

/// The scalar with this mark and another text; of several the last, as the original walks: maps in the order of their keys.
fn find_marked<'a>(node: &'a Node, mark: &str, text: &str) -> Option<&'a Node> {
    match &node.value {
        Value::Mapping(entries, _) => entries
            .iter()
            .filter_map(|(key, value)| Some((fields::raw(key), find_marked(value, mark, text)?)))
            .max_by_key(|(key, _)| *key)
            .map(|(_, found)| found),
        Value::Sequence(items, _) => items.iter().rev().find_map(|item| find_marked(item, mark, text)),
        _ => (node.anchor() == Some(mark) && fields::raw(node) != text).then_some(node),
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
