//! The variables of `postBuild`: ConfigMaps and Secrets in order, then the inline ones.

use super::references::{self, Unread};
use crate::error_policy::Failure;
use crate::runtime::Run;
use sluice_api::kustomize::{SubstituteKind, SubstituteReference};
use sluice_api::{Kustomization, meta, reason};
use sluice_apply::cluster::Identity;
use sluice_apply::live::{Short, short};
use sluice_object::{GroupVersionKind, Manifests, Object};
use std::collections::BTreeMap;

/// Names and values; later ones win.
pub(super) type Variables = BTreeMap<String, String>;

/// What was read of the cluster and the object.
#[derive(Default)]
pub(super) struct Read {
    pub(super) variables: Variables,
    /// What must not be told where an object with it is refused.
    pub(super) secrets: Secrets,
}

/// Most bytes of variables that references bring together: a Secret holds a mebibyte, and each of them is held with all others.
const VARIABLES_SIZE_MAX: usize = 16 << 20;

/// What stands in place of a value that is not told.
const MASK: &str = "*****";

/// Values that come from Secrets, the longest first, each once.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    /// A value that looks like what stands in its place hides nothing, and would make a text longer with each time it is named.
    fn new(mut values: Vec<String>) -> Self {
        values.retain(|value| !value.bytes().all(|byte| MASK.as_bytes().contains(&byte)));
        values.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        values.dedup();
        Self(values)
    }

    /// The text with every such value in it replaced, as Flux does: the API server quotes what it refuses.
    fn masked(&self, text: &str) -> String {
        let values = self.0.iter();
        values.fold(text.to_owned(), |text, value| text.replace(value.as_str(), MASK))
    }

    /// The same failure, told without any such value.
    pub(super) fn kept_out_of(&self, failure: Failure) -> Failure {
        Failure {
            message: self.masked(&failure.message),
            told: failure.told.map(|told| self.masked(&told)),
            ..failure
        }
    }
}

/// Reads all variables. What is read is subscribed to.
pub(super) async fn read(run: &Run, ks: &Kustomization) -> Result<Read, Failure> {
    let mut variables = Variables::new();
    let mut secrets = Vec::new();
    let Some(post_build) = &ks.spec.post_build else {
        return Ok(Read::default());
    };
    let namespace = ks.metadata.namespace.as_deref().unwrap_or_default();
    let identity = references::reader(run, ks);
    let mut size = 0;
    for reference in &post_build.substitute_from {
        let read = read_one(run, &identity, namespace, reference).await?;
        size += read
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>();
        if size > VARIABLES_SIZE_MAX {
            return Err(refused(
                reference,
                &format!("variables have more than {VARIABLES_SIZE_MAX} bytes together (variables_size_max)"),
            ));
        }
        if reference.kind == SubstituteKind::Secret {
            secrets.extend(read.values().map(|value| without_breaks(value)));
        }
        variables.extend(read);
    }
    let inline = post_build
        .substitute
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    variables.extend(inline);
    for value in variables.values_mut() {
        *value = without_breaks(value);
    }
    Ok(Read {
        variables,
        secrets: Secrets::new(secrets),
    })
}

/// Flux takes every line break out of every value.
fn without_breaks(value: &str) -> String {
    value.replace('\n', "")
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
        Err(error) => Err(refused(reference, &error).back_off_if(error.is_transient())),
    }
}

fn refused(reference: &SubstituteReference, why: &dyn std::fmt::Display) -> Failure {
    let (kind, name) = (reference.kind.as_str(), &reference.name);
    let message = format!("substitute from '{kind}/{name}' error: {why}");
    Failure::retry(reason::BUILD_FAILED, message)
}

/// The first object that variables are put into, as Flux names it: `Deployment.v1.apps/web`.
pub(super) fn first_user(manifests: &Manifests) -> Option<String> {
    let is_left_alone = |object: &Object| {
        ["labels", "annotations"]
            .iter()
            .any(|place| object.text(&["metadata", place, meta::SUBSTITUTE]) == Some(meta::DISABLED))
    };
    let object = manifests.objects.iter().find(|object| !is_left_alone(object))?;
    Some(named(object))
}

/// An object as Flux names it while it builds: `ConfigMap.v1.[noGrp]/web`.
pub(super) fn named(object: &Object) -> String {
    let GroupVersionKind { group, version, kind } = object.gvk();
    let group = if group.is_empty() { "[noGrp]" } else { group };
    format!("{kind}.{version}.{group}/{}", object.id().name)
}

/// A digest of names and values.
pub(super) fn digest(variables: &Variables) -> Short {
    let text = serde_json::to_string(variables).expect("invariant: texts are JSON");
    short(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_secret_is_masked_whole() {
        let secrets = Secrets::new(vec!["password".to_owned(), "password-long".to_owned()]);
        let text = "ConfigMap/a/password dry-run failed: invalid value \"password-long\"";
        assert_eq!(
            secrets.masked(text),
            "ConfigMap/a/***** dry-run failed: invalid value \"*****\""
        );
    }

    /// Each of these would make five characters of one, and all of them together more than memory holds.
    #[test]
    fn what_hides_a_value_is_not_hidden_itself() {
        let mut values = vec!["*".to_owned(); 40];
        values.extend([
            "hunter".to_owned(),
            "hunter".to_owned(),
            "**".to_owned(),
            String::new(),
        ]);
        let secrets = Secrets::new(values);
        assert_eq!(secrets.masked("invalid value: hunter"), "invalid value: *****");
    }
}
