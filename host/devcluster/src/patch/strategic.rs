use super::go_map;
use crate::status::{Result, Status};
use serde_json::{Map, Value};
use sluice_schema::{Node, PatchStrategy};
use std::sync::Arc;

const DIRECTIVE: &str = "$patch";
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";
const SET_ORDER: &str = "$setElementOrder/";
const RETAIN_KEYS: &str = "$retainKeys";

/// Strategic merge: lists are merged by the keys that the schema names.
pub(super) fn merge(node: &Node, live: Value, patch: Value) -> Result<Value> {
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => {
            Ok(maps(Some(node), live, patch)?.map_or(Value::Null, Value::Object))
        }
        _ => Err(Status::bad_request(
            "unable to find api field in struct: a patch must be a mapping",
        )),
    }
}

/// Gives none where the patch says that the mapping goes.
fn maps(
    node: Option<&Node>,
    mut live: Map<String, Value>,
    mut patch: Map<String, Value>,
) -> Result<Option<Map<String, Value>>> {
    match patch.remove(DIRECTIVE).as_ref().and_then(Value::as_str) {
        Some("replace") => return Ok(Some(patch)),
        Some("delete") => return Ok(Some(Map::new())),
        _ => {}
    }
    if let Some(Value::Array(kept)) = patch.remove(RETAIN_KEYS) {
        live.retain(|key, _| kept.iter().any(|kept| kept.as_str() == Some(key)));
    }
    let before = live.clone();
    let mut orders: Vec<(String, Vec<Value>)> = Vec::new();
    for (key, value) in patch {
        if let Some(list) = key.strip_prefix(DELETE_FROM_LIST) {
            if let (Some(Value::Array(live)), Value::Array(gone)) = (live.get_mut(list), &value) {
                live.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if let Some(list) = key.strip_prefix(SET_ORDER) {
            if let Value::Array(order) = value {
                orders.push((list.to_owned(), order));
            }
            continue;
        }
        if value.is_null() {
            live.remove(&key);
            continue;
        }
        let field = node.and_then(|node| node.field(&key)).map(Arc::as_ref);
        let merged = match (live.remove(&key), value) {
            (Some(Value::Object(live)), Value::Object(patch)) => maps(field, live, patch)?.map(Value::Object),
            (None, Value::Object(patch)) => maps(field, Map::new(), patch)?.map(Value::Object),
            (Some(Value::Array(live)), Value::Array(patch)) => Some(Value::Array(lists(field, live, patch)?)),
            (None, Value::Array(patch)) => Some(Value::Array(lists(field, Vec::new(), patch)?)),
            (_, value) => Some(value),
        };
        if let Some(merged) = merged {
            live.insert(key, merged);
        }
    }
    for (list, order) in orders {
        let merge_key = node
            .and_then(|node| node.field(&list))
            .and_then(|field| field.merge_key.clone());
        if let Some(Value::Array(items)) = live.get_mut(&list) {
            let before = before
                .get(&list)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            arrange(items, &before, &order, merge_key.as_deref());
        }
    }
    Ok(Some(live))
}

fn lists(field: Option<&Node>, live: Vec<Value>, patch: Vec<Value>) -> Result<Vec<Value>> {
    let (before, order) = (live.clone(), patch.clone());
    let is_merged = field.is_some_and(|field| field.patch_strategy.merge);
    let merge_key = field.and_then(|field| field.merge_key.as_deref());
    let mut merged = merge_lists(field, live, patch)?;
    if is_merged {
        arrange(&mut merged, &before, &order, merge_key);
    }
    Ok(merged)
}

fn merge_lists(field: Option<&Node>, mut live: Vec<Value>, patch: Vec<Value>) -> Result<Vec<Value>> {
    let strategy = field.map(|field| field.patch_strategy).unwrap_or_default();
    let merge_key = field.and_then(|field| field.merge_key.as_deref());
    if strategy == PatchStrategy::default() || !strategy.merge {
        return Ok(patch
            .into_iter()
            .filter(|item| item.get(DIRECTIVE).is_none())
            .collect());
    }
    let Some(key) = merge_key else {
        for item in patch {
            if !live.contains(&item) {
                live.push(item);
            }
        }
        return Ok(live);
    };
    if patch
        .iter()
        .any(|item| item.get(DIRECTIVE).and_then(Value::as_str) == Some("replace") && item.get(key).is_none())
    {
        let is_directive = |item: &Value| item.get(DIRECTIVE).is_some();
        return Ok(patch.into_iter().filter(|item| !is_directive(item)).collect());
    }
    for item in patch {
        let Value::Object(mut item) = item else { continue };
        let Some(wanted) = item.get(key).cloned() else {
            return Err(Status::new(
                500,
                "",
                format!(
                    "map: {} does not contain declared merge key: {key}",
                    go_map(&Value::Object(item))
                ),
            ));
        };
        let at = live.iter().position(|live| live.get(key) == Some(&wanted));
        match item.get(DIRECTIVE).and_then(Value::as_str) {
            Some(other) if !matches!(other, "delete" | "replace" | "merge") => {
                let shown = go_map(&Value::Object(item.clone()));
                return Err(Status::new(
                    500,
                    "",
                    format!("unknown patch type: {other} in map: {shown}"),
                ));
            }
            Some("delete") => live.retain(|live| live.get(key) != Some(&wanted)),
            Some("replace") => {
                item.remove(DIRECTIVE);
                match at.and_then(|at| live.get_mut(at)) {
                    Some(slot) => *slot = Value::Object(item),
                    None => live.push(Value::Object(item)),
                }
            }
            _ => {
                let node = field.and_then(|field| field.items.as_deref());
                match at.and_then(|at| live.get_mut(at)) {
                    Some(slot) => {
                        let old = slot.as_object().cloned().unwrap_or_default();
                        *slot = Value::Object(maps(node, old, item)?.unwrap_or_default());
                    }
                    None => live.push(Value::Object(maps(node, Map::new(), item)?.unwrap_or_default())),
                }
            }
        }
    }
    Ok(live)
}

/// Merges two runs of items that keep their own order: those that the patch names, and those that only the live list has.
/// A live item goes before a named one that stood behind it; a named item that is new goes first.
fn interleave(
    live: &[Value],
    named: Vec<Value>,
    alone: Vec<Value>,
    same: impl Fn(&Value, &Value) -> bool,
) -> Vec<Value> {
    let place = |item: &Value| live.iter().position(|other| same(item, other));
    let mut out = Vec::with_capacity(named.len() + alone.len());
    let (mut named, mut alone) = (named.into_iter().peekable(), alone.into_iter().peekable());
    while let (Some(left), Some(right)) = (named.peek(), alone.peek()) {
        let is_behind = place(left).is_some_and(|left| place(right).is_some_and(|right| left > right));
        out.extend(if is_behind { alone.next() } else { named.next() });
    }
    out.extend(named.chain(alone));
    out
}

/// Brings a merged list into order: `order` for the items it names, the live order for the others.
fn arrange(items: &mut Vec<Value>, live: &[Value], order: &[Value], merge_key: Option<&str>) {
    let same = |item: &Value, other: &Value| match merge_key {
        Some(key) => item.get(key) == other.get(key),
        None => item == other,
    };
    let place = |item: &Value| order.iter().position(|wanted| same(item, wanted));
    let (mut named, alone): (Vec<Value>, Vec<Value>) = std::mem::take(items)
        .into_iter()
        .partition(|item| place(item).is_some());
    named.sort_by_key(|item| place(item));
    *items = interleave(live, named, alone, same);
}
