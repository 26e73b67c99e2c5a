//! The variables of `postBuild`: ConfigMaps and Secrets in order, then the inline ones.

use crate::error_policy::{Failure, Stopped};
use crate::runtime::Run;
use serde_json::Value;
use sluice_api::kustomize::{SubstituteKind, SubstituteReference};
use sluice_api::{Kustomization, Next, reason};
use sluice_apply::cluster::Identity;
use sluice_apply::live::{Short, short};
use std::collections::BTreeMap;

/// Names and values; later ones win.
pub(super) type Variables = BTreeMap<String, String>;

/// Reads all variables. What is read is subscribed to; the controller's own identity reads it, as in Flux.
pub(super) async fn read(run: &Run, ks: &Kustomization) -> Result<Variables, Stopped> {
    let mut variables = Variables::new();
    let Some(post_build) = &ks.spec.post_build else {
        return Ok(variables);
    };
    let namespace = ks.metadata.namespace.as_deref().unwrap_or_default();
    for reference in &post_build.substitute_from {
        variables.extend(read_one(run, namespace, reference).await?);
    }
    let inline = post_build
        .substitute
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    variables.extend(inline);
    for value in variables.values_mut() {
        // Flux takes every line break out of every value
        value.retain(|character| character != '\n');
    }
    Ok(variables)
}

async fn read_one(run: &Run, namespace: &str, reference: &SubstituteReference) -> Result<Variables, Stopped> {
    let kind = reference.kind.as_str();
    let failed = |why: &str| {
        let message = format!(
            "post build failed: substitute from '{kind}/{}' error: {why}",
            reference.name
        );
        Failure::retry(reason::BUILD_FAILED, message)
    };
    let object = match run
        .read(&Identity::AsController, kind, namespace, &reference.name)
        .await
    {
        Ok(Some(object)) => object,
        Ok(None) if reference.optional => return Ok(Variables::new()),
        Ok(None) => {
            let plural = kind.to_lowercase();
            return Err(failed(&format!("{plural}s \"{}\" not found", reference.name)).into());
        }
        Err(error) if error.is_transient() => {
            return Err(Failure {
                next: Next::BackOff,
                ..failed(&error.to_string())
            }
            .into());
        }
        Err(error) => return Err(failed(&error.to_string()).into()),
    };
    let data = object
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let mut variables = Variables::new();
    for (name, value) in data {
        let text = value.as_str().unwrap_or_default();
        let value = match reference.kind {
            SubstituteKind::ConfigMap => text.to_owned(),
            SubstituteKind::Secret => {
                use base64::Engine as _;
                let bytes = base64::engine::general_purpose::STANDARD.decode(text);
                let bytes = bytes.map_err(|_| failed(&format!("the value of {name} is not base64")))?;
                String::from_utf8_lossy(&bytes).into_owned()
            }
        };
        variables.insert(name.clone(), value);
    }
    Ok(variables)
}

/// A digest of names and values.
pub(super) fn digest(variables: &Variables) -> Short {
    short(serde_json::to_string(variables).unwrap_or_default().as_bytes())
}
