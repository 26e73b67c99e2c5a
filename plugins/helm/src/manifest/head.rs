//! What Helm reads of a manifest: kind, name, annotations.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use sluice_yaml::{Node, ParseOptions, Position, Resolved, Resolver, parse_document, to_json, write_json};

use super::Object;
use crate::{chart::scalar_text, format};

/// The part of a manifest that decides what it is.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) kind: String,
    pub(super) annotations: BTreeMap<String, String>,
    /// All of it.
    pub(super) object: Option<Object>,
}

/// Why a document is no manifest: the original's words, and where in the document.
#[derive(Debug)]
pub(super) struct Misfit {
    text: String,
    pub(super) position: Position,
}

impl Misfit {
    /// Whether it is an object, but one of its fields is of the wrong type.
    pub(super) fn is_of_a_field(&self) -> bool {
        self.text.contains("Go struct field")
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<sluice_yaml::Error> for Misfit {
    fn from(error: sluice_yaml::Error) -> Self {
        Self {
            text: format!("error converting YAML to JSON: {error}"),
            position: error.position(),
        }
    }
}

fn mismatch(value: &Json, of: &str) -> Misfit {
    let found = match value {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    Misfit {
        text: format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into {of}"
        ),
        position: Position::default(),
    }
}

impl Head {
    pub(super) fn read(text: &str) -> Result<Self, Misfit> {
        let Some(mut document) = parse_document(text, &ParseOptions::new(Resolver::V2))? else {
            return Ok(Self::default());
        };
        // JSON is about as long as the YAML that it is made of
        let mut json = String::with_capacity(text.len());
        if write_json(&document.root, Resolver::V2, &mut json).is_err() {
            print_infinite_texts(&mut document.root);
            write_json(&document.root, Resolver::V2, &mut json)?;
        }
        if let Some(entries) = document.root.entries_mut() {
            entries.retain(|(key, _)| may_be_of_head(key));
        }
        let fields = match to_json(&document.root, Resolver::V2)? {
            Json::Null => return Ok(Self::default()),
            Json::Object(fields) => fields,
            other => return Err(mismatch(&other, "Go value of type util.SimpleHead")),
        };
        let mut head = Self::default();
        for (key, value) in &fields {
            match key.to_ascii_lowercase().as_str() {
                "apiversion" => drop(text_of(value, "SimpleHead.apiVersion")?),
                "kind" => head.kind = text_of(value, "SimpleHead.kind")?,
                "metadata" => head.read_metadata(value)?,
                _ => {}
            }
        }
        head.object = Some(Object { head: fields, json });
        Ok(head)
    }

    fn read_metadata(&mut self, metadata: &Json) -> Result<(), Misfit> {
        let fields = match metadata {
            Json::Null => return Ok(()),
            Json::Object(fields) => fields,
            other => {
                let of = "Go struct field SimpleHead.metadata of type struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }";
                return Err(mismatch(other, of));
            }
        };
        for (key, value) in fields {
            match key.to_ascii_lowercase().as_str() {
                "name" => drop(text_of(value, ".metadata.name")?),
                "annotations" => match value {
                    Json::Null => {}
                    Json::Object(annotations) => {
                        for (name, value) in annotations {
                            self.annotations
                                .insert(name.clone(), text_of(value, ".metadata.annotations")?);
                        }
                    }
                    other => {
                        return Err(mismatch(
                            other,
                            "Go struct field .metadata.annotations of type map[string]string",
                        ));
                    }
                },
                _ => {}
            }
        }
        Ok(())
    }
}

/// The fields that are read, however they are spelled, and what may bring them along.
fn may_be_of_head(key: &Node) -> bool {
    let is_read = |text: &str| {
        ["apiVersion", "kind", "metadata"]
            .iter()
            .any(|field| field.eq_ignore_ascii_case(text))
    };
    key.text().is_none_or(is_read) || key.tag().is_some() || Resolver::V2.is_merge(key)
}

/// What is read as text may be an infinite number, which is printed then; anywhere else JSON has no such thing.
fn print_infinite_texts(root: &mut Node) {
    for (key, value) in root.entries_mut().into_iter().flatten() {
        match key.text().unwrap_or_default().to_ascii_lowercase().as_str() {
            "apiversion" | "kind" => print_infinite(value),
            "metadata" => {
                for (key, value) in value.entries_mut().into_iter().flatten() {
                    match key.text().unwrap_or_default().to_ascii_lowercase().as_str() {
                        "name" => print_infinite(value),
                        "annotations" => {
                            let annotations = value.entries_mut().into_iter().flatten();
                            annotations.for_each(|(_, value)| print_infinite(value));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

fn print_infinite(value: &mut Node) {
    if let Ok(Resolved::Float(number)) = Resolver::V2.resolve(value)
        && !number.is_finite()
    {
        *value = Node::string(format::float(number)).at(value.position);
    }
}

fn text_of(value: &Json, field: &str) -> Result<String, Misfit> {
    match scalar_text(value) {
        Some(text) => Ok(text),
        None if value.is_null() => Ok(String::new()),
        None => Err(mismatch(
            value,
            &format!("Go struct field {field} of type string"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_an_object_is_read_wherever_it_comes_from() {
        let text =
            "base: &base {kind: Pod}\n<<: *base\nmetadata: {name: a}\nspec: {replicas: 1.0, list: [x]}\n";
        let head = Head::read(text).unwrap_or_default();
        assert_eq!(head.kind, "Pod");
        let object = head
            .object
            .map(|object| (Json::Object(object.head).to_string(), object.json));
        let (named, all) = object.unwrap_or_default();
        assert_eq!(named, r#"{"kind":"Pod","metadata":{"name":"a"}}"#);
        assert_eq!(
            all,
            r#"{"base":{"kind":"Pod"},"kind":"Pod","metadata":{"name":"a"},"spec":{"list":["x"],"replicas":1}}"#
        );
    }
}
