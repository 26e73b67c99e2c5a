use super::answer::Unowned;
use super::connect;
use super::connections::Direct;
use super::mapper::{Mapper, ResourceList, no_match, prefix};
use super::segment::{query, segment};
use super::{
    Answer, Chance, Cluster, Identity, LISTED_MAX, Mapping, Patch, PatchOptions, Patched, Preconditions,
    RequestError,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, TryFutureExt, TryStreamExt, io::AsyncBufReadExt};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use kube::client::Body;
use kube::{Client, Config};
use serde::de::{Deserialize, DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};
use sluice_event::cause;
use sluice_object::{GroupVersionKind, ObjectId};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How often a request is tried again before the object is parked with its error. Waiting in place is for hiccups only:
/// it holds a worker.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// Tries after the first.
    pub retries_max: u32,
    /// The first wait; it doubles, with jitter.
    pub wait_first: Duration,
    /// The longest wait, also for what `Retry-After` asks.
    pub wait_max: Duration,
    /// A request that got no answer for so long has failed.
    pub timeout: Duration,
    /// A connection of watches and their lists on which nothing came for so long is dead. A living watch is silent for
    /// less: the API server ends it before.
    pub silence: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries_max: 4,
            wait_first: Duration::from_millis(100),
            wait_max: Duration::from_secs(5),
            timeout: Duration::from_secs(60),
            silence: Duration::from_secs(95),
        }
    }
}

/// A real API server, over one pool of connections for all identities.
#[derive(Clone)]
pub struct KubeCluster {
    client: Client,
    /// The way of requests; where there is none they take the client's.
    direct: Option<Direct>,
    mapper: Arc<Mapper>,
    retry: RetryPolicy,
    fenced: CancellationToken,
    chance: Chance,
}

impl KubeCluster {
    /// The API server of a configuration.
    ///
    /// # Errors
    /// A certificate, a key or a header of the configuration cannot be used.
    pub fn connect(mut config: Config, retry: RetryPolicy) -> kube::Result<Self> {
        // retrying is decided in one place, where an identity and a method are known
        config.default_retry = false;
        // for watches and their lists; requests have a limit of their own
        config.read_timeout = Some(retry.silence);
        let direct = Direct::new(&config)?;
        let client = connect::client(config)?;
        Ok(Self {
            direct,
            ..Self::new(client, retry)
        })
    }

    /// Requests go through `client`, which should not retry by itself.
    pub fn new(client: Client, retry: RetryPolicy) -> Self {
        Self {
            client,
            direct: None,
            mapper: Arc::default(),
            retry,
            fenced: CancellationToken::new(),
            chance: Chance::default(),
        }
    }

    /// From now on nothing is written, by this value or any clone of it: somebody else leads. Writes that are on their way
    /// are dropped with their connections, so that none arrives when the network has long been mended.
    pub fn fence(&self) {
        self.fenced.cancel();
    }

    /// This cluster as a part of what `other` is part of: it is no longer written to either once `other` is fenced (one
    /// process leads or does not), and its waits are spread from the same chance.
    #[must_use]
    pub fn fenced_with(self, other: &Self) -> Self {
        Self {
            fenced: other.fenced.clone(),
            chance: other.chance.clone(),
            ..self
        }
    }

    /// The same with another source of chance.
    pub fn with_chance(self, chance: Chance) -> Self {
        Self { chance, ..self }
    }

    /// Where this cluster's waits, and those of whoever works with it, get their spread from.
    pub fn chance(&self) -> &Chance {
        &self.chance
    }

