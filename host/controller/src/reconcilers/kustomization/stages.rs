//! The objects as they will be applied.

use crate::error_policy::Stopped;
use crate::runtime::Run;
use serde_json::{Map, Value};
use sluice_api::{Kustomization, meta};
use sluice_object::Object;

/// Labels, then stages in Flux's order.
pub(super) fn stages(run: &Run, ks: &Kustomization, objects: &[Object]) -> Result<Vec<Vec<Object>>, Stopped> {
    let mut stages = vec![Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for object in objects {
        let mut object = object.clone();
        let _ = object.edit(|body| {
            let metadata = body
                .entry("metadata")
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(metadata) = metadata.as_object_mut() {
                let labels = metadata
                    .entry("labels")
                    .or_insert_with(|| Value::Object(Map::new()));
                if let Some(labels) = labels.as_object_mut() {
                    labels.insert(meta::OWNER_NAME.into(), (*run.key.name).into());
                    labels.insert(meta::OWNER_NAMESPACE.into(), (*run.key.namespace).into());
                }
            }
        });
        let number = match object.gvk().kind.as_str() {
            "CustomResourceDefinition" | "Namespace" | "ClusterRole" => 0,
            kind if kind.ends_with("Class") => 1,
            _ => 3,
        };
        if let Some(stage) = stages.get_mut(number) {
            stage.push(object);
        }
    }
    let _ = ks;
    Ok(stages)
}
