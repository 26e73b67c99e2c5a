//! How much an API server may make us hold: anybody whose kubeconfig we use can be one.
//!
//! A watch goes on for ever, and each of its lines is held until it is whole: a line has the bound that other answers have
//! as a whole.

use super::connections::ANSWER_BYTES_MAX;
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt, TryFutureExt};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower::{BoxError, Layer, Service};

/// Bounds all answers of a client.
#[derive(Clone, Copy)]
pub(super) struct Bound(pub(super) usize);

impl Default for Bound {
    fn default() -> Self {
        Self(ANSWER_BYTES_MAX)
    }
}

impl<S> Layer<S> for Bound {
    type Service = Bounding<S>;

    fn layer(&self, inner: S) -> Bounding<S> {
        Bounding {
            inner,
            bytes_max: self.0,
        }
    }
}

/// A client whose answers are bounded.
#[derive(Clone)]
pub(super) struct Bounding<S> {
    inner: S,
    bytes_max: usize,
}

impl<S, A, B> Service<Request<A>> for Bounding<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    B: 'static,
{
    type Response = Response<Bounded<B>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let mut parts = request.uri().query().unwrap_or_default().split('&');
        let is_watch = parts.any(|part| matches!(part, "watch=true" | "watch=1"));
        let bytes_max = self.bytes_max;
        let answer = self.inner.call(request);
        answer
            .map_ok(move |answer| {
                let is_lines = is_watch && answer.status().is_success();
                answer.map(|body| Bounded {
                    body,
                    is_lines,
                    bytes: 0,
                    bytes_max,
                })
            })
            .boxed()
    }
}

/// A body that fails once it, or where it is made of lines one of these, is too long.
pub(super) struct Bounded<B> {
    body: B,
    is_lines: bool,
    /// Of the body, or of its last line, so far.
    bytes: usize,
    bytes_max: usize,
}

impl<B> Body for Bounded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None => return Poll::Ready(None),
        };
        if let Some(data) = frame.data_ref() {
            let ended = data.iter().rposition(|byte| *byte == b'\n');
            self.bytes = match ended.filter(|_| self.is_lines) {
                Some(end) => data.len() - end - 1,
                None => self.bytes.saturating_add(data.len()),
            };
            if self.bytes > self.bytes_max {
                let what = if self.is_lines {
                    "a line of a watch"
                } else {
                    "an answer"
                };
                let error = format!("the API server sent {what} of more than {} bytes", self.bytes_max);
                return Poll::Ready(Some(Err(error.into())));
            }
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::{BodyExt as _, StreamBody};
    use tower::ServiceExt as _;

    /// What comes of these pieces, with ten bytes allowed.
    async fn read(uri: &str, status: u16, pieces: &'static [&'static str]) -> Result<String, String> {
        let server = tower::service_fn(move |_: Request<()>| async move {
            let pieces = pieces
                .iter()
                .map(|piece| Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(piece.as_bytes()))));
            let body = StreamBody::new(futures::stream::iter(pieces));
            Ok::<_, BoxError>(Response::builder().status(status).body(body).unwrap())
        });
        let request = Request::get(uri).body(()).unwrap();
        let answer = Bound(10).layer(server).oneshot(request).await.unwrap();
        let body = answer.into_body().collect().await;
        body.map(|body| String::from_utf8(body.to_bytes().to_vec()).unwrap())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn lines_of_a_watch_and_whole_answers_have_a_bound() {
        let lines = &["12345", "67890\n1234", "567890\n", "1234567890"];
        assert_eq!(read("/a?watch=true", 200, lines).await.unwrap(), lines.concat());
        assert_eq!(
            read("/a?limit=1&watch=1", 200, &["1\n2345678", "9012"]).await,
            Err("the API server sent a line of a watch of more than 10 bytes".to_owned())
        );
        let told = Err("the API server sent an answer of more than 10 bytes".to_owned());
        assert_eq!(read("/a?watch=true", 404, &["1234567\n", "1234\n"]).await, told);
        assert_eq!(read("/a?limit=1", 200, &["1234567\n", "1234\n"]).await, told);
        assert_eq!(read("/a", 200, &["12345", "67890"]).await.unwrap(), "1234567890");
    }
}
