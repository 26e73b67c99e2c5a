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

    /// The names of the fields, in order: what `%v` prints where there is no [`Object::text`].
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

    /// What its `GoString` method says, which `%#v` prints; none where it has none.
    fn go_text(&self) -> Option<String> {
        None
    }

    /// What it is once an `interface {}` holds it; none where that changes nothing. A struct that could be pointed at before is then
    /// a copy that cannot, and the methods of the pointer are gone.
    fn boxed(&self) -> Option<Value> {
        None
    }

    /// What `deepCopy` makes of it: the original copies exported fields alone. None where that is the same.
    fn deep_copied(&self) -> Option<Value> {
        None
    }

    /// The fields that encoders look at, which begin with a capital, in order.
    fn exported(&self) -> Vec<(&'static str, Value)> {
        let exported = self
            .fields()
            .iter()
            .filter(|name| name.starts_with(char::is_uppercase));
        exported
            .filter_map(|name| Some((*name, self.field(name)?)))
            .collect()
    }

    /// The fields as `encoding/json` names them, in order.
    fn json_fields(&self) -> Vec<(&'static str, Value)> {
        self.exported()
    }

    /// As `encoding/json` writes it.
    ///
    /// # Errors
    /// In Go's words, where JSON cannot hold it.
    fn to_json(&self) -> Result<Json, Error> {
        let fields = self.json_fields().into_iter();
        let fields = fields.map(|(name, value)| Ok((name.to_owned(), value.to_json()?)));
        fields.collect::<Result<_, _>>().map(Json::Object)
    }
}

/// The name of a type of objects, for parameters of that type.
pub trait ObjectType: Object {
    /// The type's name, as messages print it.
    const NAME: &'static str;
}
