//! What templates compute with: Go's values, as far as templates can tell them apart.
//!
//! The types are Go's dynamic types: `kindOf`, `typeOf`, `%T`, comparisons and messages show them, and `eq 1 1.0` is an error.
//! Numbers from YAML and JSON are `float64`, those from `--set` `int64`, literals `int` or `float64`.
//!
//! Maps are shared and change in place; lists and strings are shared and do not change. All clones are cheap.

mod complex;
mod json;
mod list;
mod map;
mod object;
mod text;
mod types;

use std::{borrow::Cow, rc::Rc};

pub(crate) use complex::Complex;
pub use json::DEPTH_MAX;
pub use list::List;
pub use map::{Entries, Map};
pub use object::{Object, ObjectType};
pub use text::Str;
pub use types::{CollectionType, Element, IntType, Kind, MONTHS, NamedType, UintType, WEEKDAYS};

/// A value.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value at all: Go's zero `reflect.Value`. Only the executor knows it; functions see [`Value::Nil`] and never return this.
    Invalid,
    /// A nil `interface {}`: `null` in YAML, a missing key, a function's `nil`.
    #[default]
    Nil,
    /// `bool`
    Bool(bool),
    /// A signed integer and its type. [`Value::int`] and [`Value::int64`] make the common ones.
    Int(IntType, i64),
    /// An unsigned integer and its type.
    Uint(UintType, u64),
    /// `float64`: every number from YAML and JSON.
    Float(f64),
    /// `string`
    Str(Str),
    /// `[]uint8`: in JSON it is base64.
    Bytes(Str),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// A struct, or a pointer to one.
    Object(Rc<dyn Object>),
}

impl Value {
    /// Go's `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(IntType::Int, value)
    }

    /// Go's `int64`.
    pub fn int64(value: i64) -> Self {
        Self::Int(IntType::Int64, value)
    }

    /// A length or an index, as Go's `int`.
    pub fn size(value: usize) -> Self {
        Self::int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// An object.
    pub fn object(object: impl Object) -> Self {
        Self::Object(Rc::new(object))
    }

    /// Whether there is nothing: `v == nil` in Go. Nil slices and maps are something.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Invalid | Self::Nil)
    }

    /// The kind: what `kindOf` says.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid => Kind::Invalid,
            Self::Nil => Kind::Interface,
            Self::Bool(_) => Kind::Bool,
            Self::Int(int_type, _) => Kind::Int(int_type.kind()),
            Self::Uint(uint_type, _) => Kind::Uint(uint_type.name()),
            Self::Float(_) => Kind::Float,
            Self::Str(_) => Kind::String,
            Self::Bytes(_) | Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Object(object) => object.kind(),
        }
    }

    /// The type's name: what `%T` and messages say. Of a nil it is `<nil>`.
    pub fn type_name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Invalid | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(int_type, _) => int_type.name(),
            Self::Uint(uint_type, _) => uint_type.name(),
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => return Cow::Owned(list.type_name()),
            Self::Map(map) => return Cow::Owned(map.type_name()),
            Self::Object(object) => object.type_name(),
        })
    }

    /// Whether `if` takes it for true: what is neither nil, zero nor empty. Structs are always true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Invalid | Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(_, value) => *value != 0,
            Self::Uint(_, value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) | Self::Bytes(text) => !text.is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(_) => self
                .as_object()
                .is_none_or(|number: &Complex| number.real != 0.0 || number.imaginary != 0.0),
        }
    }

    /// The text of a string; none for all else.
    pub fn as_text(&self) -> Option<&Str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// An object of a certain type; none for all else.
    pub fn as_object<T: Object>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => (&**object as &dyn std::any::Any).downcast_ref(),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// Go's `int64`; for `int` see [`Value::int`].
impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::int64(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Str(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
