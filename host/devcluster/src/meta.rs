//! Reading and writing the metadata of an object.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

/// A text field of `metadata`, empty where it is absent.
pub(crate) fn text<'v>(object: &'v Value, field: &str) -> &'v str {
    object
        .get("metadata")
        .and_then(|meta| meta.get(field))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "name")
}

pub(crate) fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, "uid")
}

pub(crate) fn resource_version(object: &Value) -> &str {
    text(object, "resourceVersion")
}

pub(crate) fn generation(object: &Value) -> i64 {
    object
        .pointer("/metadata/generation")
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

pub(crate) fn is_deleted(object: &Value) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

/// A label's or annotation's value.
pub(crate) fn entry<'v>(object: &'v Value, map: &str, key: &str) -> Option<&'v str> {
    object.get("metadata")?.get(map)?.get(key)?.as_str()
}

pub(crate) fn annotation<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    entry(object, "annotations", key)
}

pub(crate) fn finalizers(object: &Value) -> Vec<String> {
    let list = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default()
}

pub(crate) fn set_finalizers(object: &mut Value, finalizers: &[String]) {
    if finalizers.is_empty() {
        remove(object, "finalizers");
    } else {
        set(object, "finalizers", finalizers.to_vec());
    }
}

pub(crate) fn owner_references(object: &Value) -> &[Value] {
    let list = object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// `metadata` as a mapping, made where it is absent.
pub(crate) fn meta_mut(object: &mut Value) -> &mut Map<String, Value> {
    field_mut(object, "metadata")
}

/// The mapping below `field`, made where it is absent or something else.
pub(crate) fn field_mut<'v>(object: &'v mut Value, field: &str) -> &'v mut Map<String, Value> {
    let map = as_map(object);
    as_map(map.entry(field).or_insert_with(|| Value::Object(Map::new())))
}

/// `value` as a mapping; anything else becomes an empty one.
pub(crate) fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("invariant: made a mapping above")
}

pub(crate) fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    meta_mut(object).insert(field.to_owned(), value.into());
}

pub(crate) fn remove(object: &mut Value, field: &str) -> Option<Value> {
    object.get_mut("metadata")?.as_object_mut()?.remove(field)
}

/// Carries a metadata field over from `from`, also its absence.
pub(crate) fn carry(from: &Value, to: &mut Value, field: &str) {
    match from.get("metadata").and_then(|meta| meta.get(field)) {
        Some(value) => set(to, field, value.clone()),
        None => drop(remove(to, field)),
    }
}

pub(crate) fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn api_version(object: &Value) -> &str {
    object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Now, as `metav1.Time` prints it.
pub(crate) fn now() -> String {
    stamp(Timestamp::now())
}

pub(crate) fn stamp(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// Now plus some seconds, as `metav1.Time` prints it.
pub(crate) fn now_plus(seconds: i64) -> String {
    stamp(
        Timestamp::now()
            .saturating_add(SignedDuration::from_secs(seconds))
            .unwrap_or(Timestamp::MAX),
    )
}

pub(crate) fn new_uid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Five characters of the alphabet that generated names use.
pub(crate) fn random_suffix(length: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let bytes = uuid::Uuid::new_v4().into_bytes();
    let letters = bytes
        .iter()
        .filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
    letters.take(length).map(|letter| char::from(*letter)).collect()
}
