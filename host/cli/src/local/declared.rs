//! The Flux Kustomization that a build follows: from a file, from the cluster, or from what was built.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};
use sluice_api::{Kustomization, decode};
use sluice_yaml::{ParseOptions, Resolver};
use std::path::Path;

const GROUP: &str = "kustomize.toolkit.fluxcd.io";

/// Refuses what is no directory and no file, in Flux's words, before anybody is asked for anything.
pub(crate) fn check(directory: &Path, kustomization_file: Option<&Path>) -> Result<()> {
    let invalid = format!("invalid resource path \"{}\"", directory.display());
    ensure!(directory.exists(), "{invalid}: it does not exist");
    ensure!(directory.is_dir(), "{invalid}: it is no directory");
    if let Some(file) = kustomization_file {
        let invalid = format!("invalid kustomization file \"{}\"", file.display());
        ensure!(file.exists(), "{invalid}: it does not exist");
        // what another program writes into is read too: `<(sops -d ks.yaml)`
        ensure!(!file.is_dir(), "{invalid}: it is a directory");
    }
    Ok(())
}

/// The Kustomization `namespace/name` in a file of several documents. One without a namespace fits too.
pub(crate) fn from_file(file: &Path, namespace: &str, name: &str) -> Result<Kustomization> {
    let shown = file.display();
    let bytes = std::fs::read(file).with_context(|| format!("failed to read kustomization file {shown}"))?;
    let unreadable = || format!("failed to unmarshall kustomization file {shown}");
    let documents =
        sluice_yaml::parse_documents(&bytes, &ParseOptions::new(Resolver::V2)).with_context(unreadable)?;
    let mut others = Vec::new();
    for document in documents {
        let value = sluice_yaml::to_json(&document.root, Resolver::V2).with_context(unreadable)?;
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if !is_kustomization(&value) {
            continue;
        }
        let (of, other) = (text("/metadata/namespace"), text("/metadata/name"));
        if other == name && (of == namespace || of.is_empty()) {
            return from_value(value).with_context(unreadable);
        }
        others.push(match of {
            "" => format!("'{other}'"),
            of => format!("'{other}' in '{of}'"),
        });
    }
    let missing =
        format!("failed find kustomization with name '{name}' and namespace '{namespace}' in file '{shown}'");
    match others.is_empty() {
        true => bail!("{missing}: it has no object of kind Kustomization and apiVersion {GROUP}/v1"),
        false => bail!(
            "{missing}: it has {}; --namespace chooses another namespace",
            others.join(", ")
        ),
    }
}

/// Whether an object is a Flux Kustomization.
pub(crate) fn is_kustomization(value: &Value) -> bool {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "Kustomization"
        && text("apiVersion")
            .strip_prefix(GROUP)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// A build needs less than the API server asks for: what is missing gets a value that a build does not look at.
pub(crate) fn from_value(mut value: Value) -> Result<Kustomization> {
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
    Ok(decode(&value)?)
}

/// Namespace and name; empty where it has none.
pub(crate) fn name_of(declared: &Kustomization) -> (String, String) {
    let metadata = &declared.metadata;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (text(&metadata.namespace), text(&metadata.name))
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
        let found = from_file(&file, "flux-system", "app").unwrap();
        assert_eq!(found.spec.path.as_deref(), Some("./here"));
        let other = from_file(&file, "other", "app").unwrap();
        assert_eq!(other.spec.path, None);
        let missing = from_file(&file, "flux-system", "web").unwrap_err().to_string();
        assert!(
            missing.starts_with(
                "failed find kustomization with name 'web' and namespace 'flux-system' in file '"
            ) && missing
                .ends_with("': it has 'app' in 'other', 'app'; --namespace chooses another namespace"),
            "{missing}"
        );
        std::fs::write(&file, "apiVersion: v1\nkind: Kustomisation\n").unwrap();
        let none = from_file(&file, "flux-system", "app").unwrap_err().to_string();
        assert!(
            none.ends_with(
                "': it has no object of kind Kustomization and apiVersion kustomize.toolkit.fluxcd.io/v1"
            ),
            "{none}"
        );
        std::fs::write(&file, FILE.replace("./here", "[a]")).unwrap();
        let wrong = from_file(&file, "flux-system", "app").unwrap_err().to_string();
        assert!(
            wrong.starts_with("failed to unmarshall kustomization file "),
            "{wrong}"
        );
    }
}
