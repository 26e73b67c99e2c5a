//! A renderer whose plugin fails now and then, and that decrypts with the keys it is given.

use crate::wire::Network;
use futures::future::BoxFuture;
use serde_json::Value;
use sluice_api::reason;
use sluice_controller::error_policy::Failure;
use sluice_controller::reconcilers::kustomization::{Decryption, Render, RenderRequest, Rendered};
use sluice_decrypt::{Mac, Vouched};
use sluice_object::{Manifests, Object};
use sluice_testkit::world::Files;
use std::sync::Arc;

/// [`Files`], in the weather of the network (R21, R36).
pub(crate) struct Frail {
    files: Files,
    network: Arc<Network>,
}

impl Frail {
    pub(crate) fn new(network: Arc<Network>) -> Self {
        Self {
            files: Files::default(),
            network,
        }
    }
}

impl Render for Frail {
    fn render<'a>(&'a self, wanted: RenderRequest<'a>) -> BoxFuture<'a, Result<Rendered, Failure>> {
        Box::pin(async move {
            if let Some((misdeed, late)) = self.network.misdeed() {
                tokio::time::sleep(late).await;
                self.network.note(|| misdeed.to_owned());
                return Err(Failure::retry(reason::BUILD_FAILED, misdeed));
            }
            let decryption = wanted.decryption;
            let rendered = self.files.render(wanted).await?;
            match decryption {
                Some(decryption) => decrypted(&rendered, decryption).await,
                None => Ok(rendered),
            }
        })
    }
}

async fn decrypted(rendered: &Rendered, decryption: &Decryption) -> Result<Rendered, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::retry(reason::BUILD_FAILED, error.to_string());
    let mut objects = Vec::new();
    for object in &rendered.build.manifests.objects {
        let mut body = Value::Object(object.body().clone());
        sluice_decrypt::object(&decryption.keyring, &mut body, &Vouched::default(), Mac::Ignored)
            .await
            .map_err(|error| failed(&error))?;
        objects.push(Object::new(body).map_err(|error| failed(&error))?);
    }
    let build = sluice_render::Rendered::new(Manifests { objects }, Vec::new());
    Ok(Rendered::new(Arc::new(build)))
}
