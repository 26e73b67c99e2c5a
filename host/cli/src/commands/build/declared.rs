//! The Flux Kustomization that a build follows: from a file, from the cluster, or from what was built.

use anyhow::{Context as _, Result, bail};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Map, Value, json};
use sluice_api::kustomize::{SubstituteKind, SubstituteReference};
use sluice_api::{Kustomization, decode};
use sluice_yaml::{ParseOptions, Resolver};
use std::collections::BTreeMap;
use std::path::Path;

pub(super) const GROUP: &str = "kustomize.toolkit.fluxcd.io";

/// The Kustomization `namespace/name` in a file of several documents. One without a namespace fits too.
pub(super) fn in_file(file: &Path, namespace: &str, name: &str) -> Result<Kustomization> {
    let shown = file.display();
    let bytes = std::fs::read(file).with_context(|| format!("failed to read kustomization file {shown}"))?;
    let unreadable = || format!("failed to unmarshall kustomization file {shown}");
    let documents =
        sluice_yaml::parse_documents(&bytes, &ParseOptions::new(Resolver::V2)).with_context(unreadable)?;
    for document in documents {
        let value = sluice_yaml::to_json(&document.root, Resolver::V2).with_context(unreadable)?;
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let of = text("/metadata/namespace");
        if is_kustomization(&value) && text("/metadata/name") == name && (of == namespace || of.is_empty()) {
            return from_value(value).with_context(unreadable);
        }
    }
    bail!(
        "failed find kustomization with name '{name}' and namespace '{namespace}' in file '{shown}'; --namespace chooses another namespace"
    )
}

pub(super) fn is_kustomization(value: &Value) -> bool {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "Kustomization"
        && text("apiVersion")
            .strip_prefix(GROUP)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// A build needs less than the API server asks for: what is missing gets a value that a build does not look at.
pub(super) fn from_value(mut value: Value) -> Result<Kustomization> {
    if let Some(map) = value.as_object_mut() {
        let spec = map.entry("spec").or_insert_with(|| Value::Object(Map::new()));
        if let Some(spec) = spec.as_object_mut() {
            spec.entry("interval").or_insert_with(|| json!("10m"));
            spec.entry("prune").or_insert_with(|| json!(false));
            spec.entry("sourceRef")
                .or_insert_with(|| json!({"kind": "GitRepository", "name": ""}));
        }
        map.remove("status");
    }
    decode(value).map_err(|invalid| anyhow::anyhow!(invalid.error))
}

/// What a build reads from a cluster. It changes nothing there.
pub(super) struct Cluster(pub(super) kube::Client);

impl Cluster {
    /// The Kustomization; none where the cluster has none of that name.
    pub(super) async fn kustomization(&self, namespace: &str, name: &str) -> Result<Option<Kustomization>> {
        let found = self
            .get(
                &GroupVersionKind::gvk(GROUP, "v1", "Kustomization"),
                namespace,
                name,
            )
            .await?;
        found.map(from_value).transpose()
    }

    /// The names and values of ConfigMaps and Secrets; later ones win.
    pub(super) async fn variables(
        &self,
        namespace: &str,
        references: &[SubstituteReference],
    ) -> Result<BTreeMap<String, String>> {
        let mut variables = BTreeMap::new();
        for reference in references {
            let kind = reference.kind.as_str();
            let what = || format!("substitute from '{kind}/{}' error", reference.name);
            let gvk = GroupVersionKind::gvk("", "v1", kind);
            let found = self
                .get(&gvk, namespace, &reference.name)
                .await
                .with_context(what)?;
            let Some(object) = found else {
                if reference.optional {
                    continue;
                }
                bail!(
                    "{}: {}s \"{}\" not found",
                    what(),
                    kind.to_lowercase(),
                    reference.name
                );
            };
            let data = object.get("data").and_then(Value::as_object);
            for (name, value) in data.into_iter().flatten() {
                let text = value.as_str().unwrap_or_default();
                let value = match reference.kind {
                    SubstituteKind::ConfigMap => text.to_owned(),
                    SubstituteKind::Secret => decoded(text).with_context(what)?,
                };
                variables.insert(name.clone(), value);
            }
        }
        Ok(variables)
    }

    async fn get(&self, gvk: &GroupVersionKind, namespace: &str, name: &str) -> Result<Option<Value>> {
        let resource = ApiResource::from_gvk(gvk);
        let api: Api<DynamicObject> = Api::namespaced_with(self.0.clone(), namespace, &resource);
        let found = api.get_opt(name).await?;
        Ok(found.map(serde_json::to_value).transpose()?)
    }
}

fn decoded(text: &str) -> Result<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: app}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app, namespace: other}\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: app}\nspec: {path: ./here}\n";

    #[test]
    fn a_file_is_searched_for_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ks.yaml");
        std::fs::write(&file, FILE).unwrap();
        let found = in_file(&file, "flux-system", "app").unwrap();
        assert_eq!(found.spec.path.as_deref(), Some("./here"));
        let other = in_file(&file, "other", "app").unwrap();
        assert_eq!(other.spec.path, None);
        let missing = in_file(&file, "flux-system", "web").unwrap_err().to_string();
        assert!(
            missing.starts_with(
                "failed find kustomization with name 'web' and namespace 'flux-system' in file '"
            ),
            "{missing}"
        );
        std::fs::write(&file, FILE.replace("./here", "[a]")).unwrap();
        let wrong = in_file(&file, "flux-system", "app").unwrap_err().to_string();
        assert!(
            wrong.starts_with("failed to unmarshall kustomization file "),
            "{wrong}"
        );
    }
}
