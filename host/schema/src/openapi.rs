//! Reads schemas: of OpenAPI v3 documents with their references, and of CustomResourceDefinitions.

use crate::node::{Constraints, ListType, MapType, Node, PatchStrategy, Rule, Type};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Why a JSON schema cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A part of the schema is not what OpenAPI says it is.
    #[error("{at}: {what}")]
    Malformed {
        /// Where, as a path of field names.
        at: String,
        /// What was expected.
        what: &'static str,
    },
    /// The schema is nested deeper than [`MAX_DEPTH`].
    #[error("the schema is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Schemas nested deeper than this are refused: they would exhaust the stack of everything that walks them.
pub const MAX_DEPTH: usize = 100;

const REF_PREFIX: &str = "#/components/schemas/";

/// Which rules apply to what a schema leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// Documents of the API server: a mapping that declares nothing takes anything.
    BuiltIn,
    /// `openAPIV3Schema` of a CustomResourceDefinition: a mapping that declares nothing takes nothing.
    Structural,
}

/// The named schemas of one OpenAPI v3 document, resolved on demand.
pub struct Definitions<'a> {
    schemas: &'a Map<String, Value>,
    resolved: HashMap<String, Arc<Node>>,
    open: Vec<String>,
}

impl<'a> Definitions<'a> {
    /// `schemas` is `components.schemas` of the document.
    pub fn new(schemas: &'a Map<String, Value>) -> Self {
        Self {
            schemas,
            resolved: HashMap::new(),
            open: Vec::new(),
        }
    }

    /// The schema named `name`, with all references resolved.
    pub fn resolve(&mut self, name: &str) -> Option<Arc<Node>> {
        if let Some(node) = self.resolved.get(name) {
            return Some(node.clone());
        }
        let schema = self.schemas.get(name)?;
        if self.open.iter().any(|open| open == name) {
            return Some(Arc::new(Node::deduced()));
        }
        self.open.push(name.to_owned());
        let node = Reader {
            dialect: Dialect::BuiltIn,
            definitions: Some(self),
            depth: 0,
        }
        .read(schema, name);
        self.open.pop();
        let mut node = node.unwrap_or_default();
        node.type_name = name.rsplit('.').next().unwrap_or_default().to_owned();
        let node = Arc::new(node);
        self.resolved.insert(name.to_owned(), node.clone());
        Some(node)
    }
}

/// Reads the `openAPIV3Schema` of a CustomResourceDefinition.
pub fn structural(schema: &Value) -> Result<Node, Error> {
    Reader {
        dialect: Dialect::Structural,
        definitions: None,
        depth: 0,
    }
    .read(schema, "openAPIV3Schema")
}

struct Reader<'r, 'a> {
    dialect: Dialect,
    definitions: Option<&'r mut Definitions<'a>>,
    depth: usize,
}

