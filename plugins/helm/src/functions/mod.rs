//! What templates can call.
//!
//! A function is a Rust function with the signature of the Go function it stands for; [`Functions::add`] reads the parameter
//! types off it. The executor checks every argument against them before the call and makes Go's messages ("wrong type for value;
//! expected string; got float64", "wrong number of args for trunc: want 2 got 1"), so a body begins with arguments that fit.
//!
//! | Go | Rust parameter | Rust result |
//! |---|---|---|
//! | `interface {}` | [`Value`](crate::Value); nil is `Value::Nil` | `Value` |
//! | `string` | [`Str`](crate::Str) | `Str`, `String`, `&'static str` |
//! | `bool` | `bool` | `bool` |
//! | `int` | [`Int`] | [`Int`] |
//! | `int64` | `i64` | `i64` |
//! | `uint32` | [`Uint32`] | |
//! | `time.Duration` | [`Duration`] | [`Duration`] |
//! | `float64` | `f64` | `f64` |
//! | `[]interface {}` | [`List`](crate::List) | `List` |
//! | `[]string` | [`Strings`] | `List::of_strings` |
//! | `map[string]interface {}` | [`Map`](crate::Map) | `Map` |
//! | a struct or pointer | `Rc<T>` where `T: ObjectType` | `Value::object(…)` |
//! | `...T` | [`Rest<T>`], last | |
//! | `(T, error)`, or a panic | | `Result<T, Error>` |
//!
//! # How to add one
//!
//! In the module of its subject, a function, and a line in that module's `register`:
//!
//! ```
//! use sluice_plugin_helm::functions::{Functions, Rest};
//! use sluice_plugin_helm::{Error, Str, Value};
//!
//! /// `func repeat(count int, str string) string`
//! fn shout(text: Str) -> String {
//!     format!("{}!", text.to_str().to_uppercase())
//! }
//!
//! /// `func firstOf(values ...interface{}) (interface{}, error)`
//! fn first_of(values: Rest<Value>) -> Result<Value, Error> {
//!     values.0.into_iter().next().ok_or_else(|| Error::new("nothing given"))
//! }
//!
//! fn register(functions: &mut Functions) {
//!     functions.add("shout", shout);
//!     functions.add("firstOf", first_of);
//! }
//! # register(&mut Functions::default());
//! ```
//!
//! What needs the clock, randomness or the cluster takes a [`&Call`](Call) first and is added with [`Functions::add_with_call`];
//! nothing else may be looked at, so that a render stays a function of its inputs. Methods of objects are functions too: their
//! first parameter is the receiver, which the executor provides.

mod builtins;
mod call;
mod compare;
mod engine;
mod escape;
mod function;
mod parameter;

mod cast;
mod crypto;
mod dates;
mod defaults;
mod dicts;
mod durations;
mod encoding;
mod equality;
mod hashes;
mod json;
mod limits;
mod lists;
mod math;
mod merge;
mod paths;
pub(crate) mod random;
mod reflection;
mod regex;
mod semver;
mod strings;
mod toml;
mod urls;
mod yaml;

use std::sync::LazyLock;

pub(crate) use call::Templates;
pub use call::{Call, Environment, Lookup, Timestamp};
pub(crate) use dates::TimeObject;
pub(crate) use durations::int_methods;
pub(crate) use engine::{MESSAGE_END, MESSAGE_START};
pub use function::{Arguments, Function, Functions};
pub use parameter::{Duration, Int, Parameter, Rest, Strings, Type, Uint32};
pub(crate) use yaml::to_yaml;

use crate::{Error, Str};

/// Every function that a chart's templates can call.
pub fn all() -> &'static Functions {
    // each call of a guest makes it anew: it shall not be moved while it grows
    const ABOUT: usize = 300;
    static ALL: LazyLock<Functions> = LazyLock::new(|| {
        let mut functions = Functions::with_capacity(ABOUT);
        for register in REGISTERS {
            register(&mut functions);
        }
        functions
    });
    &ALL
}

/// What a template for a release's name can call: the functions of `text/template` and Sprig without those that Helm's engine
/// adds or changes. Sprig's `env` and `expandenv` are missing: a render sees no environment.
pub(crate) fn of_names() -> &'static Functions {
    static OF_NAMES: LazyLock<Functions> = LazyLock::new(|| {
        let mut functions = Functions::default();
        for register in REGISTERS {
            register(&mut functions);
        }
        for name in ENGINES_OWN {
            functions.remove(name);
        }
        functions.add("fail", |message: Str| {
            Err::<Str, _>(Error::new(message.to_str().into_owned()))
        });
        functions
    });
    &OF_NAMES
}

/// The functions that Helm's engine has beside those of Sprig.
const ENGINES_OWN: &[&str] = &[
    "durationDays",
    "durationHours",
    "durationMicroseconds",
    "durationMilliseconds",
    "durationMinutes",
    "durationNanoseconds",
    "durationRoundTo",
    "durationSeconds",
    "durationTruncateTo",
    "durationWeeks",
    "fromJsonArray",
    "fromToml",
    "fromYaml",
    "fromYamlArray",
    "include",
    "lookup",
    "mustToDuration",
    "mustToToml",
    "mustToYaml",
    "required",
    "toToml",
    "toYaml",
    "toYamlPretty",
    "tpl",
];

/// The functions of `text/template` alone, without those of Helm.
pub fn text_template() -> &'static Functions {
    static BUILTINS: LazyLock<Functions> = LazyLock::new(|| {
        let mut functions = Functions::default();
        for register in TEXT_TEMPLATE {
            register(&mut functions);
        }
        functions
    });
    &BUILTINS
}

const TEXT_TEMPLATE: &[fn(&mut Functions)] = &[builtins::register, compare::register, escape::register];

/// Each module's `register`; a later one replaces what an earlier one has under the same name.
const REGISTERS: &[fn(&mut Functions)] = &[
    builtins::register,
    compare::register,
    escape::register,
    engine::register,
    crypto::register,
    dates::register,
    defaults::register,
    dicts::register,
    durations::register,
    encoding::register,
    equality::register,
    hashes::register,
    json::register,
    lists::register,
    math::register,
    paths::register,
    random::register,
    reflection::register,
    regex::register,
    semver::register,
    strings::register,
    toml::register,
    urls::register,
    yaml::register,
];
