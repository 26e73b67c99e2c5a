//! JSON pointers (RFC 6901): read, write and remove what one names.

use serde_json::{Map, Value};

/// A pointer that does not begin with `/`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid JSON pointer {0:?}: it must be empty or begin with \"/\", as /spec/replicas does")]
pub struct InvalidPointer(pub String);

/// The keys of a pointer, unescaped.
///
/// # Errors
/// `pointer` is neither empty nor does it begin with `/`.
pub fn keys(pointer: &str) -> Result<Vec<String>, InvalidPointer> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let rest = pointer
        .strip_prefix('/')
        .ok_or_else(|| InvalidPointer(pointer.to_owned()))?;
    Ok(rest
        .split('/')
        .map(|key| key.replace("~1", "/").replace("~0", "~"))
        .collect())
}

/// A key as a pointer writes it.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What the keys lead to.
pub fn get<'v>(value: &'v Value, keys: &[String]) -> Option<&'v Value> {
    keys.iter().try_fold(value, |value, key| match value {
        Value::Object(map) => map.get(key),
        Value::Array(items) => items.get(index(key)?),
        _ => None,
    })
}

/// Puts a value where the keys lead to, making maps on the way. False, and nothing changed, where the way is barred
/// by a scalar or by a list that is too short.
pub fn set(value: &mut Value, keys: &[String], new: Value) -> bool {
    let Some((first, rest)) = keys.split_first() else {
        *value = new;
        return true;
    };
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => match map.get_mut(first) {
            Some(inner) => set(inner, rest, new),
            None => {
                let mut inner = Value::Null;
                let is_set = set(&mut inner, rest, new);
                map.insert(first.clone(), inner);
                is_set
            }
        },
        Value::Array(items) => match index(first).and_then(|index| items.get_mut(index)) {
            Some(inner) => set(inner, rest, new),
            None => false,
        },
        _ => false,
    }
}

/// Takes out what the keys lead to.
pub fn remove(value: &mut Value, keys: &[String]) -> Option<Value> {
    let (last, way) = keys.split_last()?;
    let parent = way.iter().try_fold(value, |value, key| match value {
        Value::Object(map) => map.get_mut(key),
        Value::Array(items) => items.get_mut(index(key)?),
        _ => None,
    })?;
    match parent {
        Value::Object(map) => map.remove(last),
        Value::Array(items) => index(last)
            .filter(|index| *index < items.len())
            .map(|index| items.remove(index)),
        _ => None,
    }
}

fn index(key: &str) -> Option<usize> {
    let is_canonical = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    is_canonical.then(|| key.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_writes_and_removes() {
        let mut value = json!({ "a/b": { "c~d": [1, { "e": 2 }] } });
        let path = keys("/a~1b/c~0d/1/e").unwrap();
        assert_eq!(get(&value, &path), Some(&json!(2)));
        assert!(set(&mut value, &path, json!(3)));
        assert_eq!(remove(&mut value, &path), Some(json!(3)));
        assert_eq!(remove(&mut value, &path), None);
        assert_eq!(remove(&mut value, &keys("/a~1b/c~0d/0").unwrap()), Some(json!(1)));
        assert_eq!(value, json!({ "a/b": { "c~d": [{}] } }));
        assert!(set(&mut value, &keys("/x/y").unwrap(), json!(1)));
        assert!(!set(&mut value, &keys("/x/y/z").unwrap(), json!(1)));
        assert_eq!(value.pointer("/x/y"), Some(&json!(1)));
        assert!(keys("spec").is_err());
        assert_eq!(get(&value, &keys("").unwrap()), Some(&value));
    }
}
