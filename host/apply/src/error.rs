use crate::cluster::{DATABASE_FULL, MESSAGE_TOO_LARGE, REQUEST_TOO_LARGE, RequestError};
use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_object::{Object, ObjectId, Origin};
use std::fmt;

/// What was being done to an object when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking at what is there.
    Look,
    /// Asking the API server what an apply would do.
    DryRun,
    /// Moving managers' entries to the desired API version.
    Migrate,
    /// Taking over the fields of earlier tools.
    TakeOver,
    /// Applying.
    Apply,
    /// Deleting in order to make it anew.
    Delete,
    /// Waiting until what was deleted is gone.
    Vanish,
}

/// An object that could not be applied. The text is Flux's, followed by where the object comes from and what to do.
#[derive(Clone, Debug)]
pub struct ApplyError {
    /// The object.
    pub id: ObjectId,
    /// Where it comes from.
    pub origin: Option<Origin>,
    /// What failed.
    pub step: Step,
    /// Why.
    pub cause: RequestError,
    /// Whether it lacks the namespace that its kind needs.
    pub lacks_namespace: bool,
    /// Whether it would have been made anew, were it not protected.
    pub is_spared: bool,
}

impl ApplyError {
    pub(crate) fn new(object: &Object, step: Step, cause: RequestError) -> Self {
        let origin = object.origin().cloned();
        Self {
            id: object.id().clone(),
            origin,
            step,
            cause,
            lacks_namespace: false,
            is_spared: false,
        }
    }
}

impl std::error::Error for ApplyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, cause, reason) = (&self.id, &self.cause, self.cause.reason());
        match (self.step, cause) {
            _ if self.lacks_namespace => {
                write!(
                    f,
                    "{id} namespace not specified: the server could not find the requested resource"
                )?;
            }
            (Step::Migrate, _) => write!(
                f,
                "{id} failed to migrate API version: failed to migrate managed fields API version to {}: {cause}",
                id.gvk.api_version()
            )?,
            (Step::TakeOver, _) => write!(f, "{id} metadata.managedFields cleanup failed: {cause}")?,
            (Step::Apply, _) => write!(f, "{id} apply failed: {cause}")?,
            (Step::Delete, _) => write!(
                f,
                "{id} immutable field detected, failed to delete object: {cause}"
            )?,
            (Step::Vanish, _) => write!(
                f,
                "{id} immutable field detected, failed to wait for object to be deleted: {cause}"
            )?,
            (_, RequestError::NoMatch { .. }) => write!(f, "{id} dry-run failed: {cause}")?,
            (_, RequestError::Refused { code: 404, .. }) => write!(f, "{id} not found: {cause}")?,
            _ if reason.is_empty() => write!(f, "{id} dry-run failed: {cause}")?,
            _ => write!(f, "{id} dry-run failed ({reason}): {cause}")?,
        }
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        if let Some(remedy) = self.remedy() {
            write!(f, "; {remedy}")?;
        }
        Ok(())
    }
}

/// What is said of a ConfigMap or Secret whose data is more than the API server takes.
const DATA_TOO_LONG: &str = "may not be more than 1048576 bytes";

impl ApplyError {
    fn remedy(&self) -> Option<String> {
        if self.lacks_namespace {
            return Some("set metadata.namespace, or spec.targetNamespace of the Kustomization".to_owned());
        }
        if self.is_spared {
            return Some(
                "it is protected, so it is not deleted and created anew: take the change out of the source, or make it by hand"
                    .to_owned(),
            );
        }
        match &self.cause {
            RequestError::NoMatch { kind, .. } => Some(format!(
                "install the CustomResourceDefinition of {kind} first: in the same path, or by a Kustomization this one dependsOn"
            )),
            RequestError::Refused { code: 404, message, .. } if message.contains("namespaces \"") => Some(
                "create the namespace first: add it to the same path, or to a Kustomization this one dependsOn".to_owned(),
            ),
            RequestError::Refused { code: 403, message, .. } if message.contains("exceeded quota") => {
                Some("raise the quota, or ask for less".to_owned())
            }
            RequestError::Refused { code: 403, message, .. } if message.contains("being terminated") => Some(
                "wait until the namespace is gone; the object is tried again after the retry interval".to_owned(),
            ),
            // a webhook says itself what it wants
            RequestError::Refused { code: 403, message, .. } if message.contains("denied the request") => None,
            RequestError::Refused { code: 403, .. } => Some(
                "grant the named verb to the account that applies: spec.serviceAccountName, or the controller's own"
                    .to_owned(),
            ),
            RequestError::Refused { code: 422, message, .. } if message.contains("immutable") => Some(
                "set spec.force, or the annotation kustomize.toolkit.fluxcd.io/force: enabled on the object, to delete and create it anew"
                    .to_owned(),
            ),
            RequestError::Refused { message, .. } if message.contains(DATABASE_FULL) => Some(
                "the cluster's etcd is full: compact and defragment it, or raise its --quota-backend-bytes, then disarm its alarm"
                    .to_owned(),
            ),
            RequestError::Refused { code, message, .. }
                if *code == 413
                    || message.contains(REQUEST_TOO_LARGE)
                    || message.contains(MESSAGE_TOO_LARGE)
                    || message.contains(DATA_TOO_LONG) =>
            {
                Some(
                    "make the object smaller, an API server keeps about 1 MiB: split a ConfigMap or Secret, or have a volume or an image carry the data"
                        .to_owned(),
                )
            }
            _ => None,
        }
    }
}

