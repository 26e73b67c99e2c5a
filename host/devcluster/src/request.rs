//! What a request asks for: verb, resource and options, read from method, path and query.

use crate::status::{Cause, Result, Status};
use std::collections::HashMap;

/// A path below `/api` or `/apis` that names a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) resource: String,
    pub(crate) namespace: String,
    /// Empty for collections.
    pub(crate) name: String,
    /// Empty for the object itself; may hold slashes (`proxy/…`).
    pub(crate) subresource: String,
    /// The path began with the deprecated `watch/`.
    pub(crate) is_watch_path: bool,
}

/// Reads a resource path; none for discovery and other paths.
pub(crate) fn target(path: &str) -> Option<Target> {
    let mut parts = path.trim_matches('/').split('/');
    let (group, version) = match parts.next()? {
        "api" => ("", parts.next()?),
        "apis" => (parts.next()?, parts.next()?),
        _ => return None,
    };
    let mut rest: Vec<String> = parts.map(decode).collect();
    let is_watch_path = rest.first().is_some_and(|part| part == "watch");
    if is_watch_path {
        rest.remove(0);
    }
    let mut target = Target {
        group: group.to_owned(),
        version: version.to_owned(),
        is_watch_path,
        ..Target::default()
    };
    let mut rest = rest.into_iter();
    let first = rest.next().filter(|part| !part.is_empty())?;
    let tail: Vec<String> = rest.collect();
    let in_namespace = first == "namespaces" && tail.len() >= 2 && !is_namespace_subresource(&tail);
    let mut tail = tail.into_iter();
    if in_namespace {
        target.namespace = tail.next()?;
        target.resource = tail.next()?;
    } else {
        target.resource = first;
    }
    target.name = tail.next().unwrap_or_default();
    target.subresource = tail.collect::<Vec<_>>().join("/");
    Some(target)
}

fn is_namespace_subresource(tail: &[String]) -> bool {
    matches!(tail, [_, sub] if sub == "status" || sub == "finalize")
}

/// The query of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(HashMap<String, String>);

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// A parameter's value, empty where it is absent.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.0.get(key).map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.text(key), "1" | "true" | "True" | "t")
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.text(key).parse().ok()
    }
}

/// What is done with fields that no schema knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// Options of a write.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteOptions {
    pub(crate) is_dry_run: bool,
    pub(crate) manager: String,
    pub(crate) force: bool,
    pub(crate) field_validation: FieldValidation,
}

impl WriteOptions {
    /// `user_agent` names the manager where the request does not.
    pub(crate) fn read(query: &Query, user_agent: &str, verb: &str) -> Result<Self> {
        let mut causes = Vec::new();
        let dry_run = query.text("dryRun");
        if !matches!(dry_run, "" | "All") {
            let message = format!("Unsupported value: [\"{dry_run}\"]: supported values: \"All\"");
            causes.push(Cause::new("FieldValueNotSupported", message, "dryRun"));
        }
        let field_validation = match query.text("fieldValidation") {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                let message = format!(
                    "Unsupported value: \"{other}\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""
                );
                causes.push(Cause::new("FieldValueNotSupported", message, "fieldValidation"));
                FieldValidation::Warn
            }
        };
        let is_apply = verb == "apply";
        let manager = match query.text("fieldManager") {
            "" if is_apply => {
                causes.push(Cause::new(
                    "FieldValueRequired",
                    "Required value: is required for apply patch",
                    "fieldManager",
                ));
                String::new()
            }
            "" => manager_of(user_agent),
            named => named.to_owned(),
        };
        if manager.chars().count() > MANAGER_LENGTH_MAX {
            let message = format!("Too long: may not be more than {MANAGER_LENGTH_MAX} bytes");
            causes.push(Cause::new("FieldValueTooLong", message, "fieldManager"));
        }
        if !query.text("force").is_empty() && !is_apply && verb == "patch" {
            causes.push(Cause::new(
                "FieldValueForbidden",
                "Forbidden: may not be specified for non-apply patch",
                "force",
            ));
        }
        if causes.is_empty() {
            return Ok(Self {
                is_dry_run: dry_run == "All",
                manager,
                force: query.flag("force"),
                field_validation,
            });
        }
        let options = match verb {
            "create" => "CreateOptions",
            "update" => "UpdateOptions",
            _ => "PatchOptions",
        };
        Err(Status::invalid("meta.k8s.io", options, "", causes))
    }
}

/// A manager's name may not be longer.
const MANAGER_LENGTH_MAX: usize = 128;

/// The part of a user agent before the first slash, cut to what a manager's name may have.
fn manager_of(user_agent: &str) -> String {
    let name = user_agent.split('/').next().unwrap_or_default();
    match name.chars().take(MANAGER_LENGTH_MAX).collect::<String>() {
        name if name.is_empty() => "unknown".to_owned(),
        name => name,
    }
}

fn decode(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'%').then(|| {
            let hex: Vec<u8> = rest.clone().take(2).collect();
            u8::from_str_radix(std::str::from_utf8(&hex).unwrap_or_default(), 16).ok()
        });
        match escaped.flatten() {
            Some(escaped) => {
                bytes.push(escaped);
                let _ = (rest.next(), rest.next());
            }
            None => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let rows = [
            ("/api/v1/namespaces", "/v1 namespaces//"),
            ("/api/v1/namespaces/a", "/v1 namespaces//a"),
            ("/api/v1/namespaces/a/status", "/v1 namespaces//a status"),
            ("/api/v1/namespaces/a/pods", "/v1 pods/a/"),
            ("/api/v1/namespaces/a/pods/b/log", "/v1 pods/a/b log"),
            (
                "/apis/apps/v1/namespaces/a/deployments/b/scale",
                "apps/v1 deployments/a/b scale",
            ),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Ax",
                "rbac.authorization.k8s.io/v1 clusterroles//system:x",
            ),
        ];
        for (path, expected) in rows {
            let target = target(path).expect(path);
            let got = format!(
                "{}/{} {}/{}/{} {}",
                target.group,
                target.version,
                target.resource,
                target.namespace,
                target.name,
                target.subresource
            );
            assert_eq!(got.trim(), expected);
        }
        assert_eq!(target("/apis/apps/v1"), None);
        assert_eq!(target("/version"), None);
    }
}
