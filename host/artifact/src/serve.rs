//! The HTTP face of the store: what `status.artifact.url` promises, and nothing else.
//!
//! `GET /` answers 200 without a listing (Flux's readiness probe asks it). Archives are made while they are sent,
//! so that nothing but contents lies on disk; a content that turns out damaged aborts the connection.

use std::{io, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    routing::get,
};
use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};

use crate::{Artifact, ArtifactPath, Store};

/// What serving may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Archives made at the same time; each holds a thread. Further requests wait.
    pub concurrent_archives_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            concurrent_archives_max: 16,
        }
    }
}

#[derive(Clone)]
struct Server {
    store: Store,
    permits: Arc<Semaphore>,
}

/// The routes of the artifact server.
pub fn router(store: Store, limits: Limits) -> Router {
    let permits = Arc::new(Semaphore::new(limits.concurrent_archives_max));
    Router::new()
        .route("/", get(|| async { "sluice artifacts\n" }))
        .route("/{kind}/{namespace}/{name}/{file}", get(send))
        .with_state(Server { store, permits })
}

/// Serves artifacts on `listener` until `stop` completes; requests that run are finished.
pub async fn serve(
    listener: tokio::net::TcpListener,
    store: Store,
    limits: Limits,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, router(store, limits))
        .with_graceful_shutdown(stop)
        .await
}

type Names = (String, String, String, String);

async fn send(
    State(server): State<Server>,
    Path((kind, namespace, name, file)): Path<Names>,
    method: axum::http::Method,
    request: HeaderMap,
) -> Response<Body> {
    let path = ArtifactPath::new(&kind, &namespace, &name, &file).ok();
    let Some(artifact) = path.and_then(|path| find(&server.store, &path)) else {
        return empty(StatusCode::NOT_FOUND, HeaderMap::new());
    };
    let headers = headers(&artifact);
    if is_unchanged(&request, &artifact) {
        return empty(StatusCode::NOT_MODIFIED, headers);
    }
    if method == axum::http::Method::HEAD {
        return empty(StatusCode::OK, headers);
    }
    let Ok(permit) = Arc::clone(&server.permits).acquire_owned().await else {
        return empty(StatusCode::SERVICE_UNAVAILABLE, HeaderMap::new());
    };
    let (sender, receiver) = mpsc::channel(4);
    let (store, path) = (server.store.clone(), artifact.path.clone());
    tokio::task::spawn_blocking(move || {
        let output = io::BufWriter::with_capacity(64 << 10, ToChannel(sender.clone()));
        if let Err(error) = store.write_archive(&path, output) {
            // The receiver is gone when the client is; then nobody is left to tell.
            let _unheard = sender.blocking_send(Err(io::Error::other(error)));
        }
        drop(permit);
    });
    let chunks = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    *response.headers_mut() = headers;
    response
}

/// Files that always lead to the newest artifact of their object: Flux keeps symbolic links of these names.
const LATEST: [&str; 2] = ["latest.tar.gz", "index.yaml"];

fn find(store: &Store, path: &ArtifactPath) -> Option<Artifact> {
    let is_alias = LATEST.contains(&path.file());
    store
        .artifact(path)
        .or_else(|| is_alias.then(|| store.newest(path)).flatten())
}

struct ToChannel(mpsc::Sender<io::Result<Bytes>>);

impl io::Write for ToChannel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len())
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn empty(status: StatusCode, headers: HeaderMap) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn headers(artifact: &Artifact) -> HeaderMap {
    let content_type = if artifact.path.file().ends_with(".gz") || artifact.path.file().ends_with(".tgz") {
        "application/gzip"
    } else {
        "application/octet-stream"
    };
    let mut headers = HeaderMap::new();
    let mut set = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, content_type);
    set(header::CONTENT_LENGTH, &artifact.size.to_string());
    set(header::ETAG, &etag(artifact));
    set(header::LAST_MODIFIED, &http_date(artifact.last_update_time));
    headers
}

fn etag(artifact: &Artifact) -> String {
    format!("\"{}\"", artifact.digest)
}

fn http_date(time: jiff::Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `If-None-Match` decides where it is present, as RFC 9110 says; else `If-Modified-Since`.
fn is_unchanged(request: &HeaderMap, artifact: &Artifact) -> bool {
    let text = |name| request.get(name).and_then(|value| value.to_str().ok());
    if let Some(tags) = text(header::IF_NONE_MATCH) {
        let own = etag(artifact);
        return tags
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag.trim_start_matches("W/") == own);
    }
    text(header::IF_MODIFIED_SINCE)
        .and_then(|date| jiff::fmt::rfc2822::parse(date).ok())
        .is_some_and(|since| artifact.last_update_time <= since.timestamp())
}