    /// The client, for watches.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request until it is answered, refused for good, or the retries are used up.
    async fn send<A: DeserializeOwned>(
        &self,
        identity: &Identity,
        call: Call,
    ) -> Result<(StatusCode, A), RequestError> {
        let mut tries = 0;
        loop {
            let error = match self.send_once(identity, &call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // creating is the one request that is not idempotent: it is not repeated when its outcome is unknown
            let is_repeatable =
                call.method != Method::POST || matches!(error, RequestError::Refused { code: 429, .. });
            if !error.is_transient() || !is_repeatable || tries >= self.retry.retries_max {
                return Err(error);
            }
            let asked = if let RequestError::Refused { retry_after, .. } = &error {
                *retry_after
            } else {
                None
            };
            let backoff = self.retry.wait_first.saturating_mul(1 << tries.min(10));
            let wait = asked.unwrap_or(backoff).min(self.retry.wait_max);
            tokio::time::sleep(wait.mul_f64(0.75 + 0.5 * self.chance.share())).await;
            tries += 1;
        }
    }

    async fn send_once<A: DeserializeOwned>(
        &self,
        identity: &Identity,
        call: &Call,
    ) -> Result<(StatusCode, A), RequestError> {
        if call.method == Method::GET {
            return self.exchange(identity, call).await;
        }
        tokio::select! {
            biased;
            () = self.fenced.cancelled() => Err(RequestError::Transport(
                "nothing is written any more: this process does not lead".to_owned(),
            )),
            answer = self.exchange(identity, call) => answer,
        }
    }

    async fn exchange<A: DeserializeOwned>(
        &self,
        identity: &Identity,
        call: &Call,
    ) -> Result<(StatusCode, A), RequestError> {
        let answer = self.ask(call.request(identity)?);
        let answer = tokio::time::timeout(self.retry.timeout, answer)
            .await
            .unwrap_or_else(|_| {
                Err(RequestError::Transport(format!(
                    "the API server did not answer within {:?}",
                    self.retry.timeout
                )))
            });
        let method = verb(&call.method);
        let answer = answer.inspect_err(|_| sluice_event::metrics::request(method, 0))?;
        let (parts, bytes) = answer.into_parts();
        sluice_event::metrics::request(method, parts.status.as_u16());
        if parts.status.is_success() {
            let value = serde_json::from_slice(&bytes).map_err(|error| {
                RequestError::Transport(format!("the API server's answer is no JSON: {error}"))
            })?;
            return Ok((parts.status, value));
        }
        Err(refusal(parts.status, &parts.headers, &bytes))
    }

    async fn ask(&self, request: Request<Body>) -> Result<Response<Bytes>, RequestError> {
        if let Some(direct) = &self.direct {
            let answer = direct.ask(request).await;
            return answer.map_err(|error| RequestError::Transport(cause::whole(&*error)));
        }
        let transport =
            |error: &(dyn std::error::Error + 'static)| RequestError::Transport(cause::whole(error));
        let response = self
            .client
            .send(request)
            .await
            .map_err(|error| transport(&error))?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect_bytes().await.map_err(|error| transport(&error))?;
        Ok(Response::from_parts(parts, bytes))
    }

    /// Makes a new object; what is read of the answer is for the caller to say.
    async fn post<A: DeserializeOwned>(
        &self,
        identity: &Identity,
        id: &ObjectId,
        object: Bytes,
    ) -> Result<A, RequestError> {
        let mapping = self.lookup(&id.gvk).await?;
        let mut call = Call::new(Method::POST, collection(&mapping, id.namespace.as_deref())?);
        call.body = Some(("application/json", object));
        self.send(identity, call).await.map(|(_, answer)| answer)
    }

    async fn path(&self, id: &ObjectId) -> Result<String, RequestError> {
        let mapping = self.lookup(&id.gvk).await?;
        let mut path = collection(&mapping, id.namespace.as_deref())?;
        path.push('/');
        path.push_str(&segment("name", &id.name)?);
        Ok(path)
    }

    async fn lookup(&self, gvk: &GroupVersionKind) -> Result<Arc<Mapping>, RequestError> {
        if let Some(mapping) = self.mapper.known(gvk) {
            return Ok(mapping);
        }
        let api_version = gvk.api_version();
        // what is no part of a path is no group or version that is served
        for (what, text) in [("group", &gvk.group), ("version", &gvk.version)] {
            if !text.is_empty() && segment(what, text).ok().as_deref() != Some(text) {
                return Err(no_match(gvk));
            }
        }
        let call = Call::new(Method::GET, prefix(&api_version));
        let list = match self.send::<Value>(&Identity::AsController, call).await {
            Ok((_, list)) => list,
            Err(error) if error.is_not_found() => return Err(no_match(gvk)),
            Err(error) => return Err(error),
        };
        let list = ResourceList::deserialize(list).map_err(|error| {
            RequestError::Transport(format!("discovery of {api_version} cannot be read: {error}"))
        })?;
        self.mapper.learn(gvk, list);
        self.mapper.known(gvk).ok_or_else(|| no_match(gvk))
    }

    /// What discovery said of the group and version of a kind may be old: it is asked for anew. For those who ask by
    /// [`KubeCluster::client`].
    pub fn distrust(&self, gvk: &GroupVersionKind) {
        self.mapper.forget(gvk);
    }

    /// A 404 that is about the path, not the object: the kind went away.
    fn forget_if_path_is_gone(&self, id: &ObjectId, error: &RequestError) {
        if let RequestError::Refused {
            code: 404, message, ..
        } = error
            && message.contains(PATH_GONE)
        {
            self.distrust(&id.gvk);
        }
    }
}

impl Cluster for KubeCluster {
    fn mapping<'a>(&'a self, gvk: &'a GroupVersionKind) -> Answer<'a, Arc<Mapping>> {
        self.lookup(gvk).boxed()
    }

    fn versions<'a>(&'a self, group: &'a str) -> Answer<'a, Vec<String>> {
        async move {
            if group.is_empty() {
                return Ok(vec!["v1".to_owned()]);
            }
            // what is no part of a path is no group that is served
            if segment("group", group).ok().as_deref() != Some(group) {
                return Ok(Vec::new());
            }
            let call = Call::new(Method::GET, format!("/apis/{group}"));
            let found = match self.send::<Value>(&Identity::AsController, call).await {
                Ok((_, found)) => found,
                Err(error) if error.is_not_found() => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let versions = found.get("versions").and_then(Value::as_array);
            let names = versions
                .into_iter()
                .flatten()
                .filter_map(|version| version.get("version")?.as_str());
            Ok(names.map(str::to_owned).collect())
        }
        .boxed()
    }

    fn get<'a>(&'a self, identity: &'a Identity, id: &'a ObjectId) -> Answer<'a, Option<Value>> {
        async move {
            match self
                .send(identity, Call::new(Method::GET, self.path(id).await?))
                .await
            {
                Ok((_, object)) => Ok(Some(object)),
                Err(error) if error.is_not_found() => {
                    self.forget_if_path_is_gone(id, &error);
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        identity: &'a Identity,
        gvk: &'a GroupVersionKind,
        namespace: Option<&'a str>,
        labels: &'a str,
    ) -> Answer<'a, Vec<Value>> {
        async move {
            let mapping = self.lookup(gvk).await?;
            let path = format!(
                "{}?limit={LISTED_MAX}&labelSelector={}",
                collection(&mapping, namespace)?,
                query(labels)
            );
            let (_, mut list) = self.send::<Value>(identity, Call::new(Method::GET, path)).await?;
            match list.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) => Ok(items),
                _ => Ok(Vec::new()),
            }
        }
        .boxed()
    }

    fn create<'a>(&'a self, identity: &'a Identity, id: &'a ObjectId, object: Value) -> Answer<'a, Value> {
        self.post(identity, id, object.to_string().into()).boxed()
    }

    fn record<'a>(&'a self, identity: &'a Identity, id: &'a ObjectId, object: Vec<u8>) -> Answer<'a, ()> {
        self.post::<IgnoredAny>(identity, id, object.into())
            .map_ok(drop)
            .boxed()
    }

    fn create_in<'a>(
        &'a self,
        identity: &'a Identity,
        id: &'a ObjectId,
        subresource: &'a str,
        body: Value,
    ) -> Answer<'a, Value> {
        async move {
            let path = format!("{}/{subresource}", self.path(id).await?);
            let call = Call::new(Method::POST, path).with_body("application/json", &body);
            Ok(self.send(identity, call).await?.1)
        }
        .boxed()
    }

    fn patch<'a>(
        &'a self,
        identity: &'a Identity,
        id: &'a ObjectId,
        patch: Patch,
        options: PatchOptions<'a>,
    ) -> Answer<'a, Patched> {
        async move {
            let mut path = self.path(id).await?;
            if let Some(subresource) = options.subresource {
                path.push('/');
                path.push_str(subresource);
            }
            // writing to a String cannot fail
            let _ = write!(path, "?fieldManager={}", query(options.manager));
            if options.is_dry_run {
                path.push_str("&dryRun=All");
            }
            let (content_type, body) = match patch {
                Patch::Apply(body) => {
                    path.push_str("&force=true");
                    ("application/apply-patch+yaml", body)
                }
                Patch::Merge(body) => ("application/merge-patch+json", body),
                Patch::Json(body) => ("application/json-patch+json", body),
            };
            let call = Call::new(Method::PATCH, path).with_body(content_type, &body);
            let answer = match options.with_owners {
                true => self.send(identity, call).await,
                false => self
                    .send(identity, call)
                    .await
                    .map(|(status, Unowned(object))| (status, Value::Object(object))),
            };
            let (status, object) = answer.inspect_err(|error| self.forget_if_path_is_gone(id, error))?;
            Ok(Patched {
                object,
                is_created: status == StatusCode::CREATED,
            })
        }
        .boxed()
    }

    fn delete<'a>(
        &'a self,
        identity: &'a Identity,
        id: &'a ObjectId,
        only: Preconditions,
    ) -> Answer<'a, bool> {
        async move {
            let path = match self.path(id).await {
                // the kind is gone and with it all its objects
                Err(RequestError::NoMatch { .. }) => return Ok(false),
                path => path?,
            };
            let mut body =
                json!({ "kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background" });
            if let (Some(uid), Some(map)) = (only.uid, body.as_object_mut()) {
                map.insert("preconditions".to_owned(), json!({ "uid": uid }));
            }
            match self
                .send::<IgnoredAny>(
                    identity,
                    Call::new(Method::DELETE, path).with_body("application/json", &body),
                )
                .await
            {
                Ok(_) => Ok(true),
                Err(error) if error.is_not_found() => Ok(false),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    fn changed<'a>(
        &'a self,
        identity: &'a Identity,
        id: &'a ObjectId,
        resource_version: Option<&'a str>,
        timeout: Duration,
    ) -> BoxFuture<'a, ()> {
        async move {
            let started = Instant::now();
            let change = self.first_change(identity, id, resource_version, timeout);
            let change = tokio::time::timeout(timeout, change).await;
            if !matches!(change, Ok(Ok(true))) {
                tokio::time::sleep_until(started + timeout.min(LOOK_AGAIN)).await;
            }
        }
        .boxed()
    }
}

