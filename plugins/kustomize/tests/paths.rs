//! No path of a kustomization leads out of the tree, whatever field it stands in and however it is written.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::sync::Mutex;

use crate::tree::Memory;
use sluice_plugin_kustomize::{FileKind, Files, LoadRestrictor, Options, build};

/// Every field that names a file or directory, with `PATH` where the path stands.
const FIELDS: &[(&str, &str)] = &[
    ("resources", "resources: [PATH]"),
    ("bases", "bases: [PATH]"),
    ("components", "components: [PATH]"),
    ("crds", "crds: [PATH]"),
    ("configurations", "configurations: [PATH]"),
    ("generators", "generators: [PATH]"),
    ("transformers", "transformers: [PATH]"),
    ("validators", "validators: [PATH]"),
    ("patches", "patches: [{path: PATH}]"),
    ("patchesStrategicMerge", "patchesStrategicMerge: [PATH]"),
    (
        "patchesJson6902",
        "patchesJson6902: [{target: {version: v1, kind: ConfigMap, name: a}, path: PATH}]",
    ),
    ("replacements", "replacements: [{path: PATH}]"),
    ("openapi", "openapi: {path: PATH}"),
    (
        "configMapGenerator.files",
        "configMapGenerator: [{name: g, files: [PATH]}]",
    ),
    (
        "configMapGenerator.files with a key",
        "configMapGenerator: [{name: g, files: [\"key=PATH\"]}]",
    ),
    (
        "configMapGenerator.envs",
        "configMapGenerator: [{name: g, envs: [PATH]}]",
    ),
    (
        "configMapGenerator.env",
        "configMapGenerator: [{name: g, env: PATH}]",
    ),
    (
        "secretGenerator.files",
        "secretGenerator: [{name: g, files: [PATH]}]",
    ),
    (
        "secretGenerator.envs",
        "secretGenerator: [{name: g, envs: [PATH]}]",
    ),
    (
        "helmCharts.valuesFile",
        "helmCharts: [{name: c, valuesFile: PATH}]",
    ),
];

/// Ways to say `/etc/passwd`.
const PATHS: &[&str] = &[
    "../../../../etc/passwd",
    "/etc/passwd",
    "./sub/../../../etc/passwd",
    "sub/../../../../../etc/passwd",
    "file:///etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..\\\\..\\\\etc\\\\passwd",
    "\\0/etc/passwd",
    "....//....//etc/passwd",
    "~/../etc/passwd",
    "/proc/self/environ",
    "https://example.com/etc/passwd",
    "git::file:///etc",
];

/// Says of every path that it is asked for whether it could be one of the tree's own. (A NUL is refused by the tree itself.)
#[derive(Debug)]
struct Watched {
    tree: Memory,
    odd: Mutex<Vec<String>>,
}

impl Watched {
    fn see(&self, path: &str) {
        let is_normal = |part: &str| !part.is_empty() && part != "." && part != "..";
        let rest = path.strip_prefix('/');
        if !rest.is_some_and(|rest| rest.is_empty() || rest.split('/').all(is_normal)) {
            self.odd.lock().unwrap().push(path.to_owned());
        }
    }
}

impl Files for Watched {
    fn kind(&self, path: &str) -> Option<FileKind> {
        self.see(path);
        self.tree.kind(path)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.see(path);
        self.tree.read(path)
    }
}

#[test]
fn no_field_leads_out_of_the_tree() {
    for restrictor in [LoadRestrictor::None, LoadRestrictor::RootOnly] {
        for (field, text) in FIELDS {
            for path in PATHS {
                let quoted = format!("\"{path}\"");
                // within a quoted text the path stands as it is
                let text = text.replace("\"key=PATH\"", &format!("\"key={path}\""));
                let kustomization = format!("{}\n", text.replace("PATH", &quoted));
                let tree = Memory::from([
                    ("app/kustomization.yaml", kustomization.as_str()),
                    (
                        "app/sub/a.yaml",
                        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
                    ),
                ]);
                let files = Watched {
                    tree,
                    odd: Mutex::default(),
                };
                let options = Options {
                    load_restrictor: restrictor,
                    ..Options::default()
                };
                let built = build(&files, "/app", &options);
                assert!(built.is_err(), "{field}: {path} was accepted");
                let odd = files.odd.into_inner().unwrap();
                assert_eq!(odd, Vec::<String>::new(), "{field}: {path} reached the tree");
            }
        }
    }
}
