//! Fields, keys and methods.

use super::{
    super::ast::Operand,
    state::{At, Dot, State},
};
use crate::{
    Error, Str, Value,
    functions::{Function, int_methods},
    go::quote,
    template::MissingKey,
    value::Element,
};

impl<'a> State<'_, 'a> {
    /// `.a.b.c` of a receiver; the last one may be a method, which gets the arguments.
    pub(super) fn fields(
        &mut self,
        dot: Dot<'_>,
        receiver: Dot<'_>,
        operand: &'a Operand,
        names: &'a [Str],
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let Some((final_name, names)) = names.split_last() else {
            return Ok(receiver.value.clone());
        };
        let Some((first_name, names)) = names.split_first() else {
            return self.field(dot, receiver, operand, final_name, arguments, last);
        };
        let mut is_boxed = holds_interfaces(receiver.value);
        let mut value = self.field(dot, receiver, operand, first_name, &[], None)?;
        for name in names {
            let next_is_boxed = holds_interfaces(&value);
            value = self.field(
                dot,
                Dot {
                    value: &value,
                    is_boxed,
                },
                operand,
                name,
                &[],
                None,
            )?;
            is_boxed = next_is_boxed;
        }
        self.field(
            dot,
            Dot {
                value: &value,
                is_boxed,
            },
            operand,
            final_name,
            arguments,
            last,
        )
    }

    fn field(
        &mut self,
        dot: Dot<'_>,
        receiver: Dot<'_>,
        operand: &'a Operand,
        name: &'a Str,
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let is_strict = self.scope.render.missing_key == MissingKey::Error;
        match receiver.value {
            Value::Invalid if is_strict => {
                return Err(self.error(format_args!(
                    "nil data; no entry for key {}",
                    quote::quote(name.as_bytes())
                )));
            }
            Value::Invalid => return Ok(Value::Invalid),
            Value::Nil => {
                return Err(self.error(format_args!("nil pointer evaluating interface {{}}.{name}")));
            }
            _ => {}
        }
        if let Some(method) = method(receiver.value, name) {
            let this = Some(receiver.value.clone());
            return self.call(dot, method, this, At::Operand(operand), arguments, last);
        }
        let has_arguments = !arguments.is_empty() || last.is_some();
        match receiver.value {
            Value::Map(_) if has_arguments => {
                return Err(self.error(format_args!("{name} is not a method but has arguments")));
            }
            Value::Map(map) => {
                if let Some(value) = map.get(name) {
                    return Ok(value);
                }
                if is_strict {
                    return Err(self.error(format_args!(
                        "map has no entry for key {}",
                        quote::quote(name.as_bytes())
                    )));
                }
                return Ok(map.map_type().element.zero());
            }
            Value::Object(object) => {
                if let Some(value) = object.field(&name.to_str()) {
                    if !name.to_str().starts_with(char::is_uppercase) {
                        return Err(self.error(format_args!(
                            "{name} is an unexported field of struct type {}",
                            receiver.value.type_name()
                        )));
                    }
                    if has_arguments {
                        return Err(self.error(format_args!(
                            "{name} has arguments but cannot be invoked as function"
                        )));
                    }
                    return Ok(value);
                }
            }
            _ => {}
        }
        let type_name = if receiver.is_boxed {
            "interface {}".into()
        } else {
            receiver.value.type_name()
        };
        Err(self.error(format_args!("can't evaluate field {name} in type {type_name}")))
    }
}

/// Whether what a map gives is an `interface {}`: messages name that, not what is in it.
fn holds_interfaces(value: &Value) -> bool {
    matches!(value, Value::Map(map) if map.map_type().element == Element::Any)
}

fn method(receiver: &Value, name: &Str) -> Option<&'static Function> {
    // as all that Go lets others see; most keys of values begin with a small letter
    if !name.as_bytes().first().is_some_and(u8::is_ascii_uppercase) {
        return None;
    }
    let methods = match receiver {
        Value::Map(map) => (map.map_type().named?.methods)(),
        Value::List(list) => (list.list_type().named?.methods)(),
        Value::Object(object) => object.methods(),
        Value::Int(int_type, _) => int_methods(*int_type),
        _ => return None,
    };
    methods.get(name.as_str()?)
}
