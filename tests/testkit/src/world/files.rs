//! A renderer for tests: the files of `spec.path` as they are, with variables and `targetNamespace` filled in.

use futures::future::BoxFuture;
use serde_json::{Value, json};
use sluice_api::{Kustomization, reason};
use sluice_artifact::Tree;
use sluice_controller::error_policy::Failure;
use sluice_controller::reconcilers::kustomization::{Render, RenderRequest, Rendered};
use sluice_object::{Manifests, Object, Origin, flatten};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Kinds that live in no namespace, as far as stories use them.
const CLUSTER_SCOPED: [&str; 5] = [
    "Namespace",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "PriorityClass",
];

/// Renders without a sandbox: what these tests are about comes after. Counts its renders.
#[derive(Clone, Default)]
pub struct Files(Arc<AtomicUsize>);

impl Files {
    /// How often it was asked to render.
    pub fn renders(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Render for Files {
    fn render<'a>(&'a self, wanted: RenderRequest<'a>) -> BoxFuture<'a, Result<Rendered, Failure>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let objects = objects(wanted.ks, &*wanted.tree, &wanted.variables)
                .map_err(|(reason, message)| Failure::retry(reason, message))?;
            let build = sluice_render::Rendered::new(Manifests { objects }, Vec::new());
            Ok(Rendered::new(Arc::new(build)))
        })
    }
}

type Refused = (sluice_api::Reason, String);

fn objects(
    ks: &Kustomization,
    tree: &dyn Tree,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<Object>, Refused> {
    let path = ks
        .spec
        .path
        .as_deref()
        .unwrap_or_default()
        .trim_matches(['.', '/']);
    let entries = tree.walk(&format!("/{path}"));
    let entries = entries.map_err(|error| {
        (
            reason::ARTIFACT_FAILED,
            format!("kustomization path not found: {error}"),
        )
    })?;
    let mut objects = Vec::new();
    for entry in entries {
        let name = entry.path.trim_start_matches('/').to_owned();
        let failed = |why: String| {
            (
                reason::BUILD_FAILED,
                format!("kustomize build failed: {name}: {why}"),
            )
        };
        let bytes = tree
            .read(&entry.path)
            .map_err(|error| failed(error.to_string()))?;
        let text = substitute(&String::from_utf8_lossy(&bytes), variables);
        let documents = sluice_yaml::parse_documents(&text, &sluice_yaml::ParseOptions::default());
        for (index, document) in documents
            .map_err(|error| failed(error.to_string()))?
            .into_iter()
            .enumerate()
        {
            let origin = Origin {
                path: name.clone(),
                index: index as u32,
                line: document.root.position.line,
            };
            let value = sluice_yaml::to_json(&document.root, sluice_yaml::Resolver::V3);
            for mut value in flatten(value.map_err(|error| failed(error.to_string()))?) {
                place(ks, &mut value);
                let object = Object::new(value).map_err(|error| failed(error.to_string()))?;
                objects.push(object.with_origin(Some(origin.clone())));
            }
        }
    }
    Ok(objects)
}

fn substitute(text: &str, variables: &BTreeMap<String, String>) -> String {
    let replace =
        |text: String, (name, value): (&String, &String)| text.replace(&format!("${{{name}}}"), value);
    variables.iter().fold(text.to_owned(), replace)
}

/// `spec.targetNamespace`, for objects that name no namespace of their own.
fn place(ks: &Kustomization, object: &mut Value) {
    let is_namespaced = !is_cluster_scoped(object["kind"].as_str().unwrap_or_default());
    if let (true, Some(namespace), None) = (
        is_namespaced,
        &ks.spec.target_namespace,
        object.pointer("/metadata/namespace"),
    ) {
        object["metadata"]["namespace"] = json!(namespace);
    }
}

pub(super) fn is_cluster_scoped(kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&kind)
}
