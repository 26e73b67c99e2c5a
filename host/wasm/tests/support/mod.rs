//! What the tests of the sandbox share: guests built on demand, a small tree, and one line for what came of a call.

use serde_json::json;
use sluice_artifact::{MemoryTree, Tree};
use sluice_object::{GroupVersionKind, ObjectId};
use sluice_wasm::{Answer, Blame, Context, Engine, Error, Inputs, Limits, Plugin, RenderRequest, Rendered};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};

/// A guest of `tests/guests`, built where that is needed.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let output = Command::new(cargo)
            .current_dir(root)
            .args(["run", "--quiet", "--package", "xtask", "--", "guests"])
            .output()
            .expect("cargo starts");
        assert!(
            output.status.success(),
            "cargo xtask guests: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).expect("a path is UTF-8");
        PathBuf::from(text.lines().last().expect("it prints where the guests are"))
    });
    std::fs::read(folder.join(format!("{name}.wasm"))).expect("the guest was built")
}

pub(crate) fn load(name: &str, limits: Limits) -> Arc<Plugin> {
    let engine = Engine::get().expect("this machine runs WebAssembly");
    Plugin::compile(engine, name, &guest(name), limits)
        .ok()
        .expect("the guest is a plugin")
}

/// Limits that make misdeeds short.
pub(crate) fn tight() -> Limits {
    let mut limits = Limits::default();
    for (name, value) in [
        ("time", "300ms"),
        ("hostCalls", "10000"),
        ("memory", "96Mi"),
        ("logLines", "100"),
    ] {
        limits.set(name, value).expect("these are limits");
    }
    limits
}

pub(crate) fn context() -> Context {
    let subject = ObjectId {
        gvk: GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
        namespace: Some("flux-system".to_owned()),
        name: "apps".to_owned(),
    };
    Context {
        subject,
        kube_version: "v1.34.1".to_owned(),
        api_versions: vec!["v1".to_owned()],
        labels: Vec::new(),
    }
}

pub(crate) fn tree() -> Arc<dyn Tree> {
    let mut tree = MemoryTree::new();
    for (path, bytes) in [
        (
            "/a.yaml",
            b"kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n".to_vec(),
        ),
        ("/dir/b.yaml", b"b".to_vec()),
        ("/big", vec![b'x'; 1 << 20]),
    ] {
        tree.add_file(path, bytes, false).expect("the paths do not clash");
    }
    Arc::new(tree)
}

pub(crate) fn inputs() -> Inputs {
    Inputs {
        tree: tree(),
        revision: "main@sha1:0123456789abcdef0123456789abcdef01234567".to_owned(),
        cluster: None,
    }
}

pub(crate) fn render(plugin: &Arc<Plugin>, deed: &str) -> Result<Answer<Rendered>, Error> {
    let request = RenderRequest {
        path: "/".to_owned(),
        config: json!({"do": deed}),
        context: context(),
    };
    plugin
        .renderer()
        .expect("the guest is a renderer")
        .render(&request, inputs())
}

/// What a user reads, whose fault it is, and whether it is tried again.
pub(crate) fn outcome(result: &Result<Answer<Rendered>, Error>) -> String {
    match result {
        Ok(answer) => {
            let texts = answer
                .value
                .objects
                .iter()
                .filter_map(|object| object.text(&["data", "text"]));
            format!(
                "{} objects: {}",
                answer.value.objects.len(),
                texts.collect::<Vec<_>>().join("; ")
            )
        }
        Err(error) => {
            let blame = match error.blame() {
                Blame::Host => "host",
                Blame::Guest => "guest",
            };
            format!(
                "{error}\n[{blame}, {}]",
                if error.is_transient() {
                    "transient"
                } else {
                    "terminal"
                }
            )
        }
    }
}
