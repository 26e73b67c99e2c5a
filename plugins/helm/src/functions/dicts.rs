//! Dictionaries: sprig's map functions. Maps are changed in place where Go changes them.

use super::{Functions, Rest, cast, merge::merge_into};
use crate::{
    Error, List, Map, Str, Value,
    value::{CollectionType, DEPTH_MAX},
};

pub(super) fn register(functions: &mut Functions) {
    functions.add("dict", dict);
    functions.add("get", |map: Map, key: Str| {
        map.get(key).unwrap_or_else(|| "".into())
    });
    functions.add("set", |map: Map, key: Str, value: Value| {
        if map.is_nil() {
            return Err(Error::new("assignment to entry in nil map"));
        }
        map.set(key, value);
        Ok(map)
    });
    functions.add("unset", |map: Map, key: Str| {
        map.remove(key);
        map
    });
    functions.add("hasKey", |map: Map, key: Str| map.contains(key));
    functions.add("pluck", |key: Str, maps: Rest<Map>| {
        maps.0.iter().filter_map(|map| map.get(&key)).collect::<List>()
    });
    functions.add("keys", |maps: Rest<Map>| {
        let keys = maps
            .0
            .iter()
            .flat_map(|map| map.entries().keys().cloned().collect::<Vec<_>>());
        List::of_strings(keys)
    });
    functions.add("values", |map: Map| {
        map.entries().values().cloned().collect::<List>()
    });
    functions.add("pick", |map: Map, keys: Rest<Str>| {
        let picked = keys
            .0
            .into_iter()
            .filter_map(|key| Some((key.clone(), map.get(&key)?)));
        picked.collect::<Map>()
    });
    functions.add("omit", |map: Map, keys: Rest<Str>| {
        let entries = map.entries();
        let kept = entries.iter().filter(|(key, _)| !keys.0.contains(key));
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Map>()
    });
    functions.add("dig", dig);
    for name in ["deepCopy", "mustDeepCopy"] {
        functions.add(name, |value: Value| match value {
            Value::Nil | Value::Invalid => {
                Err(Error::new("reflect: call of reflect.Value.Type on zero Value"))
            }
            value => deep_copy(&value, 0),
        });
    }
    for (name, overwrites) in [
        ("merge", false),
        ("mustMerge", false),
        ("mergeOverwrite", true),
        ("mustMergeOverwrite", true),
    ] {
        functions.add(name, move |target: Map, sources: Rest<Map>| {
            let target = if target.is_nil() && sources.0.iter().any(|source| !source.is_nil()) {
                Map::new()
            } else {
                target
            };
            for source in &sources.0 {
                merge_into(&target, source, overwrites)?;
            }
            Ok::<_, Error>(target)
        });
    }
}

/// `func dict(v ...interface{}) map[string]interface{}`
fn dict(values: Rest<Value>) -> Map {
    let pairs = values.0.chunks(2).filter_map(|pair| {
        let (key, value) = pair.split_first()?;
        Some((
            cast::text(key),
            value.first().cloned().unwrap_or_else(|| "".into()),
        ))
    });
    pairs.collect()
}

/// `func dig(ps ...interface{}) (interface{}, error)`: keys, what is answered where one is missing, the map.
fn dig(arguments: Rest<Value>) -> Result<Value, Error> {
    let [keys @ .., default, map] = arguments.0.as_slice() else {
        return Err(Error::new("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(Error::new("dig needs at least three arguments"));
    }
    let conversion = |value: &Value, wanted: &str| {
        let found = match value {
            value if value.is_nil() => "nil".into(),
            value => value.type_name(),
        };
        Error::new(format!(
            "interface conversion: interface {{}} is {found}, not {wanted}"
        ))
    };
    let as_map = |value: &Value| match value {
        Value::Map(map) if map.map_type() == CollectionType::ANY => Ok(map.clone()),
        value => Err(conversion(value, "map[string]interface {}")),
    };
    let mut map = as_map(map)?;
    let keys = keys
        .iter()
        .map(|key| key.as_text().ok_or_else(|| conversion(key, "string")));
    let keys: Vec<&Str> = keys.collect::<Result<_, _>>()?;
    for (index, key) in keys.iter().enumerate() {
        let Some(step) = map.get(key) else {
            return Ok(default.clone());
        };
        if index + 1 == keys.len() {
            return Ok(step);
        }
        map = as_map(&step)?;
    }
    Ok(default.clone())
}

/// Maps and lists anew; what cannot change is shared.
fn deep_copy(value: &Value, depth: usize) -> Result<Value, Error> {
    if depth > DEPTH_MAX {
        return Err(Error::new("deepCopy: a value that holds itself has no copy"));
    }
    Ok(match value {
        Value::Map(map) if !map.is_nil() => {
            let entries = map.entries();
            let copies = entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), deep_copy(value, depth + 1)?)));
            Map::of_type(map.map_type(), copies.collect::<Result<_, Error>>()?).into()
        }
        Value::List(list) if !list.is_nil() => {
            let copies = list.items().iter().map(|item| deep_copy(item, depth + 1));
            List::of_type(list.list_type(), copies.collect::<Result<_, Error>>()?).into()
        }
        Value::Object(object) => object.deep_copied().unwrap_or_else(|| value.clone()),
        other => other.clone(),
    })
}
