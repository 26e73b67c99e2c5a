//! Values before templates see them: trees that share what they have in common.

use std::{collections::BTreeMap, rc::Rc};

use serde_json::{Map as JsonMap, Number, Value as Json};

use crate::{List, Map, Str, Value};

/// One value. Clones share; who changes a clone copies the tables on the way to the change and nothing else.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Data {
    /// `null`
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An `int64`: only `--set` makes them.
    Int(i64),
    /// A `float64`: every number of YAML and JSON.
    Float(f64),
    /// Text.
    Text(Str),
    /// A list.
    List(Rc<Vec<Data>>),
    /// A table.
    Table(Table),
}

/// A table, sorted by the bytes of its keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table(Rc<BTreeMap<Str, Data>>);

impl Data {
    /// The table in it, if it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is a table.
    pub fn is_table(&self) -> bool {
        matches!(self, Self::Table(_))
    }

    /// Go's name for its type.
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Null => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Table(_) => "map[string]interface {}",
        }
    }

    /// As JSON or YAML text is read: every number is a `float64`.
    pub fn from_json(json: Json) -> Self {
        Self::read(json, &|number| Self::Float(number.as_f64().unwrap_or_default()))
    }

    /// As the host hands values over: `80` is an `int64`, `80.0` a `float64`.
    pub fn from_typed_json(json: Json) -> Self {
        Self::read(json, &|number| match number.as_i64() {
            Some(int) => Self::Int(int),
            None => Self::Float(number.as_f64().unwrap_or_default()),
        })
    }

    fn read(json: Json, number: &impl Fn(&Number) -> Self) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(value) => number(&value),
            Json::String(text) => Self::Text(text.into()),
            Json::Array(items) => Self::List(Rc::new(
                items.into_iter().map(|item| Self::read(item, number)).collect(),
            )),
            Json::Object(entries) => Self::Table(
                entries
                    .into_iter()
                    .map(|(key, value)| (Str::from(key), Self::read(value, number)))
                    .collect(),
            ),
        }
    }

    /// As the host hands values over; the inverse of [`Data::from_typed_json`].
    pub fn to_typed_json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Self::Text(text) => Json::String(text.to_str().into_owned()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_typed_json).collect()),
            Self::Table(table) => Json::Object(table.to_typed_json()),
        }
    }

    /// What templates get: maps of their own, so that what one template sets nobody else sees but through the same map.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::int64(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Text(text) => Value::Str(text.clone()),
            Self::List(items) => Value::List(List::new(items.iter().map(Self::to_value).collect())),
            Self::Table(table) => Value::Map(table.to_map()),
        }
    }
}

impl Table {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<&Data> {
        self.0.get(key.as_ref())
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.0.contains_key(key.as_ref())
    }

    /// The value of a key, to change it.
    pub fn get_mut(&mut self, key: impl AsRef<[u8]>) -> Option<&mut Data> {
        Rc::make_mut(&mut self.0).get_mut(key.as_ref())
    }

    /// Sets a key.
    pub fn insert(&mut self, key: impl Into<Str>, value: Data) {
        Rc::make_mut(&mut self.0).insert(key.into(), value);
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: impl AsRef<[u8]>) -> Option<Data> {
        Rc::make_mut(&mut self.0).remove(key.as_ref())
    }

    /// The entries by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Str, &Data)> {
        self.0.iter()
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether both are the same table in memory, and so certainly equal.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The table at a path like `chart.one`; none where a part is missing or no table.
    pub fn table(&self, path: &str) -> Option<&Self> {
        path.split('.')
            .try_fold(self, |table, part| table.get(part).and_then(Data::as_table))
    }

    /// The same table, to change it.
    pub(crate) fn table_mut(&mut self, path: &str) -> Option<&mut Self> {
        path.split('.')
            .try_fold(self, |table, part| match table.get_mut(part) {
                Some(Data::Table(inner)) => Some(inner),
                _ => None,
            })
    }

    /// The value at a path, if it is there and no table: what conditions look at.
    pub fn scalar(&self, path: &str) -> Option<&Data> {
        let (table, key) = match path.rsplit_once('.') {
            Some((path, key)) => (self.table(path)?, key),
            None => (self, path),
        };
        table.get(key).filter(|value| !value.is_table())
    }

    /// As [`Data::to_typed_json`].
    pub fn to_typed_json(&self) -> JsonMap<String, Json> {
        self.iter()
            .map(|(key, value)| (key.to_str().into_owned(), value.to_typed_json()))
            .collect()
    }

    /// As [`Data::to_value`].
    pub fn to_map(&self) -> Map {
        self.iter()
            .map(|(key, value)| (key.clone(), value.to_value()))
            .collect()
    }
}

impl FromIterator<(Str, Data)> for Table {
    fn from_iter<I: IntoIterator<Item = (Str, Data)>>(entries: I) -> Self {
        Self(Rc::new(entries.into_iter().collect()))
    }
}

/// Laid over each other: where both have a table the tables are merged, else the upper one counts.
pub fn merge(lower: &mut Table, upper: Table) {
    for (key, value) in upper.iter() {
        match (lower.get_mut(key), value) {
            (Some(Data::Table(below)), Data::Table(above)) => merge(below, above.clone()),
            _ => lower.insert(key.clone(), value.clone()),
        }
    }
}
