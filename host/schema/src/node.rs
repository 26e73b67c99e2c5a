use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The JSON type a value of a node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// No type is given: any JSON value.
    #[default]
    Any,
    /// A mapping.
    Object,
    /// A list.
    Array,
    /// A string.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `x-kubernetes-int-or-string`.
    IntOrString,
}

/// `x-kubernetes-list-type`: how two writers share a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListType {
    /// The list is one value, owned as a whole.
    #[default]
    Atomic,
    /// The list is a set of scalars.
    Set,
    /// The list is a map, its items are told apart by these fields.
    Map(Vec<String>),
}

/// `x-kubernetes-map-type`: how two writers share a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapType {
    /// Every field has its own owner.
    #[default]
    Granular,
    /// The mapping is one value, owned as a whole.
    Atomic,
}

/// `x-kubernetes-patch-strategy`: what a strategic merge patch does with the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchStrategy {
    /// Lists are merged by key or as a set; without it they are replaced.
    pub merge: bool,
    /// Keys that the patch's `$retainKeys` does not name are dropped.
    pub retain_keys: bool,
}

/// One `x-kubernetes-validations` rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// The CEL expression.
    pub rule: String,
    /// What is said when it does not hold.
    pub message: Option<String>,
    /// A CEL expression that makes the message.
    pub message_expression: Option<String>,
    /// The Status cause's reason, `FieldValueInvalid` where none is given.
    pub reason: Option<String>,
    /// The field that is blamed, relative to the node.
    pub field_path: Option<String>,
    /// A transition rule is also evaluated where there is no old value.
    pub optional_old_self: bool,
}

/// The value constraints of OpenAPI v3 that structural schemas may use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constraints {
    /// `enum`
    pub one_of_values: Vec<Value>,
    /// `pattern`, an RE2 expression.
    pub pattern: Option<String>,
    /// `minLength` in characters.
    pub min_length: Option<u64>,
    /// `maxLength` in characters.
    pub max_length: Option<u64>,
    /// `minimum`
    pub minimum: Option<f64>,
    /// `maximum`
    pub maximum: Option<f64>,
    /// `exclusiveMinimum`
    pub exclusive_minimum: bool,
    /// `exclusiveMaximum`
    pub exclusive_maximum: bool,
    /// `multipleOf`
    pub multiple_of: Option<f64>,
    /// `minItems`
    pub min_items: Option<u64>,
    /// `maxItems`
    pub max_items: Option<u64>,
    /// `uniqueItems`
    pub unique_items: bool,
    /// `minProperties`
    pub min_properties: Option<u64>,
    /// `maxProperties`
    pub max_properties: Option<u64>,
    /// `allOf` (value constraints only)
    pub all_of: Vec<Arc<Node>>,
    /// `anyOf` (value constraints only)
    pub any_of: Vec<Arc<Node>>,
    /// `oneOf` (value constraints only)
    pub one_of: Vec<Arc<Node>>,
    /// `not` (value constraints only)
    pub not: Option<Arc<Node>>,
    /// `x-kubernetes-validations`
    pub rules: Vec<Rule>,
}

/// The schema of one value: of a built-in kind, of a custom resource, or of a field below them.
///
/// References are resolved; where a type contains itself (JSON schemas do) the inner occurrence is a node that takes anything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// The name of the Go type that the schema is made from, without its package; empty where it has none.
    pub type_name: String,
    /// The JSON type.
    pub kind: Type,
    /// `format`: `date-time`, `int64`, `byte` …
    pub format: Option<String>,
    /// Named fields.
    pub properties: BTreeMap<String, Arc<Node>>,
    /// The schema of fields that have no name of their own (`additionalProperties`).
    pub additional: Option<Arc<Node>>,
    /// The schema of a list's items.
    pub items: Option<Arc<Node>>,
    /// Unknown fields are kept and their types deduced from the values.
    pub preserve_unknown: bool,
    /// The value is an object with `apiVersion`, `kind` and `metadata` of its own.
    pub embedded_resource: bool,
    /// `null` is a value.
    pub nullable: bool,
    /// `default`
    pub default: Option<Value>,
    /// Fields that must be present.
    pub required: Vec<String>,
    /// How a list is shared.
    pub list_type: ListType,
    /// How a mapping is shared.
    pub map_type: MapType,
    /// `x-kubernetes-patch-merge-key`
    pub merge_key: Option<String>,
    /// `x-kubernetes-patch-strategy`
    pub patch_strategy: PatchStrategy,
    /// Value constraints; none for most nodes.
    pub constraints: Option<Box<Constraints>>,
}

impl Node {
    /// A node that takes anything and deduces types from values.
    pub fn deduced() -> Self {
        Self {
            preserve_unknown: true,
            ..Self::default()
        }
    }

    /// The schema of the field `name`: its own, or that of unnamed fields.
    pub fn field(&self, name: &str) -> Option<&Arc<Node>> {
        self.properties.get(name).or(self.additional.as_ref())
    }

    /// Whether the field `name` is declared by name.
    pub fn has_named_field(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    /// Whether an unknown field may appear.
    pub fn is_open(&self) -> bool {
        self.preserve_unknown
            || self.additional.is_some()
            || (self.kind == Type::Any && self.properties.is_empty())
    }
}
