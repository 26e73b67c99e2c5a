//! The HTTP face of the store: what `status.artifact.url` promises, and nothing else.
//!
//! `GET /` answers 200 without a listing (Flux's readiness probe asks it). Archives are made while they are sent,
//! so that nothing but contents lies on disk; a content that turns out damaged aborts the connection.
//!
//! **Invariant:** nobody waits for ever for somebody else who does not read.

use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    routing::get,
};
use bytes::Bytes;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};

use crate::{Artifact, ArtifactPath, Store};

/// What serving may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Archives made at the same time; each holds a thread. Further requests wait.
    pub concurrent_archives_max: usize,
    /// How long a request waits for others; then it is told to come again.
    pub wait_max: Duration,
    /// How long a client may read nothing at all.
    pub stall_max: Duration,
    /// Bytes a second that a client must read, on average: one who takes a byte now and then holds a thread as well.
    pub rate_min: u64,
    /// How long requests may go on after the stop, as with Flux's server.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            concurrent_archives_max: 16,
            wait_max: Duration::from_secs(30),
            stall_max: Duration::from_secs(30),
            rate_min: 128 << 10,
            grace: Duration::from_secs(5),
        }
    }
}

/// When who waited long enough may come again, in seconds: as long as clients of Flux wait by themselves.
const RETRY_AFTER: &str = "5";

#[derive(Clone)]
struct Server {
    store: Store,
    permits: Arc<Semaphore>,
    limits: Limits,
}

/// The routes of the artifact server.
pub fn router(store: Store, limits: Limits) -> Router {
    let permits = Arc::new(Semaphore::new(limits.concurrent_archives_max));
    Router::new()
        .route("/", get(|| async { "sluice artifacts\n" }))
        .route("/{kind}/{namespace}/{name}/{file}", get(send))
        .with_state(Server {
            store,
            permits,
            limits,
        })
}

/// Serves artifacts on `listener` until `stop` completes; requests that run are finished, if they finish soon.
pub async fn serve(
    listener: tokio::net::TcpListener,
    store: Store,
    limits: Limits,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let stop = async move {
        stop.await;
        // nobody listens where serving has ended by itself
        let _ended: Result<(), ()> = stopping.send(());
    };
    let serving = axum::serve(listener, router(store, limits)).with_graceful_shutdown(stop);
    let grace = async move {
        // an error: `stop` was dropped, and serving has ended
        let _stopped: Result<(), oneshot::error::RecvError> = stopped.await;
        tokio::time::sleep(limits.grace).await;
    };
    tokio::select! {
        served = serving => served,
        () = grace => Ok(()),
    }
}

type Names = (String, String, String, String);

async fn send(
    State(server): State<Server>,
    Path((kind, namespace, name, file)): Path<Names>,
    method: axum::http::Method,
    request: HeaderMap,
) -> Response<Body> {
    let path = ArtifactPath::new(&kind, &namespace, &name, &file).ok();
    let found = match path {
        Some(path) => find(server.store.clone(), path).await,
        None => None,
    };
    let Some(artifact) = found else {
        return empty(StatusCode::NOT_FOUND, HeaderMap::new());
    };
    let headers = headers(&artifact);
    if is_unchanged(&request, &artifact) {
        return empty(StatusCode::NOT_MODIFIED, headers);
    }
    if method == axum::http::Method::HEAD {
        return empty(StatusCode::OK, headers);
    }
    let limits = server.limits;
    let permit = timeout(limits.wait_max, Arc::clone(&server.permits).acquire_owned()).await;
    let Ok(Ok(permit)) = permit else {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        return empty(StatusCode::SERVICE_UNAVAILABLE, headers);
    };
    let (sender, made) = mpsc::channel(4);
    let (store, path) = (server.store.clone(), artifact.path.clone());
    tokio::task::spawn_blocking(move || {
        let output = io::BufWriter::with_capacity(64 << 10, ToChannel(sender.clone()));
        if let Err(error) = store.write_archive(&path, output) {
            // The receiver is gone when the client is; then nobody is left to tell.
            let _unheard = sender.blocking_send(Err(io::Error::other(error)));
        }
        drop(permit);
    });
    let (taken, receiver) = mpsc::channel(1);
    let time = limits.stall_max + Duration::from_secs(artifact.size / limits.rate_min.max(1));
    // where it is given up, the thread has nobody to write to, and ends
    tokio::spawn(timeout_at(
        Instant::now() + time,
        pass_on(made, taken, limits.stall_max),
    ));
    let chunks = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    *response.headers_mut() = headers;
    response
}

/// Files that always lead to the newest artifact of their object: Flux keeps symbolic links of these names.
const LATEST: [&str; 2] = ["latest.tar.gz", "index.yaml"];

/// Looks on a thread that may block: after a loss directories are read.
async fn find(store: Store, path: ArtifactPath) -> Option<Artifact> {
    let look = move || {
        let is_alias = LATEST.contains(&path.file());
        store
            .artifact(&path)
            .or_else(|| is_alias.then(|| store.newest(&path)).flatten())
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

type Chunk = io::Result<Bytes>;

/// Passes on what is made, as long as the client takes it.
async fn pass_on(mut made: mpsc::Receiver<Chunk>, taken: mpsc::Sender<Chunk>, stall_max: Duration) {
    while let Some(chunk) = made.recv().await {
        if taken.send_timeout(chunk, stall_max).await.is_err() {
            return;
        }
    }
}

struct ToChannel(mpsc::Sender<Chunk>);

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
