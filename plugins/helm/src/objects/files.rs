//! `.Files`: what is in a chart besides templates and values.

use std::sync::LazyLock;

use serde_json::Value as Json;

use crate::{
    Error, List, Map, Str, Value,
    functions::Functions,
    value::{CollectionType, Element, NamedType},
};

static METHODS: LazyLock<Functions> = LazyLock::new(|| {
    let mut methods = Functions::default();
    methods.add("Get", |this: Value, name: Str| get(&this, &name));
    methods.add("GetBytes", |this: Value, name: Str| {
        Value::Bytes(get(&this, &name))
    });
    methods.add("Lines", lines);
    methods.add("AsConfig", |this: Value| {
        as_yaml(&this, |content| content.to_str().into_owned().into())
    });
    methods.add("AsSecrets", |this: Value| {
        as_yaml(&this, |content| {
            Value::Bytes(content.clone()).to_json().unwrap_or_default()
        })
    });
    methods
});

/// The type of `.Files`.
const FILES: CollectionType = CollectionType::named(Element::Bytes, &FILES_TYPE);

static FILES_TYPE: NamedType = NamedType {
    name: "engine.files",
    methods: || &METHODS,
};

/// `.Files`: contents by path.
pub fn files(contents: impl IntoIterator<Item = (impl Into<Str>, impl Into<Str>)>) -> Map {
    let entries = contents
        .into_iter()
        .map(|(path, content)| (path.into(), Value::Bytes(content.into())));
    Map::of_type(FILES, entries.collect())
}

fn get(this: &Value, name: &Str) -> Str {
    match this {
        Value::Map(files) => match files.get(name) {
            Some(Value::Bytes(content)) => content,
            _ => Str::default(),
        },
        _ => Str::default(),
    }
}

fn lines(this: Value, name: Str) -> List {
    let content = get(&this, &name);
    let bytes = content.as_bytes();
    if bytes.is_empty() {
        return List::of_type(CollectionType::STRING, Vec::new());
    }
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    List::of_strings(bytes.split(|byte| *byte == b'\n').map(Str::from))
}

/// By the last part of each path, as YAML. Of two files of one name the original keeps either.
fn as_yaml(this: &Value, shown: impl Fn(&Str) -> Json) -> Result<String, Error> {
    let Value::Map(files) = this else {
        return Ok(String::new());
    };
    let mut map = serde_json::Map::new();
    for (path, content) in files.entries().iter() {
        if let Value::Bytes(content) = content {
            let path = path.to_str();
            map.insert(
                path.rsplit('/').next().unwrap_or_default().to_owned(),
                shown(content),
            );
        }
    }
    let mut yaml = sluice_yaml::emit_v2(&Json::Object(map));
    if yaml.ends_with('\n') {
        yaml.pop();
    }
    Ok(yaml)
}
