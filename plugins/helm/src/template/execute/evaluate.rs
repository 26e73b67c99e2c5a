//! Pipelines, commands and operands to values.

use super::{
    super::ast::{Command, Number, Operand, Pipe, Variable},
    state::{At, Dot, Slot, State},
};
use crate::{
    Error, Value,
    functions::Type,
    value::{CollectionType, IntType, UintType},
};

impl<'a> State<'_, 'a> {
    /// The value of a pipeline. Its variables stay until the block ends.
    pub(super) fn pipeline(&mut self, dot: Dot<'_>, pipe: &'a Pipe) -> Result<Value, Error> {
        self.at = At::Pipe(pipe);
        let mut last = None;
        for command in pipe.commands.iter() {
            let value = self.command(dot, command, last)?;
            // what comes out of an `interface {}` forgets it; of a nil one nothing is left
            last = Some(if matches!(value, Value::Nil) {
                Value::Invalid
            } else {
                value
            });
        }
        let value = last.unwrap_or(Value::Invalid);
        for variable in &pipe.declarations {
            let slot = Slot {
                id: variable.id,
                value: value.clone(),
                is_boxed: false,
            };
            if pipe.is_assignment {
                self.assign(variable, slot)?;
            } else {
                self.variables.push(slot);
            }
        }
        Ok(value)
    }

    /// Sets the variable of that name that was declared last.
    pub(super) fn assign(&mut self, variable: &Variable, slot: Slot) -> Result<(), Error> {
        match self
            .variables
            .iter_mut()
            .rev()
            .find(|known| known.id == variable.id)
        {
            Some(known) => {
                *known = Slot {
                    id: variable.id,
                    ..slot
                };
                Ok(())
            }
            None => Err(self.error(format_args!("undefined variable: {}", variable.name))),
        }
    }

    fn command(&mut self, dot: Dot<'_>, command: &'a Command, last: Option<Value>) -> Result<Value, Error> {
        let Some((first, arguments)) = command.arguments.split_first() else {
            return Err(self.error("empty command"));
        };
        match first {
            Operand::Field(..) => {
                self.at = At::Operand(first);
                self.field_node(dot, first, arguments, last)
            }
            Operand::Chain(_) => self.chain(dot, first, arguments, last),
            Operand::Identifier(_, callee) => {
                self.at = At::Operand(first);
                self.function(dot, *callee, At::Command(command), arguments, last)
            }
            Operand::Pipe(pipe) => {
                self.refuse_arguments(first, arguments, last.as_ref())?;
                self.pipeline(dot, pipe)
            }
            Operand::Variable(variable) => self.variable(dot, first, variable, arguments, last),
            Operand::Dot(_)
            | Operand::Nil(_)
            | Operand::Bool(..)
            | Operand::Number(_)
            | Operand::String(_) => {
                self.at = At::Operand(first);
                self.refuse_arguments(first, arguments, last.as_ref())?;
                match first {
                    Operand::Dot(_) => Ok(dot.value.clone()),
                    Operand::Nil(_) => Err(self.error("nil is not a command")),
                    literal => self.literal(literal),
                }
            }
        }
    }

    /// What is no function takes no arguments.
    fn refuse_arguments(
        &self,
        operand: &Operand,
        arguments: &[Operand],
        last: Option<&Value>,
    ) -> Result<(), Error> {
        if arguments.is_empty() && last.is_none() {
            return Ok(());
        }
        Err(self.error(format_args!("can't give argument to non-function {operand}")))
    }

    fn field_node(
        &mut self,
        dot: Dot<'_>,
        operand: &'a Operand,
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        match operand {
            Operand::Field(_, names) => self.fields(dot, dot, operand, names, arguments, last),
            _ => Ok(Value::Invalid),
        }
    }

    fn chain(
        &mut self,
        dot: Dot<'_>,
        operand: &'a Operand,
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        self.at = At::Operand(operand);
        let Operand::Chain(chain) = operand else {
            return Ok(Value::Invalid);
        };
        if matches!(chain.operand, Operand::Nil(_)) {
            return Err(self.error(format_args!("indirection through explicit nil in {operand}")));
        }
        let value = self.argument(dot, None, &chain.operand)?;
        let receiver = Dot {
            value: &value,
            is_boxed: false,
        };
        self.fields(dot, receiver, operand, &chain.fields, arguments, last)
    }

    fn variable(
        &mut self,
        dot: Dot<'_>,
        operand: &'a Operand,
        variable: &'a Variable,
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        self.at = At::Operand(operand);
        let Some(slot) = self.variables.iter().rev().find(|known| known.id == variable.id) else {
            return Err(self.error(format_args!("undefined variable: {}", variable.name)));
        };
        let (value, is_boxed) = (slot.value.clone(), slot.is_boxed);
        if variable.fields.is_empty() {
            self.refuse_arguments(operand, arguments, last.as_ref())?;
            return Ok(value);
        }
        self.fields(
            dot,
            Dot {
                value: &value,
                is_boxed,
            },
            operand,
            &variable.fields,
            arguments,
            last,
        )
    }

    /// An argument for a parameter of a type, or of none in particular.
    pub(super) fn argument(
        &mut self,
        dot: Dot<'_>,
        wanted: Option<Type>,
        operand: &'a Operand,
    ) -> Result<Value, Error> {
        self.at = At::Operand(operand);
        let value = match operand {
            Operand::Dot(_) => dot.value.clone(),
            Operand::Nil(_) => {
                let wanted = wanted.unwrap_or(Type::Any);
                return match wanted {
                    Type::Reflect => Ok(Value::Invalid),
                    wanted if wanted.can_be_nil() => Ok(wanted.nil()),
                    wanted => Err(self.error(format_args!("cannot assign nil to {}", wanted.name()))),
                };
            }
            Operand::Field(..) => self.field_node(dot, operand, &[], None)?,
            Operand::Variable(variable) => self.variable(dot, operand, variable, &[], None)?,
            Operand::Pipe(pipe) => self.pipeline(dot, pipe)?,
            Operand::Identifier(_, callee) => self.function(dot, *callee, At::Operand(operand), &[], None)?,
            Operand::Chain(_) => self.chain(dot, operand, &[], None)?,
            Operand::Bool(..) | Operand::Number(_) | Operand::String(_) => {
                return self.literal_for(wanted.unwrap_or(Type::Any), operand);
            }
        };
        self.fit(value, wanted)
    }

    /// A value for a parameter: it must be assignable to it.
    pub(super) fn fit(&self, value: Value, wanted: Option<Type>) -> Result<Value, Error> {
        let Some(wanted) = wanted else {
            return Ok(value);
        };
        match value {
            Value::Invalid => match wanted {
                Type::Reflect => Ok(Value::Invalid),
                wanted if wanted.can_be_nil() => Ok(wanted.nil()),
                wanted => Err(self.error(format_args!("invalid value; expected {}", wanted.name()))),
            },
            Value::Nil if matches!(wanted, Type::Any | Type::Reflect) => Ok(Value::Nil),
            Value::Object(object) if wanted == Type::Any => {
                Ok(object.boxed().unwrap_or(Value::Object(object)))
            }
            Value::Nil => Err(self.wrong_type(wanted, "interface {}")),
            Value::Map(map) if wanted == Type::Map && wanted.accepts(&Value::Map(map.clone())) => {
                Ok(Value::Map(map.with_type(CollectionType::ANY)))
            }
            value if wanted.accepts(&value) => Ok(value),
            value => Err(self.wrong_type(wanted, &value.type_name())),
        }
    }

    fn wrong_type(&self, wanted: Type, got: &str) -> Error {
        self.error(format_args!(
            "wrong type for value; expected {}; got {got}",
            wanted.name()
        ))
    }

    /// A literal for a parameter: numbers take its type.
    fn literal_for(&self, wanted: Type, operand: &'a Operand) -> Result<Value, Error> {
        let value = match (wanted, operand) {
            (Type::Any | Type::Reflect, _) => return self.literal(operand),
            (Type::Bool, Operand::Bool(_, truth)) => Some(Value::Bool(*truth)),
            (Type::String, Operand::String(string)) => Some(Value::Str(string.text.clone())),
            (Type::Int, Operand::Number(number)) => number.int.map(Value::int),
            (Type::Int64, Operand::Number(number)) => number.int.map(Value::int64),
            (Type::Duration, Operand::Number(number)) => {
                number.int.map(|value| Value::Int(IntType::Duration, value))
            }
            // what does not fit is cut off, as in the original
            (Type::Uint32, Operand::Number(number)) => number
                .uint
                .map(|value| Value::Uint(UintType::Uint32, value & u64::from(u32::MAX))),
            (Type::Float, Operand::Number(number)) => number.float.map(Value::Float),
            _ => None,
        };
        let expected = match wanted {
            Type::Bool => "bool",
            Type::String => "string",
            Type::Int | Type::Int64 | Type::Duration => "integer",
            Type::Uint32 => "unsigned integer",
            Type::Float => "float",
            _ => {
                return Err(self.error(format_args!(
                    "can't handle {operand} for arg of type {}",
                    wanted.name()
                )));
            }
        };
        value.ok_or_else(|| self.error(format_args!("expected {expected}; found {operand}")))
    }

    /// A literal where nothing says which type it should have.
    fn literal(&self, operand: &'a Operand) -> Result<Value, Error> {
        match operand {
            Operand::Bool(_, truth) => Ok(Value::Bool(*truth)),
            Operand::String(string) => Ok(Value::Str(string.text.clone())),
            Operand::Number(number) => self.number(number),
            operand => Err(self.error(format_args!(
                "can't handle assignment of {operand} to empty interface argument"
            ))),
        }
    }

    fn number(&self, number: &Number) -> Result<Value, Error> {
        if let Some((real, imaginary)) = number.complex {
            return Ok(Value::object(crate::value::Complex { real, imaginary }));
        }
        match number {
            Number {
                float: Some(value),
                is_float: true,
                ..
            } => Ok(Value::Float(*value)),
            Number { int: Some(value), .. } => Ok(Value::int(*value)),
            Number { text, .. } => Err(self.error(format_args!("{text} overflows int"))),
        }
    }
}
