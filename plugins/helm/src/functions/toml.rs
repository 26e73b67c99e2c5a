//! TOML: Helm's functions, as BurntSushi's library reads and writes.

use super::{Functions, json::failed};
use crate::{
    Error, Map, Str, Value,
    go::toml::{decode, encode},
};

pub(super) fn register(functions: &mut Functions) {
    functions.add("toToml", |value: Value| {
        not_nil(&value)?;
        Ok::<_, Error>(encode(&value).unwrap_or_else(Str::from))
    });
    functions.add("mustToToml", |value: Value| {
        not_nil(&value)?;
        encode(&value).map_err(Error::new)
    });
    functions.add("fromToml", |text: Str| -> Map {
        decode(text.as_bytes()).unwrap_or_else(failed)
    });
}

fn not_nil(value: &Value) -> Result<(), Error> {
    if value.is_nil() {
        return Err(Error::new("reflect: call of reflect.Value.Type on zero Value"));
    }
    Ok(())
}
