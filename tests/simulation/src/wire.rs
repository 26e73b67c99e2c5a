//! What lies between a process and its API server: requests that fail, are late, lost or cut off, and watches that lie.
//!
//! **Invariant:** a process that was killed has no effect after: none of its requests reaches the server, none is answered.

use crate::judge::Judge;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use http::{Method, Request, Response, StatusCode};
use kube::client::Body as KubeBody;
use sluice_apply::cluster::Chance;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tower_service::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Answer = Response<Body>;

/// How often what goes wrong, in thousandths of the requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Answered with an error, not carried out.
    pub(crate) refused: u64,
    /// Refused by what stands before the store, or by the store, in their words ([`DENIALS`]).
    pub(crate) denied: u64,
    /// Renders that fail in the plugin.
    pub(crate) plugin: u64,
    /// Carried out, and the answer lost.
    pub(crate) lost: u64,
    /// Never sent: the connection breaks.
    pub(crate) reset: u64,
    /// Carried out late, or answered late.
    pub(crate) late: u64,
    /// The longest delay.
    pub(crate) late_max: Duration,
    /// Pieces of watches that come late or twice.
    pub(crate) watch: u64,
    /// Pieces of watches after which nothing comes any more, not even the end.
    pub(crate) frozen: u64,
}

/// What etcd, webhooks and authorization say: code, reason, message (R11, R12, R13).
const DENIALS: [(u16, &str, &str); 7] = [
    (500, "InternalError", "etcdserver: mvcc: database space exceeded"),
    (413, "RequestEntityTooLarge", "etcdserver: request is too large"),
    (
        500,
        "InternalError",
        "Internal error occurred: failed calling webhook \"guard.example.com\": failed to call webhook: context deadline exceeded",
    ),
    (
        403,
        "Forbidden",
        "admission webhook \"guard.example.com\" denied the request: not now",
    ),
    (
        403,
        "Forbidden",
        "is forbidden: unable to create new content in namespace sim because it is being terminated",
    ),
    (
        403,
        "Forbidden",
        "is forbidden: User \"system:serviceaccount:sim:tenant\" cannot patch resource",
    ),
    (
        500,
        "InternalError",
        "conversion webhook for example.com/v1 failed: connect: connection refused",
    ),
];

/// What a plugin may end with (R21); the last one is late besides.
const MISDEEDS: [&str; 5] = [
    "plugin trapped: unreachable",
    "plugin reached the limit of its memory",
    "plugin called the host too often",
    "plugin gave a malformed answer",
    "plugin reached the limit of its time",
];

/// Where a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crash {
    /// At which of its requests, watches aside, counted over all processes from 0.
    pub(crate) request: usize,
    /// After the request was carried out, its answer unseen; else before it was sent.
    pub(crate) is_after: bool,
}

/// What all processes of a schedule share.
pub(crate) struct Network {
    router: Router,
    chance: Chance,
    state: Mutex<State>,
    pub(crate) judge: Mutex<Judge>,
    started: Instant,
}

#[derive(Default)]
struct State {
    weather: Weather,
    /// All writes are refused with this one of [`DENIALS`].
    outage: Option<usize>,
    crashes: Vec<Crash>,
    requests: usize,
    digest: u64,
    trace: Option<Vec<String>>,
}

