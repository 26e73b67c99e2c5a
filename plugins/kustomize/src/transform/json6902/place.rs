//! Where a JSON pointer leads (RFC 6901), and reading, adding and removing there.

use sluice_yaml::{Node, Value};

use super::missing;
use crate::error::{Error, Result};

/// The parent of what a path names, and the last part of the path.
pub(super) fn container<'a>(object: &'a mut Node, path: &str) -> Option<(&'a mut Node, String)> {
    let mut parts = path.split('/');
    parts.next()?;
    let parts: Vec<String> = parts.map(|p| p.replace("~1", "/").replace("~0", "~")).collect();
    let (key, parents) = parts.split_last()?;
    let mut current = object;
    for part in parents {
        current = get(current, part).ok()??;
    }
    if current.is_scalar() {
        None
    } else {
        Some((current, key.clone()))
    }
}

fn invalid_index(index: &str) -> Error {
    Error::new(format!(
        "Unable to access invalid index: {index}: invalid index referenced"
    ))
}

/// An index; negative ones count from the end.
fn index(key: &str, length: usize, bound: usize) -> Result<usize> {
    let number: i64 = key
        .parse()
        .map_err(|_| Error::new(format!("strconv.Atoi: parsing \"{key}\": invalid syntax")))?;
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if number < 0 { number + length } else { number };
    usize::try_from(at)
        .ok()
        .filter(|at| *at < bound)
        .ok_or_else(|| invalid_index(key))
}

pub(super) fn get<'a>(container: &'a mut Node, key: &str) -> Result<Option<&'a mut Node>> {
    if !container.is_sequence() {
        return Ok(container.get_mut(key));
    }
    let items = container.items_mut().map(Vec::as_mut_slice).unwrap_or_default();
    let at = index(key, items.len(), items.len())?;
    Ok(items.get_mut(at))
}

pub(super) fn add(container: &mut Node, key: &str, value: Node) -> Result<()> {
    if !container.is_sequence() {
        container.set(key, value);
        return Ok(());
    }
    let Some(items) = container.items_mut() else {
        return Ok(());
    };
    if key == "-" {
        items.push(value);
        return Ok(());
    }
    let at = index(key, items.len() + 1, items.len() + 1).map_err(|e| {
        if e.text().starts_with("strconv") {
            e.wrap(format!("value was not a proper array index: '{key}'"))
        } else {
            e
        }
    })?;
    items.insert(at, value);
    Ok(())
}

pub(super) fn remove(container: &mut Node, key: &str) -> Result<Node> {
    if let Value::Sequence(items, _) = &mut container.value {
        let at = index(key, items.len(), items.len())?;
        return Ok(items.remove(at));
    }
    container
        .remove(key)
        .ok_or_else(|| missing(format!("Unable to remove nonexistent key: {key}")))
}