impl KubeCluster {
    /// Watches one object. False: the watch ended without a word.
    async fn first_change(
        &self,
        identity: &Identity,
        id: &ObjectId,
        resource_version: Option<&str>,
        timeout: Duration,
    ) -> Result<bool, RequestError> {
        let transport =
            |error: &(dyn std::error::Error + 'static)| RequestError::Transport(cause::whole(error));
        let mapping = self.lookup(&id.gvk).await?;
        let mut path = format!(
            "{}?watch=true&fieldSelector={}&timeoutSeconds={}",
            collection(&mapping, id.namespace.as_deref())?,
            query(&format!("metadata.name={}", id.name)),
            timeout.as_secs().max(1),
        );
        if let Some(version) = resource_version {
            let _ = write!(path, "&resourceVersion={}", query(version));
        }
        let request = Call::new(Method::GET, path).request(identity)?;
        let response = self.client.send(request).await;
        let (parts, body) = response.map_err(|error| transport(&error))?.into_parts();
        sluice_event::metrics::request("WATCH", parts.status.as_u16());
        if !parts.status.is_success() {
            let bytes = body.collect_bytes().await.unwrap_or_default();
            return Err(refusal(parts.status, &parts.headers, &bytes));
        }
        let mut lines = http_body_stream(body).into_async_read().lines();
        let line = lines.try_next().await.map_err(|error| transport(&error))?;
        Ok(line.is_some())
    }
}

fn http_body_stream(body: Body) -> impl futures::Stream<Item = std::io::Result<Bytes>> + Unpin {
    http_body_util::BodyExt::into_data_stream(body).map_err(std::io::Error::other)
}

/// Between looks at an object that cannot be watched.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// One request, kept until it is answered so that it can be sent again.
struct Call {
    method: Method,
    path: String,
    body: Option<(&'static str, Bytes)>,
}

impl Call {
    fn new(method: Method, path: String) -> Self {
        Self {
            method,
            path,
            body: None,
        }
    }

