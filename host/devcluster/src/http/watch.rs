use super::accept::{View, view};
use super::reads;
use super::serve::Asked;
use super::{Answer, bytes_answer};
use crate::kinds::Kind;
use crate::selector::Selector;
use crate::status::{Result, Status};
use crate::store::{Change, ChangeKind, TooOld, Watch};
use crate::table;
use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How often a quiet watch tells its client where it stands.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// A watch that names no time ends after this long, so that clients come back now and then.
const WATCH_LASTS: Duration = Duration::from_secs(45 * 60);

struct Stream {
    kind: Arc<Kind>,
    view: View,
    selector: Selector,
    namespace: Option<String>,
    ready: VecDeque<Bytes>,
    source: Watch,
    wants_bookmarks: bool,
    next_bookmark: Instant,
    ends: Instant,
    stop: watch::Receiver<bool>,
    /// The newest revision that was looked at.
    seen: u64,
    tables_sent: bool,
    included: table::Included,
}

/// GET with `watch=true`.
pub(super) fn answer(asked: &Asked, kind: &Arc<Kind>) -> Result<Answer> {
    let view = view(&asked.accept)?;
    let selector = reads::selector(asked, kind)?;
    let cluster = &asked.face.cluster;
    let query = &asked.query;
    let namespace = reads::scope(asked, kind).map(str::to_owned);
    let since = query.text("resourceVersion");
    let wants_initial = query.flag("sendInitialEvents");
    if wants_initial && query.text("resourceVersionMatch") != "NotOlderThan" {
        let cause = crate::status::Cause::new(
            "FieldValueForbidden",
            "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            "resourceVersionMatch",
        );
        return Err(Status::invalid("meta.k8s.io", "ListOptions", "", vec![cause]));
    }
    let lasts = query
        .number("timeoutSeconds")
        .filter(|seconds| *seconds > 0)
        .map_or(WATCH_LASTS, Duration::from_secs);
    let now = Instant::now();
    let mut ready = Vec::new();
    let from_start = wants_initial || since.is_empty() || since == "0";
    let (source, seen) = if from_start {
        let (snapshot, source) =
            cluster
                .store
                .list_and_watch(&kind.table, namespace.as_deref(), cluster.watch_backlog);
        ready.extend(snapshot.objects.iter().cloned());
        (source, snapshot.revision)
    } else {
        let wanted = since.parse::<u64>().map_err(|_| {
            Status::new(500, "", format!("resourceVersion: Invalid value: \"{since}\": strconv.ParseUint: parsing \"{since}\": invalid syntax"
            ))
        })?;
        match cluster
            .store
            .watch(&kind.table, Some(wanted), cluster.watch_backlog)
        {
            Ok(source) => (source, wanted),
            Err(TooOld { asked, oldest }) => return Ok(gone(asked, oldest)),
        }
    };
    let mut stream = Stream {
        kind: kind.clone(),
        view,
        selector,
        namespace,
        ready: VecDeque::new(),
        source,
        wants_bookmarks: query.flag("allowWatchBookmarks"),
        next_bookmark: now + BOOKMARK_EVERY,
        ends: now + lasts,
        stop: asked.face.stop.clone(),
        seen,
        tables_sent: false,
        included: reads::included(asked)?,
    };
    for object in ready {
        let shown = stream.kind.present(&object);
        if stream.selector.matches(&shown) {
            stream.push("ADDED", &shown);
        }
    }
    if wants_initial && stream.wants_bookmarks {
        stream.bookmark(true);
    }
    for change in std::mem::take(&mut stream.source.missed) {
        stream.take(&change);
    }
    let body = Body::from_stream(stream::unfold(stream, |mut stream| async move {
        let bytes = stream.next().await?;
        Some((Ok::<_, std::io::Error>(bytes), stream))
    }));
    Ok(bytes_answer(200, "application/json", body))
}

/// History does not reach back: the watch ends with an error event.
fn gone(asked: u64, oldest: u64) -> Answer {
    let status = Status::expired(format!("too old resource version: {asked} ({oldest})"));
    let mut line = json!({"type": "ERROR", "object": status.to_json()}).to_string();
    line.push('\n');
    bytes_answer(200, "application/json", line)
}

