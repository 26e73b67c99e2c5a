//! The role that changes objects between rendering and planning. This module is its prelude.

pub use crate::failure::OrFail;
pub use crate::{
    Context, Failure, Finding, Object, ObjectId, Objects, Origin, Report, Result, Severity, testing,
};
pub use schemars::JsonSchema;
pub use serde::Deserialize;

/// Changes objects between rendering and planning: adds labels, replaces variables, drops what must not be applied.
///
/// The implementing type is the configuration: it is deserialized from the binding's `config`, and its JSON Schema is
/// what the binding is checked against. Equal configurations, objects and contexts must give equal answers.
///
/// The objects come in the renderer's order, all at once. Whatever is left in `objects` is the answer: what is removed
/// is not applied (and pruned, where it was). Findings go to [`Context::report`]; an error fails the whole batch.
pub trait Transformer: serde::de::DeserializeOwned + schemars::JsonSchema {
    /// Changes the objects in place.
    fn transform(&self, objects: &mut Objects, context: &Context) -> Result<()>;
}
