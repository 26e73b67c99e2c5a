//! The functions that `text/template` brings along, but for comparisons and escapes.

use super::{Arguments, Functions, Int, Parameter, Rest, Type};
use crate::{Error, List, Str, Value, format, value::UintType};

/// `reflect.Value`: whatever there is, and whether there is anything.
pub(super) struct Reflect(pub Value);

impl Parameter for Reflect {
    const TYPE: Type = Type::Reflect;

    fn take(arguments: &mut Arguments) -> Result<Self, Error> {
        arguments
            .next()
            .map(Self)
            .ok_or_else(|| Error::new("an argument is missing"))
    }

    fn take_all(arguments: &mut Arguments) -> Result<Vec<Self>, Error> {
        // they stay in the room that they are in
        Ok(arguments.rest().into_iter().map(Self).collect())
    }
}

pub(super) fn register(functions: &mut Functions) {
    // the executor knows these two: they do not evaluate what they do not need
    functions.add("and", |first: Reflect, _: Rest<Reflect>| first.0);
    functions.add("or", |first: Reflect, _: Rest<Reflect>| first.0);
    functions.add("call", call);
    functions.add("index", index);
    functions.add("slice", slice);
    functions.add("len", length);
    functions.add("not", |value: Reflect| !value.0.is_true());
    functions.add("print", |values: Rest<Value>| {
        Str::from(format::sprint(&values.0))
    });
    functions.add("println", |values: Rest<Value>| {
        Str::from(format::sprintln(&values.0))
    });
    functions.add("printf", |format: Str, values: Rest<Value>| {
        Str::from(format::sprintf(format.as_bytes(), &values.0))
    });
}

/// `func call(name string, fn reflect.Value, args ...reflect.Value) (reflect.Value, error)`: the executor gives the name.
/// Nothing in Helm is a function value.
fn call(name: Str, function: Reflect, _: Rest<Reflect>) -> Result<Value, Error> {
    Err(Error::new(match function.0 {
        Value::Invalid | Value::Nil => "call of nil".to_owned(),
        value => format!("non-function {name} of type {}", value.type_name()),
    }))
}

/// An index into something of this length, which may itself be an index.
fn position(index: &Value, length: usize) -> Result<usize, Error> {
    let number = match index {
        Value::Int(_, number) => *number,
        // Go lets what is too large wrap around
        Value::Uint(_, number) => i64::from_ne_bytes(number.to_ne_bytes()),
        Value::Invalid | Value::Nil => return Err(Error::new("cannot index slice/array with nil")),
        other => {
            return Err(Error::new(format!(
                "cannot index slice/array with type {}",
                other.type_name()
            )));
        }
    };
    usize::try_from(number)
        .ok()
        .filter(|position| *position <= length)
        .ok_or_else(|| Error::new(format!("index out of range: {number}")))
}

/// `func index(item reflect.Value, indexes ...reflect.Value) (reflect.Value, error)`
fn index(item: Reflect, indexes: Rest<Reflect>) -> Result<Value, Error> {
    let mut item = item.0;
    if item.is_nil() {
        return Err(Error::new("index of untyped nil"));
    }
    for Reflect(index) in indexes.0 {
        item = index_once(&item, &index)?;
    }
    Ok(item)
}

fn index_once(item: &Value, index: &Value) -> Result<Value, Error> {
    match item {
        Value::Invalid | Value::Nil => Err(Error::new("index of nil pointer")),
        Value::List(list) => {
            let position = position(index, list.items().len())?;
            let out_of_range = || Error::new("reflect: slice index out of range");
            list.items().get(position).cloned().ok_or_else(out_of_range)
        }
        Value::Str(text) | Value::Bytes(text) => {
            let kind = if matches!(item, Value::Str(_)) {
                "string"
            } else {
                "slice"
            };
            let position = position(index, text.len())?;
            let byte = text.as_bytes().get(position).copied();
            let byte = byte.ok_or_else(|| Error::new(format!("reflect: {kind} index out of range")))?;
            Ok(Value::Uint(UintType::Uint8, byte.into()))
        }
        Value::Map(map) => match index {
            Value::Str(key) => Ok(map.get(key).unwrap_or_else(|| map.map_type().element.zero())),
            Value::Invalid | Value::Nil => Err(Error::new("value is nil; should be of type string")),
            other => Err(Error::new(format!(
                "value has type {}; should be string",
                other.type_name()
            ))),
        },
        Value::Bool(_) | Value::Int(..) | Value::Uint(..) | Value::Float(_) | Value::Object(_) => {
            // of a pointer it is what is pointed at that cannot be indexed
            let name = item.type_name();
            let name = name.trim_start_matches('*');
            Err(Error::new(format!("can't index item of type {name}")))
        }
    }
}

/// `func slice(item reflect.Value, indexes ...reflect.Value) (reflect.Value, error)`
fn slice(item: Reflect, indexes: Rest<Reflect>) -> Result<Value, Error> {
    let length = match &item.0 {
        Value::Invalid | Value::Nil => return Err(Error::new("slice of untyped nil")),
        Value::Str(_) if indexes.0.len() == 3 => return Err(Error::new("cannot 3-index slice a string")),
        Value::Str(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.items().len(),
        other => {
            return Err(Error::new(format!(
                "can't slice item of type {}",
                other.type_name()
            )));
        }
    };
    if indexes.0.len() > 3 {
        return Err(Error::new(format!("too many slice indexes: {}", indexes.0.len())));
    }
    let mut bounds = Vec::with_capacity(3);
    for Reflect(index) in &indexes.0 {
        bounds.push(position(index, length)?);
    }
    let (start, end) = (
        bounds.first().copied().unwrap_or(0),
        bounds.get(1).copied().unwrap_or(length),
    );
    if start > end {
        return Err(Error::new(format!("invalid slice index: {start} > {end}")));
    }
    if let Some(capacity) = bounds.get(2).filter(|capacity| end > **capacity) {
        return Err(Error::new(format!("invalid slice index: {end} > {capacity}")));
    }
    Ok(match &item.0 {
        Value::Str(text) => Value::Str(text.as_bytes().get(start..end).unwrap_or_default().into()),
        Value::Bytes(bytes) => Value::Bytes(bytes.as_bytes().get(start..end).unwrap_or_default().into()),
        Value::List(list) => {
            let items = list.items().get(start..end).unwrap_or_default().to_vec();
            Value::List(List::of_type(list.list_type(), items))
        }
        _ => Value::Nil,
    })
}

/// `func length(item reflect.Value) (int, error)`
fn length(item: Reflect) -> Result<Int, Error> {
    let length = match &item.0 {
        Value::Str(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.items().len(),
        Value::Map(map) => map.len(),
        Value::Nil => return Err(Error::new("len of nil pointer")),
        // Go asks nothing for its type, and that is a panic
        Value::Invalid => return Err(Error::new("reflect: call of reflect.Value.Type on zero Value")),
        other => {
            // a pointer stands for what it points to
            let name = other.type_name();
            return Err(Error::new(format!(
                "len of type {}",
                name.trim_start_matches('*')
            )));
        }
    };
    Ok(Int(i64::try_from(length).unwrap_or(i64::MAX)))
}
