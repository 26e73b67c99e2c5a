//! What Flux's normalization makes of an object: decoded into the Go type of its kind and encoded again.
//!
//! Start at [`normalize`], or at [`normalize_for_apply`] for all that Flux does to an object before it applies it
//! (compat/kustomize.md 6.1 item 3). The Go types are a table (`table.txt`), made by `tests/cluster/cmd/normalize-table`
//! from client-go's scheme by reflection; its rules are those of apimachinery's unstructured converter:
//!
//! - unknown fields vanish; names are compared exactly;
//! - `null` is the zero value; a zero value vanishes where the field says `omitempty`, and appears otherwise;
//! - a struct never counts as empty: `strategy: {}` appears;
//! - quantities and times are written in their canonical form; a wrong type refuses the whole object.
//!
//! Table format. A struct: `- name?s other:*@3 …`, numbered from 0 in order; `:` always written, `?` omitempty, `!` omitzero;
//! then the shape: `s` string, `b` bool, `i` int32, `l` int64, `f` float, `y` bytes, `q` quantity, `t` time, `u` time with
//! microseconds, `x` int or string, `r` anything, `@N` struct, `*` pointer to, `[` list of, `{` map to. A kind: `N apiVersion Kind`.
//!
//! **Invariant:** a refused object is not changed: the caller applies it as it is, and the API server says what is wrong.

mod bundle;
mod flux;
mod number;
mod quantity;
mod round_trip;
mod table;
#[cfg(test)]
mod tests;
mod time;

pub use flux::normalize_for_apply;
pub use round_trip::Mismatch;

use serde_json::Value;
use sluice_object::GroupVersionKind;

/// The object as the Go type of its kind writes it. None for kinds that client-go does not know: they stay as they are.
///
/// # Errors
/// A field has a type that Go's decoder refuses.
pub fn normalize(gvk: &GroupVersionKind, object: &Value) -> Result<Option<Value>, Mismatch> {
    table::table()
        .kind(gvk)
        .map(|number| round_trip::structure(number, object))
        .transpose()
}
