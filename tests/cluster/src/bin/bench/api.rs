//! The requests of the benchmark itself.

use anyhow::{Context as _, bail};
use futures::StreamExt as _;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many connections the floor program and the benchmark's own writes use (design/engine.md section 1).
pub(crate) const CONNECTIONS: usize = 20;

/// An API server and the right to do anything there.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
}

impl Api {
    async fn send(&self, method: Method, path: &str, body: Option<(&str, String)>) -> anyhow::Result<Value> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some((content_type, text)) = body {
            request = request.header(CONTENT_TYPE, content_type).body(text);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{status}: {path}: {text}");
        }
        serde_json::from_str(&text).with_context(|| path.to_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None).await
    }

    /// Server-side apply as field manager `floor`.
    pub(crate) async fn apply(&self, path: &str, object: &Value) -> anyhow::Result<Value> {
        let body = Some(("application/apply-patch+yaml", object.to_string()));
        self.send(
            Method::PATCH,
            &format!("{path}?fieldManager=floor&force=true"),
            body,
        )
        .await
    }

    pub(crate) async fn create(&self, path: &str, object: &Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, Some(("application/json", object.to_string())))
            .await
    }

    pub(crate) async fn merge(&self, path: &str, patch: &Value) -> anyhow::Result<Value> {
        self.send(
            Method::PATCH,
            path,
            Some(("application/merge-patch+json", patch.to_string())),
        )
        .await
    }

    /// Does `work` for every item over [`CONNECTIONS`] connections; the first failure ends it.
    pub(crate) async fn each<T: Send + Sync + 'static, F>(
        &self,
        items: Vec<T>,
        work: impl Fn(Api, Arc<Vec<T>>, usize) -> F + Copy + Send + 'static,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<()>> + Send,
    {
        let (items, next) = (Arc::new(items), Arc::new(AtomicUsize::new(0)));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (api, items, next) = (self.clone(), Arc::clone(&items), Arc::clone(&next));
            workers.spawn(async move {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= items.len() {
                        return anyhow::Ok(());
                    }
                    work(api.clone(), Arc::clone(&items), index).await?;
                }
            });
        }
        while let Some(done) = workers.join_next().await {
            done??;
        }
        Ok(())
    }

    /// Watches from now on, beginning with what is there, until `seen` says it has seen enough. The server may end a watch
    /// whenever it likes: then it begins anew, with what is there by then.
    pub(crate) async fn watch(&self, path: &str, mut seen: impl FnMut(&Value) -> bool) -> anyhow::Result<()> {
        while !self.watch_once(path, &mut seen).await? {}
        Ok(())
    }

    /// Whether `seen` had seen enough before the server ended the watch.
    async fn watch_once(&self, path: &str, seen: &mut impl FnMut(&Value) -> bool) -> anyhow::Result<bool> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let url = format!("{}{path}{joint}watch=true", self.url);
        let answer = self.client.get(&url).send().await?.error_for_status()?;
        let mut stream = answer.bytes_stream();
        let mut buffer: Vec<u8> = Vec::new();
        while let Some(piece) = stream.next().await {
            let Ok(piece) = piece else { return Ok(false) };
            buffer.extend_from_slice(&piece);
            let mut start = 0;
            while let Some(end) = buffer.iter().skip(start).position(|byte| *byte == b'\n') {
                let line = buffer.get(start..start + end).unwrap_or_default();
                let event: Value = serde_json::from_slice(line)?;
                start += end + 1;
                if seen(event.get("object").unwrap_or(&Value::Null)) {
                    return Ok(true);
                }
            }
            buffer.drain(..start);
        }
        Ok(false)
    }
}
