//! A function and the table of functions.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::LazyLock,
};

use super::{Call, Parameter, Type};
use crate::{Error, Value};

/// The arguments of one call, in order, already checked against the function's parameters.
pub struct Arguments(std::vec::IntoIter<Value>);

impl Arguments {
    /// From values.
    pub fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// All that are left, in the room that they are in.
    pub(super) fn rest(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.0).collect()
    }
}

/// The next argument.
impl Iterator for Arguments {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

type Body = dyn Fn(&Call<'_>, Arguments) -> Result<Value, Error> + Send + Sync;

/// Something that templates can call: Go's signature and what it does.
pub struct Function {
    name: &'static str,
    parameters: &'static [Type],
    is_variadic: bool,
    body: Box<Body>,
    /// Why its results are none that a template can use.
    problem: Option<String>,
}

impl Function {
    /// The name that templates call it by.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The types of the parameters. Of a variadic function the last one is that of each further argument.
    pub fn parameters(&self) -> &[Type] {
        self.parameters
    }

    /// Whether the last parameter takes any number of arguments.
    pub fn is_variadic(&self) -> bool {
        self.is_variadic
    }

    /// What a call fails with before its arguments are looked at: Go's method gives what no template can use.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Calls it. The arguments must have been checked against the parameters.
    ///
    /// # Errors
    /// Whatever the function says.
    pub fn call(&self, call: &Call<'_>, arguments: Vec<Value>) -> Result<Value, Error> {
        (self.body)(call, Arguments::new(arguments))
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "func {}({:?})", self.name, self.parameters)
    }
}

/// A table of functions by name.
#[derive(Debug, Default)]
pub struct Functions(HashMap<&'static str, Function, BuildHasherDefault<NameHasher>>);

/// FNV-1a. The names in a table are its own, so that nobody can choose them to collide, and every name that a template writes is
/// looked up.
#[derive(Debug)]
struct NameHasher(u64);

impl Default for NameHasher {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Functions {
    /// The table without functions.
    pub fn none() -> &'static Self {
        static NONE: LazyLock<Functions> = LazyLock::new(Functions::default);
        &NONE
    }

    /// A table with room for so many functions.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self(HashMap::with_capacity_and_hasher(
            count,
            BuildHasherDefault::default(),
        ))
    }

    /// Adds a function that only looks at its arguments. One of the same name is replaced.
    pub fn add<Signature, F: Callable<Signature>>(&mut self, name: &'static str, function: F) {
        let body = move |_: &Call<'_>, arguments: Arguments| function.call_with(arguments);
        self.insert(name, F::PARAMETERS, F::IS_VARIADIC, Box::new(body));
    }

    /// Adds a function that also looks at its [`Call`]. One of the same name is replaced.
    pub fn add_with_call<Signature, F: CallableWithCall<Signature>>(
        &mut self,
        name: &'static str,
        function: F,
    ) {
        let body = move |call: &Call<'_>, arguments: Arguments| function.call_with(call, arguments);
        self.insert(name, F::PARAMETERS, F::IS_VARIADIC, Box::new(body));
    }

    /// Adds a method without parameters whose results no template can use; every call fails with `problem`.
    pub(crate) fn add_unfit(&mut self, name: &'static str, problem: String) {
        self.add(name, |_: Value| Value::Nil);
        if let Some(function) = self.0.get_mut(name) {
            function.problem = Some(problem);
        }
    }

    fn insert(
        &mut self,
        name: &'static str,
        parameters: &'static [Type],
        is_variadic: bool,
        body: Box<Body>,
    ) {
        let function = Function {
            name,
            parameters,
            is_variadic,
            body,
            problem: None,
        };
        self.0.insert(name, function);
    }

    /// Takes a function out.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The function of a name.
    pub fn get(&self, name: &str) -> Option<&Function> {
        self.0.get(name)
    }

    /// The names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }
}

/// What a function may return: anything that is a value, or such a thing or an error.
pub trait Answer {
    /// As the executor takes it.
    ///
    /// # Errors
    /// The function's own.
    fn answer(self) -> Result<Value, Error>;
}

impl<T: Into<Value>> Answer for T {
    fn answer(self) -> Result<Value, Error> {
        Ok(self.into())
    }
}

impl<T: Into<Value>> Answer for Result<T, Error> {
    fn answer(self) -> Result<Value, Error> {
        self.map(Into::into)
    }
}

/// A Rust function whose parameters are all [`Parameter`]s.
pub trait Callable<Signature>: Send + Sync + 'static {
    /// The types of the parameters.
    const PARAMETERS: &'static [Type];
    /// Whether the last one is variadic.
    const IS_VARIADIC: bool;

    /// Takes the arguments apart and calls.
    ///
    /// # Errors
    /// Whatever the function says.
    fn call_with(&self, arguments: Arguments) -> Result<Value, Error>;
}

/// The same with a [`Call`] before the parameters.
pub trait CallableWithCall<Signature>: Send + Sync + 'static {
    /// The types of the parameters.
    const PARAMETERS: &'static [Type];
    /// Whether the last one is variadic.
    const IS_VARIADIC: bool;

    /// Takes the arguments apart and calls.
    ///
    /// # Errors
    /// Whatever the function says.
    fn call_with(&self, call: &Call<'_>, arguments: Arguments) -> Result<Value, Error>;
}

macro_rules! callable {
    ($($parameter:ident),*) => {
        impl<F, R: Answer, $($parameter: Parameter),*> Callable<fn($($parameter),*) -> R> for F
        where
            F: Fn($($parameter),*) -> R + Send + Sync + 'static,
        {
            const PARAMETERS: &'static [Type] = &[$($parameter::TYPE),*];
            const IS_VARIADIC: bool = false $(|| $parameter::IS_VARIADIC)*;

            #[allow(unused_mut, unused_variables, reason = "a function without parameters takes nothing")]
            fn call_with(&self, mut arguments: Arguments) -> Result<Value, Error> {
                self($($parameter::take(&mut arguments)?),*).answer()
            }
        }

        impl<F, R: Answer, $($parameter: Parameter),*> CallableWithCall<fn($($parameter),*) -> R> for F
        where
            F: Fn(&Call<'_>, $($parameter),*) -> R + Send + Sync + 'static,
        {
            const PARAMETERS: &'static [Type] = &[$($parameter::TYPE),*];
            const IS_VARIADIC: bool = false $(|| $parameter::IS_VARIADIC)*;

            #[allow(unused_mut, unused_variables, reason = "a function without parameters takes nothing")]
            fn call_with(&self, call: &Call<'_>, mut arguments: Arguments) -> Result<Value, Error> {
                self(call, $($parameter::take(&mut arguments)?),*).answer()
            }
        }
    };
}

callable!();
callable!(A);
callable!(A, B);
callable!(A, B, C);
callable!(A, B, C, D);
callable!(A, B, C, D, E);
callable!(A, B, C, D, E, G);
