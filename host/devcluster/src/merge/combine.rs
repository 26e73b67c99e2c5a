use super::path::PathElement;
use super::shape::{self, Shape};
use serde_json::{Map, Value};
use sluice_schema::Node;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// `live` with everything that `config` says laid over it; none where nothing is left.
pub(super) fn combine(node: &Node, live: Option<&Value>, config: Option<&Value>) -> Option<Value> {
    let (Some(old), Some(new)) = (live, config) else {
        return match (live, config) {
            (Some(only), None) | (None, Some(only)) => Some(only.clone()),
            _ => None,
        };
    };
    match (shape::shape(node, new), old, new) {
        (Shape::Map, Value::Object(old), Value::Object(new)) if !old.is_empty() || !new.is_empty() => {
            Some(Value::Object(maps(node, old, new)))
        }
        (Shape::List, Value::Array(old), Value::Array(new)) if !old.is_empty() || !new.is_empty() => {
            lists(node, old, new).or_else(|| Some(Value::Array(new.clone())))
        }
        _ => Some(new.clone()),
    }
}

fn maps(node: &Node, old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut out = old.clone();
    for (name, value) in new {
        let merged = match (old.get(name), shape::field(node, name)) {
            (Some(old), Some(field)) => combine(field, Some(old), Some(value)),
            _ => Some(value.clone()),
        };
        if let Some(merged) = merged {
            out.insert(name.clone(), merged);
        }
    }
    out
}

/// Merges keyed lists. The applied order holds between items that both have; items of the live list alone keep their
/// place relative to the shared ones before them.
fn lists(node: &Node, old: &[Value], new: &[Value]) -> Option<Value> {
    let old_items: Vec<(PathElement, &Value)> = keyed(node, old);
    let new_items: Vec<(PathElement, &Value)> = keyed(node, new);
    let mut in_old: BTreeMap<&PathElement, Option<&Value>> = BTreeMap::new();
    for (element, value) in &old_items {
        // an item that appears twice is not merged with the applied one
        in_old
            .entry(element)
            .and_modify(|seen| *seen = None)
            .or_insert(Some(value));
    }
    let in_new: BTreeMap<&PathElement, &Value> = new_items
        .iter()
        .map(|(element, value)| (element, *value))
        .collect();
    let mut shared: VecDeque<&PathElement> = new_items
        .iter()
        .map(|(element, _)| element)
        .filter(|element| in_old.contains_key(*element))
        .collect();
    let mut next_shared = shared.pop_front();
    let mut done: BTreeSet<&PathElement> = BTreeSet::new();
    let item = shape::item(node);
    let mut out = Vec::with_capacity(old_items.len().max(new_items.len()));
    let (mut left, mut right) = (old_items.iter().peekable(), new_items.iter().peekable());
    loop {
        let (here, there) = (left.peek().copied(), right.peek().copied());
        if let (Some((old_element, _)), Some((new_element, value))) = (here, there) {
            if old_element == new_element {
                done.insert(old_element);
                out.extend(combine(
                    item,
                    in_old.get(old_element).copied().flatten(),
                    Some(value),
                ));
                let _ = (left.next(), right.next());
                next_shared = shared.pop_front();
                continue;
            }
            if in_new.contains_key(old_element) && next_shared.is_some_and(|next| next != old_element) {
                // shared, but its turn comes later
                left.next();
                continue;
            }
        }
        if let Some((element, value)) = here {
            if !in_new.contains_key(element) {
                out.push((*value).clone());
                left.next();
                continue;
            }
            if done.contains(element) {
                left.next();
            }
        }
        match there {
            Some((element, value)) => {
                done.insert(element);
                out.extend(combine(item, in_old.get(element).copied().flatten(), Some(value)));
                right.next();
                if next_shared == Some(element) {
                    next_shared = shared.pop_front();
                }
            }
            None if left.peek().is_none() => break,
            None => {}
        }
    }
    if out.is_empty() {
        None
    } else {
        Some(Value::Array(out))
    }
}

fn keyed<'v>(node: &Node, items: &'v [Value]) -> Vec<(PathElement, &'v Value)> {
    items
        .iter()
        .filter_map(|item| Some((shape::element(node, item).ok()?, item)))
        .collect()
}
