//! What is read of an object that the API server shows.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// What most readers of an object do not read, and what is often the greater part of it.
const OWNERS: &str = "managedFields";

/// An object as it came, whole but for `metadata.managedFields`, which are skipped as they are read. Fields keep whatever
/// shape they have.
#[derive(Clone, Debug)]
pub struct Unowned(pub Map<String, Value>);

impl<'de> Deserialize<'de> for Unowned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields { depth: 0 }).map(Self)
    }
}

/// The fields of the object (depth 0) or of its metadata (depth 1).
#[derive(Clone, Copy)]
struct Fields {
    depth: u8,
}

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            match (self.depth, name.as_str()) {
                (0, "metadata") => {
                    let metadata = fields.next_value_seed(Fields { depth: 1 })?;
                    map.insert(name, Value::Object(metadata));
                }
                (1, OWNERS) => {
                    fields.next_value::<IgnoredAny>()?;
                }
                _ => {
                    map.insert(name, fields.next_value()?);
                }
            }
        }
        Ok(map)
    }
}

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_but_for_managed_fields() {
        let object = json!({
            "apiVersion": "v1", "kind": "K",
            "metadata": {
                "name": "a", "labels": {"managedFields": "x"},
                "managedFields": [{"manager": "m", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": {"managedFields": 1, "interval": {"of": "another shape"}},
        });
        let Unowned(read) = serde_json::from_str(&object.to_string()).unwrap();
        let mut expected = object;
        expected["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields")
            .unwrap();
        assert_eq!(Value::Object(read), expected);
    }
}
