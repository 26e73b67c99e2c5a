//! The types of parameters, and how an argument becomes a Rust value.

use std::{any::Any, borrow::Cow, rc::Rc};

use super::Arguments;
use crate::{
    Error, List, Map, Str, Value,
    value::{CollectionType, IntType, ObjectType, UintType},
};

/// The type of a parameter. It decides which arguments fit, and how a literal is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`: anything.
    Any,
    /// `reflect.Value`: anything, and the function sees whether there is a value at all.
    Reflect,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint32`
    Uint32,
    /// `float64`
    Float,
    /// `time.Duration`
    Duration,
    /// `string`
    String,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// `map[string]interface {}`
    Map,
    /// A struct or pointer of this name.
    Object(&'static str),
}

impl Type {
    /// Go's name of the type, as messages print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Reflect => "reflect.Value",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint32 => "uint32",
            Self::Float => "float64",
            Self::Duration => "time.Duration",
            Self::String => "string",
            Self::List => "[]interface {}",
            Self::Strings => "[]string",
            Self::Map => "map[string]interface {}",
            Self::Object(name) => name,
        }
    }

    /// Whether nil fits.
    pub fn can_be_nil(self) -> bool {
        match self {
            Self::Any | Self::Reflect | Self::List | Self::Strings | Self::Map => true,
            Self::Object(name) => name.starts_with('*'),
            Self::Bool
            | Self::Int
            | Self::Int64
            | Self::Uint32
            | Self::Float
            | Self::Duration
            | Self::String => false,
        }
    }

    /// What nil becomes, where it fits.
    pub fn nil(self) -> Value {
        match self {
            Self::List => Value::List(List::nil(CollectionType::ANY)),
            Self::Strings => Value::List(List::nil(CollectionType::STRING)),
            Self::Map => Value::Map(Map::nil(CollectionType::ANY)),
            _ => Value::Nil,
        }
    }

    /// Whether a value that is something may be given to a parameter of this type: Go's assignability. A named map or slice
    /// (`common.Values`) fits where its anonymous type is wanted.
    pub fn accepts(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any | Self::Reflect, _)
            | (Self::Bool, Value::Bool(_))
            | (Self::Int, Value::Int(IntType::Int, _))
            | (Self::Int64, Value::Int(IntType::Int64, _))
            | (Self::Uint32, Value::Uint(UintType::Uint32, _))
            | (Self::Float, Value::Float(_))
            | (Self::Duration, Value::Int(IntType::Duration, _))
            | (Self::String, Value::Str(_)) => true,
            (Self::List, Value::List(list)) => list.list_type().element == CollectionType::ANY.element,
            (Self::Strings, Value::List(list)) => list.list_type().element == CollectionType::STRING.element,
            (Self::Map, Value::Map(map)) => map.map_type().element == CollectionType::ANY.element,
            (Self::Object(name), Value::Object(object)) => object.type_name() == name,
            _ => false,
        }
    }
}

/// A Rust type that stands for a parameter of a Go type.
pub trait Parameter: Sized {
    /// The Go type.
    const TYPE: Type;
    /// Whether it takes all further arguments.
    const IS_VARIADIC: bool = false;

    /// Takes what it needs from the arguments.
    ///
    /// # Errors
    /// Too few arguments, or one of another type: the executor has checked both.
    fn take(arguments: &mut Arguments) -> Result<Self, Error>;

    /// Takes all the arguments that are left.
    ///
    /// # Errors
    /// As [`Parameter::take`].
    fn take_all(arguments: &mut Arguments) -> Result<Vec<Self>, Error> {
        let mut all = Vec::with_capacity(arguments.size_hint().0);
        while arguments.size_hint().0 > 0 {
            all.push(Self::take(arguments)?);
        }
        Ok(all)
    }
}

/// Go's `int`, as parameter and as result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int(pub i64);

/// Go's `uint32`, as parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uint32(pub u32);

/// Go's `time.Duration`, as parameter and as result: nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration(pub i64);

impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Int(IntType::Duration, value.0)
    }
}

impl From<Int> for Value {
    fn from(value: Int) -> Self {
        Self::int(value.0)
    }
}

/// Go's `[]string`, as parameter.
#[derive(Clone, Debug)]
pub struct Strings(pub Vec<Str>);

/// Go's `...T`: all further arguments. Only as the last parameter.
#[derive(Clone, Debug)]
pub struct Rest<T>(pub Vec<T>);

fn wrong(expected: Type, got: &Value) -> Error {
    let got = match got {
        Value::Invalid | Value::Nil => Cow::Borrowed("interface {}"),
        got => got.type_name(),
    };
    Error::new(format!(
        "wrong type for value; expected {}; got {got}",
        expected.name()
    ))
}

macro_rules! parameter {
    ($rust:ty, $go:expr, $pattern:pat => $taken:expr) => {
        impl Parameter for $rust {
            const TYPE: Type = $go;

            fn take(arguments: &mut Arguments) -> Result<Self, Error> {
                match arguments.next().unwrap_or_default() {
                    $pattern => Ok($taken),
                    other => Err(wrong(Self::TYPE, &other)),
                }
            }
        }
    };
}

parameter!(bool, Type::Bool, Value::Bool(value) => value);
parameter!(Int, Type::Int, Value::Int(_, value) => Int(value));
parameter!(Duration, Type::Duration, Value::Int(_, value) => Duration(value));
parameter!(i64, Type::Int64, Value::Int(_, value) => value);
parameter!(Uint32, Type::Uint32, Value::Uint(UintType::Uint32, value) => Uint32(u32::try_from(value).unwrap_or(u32::MAX)));
parameter!(f64, Type::Float, Value::Float(value) => value);
parameter!(Str, Type::String, Value::Str(value) => value);
parameter!(List, Type::List, Value::List(value) => value);
parameter!(Map, Type::Map, Value::Map(value) => value);

impl Parameter for Value {
    const TYPE: Type = Type::Any;

    fn take(arguments: &mut Arguments) -> Result<Self, Error> {
        Ok(arguments.next().unwrap_or_default())
    }

    fn take_all(arguments: &mut Arguments) -> Result<Vec<Self>, Error> {
        Ok(arguments.rest())
    }
}

impl Parameter for Strings {
    const TYPE: Type = Type::Strings;

    fn take(arguments: &mut Arguments) -> Result<Self, Error> {
        match arguments.next().unwrap_or_default() {
            Value::List(list) => Ok(Self(
                list.items().iter().filter_map(Value::as_text).cloned().collect(),
            )),
            other => Err(wrong(Self::TYPE, &other)),
        }
    }
}

impl<T: ObjectType> Parameter for Rc<T> {
    const TYPE: Type = Type::Object(T::NAME);

    fn take(arguments: &mut Arguments) -> Result<Self, Error> {
        let value = arguments.next().unwrap_or_default();
        let Value::Object(object) = &value else {
            return Err(wrong(Self::TYPE, &value));
        };
        let any: Rc<dyn Any> = Rc::<dyn crate::value::Object>::clone(object);
        any.downcast().map_err(|_| wrong(Self::TYPE, &value))
    }
}

impl<T: Parameter> Parameter for Rest<T> {
    const TYPE: Type = T::TYPE;
    const IS_VARIADIC: bool = true;

    fn take(arguments: &mut Arguments) -> Result<Self, Error> {
        T::take_all(arguments).map(Self)
    }
}