    fn with_body(mut self, content_type: &'static str, body: &Value) -> Self {
        self.body = Some((content_type, body.to_string().into()));
        self
    }

    fn request(&self, identity: &Identity) -> Result<Request<Body>, RequestError> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header("Accept", "application/json");
        if let Some((content_type, _)) = self.body {
            request = request.header("Content-Type", content_type);
        }
        if let Some(user) = identity.user() {
            let user = HeaderValue::from_str(&user).map_err(|_| {
                RequestError::NoUser(format!(
                    "{user:?} cannot be impersonated: it is no service account name; correct spec.serviceAccountName"
                ))
            })?;
            request = request.header("Impersonate-User", user);
        }
        let body = self
            .body
            .as_ref()
            .map(|(_, bytes)| bytes.clone())
            .unwrap_or_default();
        request
            .body(Body::from(body))
            .map_err(|error| RequestError::Transport(format!("{} is no path: {error}", self.path)))
    }
}

fn collection(mapping: &Mapping, namespace: Option<&str>) -> Result<String, RequestError> {
    Ok(match namespace.filter(|_| mapping.is_namespaced) {
        Some(namespace) => {
            let namespace = segment("namespace", namespace)?;
            format!("{}/namespaces/{namespace}/{}", mapping.prefix, mapping.plural)
        }
        None => format!("{}/{}", mapping.prefix, mapping.plural),
    })
}

fn refusal(status: StatusCode, headers: &http::HeaderMap, bytes: &[u8]) -> RequestError {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = |pointer: &str| {
        body.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let header = headers
        .get("Retry-After")
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let asked = header.or_else(|| body.pointer("/details/retryAfterSeconds").and_then(Value::as_u64));
    let causes = body
        .pointer("/details/causes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let message = match text("/message") {
        // a path that is not served is answered without a status
        empty if empty.is_empty() && status == StatusCode::NOT_FOUND => PATH_GONE.to_owned(),
        empty if empty.is_empty() => format!(
            "the API server answered {status}: {}",
            String::from_utf8_lossy(bytes.get(..FOREIGN_TEXT_MAX).unwrap_or(bytes)).trim()
        ),
        message => message,
    };
    RequestError::Refused {
        code: status.as_u16(),
        reason: text("/reason"),
        message,
        causes: causes
            .filter_map(|cause| cause.get("reason")?.as_str().map(str::to_owned))
            .collect(),
        retry_after: asked.filter(|seconds| *seconds > 0).map(Duration::from_secs),
    }
}

/// What a 404 says, here as in client-go, that is about the path and not the object.
const PATH_GONE: &str = "the server could not find the requested resource";

/// Bytes that are told of an answer that is none of an API server's: a page of a proxy, say.
const FOREIGN_TEXT_MAX: usize = 300;

fn verb(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_is_nobody_and_stays_so() {
        let call = Call::new(Method::GET, "/api/v1/namespaces/apps/configmaps/web".to_owned());
        let asked = |account: &str| {
            call.request(&Identity::AsTenant {
                namespace: "apps".to_owned(),
                service_account: account.to_owned(),
            })
        };
        let request = asked("deployer").unwrap();
        let user = request.headers().get("Impersonate-User").unwrap();
        assert_eq!(user, "system:serviceaccount:apps:deployer");
        let error = asked("deployer\nImpersonate-Group: system:masters")
            .map(drop)
            .unwrap_err();
        assert!(matches!(error, RequestError::NoUser(_)), "{error}");
        assert!(!error.is_transient());
        assert_eq!(error.code(), 400);
    }
}
