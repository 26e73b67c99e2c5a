use crate::error::Error;
use crate::generate::generate;
use crate::ignore::Ignore;
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
use std::sync::{Arc, OnceLock};

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
    /// What to look past; none in the controller.
    pub ignore: Option<&'a Ignore>,
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
    /// `sha256:…` of the objects as YAML, once somebody asked.
    pub(crate) yaml_digest: OnceLock<String>,
}

impl Rendered {
    /// Objects and remarks, with their digest.
    pub fn new(manifests: Manifests, findings: Vec<Finding>) -> Self {
        let (digest, bytes) = digest(&manifests.objects);
        Self {
            manifests,
            findings,
            digest,
            bytes,
            yaml_digest: OnceLock::new(),
        }
    }

    /// `sha256:…` over the objects as YAML, as Flux's history has it (`compat/kustomize.md` 3). Computed once.
    pub fn yaml_digest(&self) -> &str {
        self.yaml_digest.get_or_init(|| {
            let objects = self.manifests.objects.iter();
            let objects: Vec<Value> = objects
                .map(|object| Value::Object(object.body().clone()))
                .collect();
            sluice_object::digest(sluice_object::to_yaml(&objects))
        })
    }
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
        if let Some(rendered) = self.recall(build) {
            return Ok(rendered);
        }
        let key = self.key(build);
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

    /// Builds and remembers nothing: for trees with files that were decrypted.
    pub fn build_once(&self, build: &Build<'_>) -> Result<Rendered, Error> {
        self.run(build).map(|(rendered, ..)| rendered)
    }

    /// Substitutes in objects that were rendered before. Nothing is remembered.
    pub fn substitute(
        &self,
        manifests: Manifests,
        post_build: &PostBuild,
        context: &Context,
    ) -> Result<(Manifests, Vec<Finding>), Error> {
        let config =
            json!({"vars": post_build.vars, "strict": post_build.strict, "always": post_build.always});
        let request = TransformRequest {
            items: manifests.objects,
            config,
            context: context.clone(),
        };
        let answer = self.substitute.transform(&request).map_err(Error::Transform)?;
        let objects = answer.value.items;
        Ok((Manifests { objects }, answer.value.findings))
    }

    /// What an earlier build gave for the same input, if it is still remembered: a question of digests only.
    pub fn recall(&self, build: &Build<'_>) -> Option<Arc<Rendered>> {
        self.memo.find(&self.key(build), &*build.tree, build.revision)
    }

    fn run(&self, build: &Build<'_>) -> Result<(Rendered, Option<Closure>, bool), Error> {
        let generated = generate(&build.tree, build.spec, build.ignore)?;
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
            let (manifests, more) = self.substitute(Manifests { objects }, post_build, build.context)?;
            objects = manifests.objects;
            findings.extend(more);
        }
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
        let rendered = Rendered::new(Manifests { objects }, findings);
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
            build.ignore.map(Ignore::fingerprint),
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

/// Flux builds in the order found, with no load restriction inside of the artifact (`compat/kustomize.md` 5.5), and has read
/// the built-in schema before each build.
fn renderer_config() -> Value {
    json!({"loadRestrictor": "none", "reorder": "none", "schemaFile": "add"})
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
