//! Calls of functions and methods.

use super::{
    super::ast::{Callee, Operand},
    state::{At, Dot, State},
};
use crate::{
    Error, Value,
    functions::{Call, Function, Type},
};

impl<'a> State<'_, 'a> {
    pub(super) fn function(
        &mut self,
        dot: Dot<'_>,
        callee: Callee,
        node: At<'a>,
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        match callee {
            Callee::And => self.short_circuit(dot, false, arguments, last),
            Callee::Or => self.short_circuit(dot, true, arguments, last),
            Callee::Call(function) => self.call_value(dot, function, node, arguments, last),
            Callee::Function(function) => self.call(dot, function, None, node, arguments, last),
        }
    }

    /// `and` and `or`: the first argument that decides, or the last one.
    fn short_circuit(
        &mut self,
        dot: Dot<'_>,
        stops_at: bool,
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        if arguments.is_empty() && last.is_none() {
            let name = if stops_at { "or" } else { "and" };
            return Err(self.error(format_args!(
                "wrong number of args for {name}: want at least 1 got 0"
            )));
        }
        let mut value = Value::Invalid;
        for argument in arguments {
            value = self.argument(dot, Some(Type::Reflect), argument)?;
            if value.is_true() == stops_at {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    /// `call`: there are no function values in Helm, so this only says what is wrong.
    fn call_value(
        &mut self,
        dot: Dot<'_>,
        function: &'static Function,
        node: At<'a>,
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let mut values = Vec::with_capacity(arguments.len() + 2);
        let count = arguments.len() + usize::from(last.is_some());
        if count == 0 {
            return Err(self.error("wrong number of args for call: want at least 1 got 0"));
        }
        for argument in arguments {
            values.push(self.argument(dot, Some(Type::Reflect), argument)?);
        }
        let callee = arguments.first().map_or_else(
            || match &last {
                Some(Value::Str(text)) => text.to_string(),
                Some(value) => format!("<{} Value>", value.type_name()),
                None => String::new(),
            },
            ToString::to_string,
        );
        values.extend(last);
        values.insert(0, callee.into());
        self.invoke(function, node, values)
    }

    /// Calls a function with arguments that are checked against its parameters as they are evaluated.
    pub(super) fn call(
        &mut self,
        dot: Dot<'_>,
        function: &'static Function,
        receiver: Option<Value>,
        node: At<'a>,
        arguments: &'a [Operand],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        // of a method the first parameter is the receiver
        let parameters = function
            .parameters()
            .get(usize::from(receiver.is_some())..)
            .unwrap_or_default();
        let count = arguments.len() + usize::from(last.is_some());
        self.check_count(function, parameters.len(), arguments.len(), count)?;
        if let Some(problem) = function.problem() {
            return Err(self.error(problem));
        }
        let parameter = |index: usize| {
            parameters
                .get(index)
                .or_else(|| parameters.last())
                .copied()
                .unwrap_or(Type::Any)
        };
        let mut values = Vec::with_capacity(count + usize::from(receiver.is_some()));
        values.extend(receiver);
        for (index, argument) in arguments.iter().enumerate() {
            values.push(self.argument(dot, Some(parameter(index)), argument)?);
        }
        if let Some(last) = last {
            values.push(self.fit(last, Some(parameter(count - 1)))?);
        }
        self.invoke(function, node, values)
    }

    fn check_count(
        &self,
        function: &Function,
        wanted: usize,
        written: usize,
        count: usize,
    ) -> Result<(), Error> {
        let name = function.name();
        if function.is_variadic() {
            let least = wanted - 1;
            if count < least {
                return Err(self.error(format_args!(
                    "wrong number of args for {name}: want at least {least} got {written}"
                )));
            }
        } else if count != wanted {
            return Err(self.error(format_args!(
                "wrong number of args for {name}: want {wanted} got {count}"
            )));
        }
        Ok(())
    }

    fn invoke(
        &mut self,
        function: &'static Function,
        node: At<'a>,
        values: Vec<Value>,
    ) -> Result<Value, Error> {
        let call = Call::inside(self.scope.render.environment, self.scope);
        function.call(&call, values).map_err(|error| {
            self.at = node;
            self.wrap(&format!("error calling {}: ", function.name()), error)
        })
    }
}
