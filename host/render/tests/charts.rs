//! What is rendered again and what is not. The plugin is a fake that counts; the cluster is one that changes.

use serde_json::{Value, json};
use sluice_artifact::{MemoryTree, Question, Tree};
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_render::{ChartRender, ChartSource, release_manifest};
use sluice_wasm::{
    Answer, Chart, ChartRelease, ChartRenderer, ChartRequest, Closure, Cluster, Context, CrdFile, Detail,
    Error, Inputs, Manifest, Trace, Usage, ValuesSource, lookup_digest,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Reads `Chart.yaml` and looks up one Secret.
#[derive(Default)]
struct Fake {
    renders: AtomicUsize,
}

fn secret() -> ObjectId {
    ObjectId {
        gvk: GroupVersionKind::new("v1", "Secret"),
        namespace: Some("apps".to_owned()),
        name: "password".to_owned(),
    }
}

impl ChartRenderer for Fake {
    fn render(&self, request: &ChartRequest, inputs: Inputs) -> Result<Answer<Chart>, Error> {
        self.renders.fetch_add(1, Ordering::SeqCst);
        let file = format!("{}/Chart.yaml", request.chart);
        let digest = inputs.tree.answer_digest(Question::Read, &file);
        let reads = [(Question::Read, file, digest)].into_iter().collect();
        let found = inputs
            .cluster
            .map_or(Ok(None), |cluster| cluster.lookup(&secret()));
        let lookups = vec![(secret(), lookup_digest(&found))];
        let text = format!("kind: Secret\nfound: {found:?}\n");
        let manifest = Manifest {
            template: "web/templates/a.yaml".to_owned(),
            text,
            object: None,
        };
        let value = Chart {
            release_name: request.release.name.clone(),
            manifests: vec![manifest],
            hooks: Vec::new(),
            crds: vec![CrdFile {
                path: "web/crds/a.yaml".to_owned(),
                text: "kind: CRD\n".to_owned(),
            }],
            notes: None,
            values: Value::Null,
            metadata: Value::Null,
            findings: Vec::new(),
        };
        let trace = Trace {
            closure: Some(Closure { reads }),
            revision_asked: false,
            lookups,
            usage: Usage::default(),
            log: Vec::new(),
            log_dropped: 0,
        };
        Ok(Answer { value, trace })
    }

    fn digest(&self) -> &str {
        "sha256:fake"
    }
}

/// A cluster with one Secret or none.
#[derive(Default)]
struct OneSecret(Mutex<Option<Vec<u8>>>);

impl Cluster for OneSecret {
    fn lookup(&self, id: &ObjectId) -> Result<Option<Vec<u8>>, String> {
        assert_eq!(id, &secret());
        Ok(self.0.lock().unwrap().clone())
    }
}

fn request() -> ChartRequest {
    ChartRequest {
        chart: "/web".to_owned(),
        values: vec![ValuesSource::Set("a=1".to_owned())],
        release: ChartRelease {
            name: "rel".to_owned(),
            name_template: None,
            namespace: "apps".to_owned(),
            revision: 1,
            is_upgrade: false,
        },
        is_offline: false,
        skip_schema_validation: false,
        include_subchart_notes: false,
        include_crds: true,
        detail: Detail::Texts,
        now: 1_700_000_000,
        seed: vec![7; 32],
        config: json!({}),
        context: Context {
            subject: ObjectId {
                gvk: GroupVersionKind::new("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
                namespace: Some("apps".to_owned()),
                name: "web".to_owned(),
            },
            kube_version: "v1.34.1".to_owned(),
            api_versions: vec!["v1".to_owned()],
            labels: Vec::new(),
        },
    }
}

fn tree(files: &[(&str, &str)]) -> Arc<dyn Tree> {
    let mut tree = MemoryTree::new();
    for (path, text) in files {
        tree.add_file(path, text.as_bytes().to_vec(), false).unwrap();
    }
    Arc::new(tree)
}

#[test]
fn a_chart_is_rendered_again_when_something_it_depends_on_changed() {
    let fake = Arc::new(Fake::default());
    let render = ChartRender::new(Arc::clone(&fake) as _, 1 << 20);
    let cluster = Arc::new(OneSecret::default());
    let renders = |request: &ChartRequest, files: &[(&str, &str)]| {
        let before = fake.renders.load(Ordering::SeqCst);
        let source = ChartSource {
            tree: tree(files),
            revision: "main@sha1:1",
            cluster: Some(Arc::clone(&cluster) as _),
        };
        render.render(request, &source).unwrap();
        fake.renders.load(Ordering::SeqCst) - before
    };
    let files = [("/web/Chart.yaml", "name: web\n"), ("/other", "1")];
    assert_eq!(renders(&request(), &files), 1, "the first time");
    assert_eq!(renders(&request(), &files), 0, "nothing changed");
    let other = [("/web/Chart.yaml", "name: web\n"), ("/other", "2")];
    assert_eq!(renders(&request(), &other), 0, "what was not read changed");
    let changed = [("/web/Chart.yaml", "name: web2\n")];
    assert_eq!(renders(&request(), &changed), 1, "what was read changed");
    *cluster.0.lock().unwrap() = Some(b"{}".to_vec());
    assert_eq!(renders(&request(), &files), 1, "what was looked up changed");
    assert_eq!(renders(&request(), &files), 0, "and stays so");
    let more = ChartRequest {
        values: vec![ValuesSource::SetString("a=1".to_owned())],
        ..request()
    };
    assert_eq!(renders(&more, &files), 1, "the values are others");
    let upgrade = ChartRequest {
        release: ChartRelease {
            is_upgrade: true,
            ..request().release
        },
        ..request()
    };
    assert_eq!(renders(&upgrade, &files), 1, "the release is another");
}

#[test]
fn a_manifest_names_the_templates_it_comes_from() {
    let render = ChartRender::new(Arc::new(Fake::default()) as _, 0);
    let source = ChartSource {
        tree: tree(&[("/web/Chart.yaml", "name: web\n")]),
        revision: "",
        cluster: None,
    };
    let chart = render.render(&request(), &source).unwrap();
    let without = "---\n# Source: web/templates/a.yaml\nkind: Secret\nfound: Ok(None)\n\n";
    assert_eq!(release_manifest(&chart, false), without);
    let crd = "---\n# Source: web/crds/a.yaml\nkind: CRD\n\n";
    assert_eq!(release_manifest(&chart, true), format!("{crd}{without}"));
}
