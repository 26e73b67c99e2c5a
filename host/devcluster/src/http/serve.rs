use super::{Answer, User, bytes_answer, discovery, json, objects, openapi, refusal};
use crate::access::{self, Authorization};
use crate::audit;
use crate::cluster::Cluster;
use crate::faults::Effect;
use crate::request::{Query, Target, target};
use crate::status::{Named, Status, qualified};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{Method, Request, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

/// What the HTTP face needs to know.
#[derive(Clone)]
pub(crate) struct Face {
    pub(crate) cluster: Arc<Cluster>,
    /// The token that requests must bear; none asks for none.
    pub(crate) token: Option<String>,
    pub(crate) authorization: Authorization,
    /// Ends when the server is asked to stop.
    pub(crate) stop: watch::Receiver<bool>,
}

/// Everything the server answers.
pub(crate) fn service(face: Face) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(face))
}

/// After a connection that could not be taken.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// Answers on `listener` until asked to stop.
pub(crate) async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, face: Face) {
    let mut stop = face.stop.clone();
    let router = service(face);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        let Ok((stream, _)) = accepted else {
            // no descriptor is free, most likely: it would fail at once again
            tokio::time::sleep(AFTER_REFUSAL).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (router, tls, mut stop) = (router.clone(), tls.clone(), stop.clone());
        tokio::spawn(async move {
            let service = TowerToHyperService::new(router);
            let mut builder = auto::Builder::new(TokioExecutor::new());
            // a client of many watches opens one stream each
            builder.http2().max_concurrent_streams(10_000);
            match tls {
                None => {
                    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
                    tokio::select! { _ = connection => {}, _ = stop.changed() => {} }
                }
                Some(acceptor) => {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
                    tokio::select! { _ = connection => {}, _ = stop.changed() => {} }
                }
            }
        });
    }
}

/// One request after its path is understood.
pub(super) struct Asked {
    pub(super) face: Arc<Face>,
    pub(super) user: User,
    pub(super) target: Target,
    pub(super) query: Query,
    pub(super) verb: &'static str,
    pub(super) accept: String,
    pub(super) content_type: String,
    pub(super) user_agent: String,
}

async fn answer(State(face): State<Arc<Face>>, request: Request<Body>) -> Answer {
    let (parts, body) = request.into_parts();
    let text = |name: header::HeaderName| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    let path = parts.uri.path();
    if matches!(path, "/healthz" | "/livez" | "/readyz")
        || path.starts_with("/livez/")
        || path.starts_with("/readyz/")
    {
        return bytes_answer(200, "text/plain; charset=utf-8", "ok");
    }
    let bearer = text(header::AUTHORIZATION)
        .strip_prefix("Bearer ")
        .unwrap_or_default();
    if face.token.is_none() && parts.headers.contains_key(header::ORIGIN) {
        return refusal(&Status::new(
            403,
            "Forbidden",
            "requests of web pages are refused by a server that asks for no token",
        ));
    }
    if face.token.as_deref().is_some_and(|token| !same(token, bearer)) {
        return refusal(&Status::new(401, "Unauthorized", "Unauthorized"));
    }
    let user = User::admin().impersonated(&parts.headers);
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let Some(target) = target(path) else {
        return fixed(&face, path, &parts.method, text(header::ACCEPT));
    };
    let asked = Asked {
        verb: verb(&parts.method, &target, &query, text(header::CONTENT_TYPE)),
        accept: text(header::ACCEPT).to_owned(),
        content_type: text(header::CONTENT_TYPE).to_owned(),
        user_agent: text(header::USER_AGENT).to_owned(),
        face,
        user,
        target,
        query,
    };
    let answer = faulty(&asked, body).await;
    asked
        .face
        .cluster
        .audit
        .note(|| note(&asked, answer.status().as_u16()));
    answer
}

/// Compares without stopping at the first difference: how long it takes says nothing about the token.
fn same(token: &str, sent: &str) -> bool {
    token.len() == sent.len()
        && token
            .bytes()
            .zip(sent.bytes())
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}