impl Stream {
    /// All that is ready, in one piece; none when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(first) = self.ready.pop_front() {
                if self.ready.is_empty() {
                    return Some(first);
                }
                let mut all = first.to_vec();
                self.ready.drain(..).for_each(|line| all.extend_from_slice(&line));
                return Some(all.into());
            }
            tokio::select! {
                biased;
                change = self.source.next.recv() => self.take(&*change?),
                () = sleep_until(self.ends) => return None,
                () = sleep_until(self.next_bookmark) => {
                    self.next_bookmark = Instant::now() + BOOKMARK_EVERY;
                    if self.wants_bookmarks {
                        self.bookmark(false);
                    }
                }
                _ = self.stop.changed() => return None,
            }
        }
    }

    fn take(&mut self, change: &Change) {
        self.seen = self.seen.max(change.revision);
        if self
            .namespace
            .as_ref()
            .is_some_and(|namespace| *namespace != change.key.namespace)
        {
            return;
        }
        let now = self.kind.present(&change.object);
        let before = change
            .previous
            .as_ref()
            .map(|previous| self.kind.present(previous));
        let fits = change.kind != ChangeKind::Deleted && self.selector.matches(&now);
        let fitted = before
            .as_ref()
            .is_some_and(|before| self.selector.matches(before));
        match (fitted, fits) {
            (false, true) => self.push("ADDED", &now),
            (true, true) => self.push("MODIFIED", &now),
            (true, false) if change.kind == ChangeKind::Deleted => self.push("DELETED", &now),
            (true, false) => {
                // it left the selection: what is told is how it was while it belonged
                let mut last = before.map(|before| (*before).clone()).unwrap_or_default();
                crate::meta::set(&mut last, "resourceVersion", change.revision.to_string());
                self.push("DELETED", &last);
            }
            (false, false) => {}
        }
    }

    fn push(&mut self, event: &str, object: &Value) {
        let shown = match self.view {
            View::Full => None,
            View::Metadata => Some(reads::metadata_of(object)),
            View::Table => {
                let mut rows = table::of(
                    &self.kind,
                    &[object],
                    &json!({"resourceVersion": crate::meta::resource_version(object)}),
                    self.included,
                );
                // columns are told once
                if std::mem::replace(&mut self.tables_sent, true) {
                    crate::meta::as_map(&mut rows).insert("columnDefinitions".to_owned(), Value::Null);
                }
                Some(rows)
            }
        };
        let mut line = Vec::with_capacity(512);
        line.extend_from_slice(format!("{{\"type\":\"{event}\",\"object\":").as_bytes());
        let written = serde_json::to_writer(&mut line, shown.as_ref().unwrap_or(object));
        if written.is_ok() {
            line.extend_from_slice(b"}\n");
            self.ready.push_back(line.into());
        }
    }

    fn bookmark(&mut self, ends_initial: bool) {
        let mut meta = json!({"resourceVersion": self.seen.to_string()});
        if ends_initial {
            crate::meta::as_map(&mut meta).insert(
                "annotations".to_owned(),
                json!({"k8s.io/initial-events-end": "true"}),
            );
        }
        let object = match self.view {
            View::Full => {
                json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": meta})
            }
            View::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta})
            }
            View::Table => {
                json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": null,
                "rows": [{"cells": [], "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}}]})
            }
        };
        let mut object = object;
        if self.view == View::Full && self.kind.custom.is_none() {
            // kube-rs and client-go read a bookmark as an object of the kind; typed readers want their required fields
            fill_required(&self.kind, &mut object);
        }
        let mut line = json!({"type": "BOOKMARK", "object": object}).to_string();
        line.push('\n');
        self.ready.push_back(line.into());
    }
}

/// A bookmark of a typed kind is the kind's empty object with a resource version.
fn fill_required(kind: &Kind, bookmark: &mut Value) {
    let meta = bookmark.get("metadata").cloned().unwrap_or_default();
    *bookmark = (*kind.empty).clone();
    crate::meta::as_map(bookmark).insert("metadata".to_owned(), meta);
}
