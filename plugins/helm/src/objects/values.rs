//! `common.Values`: a map with methods.

use std::sync::LazyLock;

use super::super::{
    Error, Map, Str, Value,
    functions::{Functions, Type},
    value::{CollectionType, Element, NamedType},
};

static METHODS: LazyLock<Functions> = LazyLock::new(|| {
    let mut methods = Functions::default();
    methods.add("AsMap", as_map);
    methods.add("YAML", yaml);
    methods.add("Table", table);
    methods.add("PathValue", path_value);
    // its argument is an `io.Writer`, and templates have none
    methods.add("Encode", |_: Value, _: Writer| Value::Nil);
    methods
});

/// The type of `.Values`, `.Template` and of `.` in a file of a chart.
pub const VALUES: CollectionType = CollectionType::named(Element::Any, &VALUES_TYPE);

static VALUES_TYPE: NamedType = NamedType {
    name: "common.Values",
    methods: || &METHODS,
};

/// A map as `common.Values`.
pub fn values(map: &Map) -> Map {
    map.with_type(VALUES)
}

struct Writer;

impl crate::functions::Parameter for Writer {
    const TYPE: Type = Type::Object("io.Writer");

    fn take(_: &mut crate::functions::Arguments) -> Result<Self, Error> {
        Err(Error::new("there is nothing to write to"))
    }
}

/// The receiver: the executor calls these methods on maps only.
fn receiver(value: Value) -> Result<Map, Error> {
    match value {
        Value::Map(map) => Ok(map),
        other => Err(Error::new(format!(
            "a method of common.Values on {}",
            other.type_name()
        ))),
    }
}

fn as_map(this: Value) -> Result<Map, Error> {
    let map = receiver(this)?;
    Ok(if map.is_empty() {
        Map::new()
    } else {
        map.with_type(CollectionType::ANY)
    })
}

fn yaml(this: Value) -> Result<String, Error> {
    Ok(sluice_yaml::emit_v2(&this.to_json()?))
}

fn no_table(name: &[u8]) -> Error {
    Error::new(format!("{} is not a table", crate::go::quote::quote(name)))
}

fn no_value(name: &[u8]) -> Error {
    Error::new(format!("{} is not a value", crate::go::quote::quote(name)))
}

fn find_table(map: Map, path: &[&[u8]]) -> Result<Map, Error> {
    path.iter().try_fold(map, |map, name| match map.get(name) {
        Some(Value::Map(table)) if table.map_type().element == Element::Any => Ok(values(&table)),
        _ => Err(no_table(name)),
    })
}

fn split(path: &Str) -> Vec<&[u8]> {
    path.as_bytes().split(|byte| *byte == b'.').collect()
}

fn table(this: Value, path: Str) -> Result<Map, Error> {
    find_table(receiver(this)?, &split(&path))
}

fn path_value(this: Value, path: Str) -> Result<Value, Error> {
    if path.is_empty() {
        return Err(Error::new("YAML path cannot be empty"));
    }
    let map = receiver(this)?;
    let path = split(&path);
    let Some((key, tables)) = path.split_last() else {
        return Ok(Value::Nil);
    };
    let found = find_table(map, tables).ok().and_then(|table| table.get(key));
    found
        .filter(|value| !matches!(value, Value::Map(_)))
        .ok_or_else(|| no_value(key))
}
