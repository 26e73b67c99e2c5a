use serde_json::{Value, json};

/// First line of every generated file.
const HEAD: &str = "# Generated from host/api by `cargo xtask codegen`. Edit the types, not this file.\n";

/// The files of `deploy/base/crds`, name and text: one for each CustomResourceDefinition, and the `kustomization.yaml`
/// that lists them.
pub fn files() -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = super::all()
        .iter()
        .map(|crd| (file_name(crd), text(crd)))
        .collect();
    files.sort();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let list = json!({ "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": names });
    let list = text(&list);
    files.push(("kustomization.yaml".to_owned(), list));
    files
}

fn file_name(crd: &Value) -> String {
    let text = |pointer: &str| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("{}_{}.yaml", text("/spec/group"), text("/spec/names/plural"))
}

fn text(value: &Value) -> String {
    format!("{HEAD}{}", sluice_object::to_yaml([value]))
}
