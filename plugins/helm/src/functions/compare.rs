//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`: within a kind; integers of both signs, but never integers with floats.

use std::rc::Rc;

use super::{Functions, Rest, builtins::Reflect};
use crate::{Error, Value, format, value::Kind};

pub(super) fn register(functions: &mut Functions) {
    functions.add("eq", |first: Reflect, others: Rest<Reflect>| {
        equal_any(&first.0, &others.0)
    });
    functions.add("ne", |first: Reflect, second: Reflect| {
        equal(&first.0, &second.0).map(|equal| !equal)
    });
    functions.add("lt", |first: Reflect, second: Reflect| less(&first.0, &second.0));
    functions.add("le", |first: Reflect, second: Reflect| {
        less_or_equal(&first.0, &second.0)
    });
    functions.add("gt", |first: Reflect, second: Reflect| {
        less_or_equal(&first.0, &second.0).map(|le| !le)
    });
    functions.add("ge", |first: Reflect, second: Reflect| {
        less(&first.0, &second.0).map(|lt| !lt)
    });
}

/// What can be compared with what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    None,
    Bool,
    Int,
    Uint,
    Float,
    Complex,
    String,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(..) => Basic::Int,
        Value::Uint(..) => Basic::Uint,
        Value::Float(_) => Basic::Float,
        Value::Str(_) => Basic::String,
        Value::Object(object) if object.kind() == Kind::Complex => Basic::Complex,
        _ => Basic::None,
    }
}

fn incompatible(first: &Value, second: &Value) -> Error {
    Error::new(format!(
        "incompatible types for comparison: {} and {}",
        first.type_name(),
        second.type_name()
    ))
}

fn equal_any(first: &Value, others: &[Reflect]) -> Result<bool, Error> {
    if others.is_empty() {
        return Err(Error::new("missing argument for comparison"));
    }
    for Reflect(other) in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(first: &Value, second: &Value) -> Result<bool, Error> {
    Ok(match (first, second) {
        (Value::Bool(first), Value::Bool(second)) => first == second,
        (Value::Int(_, first), Value::Int(_, second)) => first == second,
        (Value::Uint(_, first), Value::Uint(_, second)) => first == second,
        (Value::Int(_, signed), Value::Uint(_, unsigned))
        | (Value::Uint(_, unsigned), Value::Int(_, signed)) => {
            u64::try_from(*signed).is_ok_and(|signed| signed == *unsigned)
        }
        (Value::Float(first), Value::Float(second)) => first == second,
        (Value::Str(first), Value::Str(second)) => first == second,
        _ if basic(first) != basic(second) => {
            if !first.is_nil() && !second.is_nil() {
                return Err(incompatible(first, second));
            }
            false
        }
        _ => equal_others(first, second)?,
    })
}

/// What is neither number, text nor truth: nil can be compared with all of it, the rest only where Go can.
fn equal_others(first: &Value, second: &Value) -> Result<bool, Error> {
    let is_nil = |value: &Value| match value {
        Value::Invalid | Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    };
    if first.kind() != second.kind() && !first.is_nil() && !second.is_nil() {
        return Err(Error::new(format!(
            "non-comparable types {}: {}, {}: {}",
            shown(first),
            first.type_name(),
            second.type_name(),
            String::from_utf8_lossy(&format::text(second))
        )));
    }
    if is_nil(first) || is_nil(second) {
        return Ok(is_nil(first) == is_nil(second));
    }
    match (first, second) {
        (Value::Object(first), Value::Object(second)) => Ok(Rc::ptr_eq(first, second)
            || first.kind() != Kind::Pointer
                && first.type_name() == second.type_name()
                && first.equals(&**second)),
        _ => Err(Error::new(format!(
            "non-comparable type {}: {}",
            shown(second),
            second.type_name()
        ))),
    }
}

/// As `%s` prints it.
fn shown(value: &Value) -> String {
    String::from_utf8_lossy(&format::sprintf(b"%s", std::slice::from_ref(value))).into_owned()
}

fn less(first: &Value, second: &Value) -> Result<bool, Error> {
    let bad = || Error::new("invalid type for comparison");
    if basic(first) == Basic::None || basic(second) == Basic::None {
        return Err(bad());
    }
    Ok(match (first, second) {
        (Value::Int(_, first), Value::Int(_, second)) => first < second,
        (Value::Uint(_, first), Value::Uint(_, second)) => first < second,
        (Value::Int(_, first), Value::Uint(_, second)) => {
            u64::try_from(*first).is_ok_and(|first| first < *second) || *first < 0
        }
        (Value::Uint(_, first), Value::Int(_, second)) => {
            u64::try_from(*second).is_ok_and(|second| *first < second)
        }
        (Value::Float(first), Value::Float(second)) => first < second,
        (Value::Str(first), Value::Str(second)) => first < second,
        _ if basic(first) == basic(second) => return Err(bad()),
        _ => return Err(incompatible(first, second)),
    })
}

fn less_or_equal(first: &Value, second: &Value) -> Result<bool, Error> {
    Ok(less(first, second)? || equal(first, second)?)
}
