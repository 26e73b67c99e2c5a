//! Complex numbers: literals like `1i` can be printed and compared, and nothing else takes them.

use serde_json::Value as Json;

use super::{Kind, Object, Value};
use crate::Error;

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

    fn equals(&self, other: &dyn Object) -> bool {
        (other as &dyn std::any::Any).downcast_ref::<Self>() == Some(self)
    }

    fn to_json(&self) -> Result<Json, Error> {
        Err(Error::new("json: unsupported type: complex128"))
    }
}
