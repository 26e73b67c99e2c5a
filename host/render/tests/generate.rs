//! The kustomization file that a build works with.

use expect_test::{Expect, expect};
use serde_json::json;
use sluice_artifact::{MemoryTree, Tree};
use sluice_render::{BuildSpec, Image, Json6902Patch, Patch, generate};
use std::sync::Arc;

fn tree(files: &[(&str, &str)]) -> Arc<dyn Tree> {
    let mut tree = MemoryTree::new();
    for (path, text) in files {
        tree.add_file(path, text.as_bytes().to_vec(), false).unwrap();
    }
    Arc::new(tree)
}

fn check(files: &[(&str, &str)], spec: &BuildSpec, expected: &Expect) {
    let text = match generate(&tree(files), spec, None) {
        Ok(generated) => {
            let file = generated
                .overlaid
                .clone()
                .unwrap_or_else(|| "(the tree's own)".to_owned());
            let text = generated.overlaid.map(|path| generated.tree.read(&path).unwrap());
            let text = text
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default();
            let findings = generated.findings.iter().map(|finding| {
                format!(
                    "\n{}:{} {}; {}",
                    finding.file.as_deref().unwrap_or("?"),
                    finding.line.unwrap_or(0),
                    finding.message,
                    finding.hint.as_deref().unwrap_or("-")
                )
            });
            format!("{file}\n{text}{}", findings.collect::<String>())
        }
        Err(error) => error.to_string(),
    };
    expected.assert_eq(text.trim_end());
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
const KUSTOMIZATION: &str =
    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n";

fn at(path: &str) -> BuildSpec {
    BuildSpec {
        path: path.to_owned(),
        ..BuildSpec::default()
    }
}

#[test]
fn a_file_that_says_all_is_left_alone() {
    check(
        &[("/apps/kustomization.yaml", KUSTOMIZATION)],
        &at("./apps/"),
        &expect!["(the tree's own)"],
    );
}

#[test]
fn without_a_file_every_manifest_below_is_a_resource() {
    let files = [
        ("/apps/b.yml", CONFIG_MAP),
        ("/apps/a.yaml", CONFIG_MAP),
        ("/apps/README.md", "# no manifest"),
        ("/apps/sub/c.yaml", CONFIG_MAP),
        ("/apps/base/Kustomization", KUSTOMIZATION),
        ("/apps/base/a.yaml", CONFIG_MAP),
        ("/other.yaml", "not: a manifest"),
    ];
    check(
        &files,
        &at("apps"),
        &expect![[r#"
        /apps/kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        kind: Kustomization
        resources:
        - ./a.yaml
        - ./b.yml
        - ./base
        - ./sub/c.yaml"#]],
    );
    check(
        &[("/README.md", "x")],
        &at(""),
        &expect![[r#"
            /kustomization.yaml
            apiVersion: kustomize.config.k8s.io/v1beta1
            kind: Kustomization
            namespace: _placeholder"#]],
    );
}

#[test]
fn names_that_yaml_1_1_would_read_as_booleans_are_names() {
    let named = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    for name in ["n", "y", "on", "off", "yes", "no"] {
        check(
            &[("/a.yaml", &named(name))],
            &at(""),
            &expect![[r#"
                /kustomization.yaml
                apiVersion: kustomize.config.k8s.io/v1beta1
                kind: Kustomization
                resources:
                - ./a.yaml"#]],
        );
    }
}

#[test]
fn what_is_no_manifest_fails_with_its_place() {
    for (text, expected) in [
        (
            "replicas: 3\n",
            expect![
                "failed to decode Kubernetes YAML from apps/values.yaml: the document at line 1 has no kind; add a kustomization.yaml that lists the manifests where a directory holds other YAML too"
            ],
        ),
        (
            "a: [\n",
            expect![
                "failed to decode Kubernetes YAML from apps/values.yaml: yaml: line 1: did not find expected node content; add a kustomization.yaml that lists the manifests where a directory holds other YAML too"
            ],
        ),
        (
            "kind: Secret\napiVersion: v1\n",
            expect![
                "failed to decode Kubernetes YAML from apps/values.yaml: the document at line 1 has no metadata.name; add a kustomization.yaml that lists the manifests where a directory holds other YAML too"
            ],
        ),
        (
            "---\n---\n- a\n",
            expect![
                "failed to decode Kubernetes YAML from apps/values.yaml: the document at line 2 is no mapping; add a kustomization.yaml that lists the manifests where a directory holds other YAML too"
            ],
        ),
    ] {
        check(&[("/apps/values.yaml", text)], &at("apps"), &expected);
    }
}

#[test]
fn a_missing_path_is_the_artifacts_fault() {
    check(
        &[("/apps/a.yaml", CONFIG_MAP)],
        &at("./missing"),
        &expect!["kustomization path not found: stat /missing: no such file or directory"],
    );
    check(
        &[("/apps/a.yaml", CONFIG_MAP)],
        &at("apps/a.yaml"),
        &expect!["kustomization path not found: stat /apps/a.yaml: not a directory"],
    );
    check(
        &[("/apps/kustomization.yaml", KUSTOMIZATION)],
        &at("../../apps"),
        &expect!["(the tree's own)"],
    );
}

#[test]
fn the_spec_is_merged_in() {
    let file = "namespace: old\nnamePrefix: old-\nresources: [a.yaml]\npatches:\n- path: own.yaml\ncomponents: [../own]\nbuildMetadata: [managedByLabel]\n";
    let spec = BuildSpec {
        target_namespace: Some("new".to_owned()),
        name_prefix: Some(String::new()),
        name_suffix: Some("-x".to_owned()),
        patches: vec![
            Patch {
                patch: "- op: remove\n  path: /spec\n".to_owned(),
                target: Some(json!({"kind": "Deployment", "name": "web.*"})),
            },
            Patch {
                patch: "kind: Secret\n".to_owned(),
                target: None,
            },
        ],
        patches_strategic_merge: vec![json!({"kind": "ConfigMap"})],
        patches_json6902: vec![Json6902Patch {
            patch: json!([{"op": "remove", "path": "/data"}]),
            target: json!({"kind": "ConfigMap"}),
        }],
        components: vec!["../extra".to_owned(), "../missing".to_owned()],
        ignore_missing_components: true,
        build_metadata: Some(vec!["originAnnotations".to_owned()]),
        ..at("apps")
    };
    let files = [
        ("/apps/kustomization.yml", file),
        ("/extra/kustomization.yaml", "kind: Component\n"),
    ];
    check(
        &files,
        &spec,
        &expect![[r#"
        /apps/kustomization.yml
        apiVersion: kustomize.config.k8s.io/v1beta1
        buildMetadata:
        - originAnnotations
        components:
        - ../own
        - ../extra
        kind: Kustomization
        namePrefix: ""
        nameSuffix: -x
        namespace: new
        patches:
        - path: own.yaml
        - patch: |
            - op: remove
              path: /spec
          target:
            kind: Deployment
            name: web.*
        - patch: |
            kind: Secret
        patchesJson6902:
        - patch: '[{"op":"remove","path":"/data"}]'
          target:
            kind: ConfigMap
        patchesStrategicMerge:
        - '{"kind":"ConfigMap"}'
        resources:
        - a.yaml"#]],
    );
}

#[test]
fn images_are_merged_by_name() {
    let file = "resources: [a.yaml]\nimages:\n- name: app\n  newName: registry/app\n  newTag: v1\n- name: db\n  digest: sha256:aa\n";
    let image = |name: &str, new_name: &str, new_tag: &str, digest: &str| Image {
        name: name.to_owned(),
        new_name: new_name.to_owned(),
        new_tag: new_tag.to_owned(),
        digest: digest.to_owned(),
    };
    let spec = BuildSpec {
        images: vec![
            image("app", "", "", "sha256:bb"),
            image("db", "other/db", "v2", ""),
            image("new", "", "v3", ""),
        ],
        ..at("apps")
    };
    check(
        &[("/apps/kustomization.yaml", file)],
        &spec,
        &expect![[r#"
        /apps/kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        images:
        - digest: sha256:bb
          name: app
          newName: registry/app
        - name: db
          newName: other/db
          newTag: v2
        - name: new
          newTag: v3
        kind: Kustomization
        resources:
        - a.yaml"#]],
    );
}

#[test]
fn components_must_be_local() {
    for component in [
        "https://example.com/repo",
        "/absolute",
        "git@example.com:x",
        "github.com/acme/x",
    ] {
        let spec = BuildSpec {
            components: vec![component.to_owned()],
            ..at("apps")
        };
        let result = generate(&tree(&[("/apps/kustomization.yaml", KUSTOMIZATION)]), &spec, None);
        assert!(
            result.is_err_and(|error| error.to_string().starts_with("component path '")),
            "{component}"
        );
    }
}

#[test]
fn a_file_without_resources_gets_origin_annotations() {
    let file = "configMapGenerator:\n- name: a\n  literals: [x=1]\n";
    check(
        &[("/kustomization.yaml", file)],
        &at("."),
        &expect![[r#"
        /kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        buildMetadata:
        - originAnnotations
        configMapGenerator:
        - literals:
          - x=1
          name: a
        kind: Kustomization"#]],
    );
    let spec = BuildSpec {
        build_metadata: Some(Vec::new()),
        ..at(".")
    };
    check(
        &[("/kustomization.yaml", file)],
        &spec,
        &expect![[r#"
        /kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        buildMetadata: []
        configMapGenerator:
        - literals:
          - x=1
          name: a
        kind: Kustomization"#]],
    );
}

#[test]
fn unknown_fields_vanish_with_a_word() {
    let file = "resource: [a.yaml]\nResources: [b.yaml]\nimages:\n- name: app\n  newtag: v1\n  tag: v2\nnonsense: true\n";
    check(
        &[("/apps/kustomization.yaml", file)],
        &at("apps"),
        &expect![[r#"
        /apps/kustomization.yaml
        apiVersion: kustomize.config.k8s.io/v1beta1
        images:
        - name: app
          newTag: v1
        kind: Kustomization
        resources:
        - b.yaml

        apps/kustomization.yaml:1 unknown field .resource is ignored; did you mean resources?
        apps/kustomization.yaml:6 unknown field .images[0].tag is ignored; remove it
        apps/kustomization.yaml:7 unknown field .nonsense is ignored; remove it"#]],
    );
}

/// N13: it is read outside of the sandbox, so that it has limits of its own.
#[test]
fn what_a_kustomization_costs_is_bounded() {
    let fields: String = (0..1000).map(|number| format!("nonsense{number}: 1\n")).collect();
    let with = |file: &str| generate(&tree(&[("/kustomization.yaml", file)]), &at(""), None);
    assert_eq!(with(&fields).unwrap().findings.len(), 100);
    let refused = |file: &str, says: &str| {
        let refusal = with(file).err().unwrap().to_string();
        assert!(refusal.contains(says), "{refusal}");
    };
    let many = "1,".repeat(2_000_001);
    refused(
        &format!("a: [{many}]\n"),
        "the nodes limit of 2000000 is exceeded",
    );
    let laughs: String = (1..7)
        .map(|level| {
            format!(
                "a{level}: &a{level} [{}]\n",
                format!("*a{},", level - 1).repeat(10)
            )
        })
        .collect();
    refused(
        &format!("a0: &a0 1\n{laughs}b: [*a6, *a6]\n"),
        "document contains excessive aliasing",
    );
}

#[test]
fn what_is_no_kustomization_fails_with_its_place() {
    for (file, expected) in [
        (
            "- a\n",
            expect!["apps/kustomization.yaml: a kustomization is a mapping of fields"],
        ),
        (
            "a: [\n",
            expect!["apps/kustomization.yaml: yaml: line 1: did not find expected node content"],
        ),
        (
            "",
            expect![[r#"
            /apps/kustomization.yaml
            apiVersion: kustomize.config.k8s.io/v1beta1
            buildMetadata:
            - originAnnotations
            kind: Kustomization
            namespace: _placeholder"#]],
        ),
    ] {
        check(&[("/apps/kustomization.yaml", file)], &at("apps"), &expected);
    }
}
