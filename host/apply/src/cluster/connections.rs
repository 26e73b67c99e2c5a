//! Requests to the API server over connections that whoever asks drives itself (ADR 0027).
//!
//! hyper speaks HTTP; what is left out is the task a connection usually has, and those between it and the caller: each is
//! woken several times a request.

use super::connect;
use bytes::Bytes;
use futures::future::{BoxFuture, Fuse, FutureExt};
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use kube::Config;
use kube::client::{Body, ConfigExt};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

/// Of one answer. A list of everything in a large namespace is a few megabytes; who can name the server can be anybody, and
/// what it sends is held in memory.
pub(super) const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Connections that are kept while nobody asks; more are closed when their answer is there.
const IDLE_MAX: usize = 64;

/// Asks one API server, with the credentials of its configuration.
#[derive(Clone)]
pub(super) struct Direct(BoxCloneSyncService<Request<Body>, Response<Bytes>, BoxError>);

impl Direct {
    /// None where a proxy stands between: those are for the client of kube.
    ///
    /// # Errors
    /// A certificate, a key or a header of the configuration cannot be used.
    pub(super) fn new(config: &Config) -> kube::Result<Option<Self>> {
        if config.proxy_url.is_some() {
            return Ok(None);
        }
        let connector = config.rustls_https_connector_with_connector(connect::connector(config))?;
        let connect = move |uri: Uri| {
            let mut connector = connector.clone();
            async move {
                let stream = connector.ready().await?.call(uri).await?;
                let (sender, driver) = handshake(stream).await?;
                Ok(Connection {
                    sender,
                    driver: driver.boxed().fuse(),
                })
            }
            .boxed()
        };
        let connections = Connections {
            connect: Arc::new(connect),
            idle: Arc::default(),
        };
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .option_layer(config.auth_layer()?)
            .layer(config.extra_headers_layer()?)
            .map_err(BoxError::from)
            .service(connections);
        Ok(Some(Self(BoxCloneSyncService::new(service))))
    }

    /// The answer to one request, whole. Dropped midway, the connection is closed.
    pub(super) async fn ask(&self, request: Request<Body>) -> Result<Response<Bytes>, BoxError> {
        self.0.clone().oneshot(request).await
    }
}

type Connect = dyn Fn(Uri) -> BoxFuture<'static, Result<Connection, BoxError>> + Send + Sync;

/// The connections to one server that nobody uses at the moment.
#[derive(Clone)]
struct Connections {
    connect: Arc<Connect>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Service<Request<Body>> for Connections {
    type Response = Response<Bytes>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Bytes>, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let connections = self.clone();
        async move { connections.ask(request).await }.boxed()
    }
}

impl Connections {
    async fn ask(&self, mut request: Request<Body>) -> Result<Response<Bytes>, BoxError> {
        let server = std::mem::take(request.uri_mut());
        if let Some(authority) = server.authority() {
            let host = HeaderValue::try_from(authority.as_str())?;
            request.headers_mut().insert(HOST, host);
        }
        let path = server.path_and_query().cloned();
        *request.uri_mut() = path.unwrap_or(PathAndQuery::from_static("/")).into();
        loop {
            let (mut connection, is_kept) = match self.take() {
                Some(kept) => (kept, true),
                None => ((self.connect)(server.clone()).await?, false),
            };
            match connection.ask(request).await {
                Ok(response) => {
                    self.keep(connection);
                    return Ok(response);
                }
                // the server had closed it; a new one that is closed at once says something else
                Err(Failure {
                    unsent: Some(back), ..
                }) if is_kept => request = *back,
                Err(failure) => return Err(failure.error),
            }
        }
    }

    /// The connection used last, which is the least likely to be closed by the server.
    fn take(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if connection.is_ready() {
                return Some(connection);
            }
        }
    }

    fn keep(&self, mut connection: Connection) {
        if !connection.is_ready() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // the server closes what is idle for long, and the oldest one is looked at by nobody else
        if idle.first_mut().is_some_and(|oldest| !oldest.is_ready()) {
            idle.remove(0);
        }
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }
}

struct Connection {
    sender: SendRequest<Body>,
    /// Reads and writes; over when the connection is.
    driver: Fuse<BoxFuture<'static, hyper::Result<()>>>,
}

/// Why there is no answer, and the request where nothing of it was sent.
struct Failure {
    error: BoxError,
    unsent: Option<Box<Request<Body>>>,
}

impl From<BoxError> for Failure {
    fn from(error: BoxError) -> Self {
        Self { error, unsent: None }
    }
}

impl Connection {
    /// Whether a request can be sent: looks what the server did meanwhile.
    fn is_ready(&mut self) -> bool {
        let _over = (&mut self.driver).now_or_never();
        self.sender.is_ready()
    }

    async fn ask(&mut self, request: Request<Body>) -> Result<Response<Bytes>, Failure> {
        let sent = self.sender.try_send_request(request);
        let mut answer = pin!(async {
            let response = sent.await.map_err(|mut failed| Failure {
                unsent: failed.take_message().map(Box::new),
                error: failed.into_error().into(),
            })?;
            let (parts, body) = response.into_parts();
            let bytes = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
            Ok(Response::from_parts(parts, bytes))
        });
        let driver = &mut self.driver;
        poll_fn(|context| {
            // the head, the body and its end go through both; whatever is left wakes this task once more
            for _ in 0..3 {
                if let Poll::Ready(answer) = answer.as_mut().poll(context) {
                    return Poll::Ready(answer);
                }
                // where the connection fails, the answer is that
                let _driven = driver.poll_unpin(context);
            }
            answer.as_mut().poll(context)
        })
        .await
    }
}

#[cfg(test)]
mod tests;
