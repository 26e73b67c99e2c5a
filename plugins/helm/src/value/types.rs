//! The types of Go that templates can see: their names, kinds and methods.

use super::{Str, Value};
use crate::functions::Functions;

/// What `kindOf` says: Go's `reflect.Kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No value at all.
    Invalid,
    /// A nil `interface {}`.
    Interface,
    /// `bool`
    Bool,
    /// Any of Go's signed integers, under its own name.
    Int(&'static str),
    /// Any of Go's unsigned integers, under its own name.
    Uint(&'static str),
    /// `float64`
    Float,
    /// `complex128`
    Complex,
    /// `string`
    String,
    /// `slice`
    Slice,
    /// `map`
    Map,
    /// `struct`
    Struct,
    /// `ptr`
    Pointer,
}

impl Kind {
    /// Go's name for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Interface => "interface",
            Self::Bool => "bool",
            Self::Int(name) | Self::Uint(name) => name,
            Self::Float => "float64",
            Self::Complex => "complex128",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Pointer => "ptr",
        }
    }
}

/// Which of Go's signed integer types a number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntType {
    /// `int`: literals, `len`, `until` …
    Int,
    /// `int32`: a character (`rune`).
    Int32,
    /// `int64`: `--set`, `add`, `int64` …
    Int64,
    /// `time.Duration`: nanoseconds.
    Duration,
    /// `time.Month`: from 1.
    Month,
    /// `time.Weekday`: from Sunday, 0.
    Weekday,
}

impl IntType {
    /// The type's name, as `%T` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Duration => "time.Duration",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
        }
    }

    /// What the type's `String` method says of a value; none where it has none.
    pub fn text(self, value: i64) -> Option<String> {
        let index = usize::try_from(value).ok();
        match self {
            Self::Int | Self::Int32 | Self::Int64 => None,
            Self::Duration => Some(crate::go::duration::format(value)),
            Self::Month => Some(
                index
                    .and_then(|month| MONTHS.get(month.wrapping_sub(1)))
                    .map_or_else(|| format!("%!Month({value})"), |name| (*name).to_owned()),
            ),
            Self::Weekday => Some(
                index
                    .and_then(|day| WEEKDAYS.get(day))
                    .map_or_else(|| format!("%!Weekday({value})"), |name| (*name).to_owned()),
            ),
        }
    }

    /// The kind's name, as `kindOf` prints it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Int | Self::Month | Self::Weekday => "int",
            Self::Int32 => "int32",
            Self::Int64 | Self::Duration => "int64",
        }
    }
}

/// The names of the months, from January.
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The names of the days of the week, from Sunday.
pub const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Which of Go's unsigned integer types a number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UintType {
    /// `uint8`: a byte of a string.
    Uint8,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
}

impl UintType {
    /// The name of type and kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }
}

/// What a list or map holds: decides what a missing entry is, and which parameters it may be given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// `interface {}`
    Any,
    /// `string`
    String,
    /// `int`
    Int,
    /// `[]uint8`
    Bytes,
    /// `[]interface {}`
    List,
    /// `map[string]interface {}`
    Map,
}

impl Element {
    /// What a missing entry is.
    pub fn zero(self) -> Value {
        match self {
            Self::Any => Value::Nil,
            Self::String => Value::Str(Str::default()),
            Self::Int => Value::int(0),
            Self::Bytes => Value::Bytes(Str::default()),
            Self::List => Value::List(super::List::nil(CollectionType::ANY)),
            Self::Map => Value::Map(super::Map::nil(CollectionType::ANY)),
        }
    }

    /// The element type's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::String => "string",
            Self::Int => "int",
            Self::Bytes => "[]uint8",
            Self::List => "[]interface {}",
            Self::Map => "map[string]interface {}",
        }
    }
}

/// The type of a list or map: anonymous (`[]string`, `map[string]interface {}`), or named and with methods (`common.Values`).
#[derive(Clone, Copy)]
pub struct CollectionType {
    /// What it holds.
    pub element: Element,
    /// Its name and methods, where it has them.
    pub named: Option<&'static NamedType>,
}

/// A named type over a list or map.
pub struct NamedType {
    /// The name, as `%T` prints it: `common.Values`.
    pub name: &'static str,
    /// Its methods; their first parameter is the receiver.
    pub methods: fn() -> &'static Functions,
}

impl CollectionType {
    /// `[]interface {}` and `map[string]interface {}`.
    pub const ANY: Self = Self::of(Element::Any);
    /// `[]string` and `map[string]string`.
    pub const STRING: Self = Self::of(Element::String);
    /// `[]int`.
    pub const INT: Self = Self::of(Element::Int);

    /// An anonymous type.
    pub const fn of(element: Element) -> Self {
        Self { element, named: None }
    }

    /// A named type.
    pub const fn named(element: Element, named: &'static NamedType) -> Self {
        Self {
            element,
            named: Some(named),
        }
    }
}

impl PartialEq for CollectionType {
    fn eq(&self, other: &Self) -> bool {
        self.element == other.element
            && self.named.map(|named| named.name) == other.named.map(|named| named.name)
    }
}

impl std::fmt::Debug for CollectionType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.named.map_or(self.element.name(), |named| named.name))
    }
}
