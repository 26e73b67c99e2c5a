//! `reflect.DeepEqual`.

use super::Functions;
use crate::{Value, value::DEPTH_MAX};

pub(super) fn register(functions: &mut Functions) {
    functions.add("deepEqual", |one: Value, other: Value| deep_equal(&one, &other));
}

/// Whether two values have the same type and the same contents all the way down.
pub(super) fn deep_equal(one: &Value, other: &Value) -> bool {
    equal_at(one, other, 0)
}

/// What is nested deeper than anybody nests counts as equal: it holds itself, and Go stops there too.
fn equal_at(one: &Value, other: &Value, depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return true;
    }
    match (one, other) {
        (Value::Nil | Value::Invalid, Value::Nil | Value::Invalid) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Int(one_type, one), Value::Int(other_type, other)) => one_type == other_type && one == other,
        (Value::Uint(one_type, one), Value::Uint(other_type, other)) => {
            one_type == other_type && one == other
        }
        #[allow(clippy::float_cmp, reason = "Go compares them so")]
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::Str(one), Value::Str(other)) | (Value::Bytes(one), Value::Bytes(other)) => one == other,
        (Value::List(one), Value::List(other)) => {
            if one.list_type() != other.list_type() || one.is_nil() != other.is_nil() {
                return false;
            }
            let (ones, others) = (one.items(), other.items());
            one.is_same(other)
                || ones.len() == others.len()
                    && ones
                        .iter()
                        .zip(others)
                        .all(|(one, other)| equal_at(one, other, depth + 1))
        }
        (Value::Map(one), Value::Map(other)) => {
            if one.map_type() != other.map_type() || one.is_nil() != other.is_nil() {
                return false;
            }
            let (ones, others) = (one.entries(), other.entries());
            one.is_same(other)
                || ones.len() == others.len()
                    && ones
                        .iter()
                        .zip(others.iter())
                        .all(|((one_key, one), (other_key, other))| {
                            one_key == other_key && equal_at(one, other, depth + 1)
                        })
        }
        (Value::Object(one), Value::Object(other)) => {
            std::rc::Rc::ptr_eq(one, other) || one.type_name() == other.type_name() && one.equals(&**other)
        }
        _ => false,
    }
}
