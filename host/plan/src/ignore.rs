//! `spec.ignore`: fields whose changes by others are left alone (compat kustomize 6.7).

mod ownership;

use regex::{Regex, RegexBuilder};
use serde_json::Value;
use sluice_api::kustomize::{IgnoreRule, Selector};
use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_object::{LabelSelector, pointer};

/// Most rules of one Kustomization, most paths of all of them together, most targets that must be tried as expressions: each is
/// tried with each object.
const RULES_MAX: usize = 500;
const PATHS_MAX: usize = 500;
const EXPRESSIONS_MAX: usize = 100;
/// Bytes of one expression that is ready to be tried: a few characters can make megabytes.
const EXPRESSION_SIZE_MAX: usize = 256 << 10;

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
    group: Option<Pattern>,
    version: Option<Pattern>,
    kind: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Option<Pattern>,
    labels: LabelSelector,
    annotations: LabelSelector,
}

/// What a text must be as a whole.
#[derive(Clone, Debug)]
enum Pattern {
    /// This one, where each dot stands for any character: what most targets are.
    Text(String),
    Expression(Regex),
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
        reason::INVALID_SPEC
    }

    fn next(&self) -> Next {
        Next::Stall
    }

    fn blame(&self) -> Blame {
        Blame::User
    }
}

impl IgnoreRules {
    /// Compiles rules.
    ///
    /// # Errors
    /// A regular expression, a selector or a JSON pointer cannot be read, or there are too many.
    pub fn compile(rules: &[IgnoreRule]) -> Result<Self, InvalidIgnore> {
        let mut compiled: Vec<Rule> = Vec::new();
        let (mut path_count, mut expression_count) = (0, 0);
        for (index, rule) in rules.iter().enumerate() {
            let invalid = |field, cause: String| InvalidIgnore { index, field, cause };
            path_count += rule.paths.len();
            if index >= RULES_MAX || path_count > PATHS_MAX {
                let cause = format!(
                    "more than {RULES_MAX} rules (rules_max), or {PATHS_MAX} paths together (paths_max): divide the objects \
                     among Kustomizations"
                );
                return Err(invalid("paths", cause));
            }
            let paths = rule.paths.iter().map(|path| pointer::keys(path));
            let paths = paths
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| invalid("paths", error.to_string()))?;
            let target = rule
                .target
                .as_ref()
                .map(|target| Target::compile(target).map_err(|(field, cause)| invalid(field, cause)));
            let target = target.transpose()?.unwrap_or_default();
            expression_count += target.expressions();
            if expression_count > EXPRESSIONS_MAX {
                let cause = format!(
                    "more than {EXPRESSIONS_MAX} expressions together (expressions_max): write names out, or divide the objects \
                     among Kustomizations"
                );
                return Err(invalid("target", cause));
            }
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
    pub(crate) fn paths_for(&self, dry_run: &Value) -> Vec<&[String]> {
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
        let pattern = |field, text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.is_empty());
            text.map(Pattern::compile)
                .transpose()
                .map_err(|error| (field, error.to_string()))
        };
        let selector = |field, text: &Option<String>| {
            LabelSelector::parse(text.as_deref().unwrap_or_default()).map_err(|error| {
                let term = &error.term;
                let cause = format!(
                    "{term:?} is no condition of a selector: {error}: write app=web, app!=web, app in (a, b), app or !app"
                );
                (field, cause)
            })
        };
        Ok(Self {
            group: pattern("target.group", &target.group)?,
            version: pattern("target.version", &target.version)?,
            kind: pattern("target.kind", &target.kind)?,
            name: pattern("target.name", &target.name)?,
            namespace: pattern("target.namespace", &target.namespace)?,
            labels: selector("target.labelSelector", &target.label_selector)?,
            annotations: selector("target.annotationSelector", &target.annotation_selector)?,
        })
    }

    /// How many of them are expressions.
    fn expressions(&self) -> usize {
        let patterns = [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ];
        let expressions = patterns
            .into_iter()
            .flatten()
            .filter(|pattern| matches!(pattern, Pattern::Expression(_)));
        expressions.count()
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
            .all(|(pattern, text)| pattern.as_ref().is_none_or(|pattern| pattern.matches(text)))
            && self.labels.matches(object.pointer("/metadata/labels"))
            && self.annotations.matches(object.pointer("/metadata/annotations"))
    }
}

impl Pattern {
    fn compile(text: &str) -> Result<Self, regex::Error> {
        let is_literal = |character: char| character.is_ascii_alphanumeric() || "-_/:.".contains(character);
        if text.chars().all(is_literal) {
            return Ok(Self::Text(text.to_owned()));
        }
        let expression = RegexBuilder::new(&format!("^(?:{text})$"))
            .size_limit(EXPRESSION_SIZE_MAX)
            .build();
        expression.map(Self::Expression)
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Text(pattern) => {
                let is_same =
                    |(wanted, found): (char, char)| wanted == found || (wanted == '.' && found != '\n');
                pattern.chars().count() == text.chars().count()
                    && pattern.chars().zip(text.chars()).all(is_same)
            }
            Self::Expression(expression) => expression.is_match(text),
        }
    }
}
