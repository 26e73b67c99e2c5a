//! Complex numbers: literals like `1i` can be printed, and nothing else takes them.

use serde_json::Value as Json;

use super::{Kind, Object, Value};
use crate::{Error, format};

/// `complex128`
#[derive(Debug, PartialEq)]
pub(crate) struct Complex {
    pub real: f64,
    pub imaginary: f64,
}

impl Object for Complex {
    fn type_name(&self) -> &'static str {
        "complex128"
    }

    fn kind(&self) -> Kind {
        Kind::Complex
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn text(&self) -> Option<String> {
        let sign = if self.imaginary.is_sign_negative() || self.imaginary.is_infinite() {
            ""
        } else {
            "+"
        };
        Some(format!(
            "({}{sign}{}i)",
            format::float(self.real),
            format::float(self.imaginary)
        ))
    }

    fn equals(&self, other: &dyn Object) -> bool {
        (other as &dyn std::any::Any).downcast_ref::<Self>() == Some(self)
    }

    fn to_json(&self) -> Result<Json, Error> {
        Err(Error::new("json: unsupported type: complex128"))
    }
}
