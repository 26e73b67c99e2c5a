//! A Secret that is made of flags and files.

use crate::commands::export;
use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The most that a Secret may have, in bytes, and so the most that is read of a file for it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The Secret. It has no `Debug`: what it keeps is nobody's to read.
pub(super) struct Credentials {
    pub(super) name: String,
    /// What the API server takes for `Opaque` where nothing is said.
    of_type: Option<&'static str>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    data: BTreeMap<String, String>,
    /// What a source says beside the Secret's name.
    pub(super) pass_credentials: Option<bool>,
}

impl Credentials {
    pub(super) fn new(name: String, of_type: &'static str) -> Self {
        Self {
            of_type: Some(of_type),
            ..Self::untyped(name)
        }
    }

    /// One whose type is not said.
    pub(super) fn untyped(name: String) -> Self {
        Self {
            name,
            of_type: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            data: BTreeMap::new(),
            pass_credentials: None,
        }
    }

    pub(super) fn say(&mut self, key: &str, value: impl Into<String>) {
        self.data.insert(key.to_owned(), value.into());
    }

    /// None where there is nothing to keep.
    pub(super) fn if_any(self) -> Option<Self> {
        (!self.data.is_empty()).then_some(self)
    }

    fn written(&self, namespace: &str) -> Value {
        super::without_absent(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": self.name,
                "namespace": namespace,
                "labels": if_any(&self.labels),
                "annotations": if_any(&self.annotations),
            },
            "type": self.of_type,
            "stringData": if_any(&self.data),
        }))
    }

    pub(super) fn print(&self, namespace: &str) -> Result<()> {
        export::print(&self.written(namespace))
    }

    /// Makes the Secret, or adds to the one of that name.
    pub(super) async fn apply(&self, client: &kube::Client, namespace: &str) -> Result<()> {
        let resource = ApiResource::erase::<Secret>(&());
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
        let Some(mut existing) = api.get_opt(&self.name).await? else {
            let secret = serde_json::from_value(self.written(namespace))?;
            let _created = api.create(&PostParams::default(), &secret).await?;
            return Ok(());
        };
        super::set(&mut existing, "stringData", json!(self.data));
        let metadata = &mut existing.metadata;
        if !self.labels.is_empty() {
            let labels = metadata.labels.get_or_insert_default();
            labels.extend(self.labels.clone());
        }
        if !self.annotations.is_empty() {
            let annotations = metadata.annotations.get_or_insert_default();
            annotations.extend(self.annotations.clone());
        }
        let _updated = api.replace(&self.name, &PostParams::default(), &existing).await?;
        Ok(())
    }
}

fn if_any(texts: &BTreeMap<String, String>) -> Option<&BTreeMap<String, String>> {
    (!texts.is_empty()).then_some(texts)
}

/// The text of a file that goes into a Secret; `what` tells what went wrong where it cannot be had.
pub(super) fn read(file: &Path, what: &'static str) -> Result<String> {
    let failed = || format!("{what}: open {}", file.display());
    let mut text = String::new();
    let opened = File::open(file).with_context(failed)?;
    let read = opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    let size = read.with_context(failed)?;
    if u64::try_from(size).is_ok_and(|size| size > FILE_BYTES_MAX) {
        bail!(
            "{what}: {} has more than {FILE_BYTES_MAX} bytes, the most that a Secret may have",
            file.display()
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_what_a_secret_may_have() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.crt");
        let size = usize::try_from(FILE_BYTES_MAX).unwrap();
        std::fs::write(&file, "a".repeat(size)).unwrap();
        assert_eq!(read(&file, "no CA").unwrap().len(), size);
        std::fs::write(&file, "a".repeat(size + 1)).unwrap();
        let told = read(&file, "no CA").unwrap_err().to_string();
        assert!(
            told.starts_with("no CA: ") && told.contains("more than 1048576 bytes"),
            "{told}"
        );
        let told = read(&folder.path().join("none"), "no CA")
            .unwrap_err()
            .to_string();
        assert!(told.starts_with("no CA: open "), "{told}");
    }
}
