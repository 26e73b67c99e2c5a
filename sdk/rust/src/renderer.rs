//! The role that turns files into objects. This module is its prelude.

pub use crate::failure::OrFail;
pub use crate::{
    Context, Entry, EntryType, Failure, Finding, Object, ObjectId, Objects, Origin, Report, Result, Severity,
    Tree, TreeError, testing,
};
pub use schemars::JsonSchema;
pub use serde::Deserialize;

/// Turns a directory of an artifact into objects, as Kustomize does.
///
/// The implementing type is the configuration: it is deserialized from the binding's `config`, and its JSON Schema is
/// what the binding is checked against. Equal trees, configurations and contexts must give equal answers.
///
/// Read only what is needed: the host remembers every path that was asked for, and renders again when one of them
/// changes. Give each object its [`Origin`], so that later errors can name a file and a line. Findings go to
/// [`Context::report`]; an error fails the render.
pub trait Renderer: serde::de::DeserializeOwned + schemars::JsonSchema {
    /// Renders the directory at `path`, an absolute path of `tree`: `/source/apps/web`.
    fn render(&self, tree: &Tree, path: &str, context: &Context) -> Result<Objects>;
}