fn resource_of(asked: &Asked) -> String {
    let mut resource = qualified(&asked.target.resource, &asked.target.group);
    if !asked.target.subresource.is_empty() {
        resource.push('/');
        resource.push_str(&asked.target.subresource);
    }
    resource
}

fn note(asked: &Asked, code: u16) -> audit::Request {
    audit::Request {
        user: asked.user.name.clone(),
        impersonator: asked.user.impersonator.clone().unwrap_or_default(),
        verb: asked.verb.to_owned(),
        resource: resource_of(asked),
        namespace: asked.target.namespace.clone(),
        name: asked.target.name.clone(),
        is_dry_run: !asked.query.text("dryRun").is_empty(),
        code,
        user_agent: asked.user_agent.clone(),
    }
}

async fn faulty(asked: &Asked, body: Body) -> Answer {
    let effect = asked
        .face
        .cluster
        .faults
        .strike(asked.verb, &resource_of(asked), &asked.target.name);
    match effect {
        Some(Effect::Answer(code)) => return refusal(&spoiled(asked, code)),
        Some(Effect::Delay(time)) => tokio::time::sleep(time).await,
        _ => {}
    }
    let answer = authorized(asked, body).await;
    if effect == Some(Effect::LoseAnswer) {
        let cut = futures::stream::once(async {
            Err::<bytes::Bytes, _>(std::io::Error::other("connection closed on request"))
        });
        let mut lost = Answer::new(Body::from_stream(cut));
        *lost.status_mut() = StatusCode::OK;
        return lost;
    }
    answer
}

fn spoiled(asked: &Asked, code: u16) -> Status {
    let named = Named {
        group: &asked.target.group,
        resource: &asked.target.resource,
        name: &asked.target.name,
    };
    match code {
        409 => Status::modified(&named),
        429 => {
            let mut status = Status::new(
                429,
                "TooManyRequests",
                "the server has received too many requests and has asked us to try again later",
            );
            status.details.get_or_insert_default().retry_after_seconds = Some(1);
            status
        }
        503 => Status::new(
            503,
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
        ),
        504 => Status::new(
            504,
            "Timeout",
            "the server was unable to return a response in the time allotted, but may still be processing the request",
        ),
        410 => Status::expired("The resourceVersion for the provided watch is too old."),
        403 => Status::forbidden(&named, "fault injected by the development server"),
        404 => Status::not_found(&named),
        _ => Status {
            code,
            ..Status::internal("fault injected by the development server")
        },
    }
}

async fn authorized(asked: &Asked, body: Body) -> Answer {
    if let Err(status) = access::check(
        &asked.face.cluster,
        asked.face.authorization,
        &asked.user,
        asked.verb,
        &asked.target,
    ) {
        return refusal(&status);
    }
    objects::answer(asked, body)
        .await
        .unwrap_or_else(|status| refusal(&status))
}

fn verb(method: &Method, target: &Target, query: &Query, content_type: &str) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH if content_type.contains("apply-patch") => "apply",
        Method::PATCH => "patch",
        Method::DELETE if target.name.is_empty() => "deletecollection",
        Method::DELETE => "delete",
        _ if query.flag("watch") || target.is_watch_path => "watch",
        _ if target.name.is_empty() => "list",
        _ => "get",
    }
}

/// Paths that name no resource.
fn fixed(face: &Face, path: &str, method: &Method, accept: &str) -> Answer {
    if *method != Method::GET && *method != Method::HEAD {
        return bytes_answer(405, "text/plain; charset=utf-8", "405 method not allowed\n");
    }
    let found = match path {
        "/version" | "/version/" => Some(json(200, &discovery::version())),
        "/" => Some(json(200, &discovery::root())),
        path if path.starts_with("/openapi/") => openapi::answer(&face.cluster, path),
        path => discovery::answer(&face.cluster, path, accept),
    };
    found.unwrap_or_else(|| bytes_answer(404, "text/plain; charset=utf-8", "404 page not found\n"))
}
