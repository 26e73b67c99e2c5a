//! What is built again and what is not. The plugins are fakes that count.

use serde_json::json;
use sluice_artifact::{MemoryTree, Question, Tree};
use sluice_object::{GroupVersionKind, Object, ObjectId};
use sluice_render::{Build, BuildSpec, Memo, PostBuild, Render};
use sluice_wasm::{
    Answer, Closure, Context, Error, Finding, Inputs, RenderRequest, Renderer, Trace, TransformRequest,
    Transformed, Transformer, Usage,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Reads `a.yaml` beside the kustomization and asks for the revision where the file says so.
#[derive(Default)]
struct Fake {
    renders: AtomicUsize,
}

impl Renderer for Fake {
    fn render_each(
        &self,
        request: &RenderRequest,
        inputs: Inputs,
        take: &mut dyn FnMut(Object),
    ) -> Result<Answer<Vec<Finding>>, Error> {
        self.renders.fetch_add(1, Ordering::SeqCst);
        let file = format!("{}/a.yaml", request.path);
        let kustomization = format!("{}/kustomization.yaml", request.path);
        let text = inputs
            .tree
            .read(&file)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default();
        let asked = [(Question::Read, file), (Question::Read, kustomization)];
        let digest = |(question, path): (Question, String)| {
            let digest = inputs.tree.answer_digest(question, &path);
            (question, path, digest)
        };
        let reads = asked.into_iter().map(digest).collect();
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"text": text}});
        take(Object::new(body).unwrap());
        Ok(Answer {
            value: Vec::new(),
            trace: trace(Some(Closure { reads }), text == "asks"),
        })
    }

    fn digest(&self) -> &str {
        "sha256:fake"
    }
}

impl Transformer for Fake {
    fn transform(&self, request: &TransformRequest) -> Result<Answer<Transformed>, Error> {
        let value = Transformed {
            items: request.items.clone(),
            findings: Vec::new(),
        };
        Ok(Answer {
            value,
            trace: trace(None, false),
        })
    }

    fn digest(&self) -> &str {
        "sha256:fake"
    }
}

fn trace(closure: Option<Closure>, revision_asked: bool) -> Trace {
    Trace {
        closure,
        revision_asked,
        lookups: Vec::new(),
        usage: Usage::default(),
        log: Vec::new(),
        log_dropped: 0,
    }
}

struct World {
    fake: Arc<Fake>,
    render: Render,
    context: Context,
}

fn world(memo: Memo) -> World {
    let fake = Arc::new(Fake::default());
    let subject = ObjectId {
        gvk: GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
        namespace: Some("flux-system".to_owned()),
        name: "apps".to_owned(),
    };
    let context = Context {
        subject,
        kube_version: "v1.34.1".to_owned(),
        api_versions: Vec::new(),
        labels: Vec::new(),
    };
    World {
        render: Render::new(Arc::clone(&fake) as _, Arc::clone(&fake) as _, memo),
        fake,
        context,
    }
}

impl World {
    /// Builds `apps` of a tree with these texts, and says how many renders that took.
    fn build(
        &self,
        a: &str,
        other: &str,
        revision: &str,
        spec: &BuildSpec,
        post_build: Option<&PostBuild>,
    ) -> usize {
        let mut tree = MemoryTree::new();
        for (path, text) in [
            ("/apps/kustomization.yaml", "resources: [a.yaml]\n"),
            ("/apps/a.yaml", a),
            ("/other/b.yaml", other),
        ] {
            tree.add_file(path, text.as_bytes().to_vec(), false).unwrap();
        }
        let tree: Arc<dyn Tree> = Arc::new(tree);
        let before = self.fake.renders.load(Ordering::SeqCst);
        let build = Build {
            spec,
            ignore: None,
            post_build,
            context: &self.context,
            tree,
            revision,
        };
        let remembered = self.render.recall(&build).is_some();
        let result = self.render.build(&build).unwrap();
        assert_eq!(result.manifests.objects.len(), 1);
        assert_eq!(result.manifests.objects[0].text(&["data", "text"]), Some(a));
        let renders = self.fake.renders.load(Ordering::SeqCst) - before;
        assert_eq!(renders == 0, remembered, "recall says what build does");
        renders
    }
}

fn apps() -> BuildSpec {
    // a spec that changes the file, so that one is laid over the tree
    BuildSpec {
        path: "apps".to_owned(),
        target_namespace: Some("web".to_owned()),
        ..BuildSpec::default()
    }
}

#[test]
fn only_what_was_read_makes_a_build_run_again() {
    let world = world(Memo::default());
    assert_eq!(world.build("one", "x", "r1", &apps(), None), 1);
    assert_eq!(
        world.build("one", "x", "r2", &apps(), None),
        0,
        "a new revision, the same files"
    );
    assert_eq!(
        world.build("one", "changed", "r3", &apps(), None),
        0,
        "a file that was not read"
    );
    assert_eq!(
        world.build("two", "changed", "r4", &apps(), None),
        1,
        "a file that was"
    );
    assert_eq!(world.build("one", "x", "r5", &apps(), None), 0, "a revert");
}

#[test]
fn spec_and_variables_are_part_of_the_name() {
    let world = world(Memo::default());
    let variables = PostBuild {
        vars: [("a".to_owned(), "1".to_owned())].into(),
        strict: true,
        always: false,
    };
    let other = BuildSpec {
        name_prefix: Some("x-".to_owned()),
        ..apps()
    };
    for (spec, post_build) in [(&apps(), None), (&apps(), Some(&variables)), (&other, None)] {
        assert_eq!(world.build("one", "x", "r1", spec, post_build), 1);
        assert_eq!(world.build("one", "x", "r2", spec, post_build), 0);
    }
}

#[test]
fn a_render_that_asked_for_the_revision_holds_for_that_one() {
    let world = world(Memo::default());
    assert_eq!(world.build("asks", "x", "r1", &apps(), None), 1);
    assert_eq!(world.build("asks", "x", "r1", &apps(), None), 0);
    assert_eq!(world.build("asks", "x", "r2", &apps(), None), 1);
}

#[test]
fn the_memo_is_bounded_and_forgets_the_oldest() {
    let world = world(Memo::new(3000));
    let spec = |prefix: usize| BuildSpec {
        name_prefix: Some(prefix.to_string()),
        ..apps()
    };
    for prefix in 0..50 {
        world.build("one", "x", "r1", &spec(prefix), None);
        assert!(world.render.memo().bytes() <= 3000);
    }
    assert_eq!(
        world.build("one", "x", "r1", &spec(49), None),
        0,
        "the newest is there"
    );
    assert_eq!(
        world.build("one", "x", "r1", &spec(0), None),
        1,
        "the oldest is not"
    );
}