impl Reader<'_, '_> {
    fn read(&mut self, schema: &Value, at: &str) -> Result<Node, Error> {
        let Value::Object(map) = schema else {
            return Err(Error::Malformed {
                at: at.to_owned(),
                what: "a schema is a mapping",
            });
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let mut node = self.base(map)?;
        self.shape(&mut node, map, at)?;
        attributes(&mut node, map);
        let constraints = self.constraints(map, at)?;
        if constraints != Constraints::default() {
            node.constraints = Some(Box::new(constraints));
        }
        self.depth -= 1;
        Ok(node)
    }

    /// What a `$ref`, alone or as the only `allOf`, brings along.
    fn base(&mut self, map: &Map<String, Value>) -> Result<Node, Error> {
        let reference =
            map.get("$ref").or_else(
                || match map.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
                    Some([only]) => only.get("$ref"),
                    _ => None,
                },
            );
        let name = reference
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix(REF_PREFIX));
        match (name, self.definitions.as_mut()) {
            (Some(name), Some(definitions)) => Ok(definitions
                .resolve(name)
                .map_or_else(Node::deduced, |node| (*node).clone())),
            _ => Ok(Node::default()),
        }
    }

    fn shape(&mut self, node: &mut Node, map: &Map<String, Value>, at: &str) -> Result<(), Error> {
        match map.get("type").and_then(Value::as_str) {
            Some("object") => node.kind = Type::Object,
            Some("array") => node.kind = Type::Array,
            Some("string") => node.kind = Type::String,
            Some("integer") => node.kind = Type::Integer,
            Some("number") => node.kind = Type::Number,
            Some("boolean") => node.kind = Type::Boolean,
            _ => {}
        }
        if let Some(properties) = map.get("properties").and_then(Value::as_object) {
            for (name, schema) in properties {
                node.properties.insert(
                    name.clone(),
                    Arc::new(self.read(schema, &format!("{at}.{name}"))?),
                );
            }
        }
        match map.get("additionalProperties") {
            Some(Value::Bool(true)) => node.additional = Some(Arc::new(Node::deduced())),
            Some(schema @ Value::Object(_)) => {
                node.additional = Some(Arc::new(
                    self.read(schema, &format!("{at}.additionalProperties"))?,
                ));
            }
            _ => {}
        }
        if let Some(items) = map.get("items") {
            node.items = Some(Arc::new(self.read(items, &format!("{at}.items"))?));
        }
        let declares_nothing = node.properties.is_empty() && node.additional.is_none();
        if node.kind == Type::Object && declares_nothing && self.dialect == Dialect::BuiltIn {
            node.preserve_unknown = true;
        }
        Ok(())
    }

    fn constraints(&mut self, map: &Map<String, Value>, at: &str) -> Result<Constraints, Error> {
        let structural = self.dialect == Dialect::Structural;
        let number = |key: &str| map.get(key).and_then(Value::as_f64).filter(|_| structural);
        let count = |key: &str| map.get(key).and_then(Value::as_u64).filter(|_| structural);
        let flag = |key: &str| structural && map.get(key).and_then(Value::as_bool).unwrap_or_default();
        let mut found = Constraints {
            one_of_values: map
                .get("enum")
                .and_then(Value::as_array)
                .filter(|_| structural)
                .cloned()
                .unwrap_or_default(),
            pattern: map
                .get("pattern")
                .and_then(Value::as_str)
                .filter(|_| structural)
                .map(str::to_owned),
            min_length: count("minLength"),
            max_length: count("maxLength"),
            minimum: number("minimum"),
            maximum: number("maximum"),
            exclusive_minimum: flag("exclusiveMinimum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            min_items: count("minItems"),
            max_items: count("maxItems"),
            unique_items: flag("uniqueItems"),
            min_properties: count("minProperties"),
            max_properties: count("maxProperties"),
            rules: map
                .get("x-kubernetes-validations")
                .and_then(Value::as_array)
                .map(|rules| rules.iter().map(rule).collect())
                .unwrap_or_default(),
            ..Constraints::default()
        };
        if structural {
            found.all_of = self.branches(map, "allOf", at)?;
            found.any_of = self.branches(map, "anyOf", at)?;
            found.one_of = self.branches(map, "oneOf", at)?;
            found.not = map
                .get("not")
                .map(|schema| self.read(schema, &format!("{at}.not")).map(Arc::new))
                .transpose()?;
        }
        Ok(found)
    }

    fn branches(&mut self, map: &Map<String, Value>, key: &str, at: &str) -> Result<Vec<Arc<Node>>, Error> {
        let Some(branches) = map.get(key).and_then(Value::as_array) else {
            return Ok(Vec::new());
        };
        branches
            .iter()
            .map(|schema| self.read(schema, &format!("{at}.{key}")).map(Arc::new))
            .collect()
    }
}

/// What is said about a value beside its shape; a reference's own words stay where the referrer is silent.
fn attributes(node: &mut Node, map: &Map<String, Value>) {
    let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    let flag = |key: &str| map.get(key).and_then(Value::as_bool).unwrap_or_default();
    if flag("x-kubernetes-int-or-string") || text("format").as_deref() == Some("int-or-string") {
        node.kind = Type::IntOrString;
    }
    node.format = text("format").or_else(|| node.format.take());
    node.nullable |= flag("nullable");
    node.preserve_unknown |= flag("x-kubernetes-preserve-unknown-fields");
    node.embedded_resource |= flag("x-kubernetes-embedded-resource");
    if let Some(default) = map.get("default") {
        node.default = Some(default.clone());
    }
    if let Some(required) = map.get("required").and_then(Value::as_array) {
        node.required = required
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect();
    }
    match text("x-kubernetes-list-type").as_deref() {
        Some("set") => node.list_type = ListType::Set,
        Some("map") => {
            let keys = map.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            let keys = keys.map(|keys| keys.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            node.list_type = ListType::Map(keys.unwrap_or_default());
        }
        _ => {}
    }
    if text("x-kubernetes-map-type").as_deref() == Some("atomic") {
        node.map_type = MapType::Atomic;
    }
    node.merge_key = text("x-kubernetes-patch-merge-key").or_else(|| node.merge_key.take());
    if let Some(strategy) = text("x-kubernetes-patch-strategy") {
        let has = |word| strategy.split(',').any(|part| part == word);
        node.patch_strategy = PatchStrategy {
            merge: has("merge"),
            retain_keys: has("retainKeys"),
        };
    }
}

fn rule(value: &Value) -> Rule {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    Rule {
        rule: text("rule").unwrap_or_default(),
        message: text("message"),
        message_expression: text("messageExpression"),
        reason: text("reason"),
        field_path: text("fieldPath"),
        optional_old_self: value
            .get("optionalOldSelf")
            .and_then(Value::as_bool)
            .unwrap_or_default(),
    }
}
