//! `.Files`: a map from names to bytes, with methods.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::{
    List, Map, Str, Value,
    functions::{Functions, to_yaml},
    go::{base::encode_base64, glob, path},
    value::{CollectionType, Element, NamedType},
};

/// `engine.files`
const FILES: CollectionType = CollectionType::named(
    Element::Bytes,
    &NamedType {
        name: "engine.files",
        methods,
    },
);

/// The files of a chart as `.Files`: names relative to the chart, and their bytes.
pub fn files(contents: impl IntoIterator<Item = (impl Into<Str>, impl Into<Str>)>) -> Map {
    let entries = contents
        .into_iter()
        .map(|(name, bytes)| (name.into(), Value::Bytes(bytes.into())));
    Map::of_type(FILES, entries.collect())
}

fn bytes(files: &Map, name: &Str) -> Str {
    match files.get(name) {
        Some(Value::Bytes(bytes)) => bytes,
        _ => Str::default(),
    }
}

fn methods() -> &'static Functions {
    static METHODS: LazyLock<Functions> = LazyLock::new(|| {
        let mut methods = Functions::default();
        methods.add("Get", |files: Map, name: Str| bytes(&files, &name));
        methods.add("GetBytes", |files: Map, name: Str| {
            Value::Bytes(bytes(&files, &name))
        });
        methods.add("Glob", matching);
        methods.add("Lines", lines);
        methods.add("AsConfig", |files: Map| {
            as_yaml(&files, |bytes| Value::Str(bytes.clone()))
        });
        methods.add("AsSecrets", |files: Map| {
            as_yaml(&files, |bytes| encode_base64(bytes.as_bytes()).into())
        });
        methods
    });
    &METHODS
}

/// A pattern that is wrong matches what `**` matches without separators: everything.
fn matching(files: Map, pattern: Str) -> Map {
    let pattern = glob::compile(&pattern.to_str());
    let is_match = |name: &Str| {
        pattern
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(name.as_bytes()))
    };
    let entries = files.entries();
    let matching = entries.iter().filter(|(name, _)| is_match(name));
    let matching: BTreeMap<Str, Value> = matching
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect();
    Map::of_type(FILES, matching)
}

fn lines(files: Map, name: Str) -> List {
    let bytes = bytes(&files, &name);
    if bytes.is_empty() {
        return List::of_strings(Vec::<Str>::new());
    }
    let text = bytes.as_bytes();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    List::of_strings(text.split(|byte| *byte == b'\n'))
}

/// The base names with the contents; of files of the same name one is left.
fn as_yaml(files: &Map, content: impl Fn(&Str) -> Value) -> String {
    let entries = files.entries();
    let contents = entries.iter().filter_map(|(name, bytes)| match bytes {
        Value::Bytes(bytes) => Some((Str::from(path::base(name.as_bytes())), content(bytes))),
        _ => None,
    });
    let contents: BTreeMap<Str, Value> = contents.collect();
    to_yaml(&Map::of_type(CollectionType::STRING, contents).into()).unwrap_or_default()
}
