//! The seam to rendering: files and a spec in, objects out. [`Plugins`] is the real one.

use super::confidential;
use super::decrypt::Decryption;
use crate::artifacts::ArtifactFacts;
use crate::error_policy::Failure;
use crate::runtime::{KUSTOMIZATION, Key, object_id};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use sluice_api::kustomize::{Fields, KustomizationSpec, Selector, SubstituteStrategy};
use sluice_api::{Kustomization, reason};
use sluice_artifact::Tree;
use sluice_event::events::{RenderFailed, RenderRemembered, RenderSucceeded};
use sluice_render::{Build, BuildSpec, PostBuild};
use sluice_wasm::{Context, Pool};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// What a render gave.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The objects as they were written down, and remarks on them.
    pub build: Arc<sluice_render::Rendered>,
    /// `sha256:…` over the objects as YAML, for the history.
    pub digest: String,
}

impl Rendered {
    /// With the digest that Flux's history has.
    pub fn new(build: Arc<sluice_render::Rendered>) -> Self {
        let digest = build.yaml_digest().to_owned();
        Self { build, digest }
    }
}

/// What is rendered.
pub struct RenderRequest<'a> {
    /// Whose `spec` says how.
    pub ks: &'a Kustomization,
    /// The files of the artifact.
    pub tree: Arc<dyn Tree>,
    /// Where they come from.
    pub artifact: &'a ArtifactFacts,
    /// What `postBuild` puts in.
    pub variables: BTreeMap<String, String>,
    /// Whether a variable without a value is an error.
    pub is_strict: bool,
    /// The keys, where files are encrypted.
    pub decryption: Option<&'a Decryption>,
}

/// The same as its threads need it: nothing of it is borrowed.
pub(super) struct Wanted {
    pub(super) spec: BuildSpec,
    pub(super) post_build: Option<PostBuild>,
    pub(super) context: Context,
    pub(super) tree: Arc<dyn Tree>,
    pub(super) revision: String,
}

impl Wanted {
    pub(super) fn build(&self) -> Build<'_> {
        Build {
            spec: &self.spec,
            ignore: None,
            post_build: self.post_build.as_ref(),
            context: &self.context,
            tree: self.tree.clone(),
            revision: &self.revision,
        }
    }
}

/// Renders one Kustomization. Equal inputs give equal objects.
pub trait Render: Send + Sync {
    /// Renders `spec.path` of the tree.
    fn render<'a>(&'a self, wanted: RenderRequest<'a>) -> BoxFuture<'a, Result<Rendered, Failure>>;
}

/// The renderer of this process.
pub type Renderer = Arc<dyn Render>;

/// Renders with plugins, on threads that may block.
pub struct Plugins {
    render: Arc<sluice_render::Render>,
    pool: Pool,
    kube_version: String,
}

impl Plugins {
    /// With these plugins and what they gave before. `kube_version`: the API server's, `v1.36.3`.
    pub fn new(render: Arc<sluice_render::Render>, pool: Pool, kube_version: String) -> Self {
        Self {
            render,
            pool,
            kube_version,
        }
    }

    /// Runs something on a thread that may block. A failure is told, in the words of the room that rendered, as far as
    /// `show` lets them through, which may take its time too.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&sluice_render::Render) -> Result<T, sluice_render::Error> + Send + 'static,
        show: impl FnOnce(&str) -> String + Send + 'static,
    ) -> Result<T, Failure> {
        let render = self.render.clone();
        let call = move || {
            Ok(call(&render).map_err(|error| {
                let text = show(&error.to_string());
                (error, text)
            }))
        };
        match self.pool.run(call).await {
            Ok(Ok(rendered)) => Ok(rendered),
            Ok(Err((error, text))) => {
                RenderFailed {
                    plugin: PLUGIN,
                    blame: blame(&error),
                    error: &text,
                }
                .emit();
                Err(Failure {
                    message: text,
                    ..Failure::of(&error)
                })
            }
            Err(error) => Err(Failure::back_off(reason::BUILD_FAILED, error.to_string())),
        }
    }
}

