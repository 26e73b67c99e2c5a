//! The written form of a scenario; `requests/README.md` explains it to authors.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// A list of requests in a namespace of its own.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without `.yaml`; also the name of its namespace, with `t-` in front.
    pub name: String,
    /// Whether the real server needs its controller manager.
    pub controllers: bool,
    /// Names for pieces of paths.
    pub names: BTreeMap<String, String>,
    /// The requests, in order.
    pub steps: Vec<Step>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Step {
    /// As written: `APPLY {cm}/a?fieldManager=one`.
    pub line: String,
    /// What is sent, if anything; a string where `raw` is set. For `WATCH` the number of events to read.
    pub body: Value,
    /// Send the body's text as it is.
    pub raw: bool,
    /// `Content-Type`, where the verb does not say.
    pub content_type: Option<String>,
    /// `Accept`, if not JSON.
    pub accept: Option<String>,
    /// Pointers into the answer whose values later steps use.
    pub remember: BTreeMap<String, String>,
    /// What of the answer counts.
    pub expected: Expected,
    /// Ask again until this status comes (controllers need a moment).
    pub until: Option<u16>,
    /// After the request, wait for this.
    pub wait: Option<Await>,
}

/// What of an answer is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Everything but these pointers.
    Without(Vec<String>),
    /// The value at this pointer; `*` stands for every item.
    Only(String),
    /// Nothing but the status.
    Status,
}

/// A value at a path that must come true before the next step.
#[derive(Clone, Debug)]
pub struct Await {
    /// What to GET.
    pub path: String,
    /// Where to look.
    pub pointer: String,
    /// What must be there.
    pub value: Value,
}

/// Every scenario of `folder`, by name.
pub fn all(folder: &Path) -> anyhow::Result<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&path)?;
            scenarios.push(parse(name, &text).with_context(|| path.display().to_string())?);
        }
    }
    scenarios.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(scenarios)
}

fn parse(name: String, text: &str) -> anyhow::Result<Scenario> {
    // `n` and `yes` are names here, as they are in every YAML of today.
    let options = serde_saphyr::options! { strict_booleans: true };
    let file: Value = serde_saphyr::from_str_with_options(text, options)?;
    let names = strings(file.get("let"));
    let steps = file.get("steps").and_then(Value::as_array).context("no steps")?;
    let steps = steps.iter().map(step).collect::<anyhow::Result<_>>()?;
    Ok(Scenario {
        name,
        controllers: file.get("controllers") == Some(&Value::Bool(true)),
        names,
        steps,
    })
}

fn step(value: &Value) -> anyhow::Result<Step> {
    let entries = value.as_object().context("a step is a mapping")?;
    let mut requests = entries.iter().filter(|(key, _)| key.contains(' '));
    let (Some((line, body)), None) = (requests.next(), requests.next()) else {
        bail!("a step has one request, `METHOD path: body`: {value}")
    };
    let text = |key: &str| entries.get(key).and_then(Value::as_str).map(str::to_owned);
    let expected = match (text("only"), entries.contains_key("status-only")) {
        (_, true) => Expected::Status,
        (Some(only), _) => Expected::Only(only),
        (None, false) => Expected::Without(list(entries, "ignore")),
    };
    let wait = entries.get("await").and_then(Value::as_object).map(|wait| {
        let text = |key: &str| {
            wait.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Await {
            path: text("path"),
            pointer: text("pointer"),
            value: wait.get("value").cloned().unwrap_or_default(),
        }
    });
    Ok(Step {
        line: line.clone(),
        body: body.clone(),
        raw: entries.contains_key("raw"),
        content_type: text("type"),
        accept: text("accept"),
        remember: strings(entries.get("remember")),
        expected,
        until: entries
            .get("until")
            .and_then(Value::as_u64)
            .and_then(|status| u16::try_from(status).ok()),
        wait,
    })
}

fn strings(value: Option<&Value>) -> BTreeMap<String, String> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn list(entries: &Map<String, Value>, key: &str) -> Vec<String> {
    let items = entries.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}
