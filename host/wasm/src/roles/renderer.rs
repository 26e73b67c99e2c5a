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
    /// Renders one directory and hands over one object after another, in the renderer's order: who passes them on never holds
    /// them all. What was handed over before an error counts for nothing. Runs for as long as the guest does: call it where
    /// blocking is allowed.
    fn render_each(
        &self,
        request: &RenderRequest,
        inputs: Inputs,
        take: &mut dyn FnMut(Object),
    ) -> Result<Answer<Vec<Finding>>, Error>;

    /// [`Self::render_each`], all at once.
    fn render(&self, request: &RenderRequest, inputs: Inputs) -> Result<Answer<Rendered>, Error> {
        let mut objects = Vec::new();
        let answer = self.render_each(request, inputs, &mut |object| objects.push(object))?;
        Ok(Answer {
            value: Rendered {
                objects,
                findings: answer.value,
            },
            trace: answer.trace,
        })
    }

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
    fn render_each(
        &self,
        request: &RenderRequest,
        inputs: Inputs,
        take: &mut dyn FnMut(Object),
    ) -> Result<Answer<Vec<Finding>>, Error> {
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
        let convert = |rendered: wit::Rendered| -> Converted<Vec<Finding>> {
            wire::each_object(rendered.objects, take)?;
            Ok(wire::findings(rendered.findings))
        };
        wire::answer(self.plugin.name(), answer, convert)
    }

    fn digest(&self) -> &str {
        self.plugin.digest()
    }
}
