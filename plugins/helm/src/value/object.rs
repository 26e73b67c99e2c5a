//! Values with fields and methods: what is a struct, or a pointer to one, in Go.

use std::{any::Any, fmt};

use serde_json::Value as Json;

use super::{Kind, Value};
use crate::{Error, functions::Functions};

/// A struct of Go's, or a pointer to one: `time.Time`, `*semver.Version`, `.Capabilities`.
///
/// Functions that want one of a certain type take an `Rc<T>` where `T: Object + `[`ObjectType`].
pub trait Object: Any + fmt::Debug {
    /// The type's name, as `%T` prints it: `*semver.Version`.
    fn type_name(&self) -> &'static str;

    /// [`Kind::Struct`] or [`Kind::Pointer`].
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// The value of a field; none where the type has no such field.
    fn field(&self, name: &str) -> Option<Value>;

    /// The names of the exported fields, in order: what `%v` prints where there is no [`Object::text`].
    fn fields(&self) -> &'static [&'static str] {
        &[]
    }

    /// The methods; their first parameter is the receiver. Called before fields are looked at.
    fn methods(&self) -> &'static Functions {
        Functions::none()
    }

    /// What its `String` or `Error` method says; none where it has neither.
    fn text(&self) -> Option<String> {
        None
    }

    /// The same where a template prints the value itself: there a `String` method of the pointer counts too.
    fn emitted_text(&self) -> Option<String> {
        self.text()
    }

    /// Whether it equals another of the same type, as `==` compares structs; pointers are equal where they are the same.
    fn equals(&self, _: &dyn Object) -> bool {
        false
    }

    /// As `encoding/json` writes it.
    fn to_json(&self) -> Result<Json, Error>;
}

/// The name of a type of objects, for parameters of that type.
pub trait ObjectType: Object {
    /// The type's name, as messages print it.
    const NAME: &'static str;
}
