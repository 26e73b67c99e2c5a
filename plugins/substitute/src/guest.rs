//! The transformer: configuration, which objects are left alone, and what users read when it fails.

use crate::{Error, Substitution};
use sluice_envsubst::{Undefined, expand};
use sluice_sdk::transformer::*;
use std::collections::BTreeMap;

/// Objects with this label or annotation set to `disabled` are left alone.
const SWITCH: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// `spec.postBuild` of a Kustomization, with the values of its ConfigMaps and Secrets already in `vars`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Substitute {
    /// The variables. Line breaks in values are removed.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    /// Whether a variable without a value and without a default is an error; otherwise it is empty.
    #[serde(default = "default_strict")]
    pub strict: bool,
    /// Whether to substitute where there are no variables at all (`substituteStrategy: Always`).
    #[serde(default)]
    pub always: bool,
}

fn default_strict() -> bool {
    true
}

impl Transformer for Substitute {
    fn transform(&self, objects: &mut Objects, _: &Context) -> Result<()> {
        let undefined = if self.strict {
            Undefined::Fails
        } else {
            Undefined::IsEmpty
        };
        for object in objects.iter_mut().filter(|object| !is_switched_off(object)) {
            // a bad name fails at the first object, as in Flux, and not where there is none
            let substitution = Substitution::new(self.vars.clone(), undefined)
                .map_err(|error| failure(object, &format!("envsubst error: {error}"), None))?;
            if substitution.is_empty() && !self.always {
                continue;
            }
            substitute(&substitution, object)?;
        }
        Ok(())
    }
}

sluice_sdk::export!(transformer: Substitute);

fn is_switched_off(object: &Object) -> bool {
    [object.label(SWITCH), object.annotation(SWITCH)].contains(&Some("disabled"))
}

fn substitute(substitution: &Substitution, object: &mut Object) -> Result<()> {
    match substitution.apply(object.body()) {
        Ok(None) => Ok(()),
        Ok(Some(body)) => {
            let result = Object::new(body).with_origin(object.origin().cloned());
            if result.kind().is_empty() || result.api_version().is_empty() || result.name().is_empty() {
                let text = format!(
                    "failed to decode Kubernetes apiVersion, kind and name from: {}",
                    yaml(&result)
                );
                return Err(Failure::terminal(text).with_reason("BuildFailed"));
            }
            *object = result;
            Ok(())
        }
        Err(error) => Err(failure(object, &error.to_string(), hint(&error).as_deref())),
    }
}

fn yaml(object: &Object) -> String {
    Objects::from(vec![object.clone()]).to_yaml()
}

/// Flux's text first and unchanged; then where the object comes from and what to do.
fn failure(object: &Object, error: &str, hint: Option<&str>) -> Failure {
    let mut message = format!(
        "post build failed for '{}/{}': {error}",
        gvk(object),
        object.name()
    );
    match (object.origin(), hint) {
        (Some(origin), Some(hint)) => message.push_str(&format!(" ({origin}: {hint})")),
        (Some(origin), None) => message.push_str(&format!(" ({origin})")),
        (None, Some(hint)) => message.push_str(&format!(" ({hint})")),
        (None, None) => {}
    }
    let mut finding = Finding::new(Severity::Error, error).about(object);
    finding.hint = hint.map(str::to_owned);
    Failure::terminal(message)
        .with_reason("BuildFailed")
        .with_finding(finding)
}

/// `Deployment.v1.apps`, `ConfigMap.v1.[noGrp]`: how Kustomize prints a kind.
fn gvk(object: &Object) -> String {
    match object.api_version().split_once('/') {
        Some((group, version)) => format!("{}.{version}.{group}", object.kind()),
        None => format!("{}.{}.[noGrp]", object.kind(), object.api_version()),
    }
}

fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Expand(expand::Error::NotSet(name)) => Some(format!(
            "set {name} in spec.postBuild, give it a default with ${{{name}:=…}}, or write $${{{name}}} where the text itself is meant"
        )),
        Error::Expand(_) => Some("write $${ where ${ is meant as text".to_owned()),
        Error::Yaml(_) | Error::NotAnObject(_) => {
            Some("a value breaks the YAML around it; quote it inside the variable: '\"…\"'".to_owned())
        }
    }
}
