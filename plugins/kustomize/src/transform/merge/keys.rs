//! The values by which elements of lists are paired.

use sluice_yaml::Node;

use crate::{
    Text,
    error::Result,
    fields::{self, Kind},
};

/// Whether an element has these values, every one of them.
pub(super) fn has_values(node: &Node, keys: &[Text], values: &[Text]) -> bool {
    match keys.first() {
        Some(key) if !key.is_empty() => {
            node.is_mapping()
                && keys.len() == values.len()
                && keys
                    .iter()
                    .zip(values)
                    .all(|(k, v)| node.get(k).is_some_and(|found| fields::raw(found) == v))
        }
        _ => values.first().is_some_and(|v| fields::raw(node) == v),
    }
}

/// As [`has_values`], but an empty value asks only for the field, and missing values for nothing.
pub(super) fn matches_all(node: &Node, keys: &[Text], values: &[Text]) -> Result<bool> {
    let mut found = false;
    for (at, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(at) {
            found = if key.is_empty() {
                fields::expect_kind(node, Kind::Scalar)?;
                fields::value(node) == value
            } else {
                fields::expect_kind(node, Kind::Mapping)?;
                node.get(key)
                    .is_some_and(|v| value.is_empty() || fields::raw(v) == value)
            };
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(found)
}

/// The texts of scalars, each once.
pub(super) fn texts_of<'a>(items: impl Iterator<Item = &'a Node>) -> Vec<Vec<Text>> {
    let mut all: Vec<Vec<Text>> = Vec::new();
    for item in items {
        let text = vec![fields::shared(item)];
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// The key values of elements, each combination once; empty where a key is missing.
pub(super) fn key_values<'a>(items: impl Iterator<Item = &'a Node>, keys: &[Text]) -> Vec<Vec<Text>> {
    let mut all: Vec<Vec<Text>> = Vec::new();
    for item in items {
        let values = keys
            .iter()
            .map(|k| fields::present(item, k).map(fields::shared).unwrap_or_default())
            .collect();
        if !all.contains(&values) {
            all.push(values);
        }
    }
    all
}

/// Lends missing key values from elements that agree in another key.
pub(super) fn fill_gaps(all: &mut [Vec<Text>]) {
    for i in 0..all.len() {
        // as it was at the start of the round: the original joins with that, whatever it wrote meanwhile
        let Some(first) = all.get(i).cloned() else {
            continue;
        };
        for j in 0..all.len() {
            let joined = all.get(j).and_then(|second| join_values(&first, second));
            if let Some(joined) = joined {
                if let Some(slot) = all.get_mut(i) {
                    slot.clone_from(&joined);
                }
                if let Some(slot) = all.get_mut(j) {
                    *slot = joined;
                }
            }
        }
    }
}

fn join_values(a: &[Text], b: &[Text]) -> Option<Vec<Text>> {
    if a.len() != b.len() {
        return None;
    }
    let mut agree = false;
    let mut joined = Vec::with_capacity(a.len());
    for (x, y) in a.iter().zip(b) {
        if x == y {
            agree = true;
        } else if !x.is_empty() && !y.is_empty() {
            return None;
        }
        joined.push(if x.is_empty() { y.clone() } else { x.clone() });
    }
    agree.then_some(joined)
}

/// The keys that some element has, and the values of one element for them.
pub(super) fn valid_keys(all: &[Vec<Text>], values: &[Text], keys: &[Text]) -> (Vec<Text>, Vec<Text>) {
    let used: Vec<bool> = (0..keys.len())
        .map(|i| all.iter().any(|v| v.get(i).is_some_and(|t| !t.is_empty())))
        .collect();
    if !used.contains(&true) {
        return (keys.to_vec(), values.to_vec());
    }
    let kept = keys
        .iter()
        .zip(&used)
        .filter(|(_, used)| **used)
        .map(|(k, _)| k.clone())
        .collect();
    let kept_values = values
        .iter()
        .enumerate()
        .filter(|(i, v)| !v.is_empty() || used.get(*i) == Some(&true))
        .map(|(_, v)| v.clone())
        .collect();
    (kept, kept_values)
}
