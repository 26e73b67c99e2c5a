use serde_json::{Map, Value};
use similar::TextDiff;
use sluice_api::meta::LAST_APPLIED_CONFIGURATION;
use sluice_object::to_yaml;

/// Shown in place of a Secret's value that both sides have.
const MASK: &str = "*****";
const MASK_BEFORE: &str = "***** (before)";
const MASK_AFTER: &str = "***** (after)";
/// What the API server keeps and no one wrote.
const KEPT_BY_SERVER: [&str; 6] = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The difference of an object as unified text, three lines of context; empty where there is none. `subject` heads it.
/// None: the object is absent on that side.
pub fn diff(subject: &str, live: Option<&Value>, desired: Option<&Value>) -> String {
    let (before, after) = masked(live, desired);
    let text = |side: &Option<Value>| side.as_ref().map_or_else(String::new, |side| to_yaml([side]));
    let (before, after) = (text(&before), text(&after));
    if before == after {
        return String::new();
    }
    let (old, new) = (format!("a/{subject}"), format!("b/{subject}"));
    let lines = TextDiff::from_lines(before.as_str(), after.as_str());
    lines
        .unified_diff()
        .context_radius(3)
        .header(&old, &new)
        .to_string()
}

/// Both sides as people may see them: without what the server keeps, without status, and with the values of Secrets
/// masked so that a change still shows.
pub fn masked(live: Option<&Value>, desired: Option<&Value>) -> (Option<Value>, Option<Value>) {
    let (mut before, mut after) = (live.map(bare), desired.map(bare));
    for place in ["data", "stringData"] {
        let values = |side: Option<&Value>| secret_values(side, place);
        let (old, new) = (values(live), values(desired));
        mask(before.as_mut(), place, &new, MASK_BEFORE);
        mask(after.as_mut(), place, &old, MASK_AFTER);
    }
    (before, after)
}

fn is_secret(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("Secret")
        && object.get("apiVersion").and_then(Value::as_str) == Some("v1")
}

fn secret_values(side: Option<&Value>, place: &str) -> Map<String, Value> {
    side.and_then(|side| side.get(place)?.as_object())
        .cloned()
        .unwrap_or_default()
}

fn mask(side: Option<&mut Value>, place: &str, other: &Map<String, Value>, changed: &str) {
    let Some(side) = side.filter(|side| is_secret(side)) else {
        return;
    };
    match side.get_mut(place) {
        Some(Value::Object(values)) => {
            for (key, value) in values.iter_mut() {
                let text = match other.get(key) {
                    Some(same) if same == value => MASK,
                    Some(_) => changed,
                    None => MASK,
                };
                *value = Value::from(text);
            }
        }
        // of a wrong type, and perhaps secret all the same
        Some(odd) => *odd = Value::from(MASK),
        None => {}
    }
}

fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        KEPT_BY_SERVER.iter().for_each(|key| {
            metadata.remove(*key);
        });
        // it repeats the whole object, Secrets in clear text among them
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(LAST_APPLIED_CONFIGURATION);
        }
    }
    object
}
