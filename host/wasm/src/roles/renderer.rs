use super::wire::{self, Converted};
use super::{Answer, Context, Finding, Inputs, Role};
use crate::bindings::exports::sluice::render::renderer as wit;
use crate::call::call;
use crate::plugin::{Exports, Plugin};
use crate::{Error, LoadError};
use serde_json::Value;
use sluice_object::Object;
use std::sync::Arc;

/// Turns a directory of an artifact into objects.
pub trait Renderer: Send + Sync {
    /// Renders one directory. Runs for as long as the guest does: call it where blocking is allowed.
    fn render(&self, request: &RenderRequest, inputs: Inputs) -> Result<Answer<Rendered>, Error>;
    /// The digest of the component: together with the request and the closure it names the answer.
    fn digest(&self) -> &str;
}

/// What to render.
#[derive(Clone, Debug)]
pub struct RenderRequest {
    /// The directory, a path of the artifact: `/apps/web`; `/` is its root.
    pub path: String,
    /// The plugin's configuration.
    pub config: Value,
    /// On whose behalf.
    pub context: Context,
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The objects, in the renderer's order.
    pub objects: Vec<Object>,
    /// Warnings and remarks.
    pub findings: Vec<Finding>,
}

impl Plugin {
    /// This plugin as a renderer; refused when it exports none.
    pub fn renderer(self: &Arc<Self>) -> Result<Arc<dyn Renderer>, LoadError> {
        match self.exports() {
            Exports {
                renderer: Some(indices),
                ..
            } => Ok(Arc::new(Guest {
                plugin: Arc::clone(self),
                indices: indices.clone(),
            })),
            _ => Err(self.other_role(Role::Renderer)),
        }
    }
}

struct Guest {
    plugin: Arc<Plugin>,
    indices: wit::GuestIndices,
}

impl Renderer for Guest {
    fn render(&self, request: &RenderRequest, inputs: Inputs) -> Result<Answer<Rendered>, Error> {
        let path = if request.path == "/" {
            "/source".to_owned()
        } else {
            format!("/source{}", request.path)
        };
        let request = wit::Request {
            path,
            config: wire::config(&request.config),
            context: wire::context(&request.context),
        };
        let answer = call(&self.plugin, inputs, |store, instance| {
            self.indices
                .load(&mut *store, instance)?
                .call_render(store, &request)
        })?;
        let convert = |rendered: wit::Rendered| -> Converted<Rendered> {
            Ok(Rendered {
                objects: wire::objects(rendered.objects)?,
                findings: wire::findings(rendered.findings),
            })
        };
        wire::answer(self.plugin.name(), answer, convert)
    }

    fn digest(&self) -> &str {
        self.plugin.digest()
    }
}