impl Network {
    pub(crate) fn new(router: Router, chance: Chance, judge: Judge, is_traced: bool) -> Arc<Self> {
        let state = State {
            trace: is_traced.then(Vec::new),
            ..State::default()
        };
        Arc::new(Self {
            router,
            chance,
            state: Mutex::new(state),
            judge: Mutex::new(judge),
            started: Instant::now(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn judge(&self) -> MutexGuard<'_, Judge> {
        self.judge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// From now on all writes are refused by the same, until `false` is said.
    pub(crate) fn set_outage(&self, is_out: bool) {
        let number = self.chance.bits() as usize % DENIALS.len();
        self.note(|| format!("outage {is_out}"));
        self.state().outage = is_out.then_some(number);
    }

    /// What a render ends with, where it fails, and how late that is.
    pub(crate) fn misdeed(&self) -> Option<(&'static str, Duration)> {
        let weather = self.state().weather;
        if !self.draw(weather.plugin) {
            return None;
        }
        let number = self.chance.bits() as usize % MISDEEDS.len();
        let late = match number + 1 == MISDEEDS.len() {
            true => weather.late_max,
            false => Duration::ZERO,
        };
        MISDEEDS.get(number).map(|misdeed| (*misdeed, late))
    }

    /// Whether a write is denied, and how.
    fn denial(&self, asked: &Asked) -> Option<(u16, &'static str, &'static str)> {
        if !asked.would_write() || asked.resource.starts_with("coordination.k8s.io/") {
            return None;
        }
        let state = self.state();
        let (outage, denied) = (state.outage, state.weather.denied);
        drop(state);
        let number = match outage {
            Some(number) => number,
            None if self.draw(denied) => self.chance.bits() as usize % DENIALS.len(),
            None => return None,
        };
        DENIALS.get(number).copied()
    }

    pub(crate) fn add_crash(&self, crash: Crash) {
        self.state().crashes.push(crash);
    }

    /// Requests so far, watches aside.
    pub(crate) fn requests(&self) -> usize {
        self.state().requests
    }

    /// A digest of everything that was asked and answered, in order: equal for equal schedules.
    pub(crate) fn digest(&self) -> u64 {
        self.state().digest
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.state().trace.clone().unwrap_or_default()
    }

    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        let at = self.started.elapsed();
        let mut state = self.state();
        if let Some(trace) = &mut state.trace {
            trace.push(format!("{:>10.3}s {}", at.as_secs_f64(), line()));
        }
    }

    fn answered(&self, process: u32, asked: &Asked, what: &str) {
        let at = self.started.elapsed();
        // the names of events are made of the time of day
        let name = if asked.resource == "/events" {
            ""
        } else {
            &asked.name
        };
        let mut state = self.state();
        let mut hasher = DefaultHasher::new();
        (
            state.digest,
            at.as_millis(),
            process,
            &asked.verb,
            &asked.resource,
            name,
            what,
        )
            .hash(&mut hasher);
        state.digest = hasher.finish();
        drop(state);
        self.note(|| {
            format!(
                "#{process} {} {} {}/{}: {what}",
                asked.verb, asked.resource, asked.namespace, asked.name
            )
        });
    }

    fn draw(&self, thousandths: u64) -> bool {
        thousandths > 0 && self.chance.bits() % 1000 < thousandths
    }

    fn delay(&self, max: Duration) -> Duration {
        max.mul_f64(self.chance.share())
    }
}

/// One request, understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) verb: &'static str,
    /// `apps/deployments`, `/configmaps`; the path where it names no resource.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
    pub(crate) is_dry_run: bool,
    pub(crate) user: Option<String>,
    pub(crate) query: String,
}

impl Asked {
    fn of(parts: &http::request::Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let mut asked = Self {
            is_dry_run: query.contains("dryRun="),
            user: header("Impersonate-User").map(str::to_owned),
            ..Self::default()
        };
        let mut rest = parts.uri.path().trim_start_matches('/').split('/');
        let group = match rest.next() {
            Some("api") => {
                rest.next();
                String::new()
            }
            Some("apis") => {
                let group = rest.next().unwrap_or_default().to_owned();
                rest.next();
                group
            }
            _ => String::new(),
        };
        let mut rest: Vec<&str> = rest.collect();
        if rest.len() > 2 && rest.first() == Some(&"namespaces") {
            asked.namespace = rest.get(1).copied().unwrap_or_default().to_owned();
            rest.drain(..2);
        }
        let part = |number: usize| rest.get(number).copied().unwrap_or_default().to_owned();
        asked.resource = if rest.is_empty() {
            parts.uri.path().to_owned()
        } else {
            format!("{group}/{}", part(0))
        };
        (asked.name, asked.subresource) = (part(1), part(2));
        asked.verb = match parts.method {
            Method::POST => "create",
            Method::PUT => "update",
            Method::DELETE => "delete",
            Method::PATCH if header("Content-Type").is_some_and(|kind| kind.contains("apply-patch")) => {
                "apply"
            }
            Method::PATCH => "patch",
            _ if query.contains("watch=") => "watch",
            _ if rest.is_empty() => "discover",
            _ if asked.name.is_empty() => "list",
            _ => "get",
        };
        asked.query = query;
        asked
    }

    /// Whether it changes something.
    pub(crate) fn is_write(&self) -> bool {
        !self.is_dry_run && self.would_write()
    }

    /// The same, dry runs too: they are judged as writes are.
    fn would_write(&self) -> bool {
        matches!(self.verb, "create" | "update" | "patch" | "apply" | "delete")
    }
}

/// Something that is so or not, and can be waited for. Who waits first is woken first: with `watch` it would be left to chance.
#[derive(Debug)]
struct Flag {
    is: AtomicBool,
    changed: Notify,
}

impl Flag {
    fn new(is: bool) -> Arc<Self> {
        Arc::new(Self {
            is: AtomicBool::new(is),
            changed: Notify::new(),
        })
    }

    fn get(&self) -> bool {
        self.is.load(Ordering::SeqCst)
    }

    /// Answers with what it was.
    fn set(&self, is: bool) -> bool {
        let was = self.is.swap(is, Ordering::SeqCst);
        self.changed.notify_waiters();
        was
    }

    async fn until(&self, is: bool) {
        loop {
            let changed = self.changed.notified();
            if self.get() == is {
                return;
            }
            changed.await;
        }
    }
}

/// One process's way to the server. It is killed by [`Wire::kill`], or where a [`Crash`] says so.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) network: Arc<Network>,
    pub(crate) process: u32,
    alive: Arc<Flag>,
    /// While true nothing gets through, and nobody is told.
    cut: Arc<Flag>,
}

impl Wire {
    pub(crate) fn new(network: Arc<Network>, process: u32) -> Self {
        Self {
            network,
            process,
            alive: Flag::new(true),
            cut: Flag::new(false),
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&self) {
        if self.alive.set(false) {
            self.network.note(|| format!("#{} killed", self.process));
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.get()
    }

    /// Cuts the process off from the server, or lets it through again.
    pub(crate) fn cut(&self, is_cut: bool) {
        self.network.note(|| {
            format!(
                "#{} {}",
                self.process,
                if is_cut { "cut off" } else { "connected" }
            )
        });
        self.cut.set(is_cut);
    }

    /// Returns once the process is killed.
    pub(crate) async fn killed(&self) {
        self.alive.until(false).await;
    }

    async fn passable(&self) {
        self.cut.until(false).await;
    }

    async fn exchange(self, request: Request<KubeBody>) -> Result<Answer, BoxError> {
        let alive = self.clone();
        tokio::select! {
            biased;
            () = alive.killed() => std::future::pending().await,
            answer = self.carry(request) => answer,
        }
    }

    async fn carry(self, request: Request<KubeBody>) -> Result<Answer, BoxError> {
        let network = &self.network;
        let (parts, body) = request.into_parts();
        let asked = Asked::of(&parts);
        let body = body.collect_bytes().await?;
        let is_watch = asked.verb == "watch";
        let crash = if is_watch { None } else { self.crash() };
        if crash == Some(false) {
            self.kill();
            return std::future::pending().await;
        }
        self.passable().await;
        let weather = network.state().weather;
        if network.draw(weather.late) {
            tokio::time::sleep(network.delay(weather.late_max)).await;
        }
        if network.draw(weather.reset) {
            network.answered(self.process, &asked, "reset");
            return Err("connection reset by peer".into());
        }
        if network.draw(weather.refused) {
            let codes = if asked.is_write() {
                &[409, 429, 500, 503, 504][..]
            } else {
                &[429, 500, 502, 503][..]
            };
            let code = codes[network.chance.bits() as usize % codes.len()];
            network.answered(self.process, &asked, &format!("fault {code}"));
            return Ok(refusal(code));
        }
        if let Some((code, reason, message)) = network.denial(&asked) {
            network.answered(self.process, &asked, &format!("denied {code}"));
            return Ok(refused(code, reason, message, 0));
        }
        let version = network.judge().before(&asked, &body);
        let request = Request::from_parts(parts, Body::from(body));
        let Ok(answer) = network.router.clone().call(request).await;
        network
            .judge()
            .after(self.process, &asked, answer.status().as_u16(), version);
        network.answered(self.process, &asked, answer.status().as_str());
        if crash == Some(true) {
            self.kill();
            return std::future::pending().await;
        }
        // an answer that is none of a watch comes whole or not at all: the connection sees to that
        if is_watch && answer.status().is_success() {
            return Ok(self.spoil(answer));
        }
        if network.draw(weather.late) {
            tokio::time::sleep(network.delay(weather.late_max)).await;
        }
        self.passable().await;
        if network.draw(weather.lost) {
            network.note(|| format!("#{} answer lost", self.process));
            return Err("connection reset by peer".into());
        }
        Ok(answer)
    }

    /// Whether the process dies at this request: before it (false), after it (true), or not.
    fn crash(&self) -> Option<bool> {
        let mut state = self.network.state();
        let number = state.requests;
        state.requests += 1;
        state
            .crashes
            .iter()
            .find(|crash| crash.request == number)
            .map(|crash| crash.is_after)
    }

    /// A watch whose pieces come late, twice, or not at all.
    fn spoil(&self, answer: Answer) -> Answer {
        let (parts, body) = answer.into_parts();
        let wire = self.clone();
        let pieces = body.into_data_stream().then(move |piece| {
            let wire = wire.clone();
            async move { wire.pass(piece).await }
        });
        Response::from_parts(parts, Body::from_stream(pieces))
    }

    async fn pass(&self, piece: Result<Bytes, axum::Error>) -> Result<Bytes, axum::Error> {
        if !self.is_alive() {
            return std::future::pending().await;
        }
        self.passable().await;
        let piece = piece?;
        let weather = self.network.state().weather;
        if self.network.draw(weather.frozen) {
            self.network.note(|| format!("#{} a watch freezes", self.process));
            return std::future::pending().await;
        }
        if self.network.draw(weather.watch) {
            tokio::time::sleep(self.network.delay(weather.late_max)).await;
        }
        if self.network.draw(weather.watch) {
            return Ok([&piece[..], &piece[..]].concat().into());
        }
        Ok(piece)
    }
}

impl Service<Request<KubeBody>> for Wire {
    type Response = Answer;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Answer, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<KubeBody>) -> Self::Future {
        self.clone().exchange(request).boxed()
    }
}

fn refusal(code: u16) -> Answer {
    let (reason, seconds) = match code {
        409 => ("Conflict", 0),
        429 => ("TooManyRequests", 1),
        503 => ("ServiceUnavailable", 0),
        504 => ("Timeout", 0),
        _ => ("InternalError", 0),
    };
    refused(code, reason, "a fault of the simulation", seconds)
}

/// `seconds`: when to ask again, 0 where nothing is said of that.
fn refused(code: u16, reason: &str, message: &str, seconds: u32) -> Answer {
    let mut status = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason,
        "message": message,
    });
    if seconds > 0 {
        status["details"] = serde_json::json!({ "retryAfterSeconds": seconds });
    }
    let mut answer = Response::new(Body::from(status.to_string()));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}
