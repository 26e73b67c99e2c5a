//! Sends the requests of a scenario.

use crate::canonical::Canon;
use crate::scenario::{Await, Expected, Scenario, Step};
use anyhow::{Context as _, bail};
use futures::StreamExt as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a step may wait for controllers, or a watch for its events.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a watch that gave all its events is listened to for one too many.
const SILENCE: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(50);

/// Where requests go: a base address without trailing slash, and a client that is allowed everything there.
#[derive(Clone, Debug)]
pub struct Server {
    /// `https://127.0.0.1:6443`.
    pub url: String,
    /// Trusts the server and shows its credentials.
    pub client: reqwest::Client,
}

impl Server {
    /// A server on this machine; whose certificate it shows is not asked, what it answers is what counts.
    pub fn at(url: &str, token: Option<&str>) -> anyhow::Result<Self> {
        // Another provider may be there already: both are ring.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}"))?);
        }
        let client = reqwest::Client::builder()
            .default_headers(headers)
            .tls_danger_accept_invalid_certs(true)
            .build()?;
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            client,
        })
    }
}

/// Plays a scenario in a namespace of its own, which is removed before and left behind after. Gives one canonical answer a step.
pub async fn play(server: &Server, scenario: &Scenario) -> anyhow::Result<Vec<Value>> {
    let namespace = format!("t-{}", scenario.name);
    let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let answer = server.client.post(format!("{}/api/v1/namespaces", server.url));
    let answer = answer
        .header(CONTENT_TYPE, "application/json")
        .body(made.to_string())
        .send()
        .await?;
    if !answer.status().is_success() {
        bail!("cannot make namespace {namespace}: {}", answer.text().await?);
    }
    let mut variables = scenario.names.clone();
    variables.insert("ns".to_owned(), namespace.clone());
    let mut answers = Vec::new();
    for step in &scenario.steps {
        let answer = send(server, step, &mut variables)
            .await
            .with_context(|| step.line.clone())?;
        answers.push(answer);
    }
    let mut canon = Canon::new(&namespace);
    for answer in &answers {
        canon.learn(answer);
    }
    Ok(answers
        .into_iter()
        .zip(&scenario.steps)
        .map(|(answer, step)| reduce(canon.apply(answer), step))
        .collect())
}

/// Replaces `{name}` in a text, twice: names may use `{ns}`.
fn fill(text: &str, variables: &BTreeMap<String, String>) -> String {
    let once = |text: &str| {
        variables.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    };
    once(&once(text))
}

fn fill_value(value: &Value, variables: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(fill(text, variables)),
        Value::Array(items) => items.iter().map(|item| fill_value(item, variables)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), fill_value(value, variables)))
            .collect(),
        other => other.clone(),
    }
}

/// The HTTP method of a verb and the content type it implies.
fn method(verb: &str) -> anyhow::Result<(Method, &'static str)> {
    Ok(match verb {
        "GET" | "WATCH" => (Method::GET, ""),
        "POST" => (Method::POST, "application/json"),
        "PUT" => (Method::PUT, "application/json"),
        "DELETE" => (Method::DELETE, "application/json"),
        "PATCH" => (Method::PATCH, ""),
        "APPLY" => (Method::PATCH, "application/apply-patch+yaml"),
        "MERGE" => (Method::PATCH, "application/merge-patch+json"),
        "STRATEGIC" => (Method::PATCH, "application/strategic-merge-patch+json"),
        "JSONPATCH" => (Method::PATCH, "application/json-patch+json"),
        other => bail!("no verb {other}"),
    })
}

