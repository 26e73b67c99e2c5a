use super::wire::{self, Converted};
use super::{Answer, Context, Finding, Inputs, Role};
use crate::bindings::exports::sluice::transform::transformer as wit;
use crate::call::call;
use crate::plugin::{Exports, Plugin};
use crate::{Error, LoadError};
use serde_json::Value;
use sluice_object::Object;
use std::sync::Arc;

/// Changes objects between rendering and planning.
pub trait Transformer: Send + Sync {
    /// Transforms one batch. Runs for as long as the guest does: call it where blocking is allowed.
    fn transform(&self, request: &TransformRequest) -> Result<Answer<Transformed>, Error>;
    /// The digest of the component: together with the request it names the answer.
    fn digest(&self) -> &str;
}

/// What to change.
#[derive(Clone, Debug)]
pub struct TransformRequest {
    /// The objects, in the renderer's order.
    pub items: Vec<Object>,
    /// The plugin's configuration.
    pub config: Value,
    /// On whose behalf.
    pub context: Context,
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Transformed {
    /// All objects, changed or not; what is left out is gone.
    pub items: Vec<Object>,
    /// Warnings and remarks.
    pub findings: Vec<Finding>,
}

impl Plugin {
    /// This plugin as a transformer; refused when it exports none.
    pub fn transformer(self: &Arc<Self>) -> Result<Arc<dyn Transformer>, LoadError> {
        match self.exports() {
            Exports {
                transformer: Some(indices),
                ..
            } => Ok(Arc::new(Guest {
                plugin: Arc::clone(self),
                indices: indices.clone(),
            })),
            _ => Err(self.other_role(Role::Transformer)),
        }
    }
}

struct Guest {
    plugin: Arc<Plugin>,
    indices: wit::GuestIndices,
}

impl Transformer for Guest {
    fn transform(&self, request: &TransformRequest) -> Result<Answer<Transformed>, Error> {
        let request = wit::Request {
            items: request.items.iter().map(wire::object).collect(),
            config: wire::config(&request.config),
            context: wire::context(&request.context),
        };
        let answer = call(&self.plugin, Inputs::none(), |store, instance| {
            self.indices
                .load(&mut *store, instance)?
                .call_transform(store, &request)
        })?;
        let convert = |transformed: wit::Transformed| -> Converted<Transformed> {
            Ok(Transformed {
                items: wire::objects(transformed.items)?,
                findings: wire::findings(transformed.findings),
            })
        };
        wire::answer(self.plugin.name(), answer, convert)
    }

    fn digest(&self) -> &str {
        self.plugin.digest()
    }
}
