//! dario.cat/mergo's merge of maps, as `merge` and `mergeOverwrite` use it.

use crate::{
    Error, Map, Str, Value,
    value::{DEPTH_MAX, Element},
};

/// Merges into a map in place. What is missing, empty or zero is taken from the source; all else too where it `overwrites`.
/// Maps inside are merged in their turn; a map that is missing becomes the source's own, not a copy.
///
/// # Errors
/// A map that holds itself, and one of another type where its values do not fit.
pub(super) fn merge_into(target: &Map, source: &Map, overwrites: bool) -> Result<(), Error> {
    merge_at(target, source, overwrites, 0)
}

fn merge_at(target: &Map, source: &Map, overwrites: bool, depth: usize) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::new("merge: a map that holds itself cannot be merged"));
    }
    for (key, value) in source.entries().iter() {
        let present = target.get(key);
        if value.is_nil() {
            if overwrites {
                set(target, source, key, &Value::Nil)?;
            }
            continue;
        }
        if let (Some(Value::Map(inner)), Value::Map(from)) = (&present, value) {
            if !inner.is_nil() {
                merge_at(inner, from, overwrites, depth + 1)?;
            }
            if !inner.is_empty() {
                continue;
            }
        }
        if overwrites || present.is_none_or(|present| is_empty(&present)) {
            set(target, source, key, value)?;
        }
    }
    Ok(())
}

/// What may be filled: as `if` sees it, but for structs.
fn is_empty(value: &Value) -> bool {
    !value.is_true()
}

/// Takes a value from the source, which the type of the target must allow: `split` makes maps of strings alone.
fn set(target: &Map, source: &Map, key: &Str, value: &Value) -> Result<(), Error> {
    let (found, wanted) = (source.map_type().element, target.map_type().element);
    if wanted != Element::Any && found != wanted {
        return Err(Error::new(format!(
            "reflect.Value.SetMapIndex: value of type {} is not assignable to type {}",
            found.name(),
            wanted.name()
        )));
    }
    target.set(key.clone(), value.clone());
    Ok(())
}