impl Disposition for ApplyError {
    fn reason(&self) -> Reason {
        reason::RECONCILIATION_FAILED
    }

    fn next(&self) -> Next {
        if self.cause.is_transient() {
            Next::BackOff
        } else {
            Next::Retry
        }
    }

    fn blame(&self) -> Blame {
        if self.cause.is_transient() {
            Blame::Upstream
        } else {
            Blame::User
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use serde_json::json;

    fn error(step: Step, code: u16, reason: &str, message: &str) -> ApplyError {
        let object = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "namespace": "apps" } });
        let origin = Origin {
            path: "apps/web/deployment.yaml".into(),
            index: 0,
            line: 23,
        };
        let object = Object::new(object).unwrap().with_origin(Some(origin));
        let cause = RequestError::Refused {
            code,
            reason: reason.into(),
            message: message.into(),
            causes: vec![],
            retry_after: None,
        };
        ApplyError::new(&object, step, cause)
    }

    fn check(step: Step, code: u16, reason: &str, message: &str, expected: &Expect) {
        expected.assert_eq(&error(step, code, reason, message).to_string());
    }

    #[test]
    fn flux_s_text_first_then_where_and_what_to_do() {
        check(
            Step::DryRun,
            422,
            "Invalid",
            "Deployment.apps \"web\" is invalid: spec.selector: Invalid value: field is immutable",
            &expect![
                "Deployment/apps/web dry-run failed (Invalid): Deployment.apps \"web\" is invalid: spec.selector: Invalid value: field is immutable (apps/web/deployment.yaml:23); set spec.force, or the annotation kustomize.toolkit.fluxcd.io/force: enabled on the object, to delete and create it anew"
            ],
        );
        check(
            Step::DryRun,
            404,
            "NotFound",
            "namespaces \"apps\" not found",
            &expect![
                "Deployment/apps/web not found: namespaces \"apps\" not found (apps/web/deployment.yaml:23); create the namespace first: add it to the same path, or to a Kustomization this one dependsOn"
            ],
        );
        check(
            Step::Apply,
            500,
            "InternalError",
            "etcdserver: request timed out",
            &expect![
                "Deployment/apps/web apply failed: etcdserver: request timed out (apps/web/deployment.yaml:23)"
            ],
        );
        for (step, text) in [
            (
                Step::Migrate,
                "failed to migrate API version: failed to migrate managed fields API version to apps/v1",
            ),
            (Step::TakeOver, "metadata.managedFields cleanup failed"),
            (Step::Delete, "immutable field detected, failed to delete object"),
            (
                Step::Vanish,
                "immutable field detected, failed to wait for object to be deleted",
            ),
        ] {
            let all = format!("Deployment/apps/web {text}: out of order (apps/web/deployment.yaml:23)");
            assert_eq!(error(step, 500, "InternalError", "out of order").to_string(), all);
        }
        let nowhere = ApplyError {
            lacks_namespace: true,
            ..error(Step::DryRun, 404, "NotFound", "")
        };
        expect![
            "Deployment/apps/web namespace not specified: the server could not find the requested resource (apps/web/deployment.yaml:23); set metadata.namespace, or spec.targetNamespace of the Kustomization"
        ]
        .assert_eq(&nowhere.to_string());
    }
}
