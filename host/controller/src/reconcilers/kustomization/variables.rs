//! The variables of `postBuild`: ConfigMaps and Secrets in order, then the inline ones.

use super::references::{self, Unread};
use crate::error_policy::Failure;
use crate::runtime::Run;
use sluice_api::kustomize::{SubstituteKind, SubstituteReference};
use sluice_api::{Kustomization, Next, meta, reason};
use sluice_apply::cluster::Identity;
use sluice_apply::live::{Short, short};
use sluice_object::{GroupVersionKind, Manifests, Object};
use std::collections::BTreeMap;

/// Names and values; later ones win.
pub(super) type Variables = BTreeMap<String, String>;

/// Reads all variables. What is read is subscribed to.
pub(super) async fn read(run: &Run, ks: &Kustomization) -> Result<Variables, Failure> {
    let mut variables = Variables::new();
    let Some(post_build) = &ks.spec.post_build else {
        return Ok(variables);
    };
    let namespace = ks.metadata.namespace.as_deref().unwrap_or_default();
    let identity = references::reader(run, ks);
    for reference in &post_build.substitute_from {
        variables.extend(read_one(run, &identity, namespace, reference).await?);
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

async fn read_one(
    run: &Run,
    identity: &Identity,
    namespace: &str,
    reference: &SubstituteReference,
) -> Result<Variables, Failure> {
    let read = match reference.kind {
        SubstituteKind::ConfigMap => references::config_map(run, identity, namespace, &reference.name).await,
        SubstituteKind::Secret => references::secret(run, identity, namespace, &reference.name)
            .await
            .map(|values| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                values
                    .iter()
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect()
            }),
    };
    match read {
        Ok(variables) => Ok(variables),
        Err(Unread::Missing(_)) if reference.optional => Ok(Variables::new()),
        Err(error) => {
            let message = format!(
                "substitute from '{}/{}' error: {error}",
                reference.kind.as_str(),
                reference.name
            );
            let failure = Failure::retry(reason::BUILD_FAILED, message);
            let next = if error.is_transient() {
                Next::BackOff
            } else {
                failure.next.clone()
            };
            Err(Failure { next, ..failure })
        }
    }
}

/// The first object that variables are put into, as Flux names it: `Deployment.v1.apps/web`.
pub(super) fn first_user(manifests: &Manifests) -> Option<String> {
    let is_left_alone = |object: &Object| {
        ["labels", "annotations"]
            .iter()
            .any(|place| object.text(&["metadata", place, meta::SUBSTITUTE]) == Some(meta::DISABLED))
    };
    let object = manifests.objects.iter().find(|object| !is_left_alone(object))?;
    let GroupVersionKind { group, version, kind } = object.gvk();
    let group = if group.is_empty() { "[noGrp]" } else { group };
    Some(format!("{kind}.{version}.{group}/{}", object.id().name))
}

/// A digest of names and values.
pub(super) fn digest(variables: &Variables) -> Short {
    short(serde_json::to_string(variables).unwrap_or_default().as_bytes())
}
