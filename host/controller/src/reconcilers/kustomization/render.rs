//! The seam to rendering: files and a spec in, objects out.

use crate::artifacts::ArtifactFacts;
use crate::error_policy::Failure;
use futures::future::BoxFuture;
use sluice_api::Kustomization;
use sluice_artifact::Tree;
use sluice_object::Object;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a render gave.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The objects, in the renderer's order, as they were written down.
    pub objects: Arc<Vec<Object>>,
    /// `sha256:…` over them, for the history.
    pub digest: String,
}

/// Renders one Kustomization. Equal inputs give equal objects.
pub trait Render: Send + Sync {
    /// Renders `spec.path` of `tree`.
    fn render<'a>(
        &'a self,
        ks: &'a Kustomization,
        tree: Arc<dyn Tree>,
        artifact: &'a ArtifactFacts,
        variables: BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<Rendered, Failure>>;
}

/// The renderer of this process.
pub type Renderer = Arc<dyn Render>;