impl Render for Plugins {
    fn render<'a>(&'a self, wanted: RenderRequest<'a>) -> BoxFuture<'a, Result<Rendered, Failure>> {
        let RenderRequest {
            ks,
            tree,
            artifact,
            variables,
            is_strict,
            decryption,
        } = wanted;
        let namespace = ks.metadata.namespace.as_deref().unwrap_or_default();
        let key = Key::new(
            KUSTOMIZATION.kind,
            namespace,
            ks.metadata.name.as_deref().unwrap_or_default(),
        );
        let context = Context {
            subject: object_id(&KUSTOMIZATION, &key),
            kube_version: self.kube_version.clone(),
            api_versions: Vec::new(),
            labels: Vec::new(),
        };
        let post_build = ks.spec.post_build.as_ref().map(|post_build| PostBuild {
            vars: variables,
            strict: is_strict,
            always: post_build.substitute_strategy == Some(SubstituteStrategy::Always),
        });
        let wanted = Wanted {
            spec: build_spec(&ks.spec),
            post_build,
            context,
            tree,
            revision: artifact.revision.clone(),
        };
        if let Some(decryption) = decryption {
            return confidential::render(self, wanted, decryption).boxed();
        }
        let call = move |render: &sluice_render::Render| built(render, &wanted.build()).map(Rendered::new);
        self.run(call, str::to_owned).boxed()
    }
}

/// Builds, or finds what was built before, and tells which.
pub(super) fn built(
    render: &sluice_render::Render,
    build: &Build<'_>,
) -> Result<Arc<sluice_render::Rendered>, sluice_render::Error> {
    if let Some(remembered) = render.recall(build) {
        RenderRemembered { plugin: PLUGIN }.emit();
        return Ok(remembered);
    }
    let started = Instant::now();
    let built = render.build(build)?;
    succeeded(&built, started);
    Ok(built)
}

/// The same where nothing may be remembered.
pub(super) fn built_once(
    render: &sluice_render::Render,
    build: &Build<'_>,
) -> Result<Arc<sluice_render::Rendered>, sluice_render::Error> {
    let started = Instant::now();
    let built = render.build_once(build)?;
    succeeded(&built, started);
    Ok(Arc::new(built))
}

fn succeeded(built: &sluice_render::Rendered, started: Instant) {
    RenderSucceeded {
        plugin: PLUGIN,
        objects: built.manifests.objects.len(),
        duration: started.elapsed(),
    }
    .emit();
}

/// How the renderer is called in logs and metrics.
const PLUGIN: &str = "kustomize";

fn blame(error: &sluice_render::Error) -> &'static str {
    use sluice_api::{Blame, Disposition as _};
    match error.blame() {
        Blame::Host => "host",
        Blame::Guest => "guest",
        Blame::User => "user",
        Blame::Upstream => "upstream",
    }
}

/// What a spec says about building.
pub fn build_spec(spec: &KustomizationSpec) -> BuildSpec {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    BuildSpec {
        path: text(&spec.path),
        target_namespace: spec.target_namespace.clone(),
        name_prefix: spec.name_prefix.clone(),
        name_suffix: spec.name_suffix.clone(),
        patches: spec
            .patches
            .iter()
            .map(|patch| sluice_render::Patch {
                patch: patch.patch.clone(),
                target: patch.target.as_ref().map(selector),
            })
            .collect(),
        patches_strategic_merge: spec
            .patches_strategic_merge
            .iter()
            .map(|Fields(patch)| patch.clone().into())
            .collect(),
        patches_json6902: spec
            .patches_json6902
            .iter()
            .map(|patch| sluice_render::Json6902Patch {
                patch: patch
                    .patch
                    .iter()
                    .map(|Fields(operation)| Value::from(operation.clone()))
                    .collect(),
                target: selector(&patch.target),
            })
            .collect(),
        images: spec
            .images
            .iter()
            .map(|image| sluice_render::Image {
                name: image.name.clone(),
                new_name: text(&image.new_name),
                new_tag: text(&image.new_tag),
                digest: text(&image.digest),
            })
            .collect(),
        components: spec.components.clone(),
        ignore_missing_components: spec.ignore_missing_components,
        build_metadata: (!spec.build_metadata.is_empty()).then(|| {
            spec.build_metadata
                .iter()
                .map(|option| option.as_str().to_owned())
                .collect()
        }),
    }
}

/// Which objects a patch is for. One that got lost would make it one for others.
fn selector(target: &Selector) -> Value {
    serde_json::to_value(target).expect("invariant: a selector is JSON")
}
