//! What Go's libraries do, as plain functions without templates or values.
//!
//! One file stands for one package of Go's or of Helm's dependencies. **Invariant:** answers and error texts are theirs.

pub(crate) mod base;
pub(crate) mod decimal;
pub(crate) mod duration;
pub(crate) mod glob;
pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod path;
pub(crate) mod quote;
pub(crate) mod regexp;
pub(crate) mod time;
pub(crate) mod toml;
pub(crate) mod unicode;
pub(crate) mod url;
pub(crate) mod words;
pub(crate) mod x509;
