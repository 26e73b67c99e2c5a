use crate::error::Error;
use crate::generate::generate;
use crate::memo::{Key, Memo};
use crate::recording::digests;
use crate::spec::{BuildSpec, PostBuild};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sluice_artifact::{Question, Tree};
use sluice_object::Manifests;
use sluice_wasm::{
    Answer, Closure, Context, Finding, Inputs, RenderRequest, Renderer, TransformRequest, Transformer,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The plugins of a Kustomization, and what they gave before.
pub struct Render {
    renderer: Arc<dyn Renderer>,
    substitute: Arc<dyn Transformer>,
    memo: Memo,
}

/// One build.
#[derive(Clone)]
pub struct Build<'a> {
    /// What to build.
    pub spec: &'a BuildSpec,
    /// What to substitute; none leaves expressions as they are.
    pub post_build: Option<&'a PostBuild>,
    /// On whose behalf.
    pub context: &'a Context,
    /// The artifact.
    pub tree: Arc<dyn Tree>,
    /// Its revision.
    pub revision: &'a str,
}

/// What a build gives.
#[derive(Debug, PartialEq)]
pub struct Rendered {
    /// The objects, in the renderer's order.
    pub manifests: Manifests,
    /// Warnings and remarks.
    pub findings: Vec<Finding>,
    /// sha256 of the objects in order: equal digests, nothing to apply.
    pub digest: [u8; 32],
    /// Size of the objects as JSON, in bytes.
    pub bytes: u64,
}

impl Render {
    /// With these plugins.
    pub fn new(renderer: Arc<dyn Renderer>, substitute: Arc<dyn Transformer>, memo: Memo) -> Self {
        Self {
            renderer,
            substitute,
            memo,
        }
    }

    /// What is remembered.
    pub fn memo(&self) -> &Memo {
        &self.memo
    }

    /// Builds, or finds what an earlier build gave for the same input. Runs plugins: call it where blocking is allowed.
    pub fn build(&self, build: &Build<'_>) -> Result<Arc<Rendered>, Error> {
        let key = self.key(build);
        if let Some(rendered) = self.memo.find(&key, &*build.tree, build.revision) {
            return Ok(rendered);
        }
        let (rendered, closure, revision_asked) = self.run(build)?;
        let rendered = Arc::new(rendered);
        if let Some(closure) = closure {
            let revision = revision_asked.then(|| build.revision.to_owned());
            let bytes = rendered.bytes;
            self.memo
                .keep(key, closure, revision, Arc::clone(&rendered), bytes);
        }
        Ok(rendered)
    }

    /// Whether [`Render::build`] would answer from memory: a question of digests only.
    pub fn is_remembered(&self, build: &Build<'_>) -> bool {
        self.memo
            .find(&self.key(build), &*build.tree, build.revision)
            .is_some()
    }

    fn run(&self, build: &Build<'_>) -> Result<(Rendered, Option<Closure>, bool), Error> {
        let generated = generate(&build.tree, build.spec)?;
        let request = RenderRequest {
            path: generated.path.clone(),
            config: renderer_config(),
            context: build.context.clone(),
        };
        let inputs = Inputs {
            tree: Arc::clone(&generated.tree),
            revision: build.revision.to_owned(),
            cluster: None,
        };
        let Answer { value, trace } = self.renderer.render(&request, inputs).map_err(Error::Build)?;
        let mut findings = generated.findings;
        findings.extend(value.findings);
        let mut objects = value.objects;
        if let Some(post_build) = build.post_build {
            let config =
                json!({"vars": post_build.vars, "strict": post_build.strict, "always": post_build.always});
            let request = TransformRequest {
                items: objects,
                config,
                context: build.context.clone(),
            };
            let answer = self.substitute.transform(&request).map_err(Error::Transform)?;
            objects = answer.value.items;
            findings.extend(answer.value.findings);
        }
        let (digest, bytes) = digest(&objects);
        let closure = trace.closure.map(|closure| {
            let mut asked: BTreeSet<(Question, String)> = generated.asked;
            // what was laid over the tree follows from what generating read
            let guest = closure
                .reads
                .into_iter()
                .map(|(question, path, _)| (question, path));
            asked.extend(guest.filter(|(question, path)| {
                *question != Question::Read || generated.overlaid.as_ref() != Some(path)
            }));
            Closure {
                reads: digests(&*build.tree, asked),
            }
        });
        let rendered = Rendered {
            manifests: Manifests { objects },
            findings,
            digest,
            bytes,
        };
        Ok((rendered, closure, trace.revision_asked))
    }

    fn key(&self, build: &Build<'_>) -> Key {
        let context = build.context;
        let subject = &context.subject;
        let key = json!([
            self.renderer.digest(),
            self.substitute.digest(),
            build.spec,
            build.post_build,
            [
                subject.gvk.api_version(),
                subject.gvk.kind.clone(),
                subject.namespace.clone().unwrap_or_default(),
                subject.name.clone()
            ],
            context.kube_version,
            context.api_versions,
            context.labels,
        ]);
        Sha256::digest(key.to_string()).into()
    }
}

/// Flux builds in the order found, with no load restriction inside of the artifact (`compat/kustomize.md` 5.5).
fn renderer_config() -> Value {
    json!({"loadRestrictor": "none", "reorder": "none"})
}

fn digest(objects: &[sluice_object::Object]) -> ([u8; 32], u64) {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    for object in objects {
        let json =
            serde_json::to_vec(object.body()).expect("invariant: a JSON map with string keys can be written");
        bytes += json.len() as u64;
        hash.update((json.len() as u64).to_le_bytes());
        hash.update(json);
    }
    (hash.finalize().into(), bytes)
}
