//! `spec.ignore`: fields whose changes by others are left alone (compat kustomize 6.7).

mod ownership;
mod selector;

use regex::Regex;
use selector::Requirement;
use serde_json::Value;
use sluice_api::kustomize::{IgnoreRule, Selector};
use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_object::pointer;

/// The compiled rules of one Kustomization.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// Of the rules without one the last wins, as in Flux; others with equal targets all count.
    has_target: bool,
    target: Target,
    paths: Vec<Vec<String>>,
}

#[derive(Clone, Debug, Default)]
struct Target {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

/// A rule that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid spec.ignore[{index}].{field}: {cause}")]
pub struct InvalidIgnore {
    /// Which rule, from 0.
    pub index: usize,
    /// Which field of it.
    pub field: &'static str,
    /// What is wrong.
    pub cause: String,
}

impl Disposition for InvalidIgnore {
    fn reason(&self) -> Reason {
        reason::RECONCILIATION_FAILED
    }

    fn next(&self) -> Next {
        Next::Retry
    }

    fn blame(&self) -> Blame {
        Blame::User
    }
}

impl IgnoreRules {
    /// Compiles rules.
    ///
    /// # Errors
    /// A regular expression, a selector or a JSON pointer cannot be read.
    pub fn compile(rules: &[IgnoreRule]) -> Result<Self, InvalidIgnore> {
        let mut compiled: Vec<Rule> = Vec::with_capacity(rules.len());
        for (index, rule) in rules.iter().enumerate() {
            let invalid = |field, cause: String| InvalidIgnore { index, field, cause };
            let paths = rule.paths.iter().map(|path| pointer::keys(path));
            let paths = paths
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| invalid("paths", error.to_string()))?;
            let target = rule
                .target
                .as_ref()
                .map(|target| Target::compile(target).map_err(|(field, cause)| invalid(field, cause)));
            let target = target.transpose()?.unwrap_or_default();
            let has_target = rule.target.is_some();
            compiled.retain(|known| has_target || known.has_target);
            compiled.push(Rule {
                has_target,
                target,
                paths,
            });
        }
        Ok(Self { rules: compiled })
    }

    /// The fields to ignore in an object as the dry run shows it.
    pub fn paths_for(&self, dry_run: &Value) -> Vec<&[String]> {
        let matching = self.rules.iter().filter(|rule| rule.target.matches(dry_run));
        matching
            .flat_map(|rule| rule.paths.iter().map(Vec::as_slice))
            .collect()
    }

    /// The object without these fields.
    pub(crate) fn without(object: &Value, paths: &[&[String]]) -> Value {
        let mut object = object.clone();
        for path in paths {
            pointer::remove(&mut object, path);
        }
        object
    }

    /// What is applied in place of `body`: an ignored field that drifted is left to the manager who applied it, or else
    /// keeps its live value.
    pub(crate) fn yielding(mut body: Value, live: &Value, dry_run: &Value, paths: &[&[String]]) -> Value {
        for path in paths {
            let there = pointer::get(live, path);
            if there == pointer::get(dry_run, path) {
                continue;
            }
            match there.filter(|_| !ownership::is_applied_by_another(live, path)) {
                Some(value) => {
                    pointer::set(&mut body, path, value.clone());
                }
                None => {
                    pointer::remove(&mut body, path);
                }
            }
        }
        body
    }
}

impl Target {
    fn compile(target: &Selector) -> Result<Self, (&'static str, String)> {
        let regex = |field, text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.is_empty());
            text.map(|text| Regex::new(&format!("^(?:{text})$")))
                .transpose()
                .map_err(|error| (field, error.to_string()))
        };
        let selector = |field, text: &Option<String>| {
            selector::parse(text.as_deref().unwrap_or_default()).map_err(|cause| (field, cause))
        };
        Ok(Self {
            group: regex("target.group", &target.group)?,
            version: regex("target.version", &target.version)?,
            kind: regex("target.kind", &target.kind)?,
            name: regex("target.name", &target.name)?,
            namespace: regex("target.namespace", &target.namespace)?,
            labels: selector("target.labelSelector", &target.label_selector)?,
            annotations: selector("target.annotationSelector", &target.annotation_selector)?,
        })
    }

    fn matches(&self, object: &Value) -> bool {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let api_version = text("/apiVersion");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let rows = [
            (&self.group, group),
            (&self.version, version),
            (&self.kind, text("/kind")),
            (&self.name, text("/metadata/name")),
            (&self.namespace, text("/metadata/namespace")),
        ];
        rows.into_iter()
            .all(|(regex, text)| regex.as_ref().is_none_or(|regex| regex.is_match(text)))
            && self
                .labels
                .iter()
                .all(|requirement| requirement.holds(object.pointer("/metadata/labels")))
            && self
                .annotations
                .iter()
                .all(|requirement| requirement.holds(object.pointer("/metadata/annotations")))
    }
}
