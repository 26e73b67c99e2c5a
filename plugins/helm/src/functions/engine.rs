//! What Helm's engine adds: `include`, `tpl`, `required`, `fail`, `lookup`.

use super::{Call, Functions};
use crate::{Error, Map, Str, Value};

/// What Helm puts around the message of `fail` and `required`, so that it finds it again in the error.
pub(crate) const MESSAGE_START: &str = "HELM_ERR_START";
/// The other end of it.
pub(crate) const MESSAGE_END: &str = "HELM_ERR_END";

pub(super) fn register(functions: &mut Functions) {
    functions.add_with_call("include", |call: &Call<'_>, name: Str, data: Value| {
        call.templates()?.include(&name, &data)
    });
    functions.add_with_call("tpl", |call: &Call<'_>, source: Str, data: Value| {
        call.templates()?.tpl(&source, &data)
    });
    functions.add_with_call("required", required);
    functions.add_with_call("fail", fail);
    functions.add_with_call("lookup", lookup);
}

fn failure(message: &Str) -> Error {
    Error::new(format!("{MESSAGE_START}{message}{MESSAGE_END}"))
}

/// `func(warn string, val interface{}) (interface{}, error)`: nil and the empty string are missing.
fn required(call: &Call<'_>, message: Str, value: Value) -> Result<Value, Error> {
    let is_missing = value.is_nil() || value.as_text().is_some_and(Str::is_empty);
    match (is_missing, call.environment.is_lint) {
        (false, _) => Ok(value),
        (true, true) => Ok("".into()),
        (true, false) => Err(failure(&message)),
    }
}

/// `func(msg string) (string, error)`
fn fail(call: &Call<'_>, message: Str) -> Result<Str, Error> {
    if call.environment.is_lint {
        return Ok(Str::default());
    }
    Err(failure(&message))
}

/// `func(apiversion string, resource string, namespace string, name string) (map[string]interface{}, error)`
fn lookup(call: &Call<'_>, api_version: Str, kind: Str, namespace: Str, name: Str) -> Result<Value, Error> {
    match &call.environment.cluster {
        Some(cluster) if !call.environment.is_lint => cluster.lookup(
            &api_version.to_str(),
            &kind.to_str(),
            &namespace.to_str(),
            &name.to_str(),
        ),
        _ => Ok(Map::new().into()),
    }
}
