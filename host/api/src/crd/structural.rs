use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of a type as CRDs want it: no references, no null, enums as lists, defaults only where marked.
///
/// A field's default is taken from `#[schemars(extend("x-default" = …))]`: Rust needs more defaults than the API declares,
/// and a declared default changes what the API server stores.
pub(super) fn structural<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    rewrite(&mut schema);
    schema
}

fn rewrite(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    for key in ["title", "default", "$schema"] {
        map.remove(key);
    }
    drop_null(map);
    collapse_enum(map);
    if let Some(default) = map.remove("x-default") {
        map.insert("default".to_owned(), default);
    }
    if let Some(text) = map.get_mut("description")
        && let Some(joined) = text.as_str().map(|text| text.replace('\n', " "))
    {
        *text = Value::String(joined);
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(rewrite);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = map.get_mut(key) {
            rewrite(inner);
        }
    }
}

/// `Option<T>` is `T` or null to schemars; to Kubernetes it is a field that may be absent.
fn drop_null(map: &mut Map<String, Value>) {
    let null = json!("null");
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|one| *one != null);
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(any)) = map.remove("anyOf") {
        let inner = any.into_iter().find(|one| one.get("type") != Some(&null));
        for (key, value) in inner
            .and_then(|inner| inner.as_object().cloned())
            .unwrap_or_default()
        {
            map.entry(key).or_insert(value);
        }
    }
}

/// An enum with documented variants is `oneOf` constants to schemars; a list to Kubernetes.
fn collapse_enum(map: &mut Map<String, Value>) {
    let Some(Value::Array(one_of)) = map.remove("oneOf") else {
        return;
    };
    let values = one_of
        .into_iter()
        .filter_map(|mut one| one.get_mut("const").map(Value::take))
        .collect();
    map.insert("type".to_owned(), json!("string"));
    map.insert("enum".to_owned(), Value::Array(values));
}