async fn send(
    server: &Server,
    step: &Step,
    variables: &mut BTreeMap<String, String>,
) -> anyhow::Result<Value> {
    let (verb, path) = step.line.split_once(' ').context("no path")?;
    let url = format!("{}{}", server.url, fill(path, variables));
    let waited = tokio::time::Instant::now();
    loop {
        let answer = request(server, step, verb, &url, variables).await?;
        let answer = match (verb, answer.status().is_success()) {
            ("WATCH", true) => events(answer, step.body.as_u64().unwrap_or(1)).await?,
            _ => whole(answer).await?,
        };
        let status = answer.get("status").and_then(Value::as_u64);
        if step.until.is_some_and(|until| status != Some(u64::from(until))) {
            if waited.elapsed() > PATIENCE {
                bail!("still {answer}");
            }
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        for (name, pointer) in &step.remember {
            let value = answer.pointer(&format!("/body{pointer}")).and_then(Value::as_str);
            variables.insert(name.clone(), value.unwrap_or("nothing-remembered").to_owned());
        }
        if let Some(wait) = &step.wait {
            wait_for(server, wait, variables).await?;
        }
        return Ok(answer);
    }
}

async fn request(
    server: &Server,
    step: &Step,
    verb: &str,
    url: &str,
    variables: &BTreeMap<String, String>,
) -> anyhow::Result<Response> {
    let (method, implied) = method(verb)?;
    let accept = step.accept.as_ref().map(|accept| fill(accept, variables));
    let mut request = server.client.request(method, url);
    request = request.header(ACCEPT, accept.as_deref().unwrap_or("application/json"));
    let has_body = !step.body.is_null() && verb != "WATCH";
    if has_body {
        let body = fill_value(&step.body, variables);
        let text = match body.as_str() {
            Some(text) if step.raw => text.to_owned(),
            _ => body.to_string(),
        };
        request = request
            .header(CONTENT_TYPE, step.content_type.as_deref().unwrap_or(implied))
            .body(text);
    }
    Ok(request.send().await?)
}

/// The answer to a request that ends: status, warnings, body (JSON, else text).
async fn whole(answer: Response) -> anyhow::Result<Value> {
    let mut recorded = head(&answer);
    let text = answer.text().await?;
    let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.trim_end()));
    recorded.insert("body".to_owned(), body);
    Ok(Value::Object(recorded))
}

fn head(answer: &Response) -> Map<String, Value> {
    let mut recorded = Map::new();
    recorded.insert("status".to_owned(), json!(answer.status().as_u16()));
    let warnings: Vec<Value> = answer
        .headers()
        .get_all("warning")
        .iter()
        .map(|value| json!(String::from_utf8_lossy(value.as_bytes())))
        .collect();
    if !warnings.is_empty() {
        recorded.insert("warnings".to_owned(), json!(warnings));
    }
    recorded
}

/// The first `count` events of a watch, and whatever comes right behind them.
async fn events(answer: Response, count: u64) -> anyhow::Result<Value> {
    let mut recorded = head(&answer);
    let mut stream = answer.bytes_stream();
    let (mut text, mut events) = (Vec::new(), Vec::new());
    loop {
        let patience = if events.len() as u64 >= count {
            SILENCE
        } else {
            PATIENCE
        };
        match tokio::time::timeout(patience, stream.next()).await {
            Ok(Some(piece)) => text.extend_from_slice(&piece?),
            Ok(None) => {
                recorded.insert("closed".to_owned(), json!(true));
                break;
            }
            Err(_) => break,
        }
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=end).collect();
            events.push(serde_json::from_slice(&line)?);
        }
    }
    recorded.insert("events".to_owned(), Value::Array(events));
    Ok(Value::Object(recorded))
}

async fn wait_for(server: &Server, wait: &Await, variables: &BTreeMap<String, String>) -> anyhow::Result<()> {
    let url = format!("{}{}", server.url, fill(&wait.path, variables));
    let waited = tokio::time::Instant::now();
    loop {
        let answer: Value = serde_json::from_str(&server.client.get(&url).send().await?.text().await?)?;
        if answer.pointer(&wait.pointer) == Some(&wait.value) {
            return Ok(());
        }
        if waited.elapsed() > PATIENCE {
            bail!("{} never became {}: {answer}", wait.pointer, wait.value);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Keeps of an answer what the step says counts.
fn reduce(mut answer: Value, step: &Step) -> Value {
    match &step.expected {
        Expected::Status => {
            if let Value::Object(answer) = &mut answer {
                answer.retain(|key, _| key == "status");
            }
        }
        Expected::Only(pointer) => {
            let picked = answer
                .get("body")
                .map(|body| pick(body, pointer))
                .unwrap_or_default();
            if let Some(body) = answer.get_mut("body") {
                *body = picked;
            }
        }
        Expected::Without(pointers) => {
            for pointer in pointers {
                let (parent, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
                if let Some(Value::Object(parent)) = answer.pointer_mut(&format!("/body{parent}")) {
                    parent.remove(key);
                }
            }
        }
    }
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("request".to_owned(), json!(step.line));
    }
    answer
}

fn pick(body: &Value, pointer: &str) -> Value {
    match pointer.split_once("/*") {
        None => body.pointer(pointer).cloned().unwrap_or_default(),
        Some((list, rest)) => {
            let items = body.pointer(list).and_then(Value::as_array).into_iter().flatten();
            items.map(|item| pick(item, rest)).collect()
        }
    }
}
